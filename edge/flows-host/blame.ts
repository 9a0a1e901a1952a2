import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { readIfThere, writeAtomically } from './atomic-file.ts';
import type { Source } from './meter.ts';

/** A tab whose code ran when the process had to be ended, or ended itself. */
export interface Blamed {
  readonly tab: string;
  readonly node: string;
  readonly name: string;
  /** Ends of the process, ms since epoch, ascending. */
  readonly times: readonly number[];
}

/** So many within this time: the tab is started disabled. */
export const mostEnds = 2;
const forgiveAfter = 3_600_000;
const mostTabs = 200;
const text = z.string().max(300);
const fileSchema = z
  .array(z.strictObject({ tab: text, node: text, name: text, times: z.array(z.int()).max(20) }))
  .max(mostTabs);

/** Remembers over restarts which tabs ended the process. A redeploy of a tab forgives it. */
export class Blame {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #blamed: readonly Blamed[];

  private constructor(file: string, clock: Clock, log: Log, blamed: readonly Blamed[]) {
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
    this.#blamed = blamed;
  }

  /** `ended`: from readCrashNote. */
  static async open(stateFolder: string, ended: Source | null, clock: Clock, log: Log): Promise<Blame> {
    const file = join(stateFolder, 'blamed.json');
    const blame = new Blame(file, clock, log, await readBlamed(file, log));
    if (ended !== null) {
      log.error({ tab: ended.tab, node: ended.node, name: ended.name }, 'this node ran when the last process ended');
      await blame.#add(ended);
    }
    return blame;
  }

  get all(): readonly Blamed[] {
    return this.#recent();
  }

  /** Tabs that are started disabled. */
  get disabled(): ReadonlySet<string> {
    return new Set(this.#recent().flatMap(({ tab, times }) => (times.length >= mostEnds ? [tab] : [])));
  }

  async forgive(tabs: Iterable<string>): Promise<void> {
    const forgiven = new Set(tabs);
    const kept = this.#blamed.filter(({ tab }) => !forgiven.has(tab));
    if (kept.length === this.#blamed.length) return;
    this.#blamed = kept;
    await this.#save();
  }

  async #add({ tab, node, name }: Source): Promise<void> {
    const recent = this.#recent();
    const times = [...(recent.find((one) => one.tab === tab)?.times ?? []), this.#clock.now()].slice(-20);
    this.#blamed = [...recent.filter((one) => one.tab !== tab), { tab, node, name, times }].slice(-mostTabs);
    await this.#save();
  }

  /** Those that are disabled stay so until somebody deploys them; one end alone is forgotten after an hour. */
  #recent(): readonly Blamed[] {
    const since = this.#clock.now() - forgiveAfter;
    return this.#blamed.flatMap((one) => {
      if (one.times.length >= mostEnds) return [one];
      const times = one.times.filter((time) => time >= since);
      return times.length === 0 ? [] : [{ ...one, times }];
    });
  }

  async #save(): Promise<void> {
    try {
      await writeAtomically(this.#file, `${JSON.stringify(this.#blamed)}\n`, 0o600);
    } catch (error) {
      this.#log.error({ problem: messageOf(error) }, 'which tabs ended the process could not be kept');
    }
  }
}

async function readBlamed(file: string, log: Log): Promise<readonly Blamed[]> {
  try {
    return fileSchema.parse(JSON.parse((await readIfThere(file)) ?? '[]'));
  } catch (error) {
    log.warn({ problem: messageOf(error) }, 'which tabs ended the process is not known any more');
    return [];
  }
}
