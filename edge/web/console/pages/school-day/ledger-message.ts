import type { Language } from '../../kit/words.ts';
import type { Naming } from './reason-words.ts';
import { words } from './words.ts';

/* What the box wrote into the ledger in English, in the words of the screen. What is not known is shown as it is. */

type Say = (typeof words)[Language];
type Rule = readonly [RegExp, (say: Say, naming: Naming, parts: readonly string[]) => string];

const rules: readonly Rule[] = [
  [/^(\d+) of (\d+) outputs confirmed it$/, (say, _, [some = '', all = '']) => say.confirmedSome(some, all)],
  [/^(\S+) gave it by hand: (.*)$/s, (say, naming, [who = '', why = '']) => say.gaveByHand(naming.who(who), why)],
  [/^(\S+) left it out: (.*)$/s, (say, naming, [who = '', why = '']) => say.leftByHand(naming.who(who), why)],
  [/^(\S+) held it meanwhile$/, (say, naming, [owner = '']) => say.heldMeanwhile(naming.owner(owner))],
  [/^there is no clip "(.*)" in the site file$/, (say, naming, [clip = '']) => say.noClip(naming.clip(clip))],
  [/^there is no loudspeaker where it is to sound$/, (say) => say.noLoudspeaker],
  [/^the campus has none of its outputs$/, (say) => say.noOutputs],
  [/^its time was over when it was its turn$/, (say) => say.timeWasOver],
  [/^it went on over a restart$/, (say) => say.wentOn],
  [/^taken up again for the rest of its time$/, (say) => say.takenUp],
  [/^it had begun when the system was started again/, (say) => say.nobodyKnows],
];

export function ledgerMessageText(message: string, naming: Naming): string {
  const say = words[naming.language];
  for (const [pattern, text] of rules) {
    const found = pattern.exec(message);
    if (found !== null) return text(say, naming, found.slice(1));
  }
  return message;
}
