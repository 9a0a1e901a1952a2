import { expect, it } from 'vitest';
import { createGlob } from '#edge/domain/glob.ts';
import { readRuleYaml } from '#edge/runtime/rule-yaml.ts';
import { below, seeded } from './random.ts';

/** As it was meant, in the words of a regular expression: right, but of no use with many stars. */
function slow(glob: string): RegExp {
  const escaped = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('[^/]*')}$`);
}

it('a glob fits what the regular expression fits', () => {
  const random = seeded(7);
  const some = (signs: string, most: number) =>
    Array.from({ length: below(random, most + 1) }, () => signs[below(random, signs.length)] ?? '').join('');
  for (let n = 0; n < 20_000; n++) {
    const glob = some('ab**/', 6);
    const text = some('aab/', 7);
    expect([glob, text, createGlob(glob).test(text)]).toEqual([glob, text, slow(glob).test(text)]);
  }
});

it('a glob made of stars is answered at once', () => {
  const word = 'a'.repeat(63);
  const began = performance.now();
  for (const glob of [`${'*'.repeat(62)}b`, `${'*a'.repeat(31)}b`, `${'a*'.repeat(31)}b`]) {
    const pattern = createGlob(`${glob}/${glob}`);
    for (let n = 0; n < 2_000; n++) expect(pattern.test(`${word}/${word}`)).toBe(false);
  }
  expect(performance.now() - began).toBeLessThan(10_000);
});

it('a line of dashes and blanks is judged at once', () => {
  const began = performance.now();
  for (const signs of [1, 8, 15]) readRuleYaml(`${`-${' '.repeat(120)}`.repeat(signs)}x`);
  expect(readRuleYaml(`${'-   '.repeat(16)}x`)).toMatchObject({ ok: false });
  expect(performance.now() - began).toBeLessThan(5_000);
});
