import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type DeviceId, slugPattern } from '#edge/domain/ids.ts';
import type { FootageRange } from '#edge/domain/recording.ts';
import { writeDurably } from '#edge/runtime/durable-file.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { arrangeRanges, type ProtectedRange } from './retention-plan.ts';

/*
 * What core wants kept. Its answer is also on disk beside the footage: what is not known is kept, so a start without core must not
 * begin with an empty list.
 */

const range = z.object({
  camera: z.string().regex(slugPattern),
  from: z.number(),
  to: z.number(),
  /** Absent: exempt from days and bytes. */
  kind: z.enum(['clip', 'kept']).optional(),
});
type Range = z.infer<typeof range>;
const mostRanges = 300_000;
const place = z.object({ edition: z.number(), from: z.number() });
/** A page of core's answer. */
const answer = z.object({
  ranges: z.array(range).max(mostRanges),
  next: place.nullable().default(null),
  /** Which database says so. */
  epoch: z.number().optional(),
});
const remembered = z.object({
  ranges: z.array(range).max(mostRanges),
  epoch: z.number().optional(),
  /** What databases that are lost wanted kept, and until when it is. */
  earlier: z.object({ until: z.number(), ranges: z.array(range).max(mostRanges) }).optional(),
});
type Memory = z.infer<typeof remembered>;

/** Of more pages than this nothing is believed. */
const mostPages = 100;
/** A database that is new, or that of a back-up, does not know what the one before had promised: time for people to look after it, ms. */
const earlierKept = 180 * 86_400_000;

export interface ProtectedOptions {
  /** The footage folder. */
  readonly folder: string;
  readonly call: (method: string, params: object) => Promise<unknown>;
  readonly log: Log;
}

/** `fresh`: core has just said it; `remembered`: core is away, this was its last word; `unknown`: nobody has ever said. */
export type Knowledge = 'fresh' | 'remembered' | 'unknown';

export class ProtectedFootage {
  readonly #options: ProtectedOptions;
  #memory: Memory | null = null;
  #ranges: ReadonlyMap<string, readonly ProtectedRange[]> | null = null;
  #saved = '';
  #isTold = false;
  #hasLooked = false;
  #age: number | null = null;
  #asking: Promise<Knowledge> | null = null;

  constructor(options: ProtectedOptions) {
    this.#options = options;
  }

  get cameras(): ReadonlyMap<string, readonly ProtectedRange[]> {
    return this.#ranges ?? new Map();
  }

  ranges(camera: DeviceId): readonly ProtectedRange[] {
    return this.#ranges?.get(camera) ?? [];
  }

  isProtected(camera: DeviceId, { from, to }: FootageRange): boolean {
    return this.ranges(camera).some((one) => one.kind === 'kept' && one.from < to && one.to > from);
  }

  /**
   * Asks core; where it is away, what it said last. `age`: how late it surely is, ms since epoch; what core keeps until some time is kept
   * until then, whatever its clock says.
   */
  refresh(age: number | null = this.#age): Promise<Knowledge> {
    this.#age = age;
    this.#asking ??= this.#refresh().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #refresh(): Promise<Knowledge> {
    if (!this.#hasLooked) await this.#remember();
    try {
      const { ranges, epoch } = await this.#ask();
      this.#take({ ranges, ...(epoch === undefined ? {} : { epoch }), ...this.#earlier(epoch) });
      this.#isTold = false;
      await this.#save();
      return 'fresh';
    } catch (error) {
      if (!this.#isTold)
        this.#options.log.warn({ code: codeOf(error) }, 'core does not say which footage is to be kept');
      this.#isTold = true;
      return this.#ranges === null ? 'unknown' : 'remembered';
    }
  }

  async #ask(): Promise<Omit<z.infer<typeof answer>, 'next'>> {
    const ranges: Range[] = [];
    let next: z.infer<typeof place> | null = null;
    const age = this.#age === null ? {} : { age: this.#age };
    for (let pages = 0; pages < mostPages; pages++) {
      const params = next === null ? age : { ...age, place: next };
      const page = answer.parse(await this.#options.call('footage.protected', params));
      ranges.push(...page.ranges);
      next = page.next;
      if (next === null) return { ranges, epoch: page.epoch };
    }
    throw new CodedError('PROTECTED_TOO_MUCH', `more than ${mostPages} pages of footage are to be kept`);
  }

  /** What an earlier database had promised, while it still holds. */
  #earlier(epoch: number | undefined): Pick<Memory, 'earlier'> {
    const before = this.#memory;
    const now = this.#age ?? 0;
    const still = before?.earlier !== undefined && before.earlier.until > now ? { earlier: before.earlier } : {};
    if (before?.epoch === undefined || before.epoch === epoch) return still;
    const promised = [...(still.earlier?.ranges ?? []), ...before.ranges].filter(
      ({ kind = 'kept' }) => kind === 'kept',
    );
    if (promised.length === 0) return still;
    this.#options.log.warn(
      { ranges: promised.length },
      'another database: what the one before kept is kept for 180 days',
    );
    return { earlier: { until: now + earlierKept, ranges: promised.slice(-mostRanges) } };
  }

  get #file(): string {
    return join(this.#options.folder, 'protected.json');
  }

  #take(memory: Memory): void {
    this.#memory = memory;
    const byCamera = Map.groupBy([...memory.ranges, ...(memory.earlier?.ranges ?? [])], ({ camera }) => camera);
    this.#ranges = new Map(
      [...byCamera].map(([camera, of]) => [
        camera,
        arrangeRanges(of.map(({ from, to, kind = 'kept' }) => ({ from, to, kind }))),
      ]),
    );
  }

  async #save(): Promise<void> {
    const text = JSON.stringify(this.#memory);
    if (text === this.#saved) return;
    await writeDurably(this.#file, text);
    this.#saved = text;
  }

  async #remember(): Promise<void> {
    try {
      this.#take(remembered.parse(JSON.parse(await readFile(this.#file, 'utf8'))));
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'ENOENT') this.#options.log.error({ code }, 'protected.json cannot be read');
      // A disk that does not answer is asked again; what is no memory is begun anew.
      if (['EIO', 'EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'ESTALE'].includes(code)) return;
    }
    this.#hasLooked = true;
  }
}
