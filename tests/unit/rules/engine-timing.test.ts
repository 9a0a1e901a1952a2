import { describe, expect, it } from 'vitest';
import { below, seeded } from './random.ts';
import { Rules } from './rules-at-work.ts';
import { rule, smokeIs } from './small-campus.ts';

const needed = 1_000;
const waiting = rule('r', smokeIs('hold', needed));

describe('the time of `for`', () => {
  it('trips exactly when the good time adds up, however readings and wake-ups fall: 120 random runs', () => {
    for (let seed = 1; seed <= 120; seed++) {
      const random = seeded(seed);
      const rules = new Rules([waiting]);
      // The model: time counts while the last word was good and true; bad stops it; good and false starts it again.
      let word: 'true' | 'false' | 'bad' = 'bad';
      let stood = 0;
      let heardTrue = false;
      let tripped = false;
      for (let i = 0; i < 40; i++) {
        const draw = random();
        word = draw < 0.5 ? 'true' : draw < 0.65 ? 'false' : draw < 0.8 ? 'bad' : word;
        if (word === 'false') {
          stood = 0;
          tripped = false;
          heardTrue = false;
        }
        if (word === 'true') heardTrue = true;
        rules.hear('smoke-101/smoke', word === 'true', word === 'bad' ? 'bad' : 'good');
        const step = 1 + below(random, 400);
        rules.pass(step);
        if (word === 'true') stood += step;
        if (heardTrue && stood >= needed) tripped = true;
        expect(rules.isFired('r'), `seed ${seed}, step ${i}`).toBe(tripped);
      }
    }
  });

  it('asks to be woken at that very moment and not before', () => {
    const rules = new Rules([waiting]);
    expect(rules.hear('smoke-101/smoke', true).wakeIn).toBe(needed);
    rules.pass(400);
    expect(rules.turn().wakeIn).toBe(600);
    expect(rules.hear('smoke-101/smoke', false).wakeIn).toBeNull();
  });
});
