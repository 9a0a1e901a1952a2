import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Device, Point } from '#edge/domain/device.ts';
import type { CommandResult } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { Driver, Session, Sink } from '../driver.ts';
import { parseWakeConfig, type WakeConfig } from './config.ts';

/** A datagram may be lost, and a card that has just gone to sleep may miss one. */
const copies = 3;
const pause = 100;
const patience = 2_000;

/** Wakes what sleeps. Its one point takes `true`; nothing can be read, and nothing can be put to sleep this way. */
export function createWakeDriver({ clock }: { readonly clock: Clock }): Driver<WakeConfig> {
  return {
    protocol: 'wake',
    config: { parse: parseWakeConfig },
    async open(device, config, sink, signal) {
      return createSession({ device, config, sink, clock, signal });
    },
    async [Symbol.asyncDispose]() {},
  };
}

interface WakeSession {
  readonly device: Device;
  readonly config: WakeConfig;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

function createSession({ device, config, sink, clock, signal }: WakeSession): Session {
  sink.health('online', 'can be woken; nothing answers a magic packet');
  const send = async (during: AbortSignal): Promise<Pick<CommandResult, 'outcome' | 'message'>> => {
    try {
      await broadcast(magicPacket(config.mac), config, AbortSignal.any([signal, during]));
      sink.count('sent');
      return { outcome: 'sent' };
    } catch (error) {
      sink.count('failed');
      return { outcome: 'failed', message: `${config.broadcast}: ${messageOf(error)}` };
    }
  };
  return {
    async read(points: readonly Point[]): Promise<readonly Sample[]> {
      return points.map(({ name }) => ({ point: name, value: null, quality: 'bad', reason: 'configuration-error' }));
    },
    async write({ id, device: named, point: name, value, expires }, during): Promise<CommandResult> {
      const point = device.points.find((one) => one.name === name);
      const result = (outcome: Pick<CommandResult, 'outcome' | 'message'>): CommandResult => ({
        ...{ id, device: named, point: name, time: clock.now() },
        ...outcome,
      });
      if (point?.write === undefined) return result({ outcome: 'refused', message: `${name} cannot be written` });
      if (value !== true) {
        const message = `${name} takes true: nothing is put to sleep over the network`;
        return result({ outcome: 'refused', message });
      }
      if (clock.now() > expires) {
        return result({ outcome: 'expired', message: 'its time was over when its turn came' });
      }
      return result(await send(during));
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Six times 0xff, then the address sixteen times. */
export function magicPacket(mac: string): Buffer {
  const address = Buffer.from(mac.replaceAll(/[:-]/g, ''), 'hex');
  return Buffer.concat([Buffer.alloc(6, 0xff), ...Array.from({ length: 16 }, () => address)]);
}

async function broadcast(packet: Buffer, { broadcast: to, port }: WakeConfig, signal: AbortSignal): Promise<void> {
  const isV6 = isIPv6(to);
  const socket = createSocket(isV6 ? 'udp6' : 'udp4');
  const end = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
  try {
    const bound = Promise.withResolvers<void>();
    socket.once('error', bound.reject);
    end.addEventListener('abort', () => bound.reject(end.reason), { once: true });
    socket.bind(0, () => bound.resolve());
    await bound.promise;
    if (!isV6) socket.setBroadcast(true);
    for (let copy = 0; copy < copies && !end.aborted; copy++) {
      if (copy > 0) await delay(pause, end);
      const sent = Promise.withResolvers<void>();
      socket.send(packet, port, to, (error) => (error === null ? sent.resolve() : sent.reject(error)));
      end.addEventListener('abort', () => sent.reject(end.reason), { once: true });
      await sent.promise;
    }
  } finally {
    socket.close();
  }
}
