import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { uuidPattern } from '#edge/domain/ids.ts';
import { recordingFile, recordingHeaderBytes, recordingLength } from '#edge/domain/voice-recording.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import { actorOf } from './access.ts';
import { audit } from './documents.ts';

export interface RecordingFacts {
  /** ms. */
  readonly length: number;
  readonly bytes: number;
}

/** Where the process `broadcast` keeps what was said on an item; null: that is no id of an item. */
export function recordingPath(data: string, item: string): string | null {
  return uuidPattern.test(item) ? join(data, 'recordings', recordingFile(item)) : null;
}

/** What there is of it now; null: nothing was recorded, or it is deleted. `data`: the data folder. */
export async function recordingFacts(data: string, item: string): Promise<RecordingFacts | null> {
  const path = recordingPath(data, item);
  if (path === null) return null;
  try {
    const { size } = await stat(path);
    return size <= recordingHeaderBytes ? null : { length: recordingLength(size), bytes: size };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** A player asks for its pieces one by one: so long one line of the audit stands for all of them, ms. */
const lasts = 900_000;
const mostKnown = 2_000;

/** Who listened to what was said: in the audit before the first byte. */
export class RecordingListeners {
  readonly #rpc: RpcClient;
  readonly #clock: Clock;
  /** Monotonic; the oldest first. */
  readonly #known = new Map<string, { readonly over: number; readonly told: Promise<void> }>();

  constructor(rpc: RpcClient, clock: Clock) {
    this.#rpc = rpc;
    this.#clock = clock;
  }

  /** Throws what core's RPC throws: then nothing may be heard. */
  async note(request: Pick<FastifyRequest, 'principal' | 'ip'>, item: string): Promise<void> {
    const { who, from } = actorOf(request);
    const key = `${who} ${from} ${item}`;
    const now = this.#clock.monotonic();
    const known = this.#known.get(key);
    if (known !== undefined && known.over > now) return known.told;
    const told = audit(this.#rpc, request, { what: `listen recording ${item}`, result: 'played' });
    this.#known.delete(key);
    this.#known.set(key, { over: now + lasts, told });
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostKnown && oldest !== undefined) this.#known.delete(oldest);
    try {
      await told;
    } catch (error) {
      this.#known.delete(key);
      throw error;
    }
  }
}
