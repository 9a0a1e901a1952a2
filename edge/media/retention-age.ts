import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Clock } from '#edge/runtime/clock.ts';
import { createClockSync } from '#edge/runtime/clock-sync.ts';
import { writeDurably } from '#edge/runtime/durable-file.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { DeletionClock } from './retention-clock.ts';

/*
 * How old is what is kept? A clock that is put forward by years, by a dead battery or by a person, would make all of it too old: history,
 * incidents, the audit and pictures would be gone within a minute, and nothing brings them back.
 */

export interface AgeOptions {
  /** Where it is remembered over restarts. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether something sets this clock and says that it is right; default: asks this machine. */
  readonly synchronised?: () => Promise<boolean | null>;
}

/** What ages are reckoned against now, ms since epoch: never later than it surely is. Never throws. */
export type Age = () => Promise<number>;

const state = z.object({ age: z.number(), wall: z.number() });
/** Ten minutes of it may be lost: what is kept then grows old that much later, ms. */
const pace = 600_000;

/** Ask it about once a minute. Whoever starts does not wait for it. */
export function createAge({ file, clock, log, synchronised }: AgeOptions): Age {
  const asked = createClockSync({ clock });
  const vouched = synchronised ?? (async () => (await asked()).synchronised);
  const look = async () => ({ synchronised: await vouched(), now: clock.now(), monotonic: clock.monotonic() });
  const opening = read(file, log).then(async (known) => new DeletionClock(known, await look()));
  let saved = Number.NEGATIVE_INFINITY;
  return async () => {
    const judge = await opening;
    const { ageNow } = judge.look(await look());
    if (Math.abs(judge.state.age - saved) >= pace) {
      saved = judge.state.age;
      await writeDurably(file, JSON.stringify(judge.state)).catch((error: unknown) =>
        log.warn({ code: codeOf(error) }, 'how late it surely is could not be noted'),
      );
    }
    return ageNow;
  };
}

async function read(file: string, log: Log): Promise<z.infer<typeof state> | null> {
  try {
    return state.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') log.error({ code: codeOf(error) }, 'how late it surely was cannot be read');
    return null;
  }
}
