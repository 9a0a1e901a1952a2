import { connect, type Socket } from 'node:net';
import type { ElectricFace } from '#edge/simulators/meter-electric.ts';

export const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
export const spaced = (bytes: Buffer | null) =>
  bytes
    ?.toString('hex')
    .toUpperCase()
    .replace(/..(?!$)/g, '$& ') ?? null;

/** A face that shows what it is told. */
export function fixedFace(shown: Partial<ElectricFace> & { readonly energies?: readonly number[] }): ElectricFace {
  return {
    serial: '000000000001',
    voltage: [230, 230, 230],
    current: [1, 1, 1],
    power: [230, 230, 230],
    powerFactor: 0.95,
    frequency: 50,
    energy: (rate) => shown.energies?.[rate] ?? 0,
    settled: () => undefined,
    frozen: () => undefined,
    freeze: () => {},
    demand: { kilowatts: 0, time: 0 },
    ...shown,
  };
}

/** A client of a line that keeps what it hears. */
export async function listenTo(port: number): Promise<AsyncDisposable & { socket: Socket; heard(): Buffer }> {
  const socket = connect(port, '127.0.0.1');
  let heard = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    heard = Buffer.concat([heard, bytes]);
  });
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return {
    socket,
    heard: () => heard,
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}
