import type { words } from './words.ts';

type Say = (typeof words)['zh'];

/** Core's own sentence of why not, in people's words. */
export function refusalText(why: string, say: Say): string {
  const [, taker] = /^(.+) has claimed it(?: already)?$/.exec(why) ?? [];
  if (taker !== undefined) return say.refusedTaken(taker);
  if (why.includes('one-key alarm')) return say.refusedEmergency;
  if (why.includes('reopen it first')) return say.refusedResolved;
  if (why === 'it is not resolved') return say.refusedOpen;
  if (why === 'nobody has claimed it') return say.refusedFree;
  return say.refused(why);
}
