import { z } from 'zod';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import type { Batch } from '#edge/store/batch.ts';
import { checked } from './rpc-params.ts';

const word = z.string().max(256);
const foundParams = z.strictObject({
  /** `onvif/<endpoint>`, or `onvif/<host>:<port>`. */
  key: z
    .string()
    .max(256)
    .regex(/^onvif\/[^\s/]+$/),
  host: word,
  port: z.int().min(1).max(65_535),
  path: word,
  maker: word,
  model: word,
  /** SHA-256 of the certificate it shows; null: it is spoken to without TLS. */
  fingerprint: word.nullable(),
  endpoint: word,
});

/** Cameras of a thousand schools do not come in faster: 200 lines at once, then one a second. */
const burst = 200;

/** `device.found` -> {}: a camera that nobody has adopted is in the inbox then. `RPC_BUSY`: more than anybody could look at. */
export function createFoundMethods(options: {
  readonly commit: (batch: Batch) => Promise<void>;
  readonly clock: Clock;
}): Readonly<Record<string, RpcMethod>> {
  const { commit, clock } = options;
  let room = burst;
  let last = clock.monotonic();
  return {
    'device.found': checked(foundParams, async ({ key, ...found }) => {
      const now = clock.monotonic();
      room = Math.min(burst, room + (now - last) / 1000);
      last = now;
      if (room < 1) throw new CodedError('RPC_BUSY', 'more cameras than anybody could look at');
      room -= 1;
      const name = [found.maker, found.model].filter((part) => part !== '').join(' ') || 'camera';
      const message = `a camera that is not in the site file answers at ${found.host}:${found.port} (${name})`;
      const excerpt = JSON.stringify(found).slice(0, 1024);
      const entry = { kind: 'unknown-device', client: 'camera', topic: '', key, message, excerpt, time: clock.now() };
      await commit({ inbox: [entry] });
      return {};
    }),
  };
}
