import { setImmediate } from 'node:timers/promises';
import type { z } from 'zod';
import type { JournalEntry, JournalFilter, Reader } from '#edge/store/reader.ts';
import type { Reach } from './rule-reach.ts';
import { reachesInto } from './rule-reach-scope.ts';
import type { journalEntrySchema } from './rule-schemas.ts';
import type { Scope } from './scope.ts';

type Line = z.infer<typeof journalEntrySchema>;

/** Lines read at a time: a few ms of this process. */
const pageSize = 500;
/** Pages that are looked through for somebody who sees little of the campus. */
const mostPages = 40;

/** Lines of the journal about what somebody may see, newest first, in words that tell nothing of elsewhere. */
export async function journalLines(
  reader: Pick<Reader, 'journal'>,
  scope: Scope,
  reachOf: (instance: string) => Reach | undefined,
  { limit, ...filter }: JournalFilter,
): Promise<Line[]> {
  const found: Line[] = [];
  let { before } = filter;
  for (let page = 0; page < mostPages && found.length < limit; page++) {
    if (page > 0) await setImmediate();
    const lines = reader.journal({
      ...filter,
      ...(before === undefined ? {} : { before }),
      limit: scope.isWhole ? limit : pageSize,
    });
    found.push(
      ...lines
        .filter(({ instance }) => scope.isWhole || reachesInto(reachOf(instance), scope))
        .map((line) => shown(line, scope)),
    );
    before = lines.at(-1)?.seq;
    if (scope.isWhole || lines.length < pageSize) break;
  }
  return found.slice(0, limit);
}

export function shown(line: JournalEntry, scope: Scope): Line {
  if (scope.isWhole) return { ...line };
  const { saw, did, why } = line;
  return {
    ...line,
    saw: saw.filter(({ ref }) => scope.seesRef(ref)),
    did: did.map(scope.words),
    why: scope.words(why),
  };
}
