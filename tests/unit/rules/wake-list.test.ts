import { describe, expect, it } from 'vitest';
import { closeWindow, maxSpans, pushValue, type Span, slideWindow } from '#edge/rules/change-window.ts';
import { newSleeper, WakeList } from '#edge/rules/wake-list.ts';
import { below, seeded } from './random.ts';

describe('the list of who is to be woken', () => {
  it('wakes whom a plain list wakes, whatever is put in, moved and taken out: 40 random runs', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seeded(seed);
      const list = new WakeList<{ id: number; wake: ReturnType<typeof newSleeper> }, 'wake'>('wake');
      const sleepers = Array.from({ length: 12 }, (_, id) => ({ id, wake: newSleeper() }));
      const plain = new Map<number, number>();
      for (let i = 0; i < 200; i++) {
        const one = sleepers[below(random, sleepers.length)];
        if (one === undefined) continue;
        const draw = random();
        if (draw < 0.6) {
          const at = below(random, 50);
          list.set(one, at);
          plain.set(one.id, at);
        } else if (draw < 0.75) {
          list.set(one, null);
          plain.delete(one.id);
        } else {
          const time = below(random, 50);
          const due = [...plain].filter(([, at]) => at <= time).map(([id]) => id);
          for (const id of due) plain.delete(id);
          expect(
            list
              .due(time)
              .map(({ id }) => id)
              .sort((a, b) => a - b),
          ).toEqual(due.sort((a, b) => a - b));
        }
        expect(list.size).toBe(plain.size);
        expect(list.next).toBe(plain.size === 0 ? null : Math.min(...plain.values()));
      }
    }
  });
});

describe('a sliding window', () => {
  it('knows the lowest value that was so within it, as a look at all of them does: 60 random runs', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seeded(seed);
      const spans: Span[] = [];
      const all: { value: number; until: number }[] = [];
      let time = 0;
      for (let i = 0; i < 120; i++) {
        time += below(random, 4);
        const last = all.at(-1);
        if (random() < 0.1) {
          closeWindow(spans, time);
          if (last?.until === Number.POSITIVE_INFINITY) last.until = time;
          continue;
        }
        const value = below(random, 9);
        if (last?.until === Number.POSITIVE_INFINITY && last.value !== value) last.until = time;
        if (all.at(-1)?.until !== Number.POSITIVE_INFINITY) all.push({ value, until: Number.POSITIVE_INFINITY });
        pushValue(spans, value, time);
        slideWindow(spans, time, 10);
        const inside = all.filter(({ until }) => until + 10 > time).map((one) => one.value);
        expect(spans[0]?.value, `seed ${seed}, step ${i}`).toBe(Math.min(...inside));
      }
    }
  });

  it('is bounded: of a long climb it keeps the lowest and the newest', () => {
    const spans: Span[] = [];
    for (let i = 0; i < 10_000; i++) {
      pushValue(spans, i, i);
      expect(spans.length).toBeLessThanOrEqual(maxSpans);
    }
    expect(spans[0]?.value).toBe(0);
    expect(spans.at(-1)).toEqual({ value: 9_999, until: Number.POSITIVE_INFINITY });
    slideWindow(spans, 10_000, 100);
    // Joined, a low value stays a little longer than it should; never is one lost too early.
    expect(spans[0]?.value).toBeLessThanOrEqual(9_900);
    expect(spans[0]?.value).toBeGreaterThan(9_000);
  });
});
