import { describe, expect, it } from 'vitest';
import { judgeEnergy, type PowerSample } from '#edge/profiles/plausibility-energy.ts';

/** Five minutes at so many watts, read every 5 s; the counter shows steps of `step` W.h and counts `times` what flows. */
function fiveMinutes(options: { watts: number; step: number; times?: number; wobble?: number }): PowerSample[] {
  const { watts, step, times = 1, wobble = 0 } = options;
  let energy = 0;
  return Array.from({ length: 61 }, (_, i) => {
    const now = watts + (i % 2 === 0 ? wobble : -wobble);
    if (i > 0) energy += (watts * 5) / 3_600;
    const counted = 1_000_000 + Math.floor((Math.max(0, energy) * times) / step) * step;
    return { time: i * 5_000, watts: now, counters: new Map([['energy_import', counted]]) };
  });
}

const face = (step: number) => [{ point: 'energy_import', counts: 'import', step } as const];
const judged = (samples: PowerSample[], step: number) => judgeEnergy(samples, face(step))[0];

describe('an energy counter against the integral of power', () => {
  it.each([
    [10_000, 10, 0],
    [10_000, 10, 3_000],
    [250_000, 100, 20_000],
    [900, 1, 100],
  ])('fits at %d W and steps of %d Wh, however the load wobbles by %d W', (watts, step, wobble) => {
    expect(judged(fiveMinutes({ watts, step, wobble }), step)?.state).toBe('fits');
  });

  it('is not judged by less than it can show; it is said how long that would take', () => {
    const verdict = judged(fiveMinutes({ watts: 200, step: 10 }), 10);
    expect(verdict?.state).toBe('too-little');
    expect(verdict?.says.en).toContain('about 60 minutes are needed');
  });

  it.each([
    [1_000, 0.001, 'Wh and not in kWh'],
    [0.001, 1_000, 'kWh and not in Wh'],
    [0.1, 10, '10 times too little'],
    [1 / 40, 40, '40 times too little'],
  ])('that counts %d times what flows is found out', (times, factor, words) => {
    const verdict = judged(fiveMinutes({ watts: 500_000, step: 1, times }), 1);
    expect(verdict).toMatchObject({ state: 'differs', factor });
    expect(verdict?.says.en).toContain(words);
  });

  it('that stands still while power flows differs, and nothing is made up about why', () => {
    expect(judged(fiveMinutes({ watts: 20_000, step: 10, times: 0 }), 10)).toMatchObject({
      state: 'differs',
      factor: null,
    });
  });

  it('counts what is fed back in the counter of exports only', () => {
    const samples = fiveMinutes({ watts: -20_000, step: 10 });
    expect(judged(samples, 10)?.state).toBe('fits');
    const exported = judgeEnergy(samples, [{ point: 'energy_import', counts: 'export', step: 10 }])[0];
    expect(exported?.state).toBe('differs');
  });

  it('is not judged by one sample', () => {
    expect(judgeEnergy(fiveMinutes({ watts: 1_000, step: 1 }).slice(0, 1), face(1))).toEqual([]);
  });
});
