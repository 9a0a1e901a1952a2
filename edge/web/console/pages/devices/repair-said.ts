import type { z } from 'zod';
import type { networkSchema, repairSchema } from '../../../rule-schemas.ts';
import type { Language } from '../../kit/words.ts';
import { repairWords } from './repair-words.ts';

/* What the ladder says of its steps (rules/repair.ts, repair-steps.ts), in words of people. Pure. */

export type Repair = z.infer<typeof repairSchema>;
export type NetworkLine = z.infer<typeof networkSchema>;
export const steps = ['probe', 'reconnect', 'restart', 'switch', 'power', 'person'] as const;
export type Step = (typeof steps)[number];

type Plain = {
  [Key in keyof (typeof repairWords)['zh']]: (typeof repairWords)['zh'][Key] extends string ? Key : never;
}[keyof (typeof repairWords)['zh']];

const plain: readonly (readonly [RegExp, Plain])[] = [
  [/^its host answers$/, 'said:answers'],
  [/^its host does not answer$/, 'said:silent'],
  [/^no probe was heard$/, 'said:no probe'],
  [/^it was interrupted$/, 'said:interrupted'],
  [/^not needed$/, 'said:not needed'],
  [/^a person is called$/, 'said:called'],
  [/^a person is called already$/, 'said:called already'],
  [/^passed over: /, 'said:passed'],
  [/^only people mend it$/, 'said:only people'],
  [/^it has no address of its own to probe$/, 'said:no address'],
  [/^it hangs on no PoE port/, 'said:no poe'],
  [/^no output carries its power/, 'said:no power'],
  [/^it has no driver/, 'said:no driver'],
  [/^nothing here can start its driver/, 'said:no restart'],
  [/the driver is not to blame$/, 'said:driver fine'],
  [/^its driver was restarted .* ago$/, 'said:restarted lately'],
  [/^its driver was restarted .* times today$/, 'said:restarted often'],
  [/^its power was cut/, 'said:cut often'],
  [/have their power from/, 'said:shared'],
  [/^what switches .* does not answer$/, 'said:dead switch'],
  [/^its power is off already/, 'said:off already'],
  [/^it was mended .* times/, 'said:flaps'],
  [/^it is being power-cycled just now$/, 'said:cycling'],
  [/other devices are being power-cycled$|has it off just now$/, 'said:others'],
  [/^power is given back/, 'said:given back'],
  [/was not seen to go off$/, 'said:not off'],
  [/^[a-z]+:\S+ holds \S+$/, 'said:held'],
];

const withTime = [
  [/^it did not come back within (\d+) (s|min)$/, 'said:not back'],
  [/^it did not help within (\d+) (s|min)$/, 'said:no help'],
  [/^it works again after (\d+) (s|min)$/, 'said:works'],
] as const;

/** An outcome of a step; what nobody has put into words yet goes through `otherwise`. */
export function saidText(said: string, language: Language, otherwise: (text: string) => string): string {
  const say = repairWords[language];
  const waits = /^waits: (.*)$/.exec(said)?.[1];
  if (waits !== undefined) return say['said:waits'](saidText(waits, language, otherwise));
  for (const [pattern, key] of withTime) {
    const [, number, unit] = pattern.exec(said) ?? [];
    if (number === undefined) continue;
    return say[key](unit === 's' ? say['said:seconds'](number) : say['said:minutes'](number));
  }
  const known = plain.find(([pattern]) => pattern.test(said));
  return known === undefined ? otherwise(said) : say[known[1]];
}
