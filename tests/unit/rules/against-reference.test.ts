import { expect, it } from 'vitest';
import { stepsPerHistory } from './random-histories.ts';
import { compareMany } from './side-by-side.ts';

/* Half of the 100,000 cases; the other half is in against-reference-upheaval.test.ts, so that two cores share them. */
const runs = 3_200;

it('the engine decides what the reference decides, at every step of random histories', { timeout: 300_000 }, () => {
  const { cases, never } = compareMany(3, runs, 20_261_122);
  console.info(`${cases} steps of ${runs} random histories compared with the reference`);
  expect(cases).toBe(runs * stepsPerHistory);
  expect(cases).toBeGreaterThan(50_000);
  expect(never).toEqual([]);
});
