import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { at, fill, meansYes, pick } from './answers.ts';
import type { PaCall, PaCalls, UploadCalls } from './presets.ts';
import type { PaAnswer, PaServer } from './server.ts';

/** Behind every sound and every look. */
const rank = 11;
/** A longer list, or a larger clip, is not for a loudspeaker. */
const longestList = 5_000;
const largestClip = 20_000_000;
/** The same list is not read again so soon, ms. */
const fresh = 10_000;

export interface ShelfClip {
  /** What the device calls it. */
  readonly name: string;
  readonly file: string;
  readonly isUrgent: boolean;
}

interface Kept {
  readonly size: number | undefined;
  readonly digest: string | undefined;
}

export interface ShelfOptions {
  readonly server: PaServer;
  readonly calls: PaCalls & { readonly upload: UploadCalls };
  readonly clock: Clock;
  /** Of an ordinary request, ms. */
  readonly timeout: number;
}

/** The clips in the store of one server: what is missing, or is not what it should be, is put there and looked at again. */
export class PaShelf {
  readonly #options: ShelfOptions;
  readonly #wanted = new Map<string, ShelfClip>();
  readonly #problems = new Map<string, string>();
  readonly #ending = new AbortController();
  #running: Promise<ReadonlySet<string>> | null = null;
  #goodAt = Number.NEGATIVE_INFINITY;

  constructor(options: ShelfOptions) {
    this.#options = options;
  }

  want(clips: readonly ShelfClip[]): void {
    for (const clip of clips) {
      if (!this.#wanted.has(clip.name)) this.#goodAt = Number.NEGATIVE_INFINITY;
      this.#wanted.set(clip.name, clip);
    }
  }

  /** It went away: whoever comes back may have been emptied. */
  doubt(): void {
    this.#goodAt = Number.NEGATIVE_INFINITY;
  }

  problems(): readonly string[] {
    return [...this.#problems].map(([name, words]) => `clip "${name}" is not on it: ${words}`);
  }

  /** The names that were put there. Never rejects. `isForced`: it says itself that something is missing. */
  fill(isForced = false): Promise<ReadonlySet<string>> {
    if (this.#running !== null) return this.#running;
    const isFresh = this.#options.clock.monotonic() - this.#goodAt < fresh;
    if (this.#wanted.size === 0 || (isFresh && !isForced)) return Promise.resolve(new Set<string>());
    this.#running = this.#fill().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #fill(): Promise<ReadonlySet<string>> {
    const put = new Set<string>();
    const inOrder = [...this.#wanted.values()].toSorted((a, b) => Number(b.isUrgent) - Number(a.isUrgent));
    let there: ReadonlyMap<string, Kept>;
    try {
      there = await this.#list();
    } catch (error) {
      for (const { name } of inOrder) this.#problems.set(name, `its list: ${messageOf(error)}`);
      return put;
    }
    for (const clip of inOrder) {
      if (this.#ending.signal.aborted) return put;
      try {
        const bytes = await this.#read(clip);
        if (agrees(there.get(clip.name), bytes)) {
          this.#problems.delete(clip.name);
          continue;
        }
        await this.#put(clip.name, bytes);
        there = await this.#list();
        if (!agrees(there.get(clip.name), bytes)) throw new CodedError('PA_NO', 'it is not what was put there');
        put.add(clip.name);
        this.#problems.delete(clip.name);
      } catch (error) {
        this.#problems.set(clip.name, messageOf(error));
      }
    }
    if (this.#problems.size === 0) this.#goodAt = this.#options.clock.monotonic();
    return put;
  }

  async #read({ file }: ShelfClip): Promise<Buffer> {
    const { size } = await stat(file);
    if (size > largestClip) throw new CodedError('PA_NO', `${file} has ${size} bytes, more than ${largestClip}`);
    return readFile(file, { signal: AbortSignal.timeout(10_000) });
  }

  async #list(): Promise<ReadonlyMap<string, Kept>> {
    const { list, at: where, name, size, digest } = this.#options.calls.upload;
    const { text } = await this.#ask(list, '', undefined);
    const found = at(text, where);
    if (!Array.isArray(found)) throw new CodedError('PA_NO', `there is no list at "${where}" of its answer`);
    const entries = found.slice(0, longestList).map((one): [string, Kept] => {
      const bytes = size === undefined ? undefined : Number(pick(one, size));
      const hash = digest === undefined ? undefined : String(pick(one, digest) ?? '').toLowerCase();
      return [String(pick(one, name)), { size: bytes, digest: hash }];
    });
    return new Map(entries);
  }

  async #put(name: string, bytes: Buffer): Promise<void> {
    await this.#ask(this.#options.calls.upload.put, name, bytes);
  }

  async #ask(call: PaCall, clip: string, body: Buffer | undefined): Promise<PaAnswer> {
    const { server, calls, timeout } = this.#options;
    const rate = calls.upload.rate * 1_000;
    const answer = await server.ask({
      ...{ method: call.method, path: fill(call.path, { clip }, encodeURIComponent), body, rank, isAside: true },
      ...(body !== undefined && { type: 'application/octet-stream', rate }),
      timeout: timeout + Math.ceil(((body?.length ?? 0) / rate) * 2_000),
      signal: this.#ending.signal,
    });
    const no = meansYes(answer, call, calls.success);
    if (no !== null) throw new CodedError('PA_NO', no);
    return answer;
  }

  end(): void {
    this.#ending.abort();
  }
}

/** What it says of a clip is what we have; a list of bare names says no more than that it is there. */
function agrees(kept: Kept | undefined, bytes: Buffer): boolean {
  if (kept === undefined) return false;
  if (kept.size !== undefined && kept.size !== bytes.length) return false;
  return kept.digest === undefined || kept.digest === createHash('sha256').update(bytes).digest('hex');
}

/** Emergency clips that no site file names for the device have their own names there. */
export function ownName(clip: string, file: string): string {
  return `${clip}${extname(file)}`;
}
