import { describe, expect, it } from 'vitest';
import type { Hold } from '#edge/domain/output.ts';
import { arbitrate, compareStrength } from '#edge/rules/priorities.ts';
import { below, pick, seeded } from './random.ts';
import { ref } from './small-campus.ts';

const now = 1_000_000;

function hold(owner: string, priority: Hold['priority'], more: Partial<Hold> = {}): Hold {
  return { ref: ref('relay-1/relay_1'), owner, priority, value: true, reason: 'r', since: 0, until: null, ...more };
}

describe('arbitration', () => {
  it('gives an output nobody holds to nobody', () => {
    expect(arbitrate([], now)).toEqual({ winner: null, stack: [] });
  });

  it('lets the newest value win within a priority, and brings the older one back when it goes', () => {
    const older = hold('request:web', 8, { since: 1 });
    const newer = hold('request:duty', 8, { since: 2, until: now + 10 });
    expect(arbitrate([older, newer], now).winner).toBe(newer);
    expect(arbitrate([older, newer], now + 10).winner).toBe(older);
  });

  it('lets no rule of life safety silence what another one says, however new it is', () => {
    const said = hold('interlock:panic.desk', 1, { since: 1, value: 'help' });
    const silence = hold('interlock:quiet', 1, { since: 9, value: '' });
    const other = hold('interlock:fire', 1, { since: 5, value: 'evacuation' });
    expect(arbitrate([said, silence], now).winner).toBe(said);
    expect(arbitrate([silence, said, other], now).stack).toEqual([other, said, silence]);
    const weaker = { ...silence, priority: 8 as const };
    expect(arbitrate([hold('request:web', 8, { since: 1, value: 'bell' }), weaker], now).winner).toBe(weaker);
  });

  it('lets the stronger class of sound win within a priority, and of equals the one that spoke first', () => {
    const fire = hold('sound', 1, { value: 'fire', rank: 0, since: 5 });
    const danger = hold('rule:danger', 1, { value: 'lockdown', rank: 1, since: 9 });
    const other = hold('rule:other', 1, { value: 'lockdown', rank: 1, since: 2 });
    const silence = hold('rule:quiet', 1, { value: '', rank: 0, since: 99 });
    expect(arbitrate([silence, danger, other, fire], now).stack).toEqual([fire, other, danger, silence]);
    const weaker = hold('sound', 5, { value: 'storm', rank: 3, since: 1 });
    expect(arbitrate([weaker, danger], now).winner).toBe(danger);
  });

  it('counts a hold without a rank as the strongest class of its priority, and gives way to it only when it is asked for', () => {
    const rule = hold('interlock:fire', 1, { value: 'evacuation', since: 9 });
    expect(arbitrate([hold('sound', 1, { value: 'lockdown', rank: 1 }), rule], now).winner).toBe(rule);
    const fire = hold('sound', 1, { value: 'fire', rank: 0, since: 1 });
    expect(arbitrate([rule, fire], now).winner).toBe(fire);
    const asked = hold('request:web', 8, { value: 'hello', since: 1 });
    expect(arbitrate([hold('sound', 8, { value: 'exam', rank: 5, since: 0 }), asked], now).winner).toBe(asked);
    const scheduled = hold('schedule:old', 15, { value: 'bell', since: 1 });
    expect(arbitrate([hold('sound', 15, { value: 'music', rank: 8, since: 0 }), scheduled], now).winner).toBe(
      scheduled,
    );
  });

  it('obeys its laws for 2,000 random arrays', () => {
    for (let seed = 1; seed <= 2_000; seed++) {
      const random = seeded(seed);
      const holds = Array.from({ length: below(random, 33) }, (_, i) =>
        hold(`o${i}`, pick(random, [1, 5, 8, 12, 15]), {
          since: below(random, 5),
          until: random() < 0.5 ? null : now - 5 + below(random, 10),
        }),
      );
      const { winner, stack } = arbitrate(holds, now);
      const live = holds.filter((one) => one.until === null || one.until > now);
      expect(new Set(stack), `seed ${seed}`).toEqual(new Set(live));
      expect(winner, `seed ${seed}`).toBe(stack[0] ?? null);
      for (const one of live) {
        expect(winner?.priority, `seed ${seed}`).toBeLessThanOrEqual(one.priority);
        if (winner?.priority === one.priority) expect(winner.since, `seed ${seed}`).toBeGreaterThanOrEqual(one.since);
      }
      // The order they came in does not matter, and taking the winner away leaves the rest as it was.
      expect(arbitrate([...holds].reverse(), now).stack, `seed ${seed}`).toEqual(stack);
      expect(
        arbitrate(
          holds.filter((one) => one !== winner),
          now,
        ).stack,
        `seed ${seed}`,
      ).toEqual(stack.slice(1));
    }
  });

  it('stays a total order when some holds have a rank and some have none, in 2,000 random arrays', () => {
    let compared = 0;
    for (let seed = 1; seed <= 2_000; seed++) {
      const random = seeded(seed);
      const holds = Array.from({ length: 8 }, (_, i) =>
        hold(`o${i}`, pick(random, [1, 5, 8, 12, 15]), {
          since: below(random, 3),
          value: pick(random, ['', 'a', 'b']),
          ...(random() < 0.6 && { rank: below(random, 10) }),
        }),
      );
      const { stack } = arbitrate(holds, now);
      for (const [i, a] of stack.entries()) {
        for (const b of stack.slice(i + 1)) {
          compared++;
          if (compareStrength(a, b) >= 0 || compareStrength(b, a) <= 0) throw new Error(`seed ${seed}`);
          if (a.priority !== b.priority || a.rank === undefined || b.rank === undefined) continue;
          if (a.priority === 1 && (a.value === '') !== (b.value === '')) continue;
          expect(a.rank, `seed ${seed}`).toBeLessThanOrEqual(b.rank);
        }
      }
    }
    expect(compared).toBe(2_000 * 28);
  });
});
