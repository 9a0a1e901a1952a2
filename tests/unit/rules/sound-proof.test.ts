import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countersAgree } from '#edge/domain/delivery.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type { SoundHappening, SoundHappeningKind } from '#edge/rules/sound.ts';
import {
  adopted,
  afterHappening,
  answerWithin,
  deliveryOf,
  look,
  newDelivery,
  type SpeakerFacts,
  settled,
  type TrackedDelivery,
} from '#edge/rules/sound-proof.ts';

const item = '019ab000-0000-7000-8000-000000000001' as HappeningId;
const output = 'speaker-1/clip' as PointRef;
const start = 1_000_000;

function happens(kind: SoundHappeningKind, at: number, more: Partial<SoundHappening> = {}): SoundHappening {
  return {
    kind,
    item,
    class: 'bell',
    outputs: [output],
    at,
    reason: 'turn',
    by: null,
    position: null,
    said: null,
    ...more,
  };
}
const nothing: SpeakerFacts = { answer: null, said: null, away: '', isMuted: false };
const done = (at: number, more: Partial<NonNullable<SpeakerFacts['answer']>> = {}): SpeakerFacts => ({
  ...nothing,
  answer: { at, isMine: true, isDone: true, proof: 'sent', why: '', ...more },
});
const begun = () => afterHappening(newDelivery(item, output, start), happens('begun', start));

describe('one item on one loudspeaker', () => {
  test('was played as far as its answer proves it, and heard for as long as it was on', () => {
    let one = look(begun(), done(start + 40), start + 500);
    one = look(one, { ...done(start + 40), said: { proof: 'heard', evidence: 'RTCP' } }, start + 1_000);
    one = afterHappening(one, happens('ended', start + 10_000, { reason: 'length' }));
    expect(one).toMatchObject({ state: 'played', proof: 'heard', evidence: 'RTCP', delay: 40, heard: 10_000 });
  });

  test('is missed when nothing is answered within 5 s, and played late when the answer comes after all', () => {
    expect(look(begun(), nothing, start + answerWithin - 1).state).toBe('playing');
    const missed = look(begun(), nothing, start + answerWithin);
    expect(missed).toMatchObject({ state: 'missed', reason: 'it did not answer' });
    const late = look(missed, done(start + 7_000), start + 7_500);
    expect(late).toMatchObject({ state: 'playing', proof: 'sent', delay: 7_000, reason: '' });
  });

  test.each([
    ['refuses', { ...done(start + 300, { isDone: false, why: '486 busy' }) }, '486 busy'],
    ['is away', { ...nothing, away: 'no route to it' }, 'no route to it'],
    ['is muted', { ...done(start + 40), isMuted: true }, 'it is muted'],
    [
      'says that it hears nothing',
      { ...done(start + 40), said: { proof: 'none', evidence: 'no reports' } },
      'no reports',
    ],
  ] as const)('is missed within 2 s by one that %s', (_, facts, reason) => {
    expect(look(begun(), facts, start + 2_000)).toMatchObject({ state: 'missed', reason });
  });

  test('is not proved by what its loudspeaker answered to another item', () => {
    expect(look(begun(), done(start + 40, { isMine: false }), start + answerWithin).state).toBe('missed');
  });

  test('that is short is looked after until its answer would have come', () => {
    const over = afterHappening(
      look(begun(), nothing, start + 500),
      happens('ended', start + 2_000, { reason: 'length' }),
    );
    expect(over.state).toBe('unknown');
    expect(look(over, done(start + 1_900), start + 2_500)).toMatchObject({ state: 'played', proof: 'sent' });
    expect(look(over, nothing, start + answerWithin)).toMatchObject({ state: 'missed', reason: 'it did not answer' });
    // It has done something else since, so it is there.
    expect(look(over, done(start + 2_400, { isMine: false }), start + answerWithin).state).toBe('unknown');
  });

  test('that was silent before something stronger came was missed, not cut', () => {
    const silent = look(begun(), nothing, start + answerWithin);
    const cut = afterHappening(silent, happens('preempted', start + 6_000));
    expect(afterHappening(cut, happens('stopped', start + 7_000))).toMatchObject({ state: 'missed' });
    const heard = look(begun(), done(start + 40), start + 1_000);
    const both = afterHappening(heard, happens('preempted', start + 6_000, { reason: 'stronger' }));
    expect(afterHappening(both, happens('dropped', start + 7_000))).toMatchObject({ state: 'cut', reason: 'stronger' });
  });

  test('that never had its turn was withheld', () => {
    const waiting = newDelivery(item, output, start);
    expect(afterHappening(waiting, happens('dropped', start + 10_000, { reason: 'patience' }))).toMatchObject({
      ...{ state: 'withheld', reason: 'patience', begun: null },
    });
  });

  test('goes on over a restart: it is told again, and has time to answer', () => {
    const fresh = adopted(newDelivery(item, output, start), start, 20_000);
    expect(look(fresh, nothing, start + 19_000).state).toBe('playing');
    expect(look(fresh, nothing, start + 20_000).state).toBe('missed');
    expect(settled(fresh, start + 1)).toMatchObject({ state: 'unknown', ended: start + 1 });
    expect(settled({ ...fresh, begun: null, state: 'waiting' }, start + 1).state).toBe('withheld');
  });

  test('comes to one end, is never played without proof, and is missed only with a reason', () => {
    const kinds: SoundHappeningKind[] = [
      'begun',
      'preempted',
      'resumed',
      'restarted',
      'ended',
      'dropped',
      'stopped',
      'expired',
    ];
    const facts = fc.record({
      answer: fc.option(
        fc.record({
          ...{ at: fc.integer({ min: start, max: start + 30_000 }), isMine: fc.boolean(), isDone: fc.boolean() },
          ...{ proof: fc.constantFrom('sent' as const, 'acknowledged' as const), why: fc.constantFrom('', 'busy') },
        }),
      ),
      said: fc.option(
        fc.record({ proof: fc.constantFrom('none', 'sent', 'heard') as fc.Arbitrary<'none'>, evidence: fc.string() }),
      ),
      ...{ away: fc.constantFrom('', 'away'), isMuted: fc.boolean() },
    });
    const step = fc.record({
      wait: fc.integer({ min: 0, max: 4_000 }),
      kind: fc.option(fc.constantFrom(...kinds)),
      facts,
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let now = start;
        let one: TrackedDelivery = newDelivery(item, output, start);
        for (const { wait, kind, facts: known } of steps) {
          now += wait;
          const was = one;
          if (kind !== null && one.ended === null) one = afterHappening(one, happens(kind, now));
          one = look(one, known, now);
          if (was.ended !== null && was.due === null) expect(one).toEqual(was);
          if (one.state === 'played') expect(one.proof).not.toBe('none');
          if (one.state === 'missed') expect(one.reason).not.toBe('');
          if (one.ended !== null) expect(['played', 'missed', 'cut', 'withheld', 'unknown']).toContain(one.state);
          expect(one.heard).toBeGreaterThanOrEqual(0);
          expect(one.heard).toBeLessThanOrEqual(now - start);
        }
      }),
      { seed: 8, numRuns: 2_000 },
    );
  });
});

