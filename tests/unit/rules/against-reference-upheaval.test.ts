import { expect, it } from 'vitest';
import { stepsPerHistory } from './random-histories.ts';
import { compareMany } from './side-by-side.ts';

/* The other half of the cases of against-reference.test.ts. */
const runs = 3_200;

it('the engine decides what the reference decides while rules come and go, clocks jump and processes restart', {
  timeout: 300_000,
}, () => {
  const { cases, never } = compareMany(14, runs, 20_261_122);
  console.info(`${cases} steps of ${runs} random histories compared with the reference`);
  expect(cases).toBe(runs * stepsPerHistory);
  expect(cases).toBeGreaterThan(50_000);
  expect(never).toEqual([]);
});
