import { rulesMet } from '../../password-rules.ts';

const syllables = ['ba', 'ce', 'di', 'fo', 'gu', 'ha', 'jo', 'ke', 'mi', 'nu', 'pa', 're', 'su', 'ta', 've', 'wo'];
const digits = '23456789';

/**
 * Something one can read out: `Kehapa-4827-sumita`, 36 bits of chance. It is good for the first sign-in only, where it must be
 * changed, and guessing is locked after a few tries.
 */
export function suggestPassword(owner: readonly string[]): string {
  for (;;) {
    const random = [...crypto.getRandomValues(new Uint32Array(10))];
    const word = (from: number) => random.slice(from, from + 3).map((n) => syllables[n % syllables.length]);
    const number = random.slice(6).map((n) => digits[n % digits.length]);
    const text = `${word(0).join('')}-${number.join('')}-${word(3).join('')}`;
    const password = text.charAt(0).toUpperCase() + text.slice(1);
    if (Object.values(rulesMet(password, owner)).every((met) => met)) return password;
  }
}