describe('what a loudspeaker counts itself', () => {
  const facts = (counter: number | null) => ({ ...done(start + 40), counter });

  test('is kept with the sound, from where its counter stood, and goes on where a driver begins anew', () => {
    let one = look(begun(), facts(50_000), start + 500);
    one = look(one, facts(54_000), start + 5_000);
    one = look(one, facts(1_000), start + 6_000);
    expect(deliveryOf(one)).toMatchObject({ counted: 5_000 });
    const cut = afterHappening(one, happens('preempted', start + 6_000));
    // Something else was counted meanwhile.
    const back = look(afterHappening(cut, happens('resumed', start + 60_000)), facts(50_000), start + 60_500);
    expect(deliveryOf(look(back, facts(52_000), start + 63_000))).toMatchObject({ counted: 7_000 });
  });

  test('counts from nothing, and is absent of one that counts nothing', () => {
    const first = look(look(begun(), facts(0), start + 500), facts(4_980), start + 5_500);
    expect(deliveryOf(first).counted).toBe(4_980);
    expect(deliveryOf(look(begun(), facts(0), start + 500)).counted).toBeUndefined();
    expect(deliveryOf(look(begun(), facts(null), start + 500)).counted).toBeUndefined();
  });

  test('agrees with the ledger but for the last report of each sound, and never when half of it is missing', () => {
    expect(countersAgree(55_000, 60_000, 1)).toBe(true);
    expect(countersAgree(0, 5_000, 1)).toBe(true);
    expect(countersAgree(30_000, 60_000, 1)).toBe(false);
    expect(countersAgree(0, 600_000, 10)).toBe(false);
    expect(countersAgree(70_000, 20_000, 1)).toBe(false);
  });
});
