import { describe, expect, it } from 'vitest';
import { isEmergency, rankOf, type SoundClass, soundClasses } from '#edge/domain/broadcast.ts';
import type { Hold, Priority } from '#edge/domain/output.ts';
import { arbitrate } from '#edge/rules/priorities.ts';
import { claimOf, classStrength, impliedRank, soundHabits, strengthOf } from '#edge/rules/sound-habits.ts';
import { below, pick, seeded } from './random.ts';
import { Hall, room, tenOClock } from './sound-hall.ts';

const own = 'sound:arbiter';

function holdOf(owner: string, priority: Priority, more: Partial<Hold>): Hold {
  return { ref: room(1), owner, priority, value: 'evacuation', reason: 'r', since: tenOClock, until: null, ...more };
}

/** What core does: the holds of others are claims, and what the arbiter wants is one hold more. */
function agree(hall: Hall, others: readonly Hold[], why: string): void {
  hall.arbiter.outside(
    others.map((hold) => claimOf(hold)),
    hall.time,
  );
  hall.step();
  const wanted = hall.arbiter.orders().get(room(1));
  const mine = wanted === undefined ? [] : [{ ...holdOf(own, wanted.priority, wanted), value: wanted.text }];
  const { winner } = arbitrate([...others, ...mine], hall.time.now);
  if ((winner?.owner === own) !== (wanted !== undefined)) throw new Error(`${why}: the array and the arbiter disagree`);
  if (wanted === undefined && others.length === 0)
    expect(hall.arbiter.why(room(1), hall.time).waiting, why).toEqual([]);
}

describe('the ladder and the priority array', () => {
  it('agree on every pair of classes', () => {
    for (const a of soundClasses) {
      for (const b of soundClasses) {
        const difference = Math.sign(rankOf(a as SoundClass) - rankOf(b as SoundClass));
        expect(Math.sign(classStrength(a as SoundClass) - classStrength(b as SoundClass)), `${a} ${b}`).toBe(
          difference,
        );
      }
    }
  });

  it('give emergencies of people the priority of life safety, and nothing scheduled more than a schedule has', () => {
    expect(soundClasses.filter((one) => soundHabits[one as SoundClass].priority === 1)).toEqual([
      'fire',
      'danger',
      'microphone',
    ]);
    expect(soundClasses.filter((one) => isEmergency(one as SoundClass)).length).toBe(4);
    const scheduled = soundClasses.filter((one) => soundHabits[one as SoundClass].priority === 15);
    expect(scheduled).toEqual(['bell', 'exercise', 'programme', 'background']);
    expect(impliedRank).toEqual({ 1: 0, 5: 3, 8: 4, 12: 6, 15: 6 });
    expect(strengthOf({ priority: 1, value: '' })).toBeGreaterThan(classStrength('microphone'));
    expect(strengthOf({ priority: 1, value: '' })).toBeLessThan(classStrength('warning'));
  });

  it('have the same one speak, whatever safety rules, people and flows hold: 600 random lives', () => {
    let compared = 0;
    for (let seed = 1; seed <= 600; seed++) {
      const random = seeded(seed);
      const hall = new Hall({ mostOnOutput: 64 });
      let others: Hold[] = [];
      for (let i = 0; i < 40; i++) {
        const draw = random();
        if (draw < 0.4) {
          const soundClass = pick<SoundClass>(random, [
            'fire',
            'danger',
            'microphone',
            'warning',
            'page',
            'exam',
            'bell',
            'background',
          ]);
          hall.put({ class: soundClass, length: random() < 0.5 ? null : 1_000 * (1 + below(random, 60)) });
        } else if (draw < 0.6) {
          const owner = `rule:${below(random, 3)}`;
          const hold = holdOf(owner, pick<Priority>(random, [1, 1, 5, 8, 12, 15]), {
            since: hall.time.now,
            value: pick(random, ['', 'evacuation', 'lockdown']),
            ...(random() < 0.5 && { rank: below(random, 10) }),
          });
          others = [...others.filter((one) => one.owner !== owner), hold];
        } else if (draw < 0.75) others = others.filter(() => random() < 0.5);
        else if (draw < 0.85) {
          const classes = { bell: below(random, 101), page: below(random, 101), background: below(random, 101) };
          hall.arbiter.levels({ classes, emergency: below(random, 101), places: new Map(), caps: [] }, hall.time);
        } else
          hall.stop(
            pick(random, [hall.item({ class: 'page' }).id, ...hall.arbiter.snapshot().map(({ item }) => item.id)]),
          );
        agree(hall, others, `seed ${seed}, act ${i}`);
        hall.pass(1 + 500 * below(random, 20));
        agree(hall, others, `seed ${seed}, after act ${i}`);
        compared += 2;
      }
    }
    expect(compared).toBe(600 * 80);
  });
});
