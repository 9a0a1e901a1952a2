import fc from 'fast-check';
import type { Rule } from '#edge/domain/rule.ts';
import { numbers, ruleNamed, switches } from './random-rules.ts';

/** What happens before a step. */
export type Happening =
  | { readonly kind: 'set'; readonly ref: string; readonly value: number | boolean | string }
  | { readonly kind: 'spoil'; readonly ref: string; readonly how: 'bad' | 'stale' | 'doubtful' | 'never' | 'null' }
  | { readonly kind: 'event'; readonly type: string; readonly device: string; readonly active?: boolean }
  | { readonly kind: 'mode'; readonly mode: string }
  /** The wall clock is put forward or back, ms. */
  | { readonly kind: 'clock'; readonly by: number }
  | { readonly kind: 'acknowledge'; readonly nth: number }
  | { readonly kind: 'put'; readonly rule: Rule }
  /** The same rule with one thing changed. */
  | { readonly kind: 'tweak'; readonly index: number; readonly how: 'latch' | 'then' | 'while' | 'priority' | 'kind' }
  | { readonly kind: 'remove'; readonly index: number }
  | { readonly kind: 'reset'; readonly nth: number }
  | { readonly kind: 'restart'; readonly away: number };

export interface Step {
  /** ms; or as long as the engine asked for, and so much more. */
  readonly after: number | { readonly wake: number };
  readonly happenings: readonly Happening[];
}

const set = fc.oneof(
  fc.record({
    kind: fc.constant('set' as const),
    ref: fc.constantFrom(...numbers),
    value: fc.constantFrom<number | string>(0, 1, 2, 3, 4, 5, 6, 7, 8, 'n/a'),
  }),
  fc.record({ kind: fc.constant('set' as const), ref: fc.constantFrom(...switches), value: fc.boolean() }),
);

const rare: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constant('mode' as const), mode: fc.constantFrom('m1', 'm2') }),
  fc.record({ kind: fc.constant('clock' as const), by: fc.constantFrom(-20_000, -3_000, -1, 1, 5_000, 86_400_000) }),
  fc.record({ kind: fc.constant('acknowledge' as const), nth: fc.nat(3) }),
  fc.nat(2).chain((index) => ruleNamed(index).map((rule) => ({ kind: 'put' as const, rule }))),
  fc.record({
    kind: fc.constant('tweak' as const),
    index: fc.nat(2),
    how: fc.constantFrom('latch' as const, 'then' as const, 'while' as const, 'priority' as const, 'kind' as const),
  }),
  fc.record({ kind: fc.constant('remove' as const), index: fc.nat(2) }),
  fc.record({ kind: fc.constant('reset' as const), nth: fc.nat(5) }),
  fc.record({ kind: fc.constant('restart' as const), away: fc.constantFrom(-5_000, 0, 700, 60_000) }),
);

/** `often`: how often rules come and go, clocks jump and the process starts again, against a value that changes (10). */
function happening(often: number): fc.Arbitrary<Happening> {
  return fc.oneof(
    { weight: 10, arbitrary: set },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('spoil' as const),
        ref: fc.constantFrom(...numbers, ...switches),
        how: fc.constantFrom('bad' as const, 'stale' as const, 'doubtful' as const, 'never' as const, 'null' as const),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('event' as const),
        type: fc.constantFrom('e1', 'e2'),
        device: fc.constantFrom('d1', 'd2', 'd3', 'horn'),
        active: fc.constantFrom(true, true, false),
      }),
    },
    { weight: often, arbitrary: rare },
  );
}

const after = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 100, 500, 501, 1_000, 2_000) },
  { weight: 1, arbitrary: fc.constantFrom(7_000, 31_000) },
  { weight: 4, arbitrary: fc.constantFrom(0, 0, -1, 1, 400).map((wake) => ({ wake })) },
);

export interface History {
  readonly rules: readonly Rule[];
  readonly steps: readonly Step[];
}

export const stepsPerHistory = 16;

export function histories(often: number): fc.Arbitrary<History> {
  const three = fc.tuple(ruleNamed(0), ruleNamed(1), ruleNamed(2));
  const step = fc.record({ after, happenings: fc.array(happening(often), { maxLength: 4 }) });
  return fc.record({
    rules: three.chain((rules) => fc.shuffledSubarray(rules, { minLength: 1 })),
    steps: fc.array(step, { minLength: stepsPerHistory, maxLength: stepsPerHistory, size: 'max' }),
  });
}
