import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { writeDurably } from '#edge/runtime/durable-file.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';

/*
 * What a driver must still know of its cameras after a crash: subscriptions to give back, who a camera is, where it was found,
 * how often it usually speaks. No passwords. Whatever is lost with the file is learnt again.
 */

const word = z.string().max(256);
const place = z.strictObject({ host: word, port: z.int().min(1).max(65_535) });

const subscription = z.strictObject({
  address: z.string().max(1024),
  path: z.string().max(1024),
  /** Reference parameters, as they are echoed. */
  reference: z.string().max(4096),
  /** When it lapses by itself, ms since epoch by our clock. */
  until: z.number(),
  /** Of the camera that gave it: another one at the same address has others. */
  serial: word,
});

const record = z.strictObject({
  /** `host:port` of the site file that all this was learnt under. */
  configured: word,
  /** WS-Discovery endpoints it has shown while it was logged in to, newest first. */
  endpoints: z.array(word).max(4),
  serial: word,
  /** Twelve hex digits; '' = unknown. */
  mac: word,
  /** Where it was found when it was not where the site file says. */
  moved: place.nullable(),
  subscriptions: z.array(subscription).max(8),
  /** Two day types of 24 hours: how often an hour was listened to, and how often it had an event (habit.ts). */
  habit: z.array(z.number().min(0).max(1000)).max(96),
});

export type CameraPlace = z.output<typeof place>;
export type KeptSubscription = z.output<typeof subscription>;
export type CameraRecord = z.output<typeof record>;

const fileSchema = z.strictObject({ version: z.literal(1), cameras: z.record(z.string().max(63), record) });

const mostCameras = 1024;
const mostBytes = 8_000_000;

const empty: CameraRecord = {
  configured: '',
  endpoints: [],
  serial: '',
  mac: '',
  moved: null,
  subscriptions: [],
  habit: [],
};

export interface CameraMemory extends AsyncDisposable {
  of(device: DeviceId): CameraRecord;
  /** Kept at once; on disk within `delay` ms (0: as soon as the disk lets). */
  change(device: DeviceId, part: Partial<CameraRecord>, delay?: number): void;
  /** Forgets all but these: the others are not in the site file any more. */
  retain(devices: readonly DeviceId[]): void;
  /** Resolves when everything that was changed so far is on disk, or could not be put there. */
  flush(): Promise<void>;
}

/** For whoever keeps nothing: a trial from the command line. */
export function noMemory(): CameraMemory {
  return new Keeper(null, new Map());
}

/** Reads `file`; one that is missing or cannot be read is begun anew. Never throws. */
export async function openMemory(file: string, clock: Clock, log: Log): Promise<CameraMemory> {
  let cameras: Record<string, CameraRecord> = {};
  try {
    const text = await readFile(file, 'utf8');
    if (text.length > mostBytes) throw new Error(`it has ${text.length} characters`);
    cameras = fileSchema.parse(JSON.parse(text)).cameras;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') log.warn({ reason: messageOf(error) }, 'memory of cameras is begun anew');
  }
  return new Keeper({ file, clock, log }, new Map(Object.entries(cameras)));
}

class Keeper implements CameraMemory {
  /** null: nothing is kept. */
  readonly #disk: { readonly file: string; readonly clock: Clock; readonly log: Log } | null;
  readonly #records: Map<string, CameraRecord>;
  #timer: NodeJS.Timeout | undefined;
  #due = Number.POSITIVE_INFINITY;
  #dirty = false;
  #writing: Promise<void> = Promise.resolve();
  #fails = false;

  constructor(disk: { file: string; clock: Clock; log: Log } | null, records: Map<string, CameraRecord>) {
    this.#disk = disk;
    this.#records = records;
  }

  of(device: DeviceId): CameraRecord {
    return this.#records.get(device) ?? empty;
  }

  change(device: DeviceId, part: Partial<CameraRecord>, delay = 0): void {
    if (!this.#records.has(device) && this.#records.size >= mostCameras) return;
    this.#records.set(device, { ...this.of(device), ...part });
    this.#touch(delay);
  }

  retain(devices: readonly DeviceId[]): void {
    const kept = new Set<string>(devices);
    for (const id of this.#records.keys()) {
      if (kept.has(id)) continue;
      this.#records.delete(id);
      this.#touch(0);
    }
  }

  async flush(): Promise<void> {
    if (this.#dirty) this.#start();
    await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    clearTimeout(this.#timer);
  }

  #touch(delay: number): void {
    if (this.#disk === null) return;
    this.#dirty = true;
    const due = this.#disk.clock.monotonic() + delay;
    if (due >= this.#due) return;
    this.#due = due;
    clearTimeout(this.#timer);
    // Changes of one turn are one file.
    this.#timer = setTimeout(() => this.#start(), delay);
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#due = Number.POSITIVE_INFINITY;
    this.#writing = this.#writing.then(() => this.#write());
  }

  /** A bulkhead: a disk that refuses costs a slot of a camera after a crash, and no event. Tried again with the next change. */
  async #write(): Promise<void> {
    if (this.#disk === null || !this.#dirty) return;
    const { file, log } = this.#disk;
    this.#dirty = false;
    try {
      const text = JSON.stringify({ version: 1, cameras: Object.fromEntries(this.#records) });
      await writeDurably(file, `${text}\n`);
      this.#fails = false;
    } catch (error) {
      this.#dirty = true;
      if (!this.#fails) log.warn({ reason: messageOf(error) }, 'memory of cameras cannot be written');
      this.#fails = true;
    }
  }
}
