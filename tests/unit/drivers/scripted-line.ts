import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { setTimeout as afterMs } from 'node:timers/promises';
import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Sample, Value } from '#edge/domain/reading.ts';
import type { Driver, Session, Sink } from '#edge/drivers/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import type { Profile } from '#edge/profiles/profile.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';

/** Bytes to send, a pause in ms, or the end of the connection. */
export type Step = Buffer | number | 'reset';

export interface ScriptedLine extends AsyncDisposable {
  readonly port: number;
  /** Decides what each request gets. */
  answer: (request: Buffer) => readonly Step[];
}

/** A serial server whose line does exactly what a test says. */
export async function startLine(answer: ScriptedLine['answer']): Promise<ScriptedLine> {
  const sockets = new Set<Socket>();
  const line: { answer: ScriptedLine['answer'] } = { answer };
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    // A request is written at once and is a few bytes: on loopback it is one chunk.
    socket.on('data', (request: Buffer) => void play(socket, line.answer(request)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(line, {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
}

async function play(socket: Socket, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (socket.destroyed) return;
    if (step === 'reset') socket.resetAndDestroy();
    else if (typeof step === 'number') await afterMs(step);
    else socket.write(step);
  }
}

export const deviceOf = (profile: Profile, address: object, id = 'meter'): Device => ({
  id: id as DeviceId,
  name: { zh: '表', en: 'Meter' },
  profile: 'x/y',
  protocol: profile.protocol,
  zone: 'z' as ZoneId,
  points: pointsOf(profile, { fast: 2_000, normal: 15_000, slow: 300_000 }),
  address,
});

export interface Opened extends AsyncDisposable {
  readonly session: Session;
  readonly points: readonly Point[];
  readonly told: Sample[];
  readonly states: string[];
  readonly counts: string[];
  /** What a read of these points (default: all) brings: `[value, quality, reason]`. */
  values(names?: readonly string[]): Promise<Record<string, readonly unknown[]>>;
  write(point: string, value: Value, expires?: number): ReturnType<NonNullable<Session['write']>>;
}

const never = new AbortController().signal;

export async function openDevice(driver: Driver<unknown>, device: Device): Promise<Opened> {
  const told: Sample[] = [];
  const states: string[] = [];
  const counts: string[] = [];
  const sink: Sink = {
    sample: (sample) => told.push(sample),
    event: () => {},
    health: (state, message) => states.push(`${state}: ${message}`),
    count: (word) => counts.push(word),
  };
  const session = await driver.open(device, driver.config.parse(device.address), sink, never);
  return {
    session,
    points: device.points,
    told,
    states,
    counts,
    async values(names) {
      const points = device.points.filter(({ name }) => names === undefined || names.includes(name));
      const samples = await session.read(points, never);
      return Object.fromEntries(samples.map(({ point, value, quality, reason }) => [point, [value, quality, reason]]));
    },
    write(point, value, expires = systemClock.now() + 10_000) {
      const command: Command = {
        id: newHappeningId(systemClock),
        device: device.id,
        point: point as PointName,
        value,
        priority: 8,
        issued: systemClock.now(),
        expires,
        until: null,
      };
      return session.write?.(command, never) ?? Promise.reject(new Error('cannot write'));
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}
