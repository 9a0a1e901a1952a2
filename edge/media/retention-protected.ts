import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type DeviceId, slugPattern } from '#edge/domain/ids.ts';
import type { FootageRange } from '#edge/domain/recording.ts';
import { writeDurably } from '#edge/runtime/durable-file.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { arrangeRanges, type ProtectedRange } from './retention-plan.ts';

/*
 * What core wants kept. Its answer is also on disk beside the footage: what is not known is kept, so a start without core must not
 * begin with an empty list.
 */

const answer = z.object({
  ranges: z
    .array(
      z.object({
        camera: z.string().regex(slugPattern),
        from: z.number(),
        to: z.number(),
        /** Absent: exempt from days and bytes. */
        kind: z.enum(['clip', 'kept']).optional(),
      }),
    )
    .max(200_000),
});

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
  #ranges: ReadonlyMap<string, readonly ProtectedRange[]> | null = null;
  #saved = '';
  #isTold = false;

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
    return this.ranges(camera).some((range) => range.kind === 'kept' && range.from < to && range.to > from);
  }

  /** Asks core; where it is away, what it said last. */
  async refresh(): Promise<Knowledge> {
    try {
      const text = JSON.stringify(answer.parse(await this.#options.call('footage.protected', {})));
      this.#take(text);
      this.#isTold = false;
      await this.#save(text);
      return 'fresh';
    } catch (error) {
      if (!this.#isTold)
        this.#options.log.warn({ code: codeOf(error) }, 'core does not say which footage is to be kept');
      this.#isTold = true;
      if (this.#ranges === null) await this.#remember();
      return this.#ranges === null ? 'unknown' : 'remembered';
    }
  }

  get #file(): string {
    return join(this.#options.folder, 'protected.json');
  }

  #take(text: string): void {
    const { ranges } = answer.parse(JSON.parse(text));
    const byCamera = Map.groupBy(ranges, ({ camera }) => camera);
    this.#ranges = new Map(
      [...byCamera].map(([camera, of]) => [
        camera,
        arrangeRanges(of.map(({ from, to, kind = 'kept' }) => ({ from, to, kind }))),
      ]),
    );
  }

  async #save(text: string): Promise<void> {
    if (text === this.#saved) return;
    await writeDurably(this.#file, text);
    this.#saved = text;
  }

  async #remember(): Promise<void> {
    try {
      this.#take(await readFile(this.#file, 'utf8'));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#options.log.error({ code: codeOf(error) }, 'protected.json cannot be read');
    }
  }
}
