import { describe, expect, it } from 'vitest';
import { SpeakerTest } from '#edge/drivers/http-pa/speaker-test.ts';
import { verdictOf } from '#edge/drivers/http-pa/verdict.ts';
import { ManualClock } from '#edge/runtime/clock.ts';

const silent = { playing: null, unable: '', job: '' };
const base = {
  ...{ status: silent, job: 'j1', isSeen: false, isEndless: false, isSettled: true, test: null, evidence: '' },
};
const passed = { isPassed: true, words: 'it heard itself' };

describe('what is known of a sound that a server agreed to', () => {
  it.for<[string, Partial<Parameters<typeof verdictOf>[0]>, string, string]>([
    ['nothing is said', {}, 'acknowledged', ''],
    ['it plays it', { status: { playing: true, unable: '', job: 'j1' } }, 'heard', 'says that it plays'],
    ['it plays, and says no job', { status: { playing: true, unable: '', job: '' } }, 'heard', 'says that it plays'],
    ['it plays another', { status: { playing: true, unable: '', job: 'j2' } }, 'none', 'something else'],
    ['it does not begin', { status: { playing: false, unable: '', job: '' } }, 'none', 'not seen to play'],
    ['it may begin yet', { status: { playing: false, unable: '', job: '' }, isSettled: false }, 'acknowledged', ''],
    ['it is muted', { status: { playing: true, unable: 'muted', job: 'j1' }, isSettled: false }, 'none', 'muted'],
    ['it has ended', { status: { playing: false, unable: 'muted', job: '' }, isSeen: true }, 'heard', 'plays'],
    [
      'an endless one has ended',
      { status: { playing: false, unable: '', job: '' }, isSeen: true, isEndless: true },
      'none',
      'stopped',
    ],
    ['it passed its test', { test: passed }, 'heard', 'heard itself'],
    ['it passed, and does not play', { test: passed, status: { ...silent, playing: false } }, 'none', 'not seen'],
    ['it failed its test', { test: { isPassed: false, words: 'it failed' } }, 'none', 'it failed'],
  ])('%s', ([, change, proof, words]) => {
    const found = verdictOf({ ...base, ...change });
    expect([found.proof, found.evidence]).toEqual([proof, expect.stringContaining(words)]);
  });
});

describe("a loudspeaker's own test", () => {
  function rig(noon = new Date(2026, 8, 1, 12, 40).getTime()) {
    const clock = new ManualClock(noon - 60_000);
    const asked: string[] = [];
    const answer = { text: 'state=passed' };
    const call = (path: string) => ({ method: 'GET', path, repeatable: true }) as const;
    const calls = {
      start: call('/start'),
      result: call('/result'),
      passed: 'passed',
      failed: 'failed',
      daily: '12:40',
    };
    const ask = async ({ path }: { readonly path: string }) => {
      asked.push(path);
      return answer.text;
    };
    return { clock, asked, answer, test: new SpeakerTest({ calls, ask, clock, pause: 30_000 }) };
  }

  it('is begun once a day at its minute, while nothing plays, and read when it had time', async () => {
    const { clock, asked, test } = rig();
    await test.look(true);
    expect(asked).toEqual([]);
    clock.advance(60_000);
    await test.look(false);
    expect(asked).toEqual([]);
    await test.look(true);
    await test.look(true);
    expect([asked, test.verdict()]).toEqual([['/start'], null]);
    clock.advance(31_000);
    await test.look(true);
    expect([asked, test.verdict()?.isPassed]).toEqual([['/start', '/result'], true]);
    await test.look(true);
    expect(asked.length).toBe(2);
    clock.advance(27 * 3_600_000);
    expect(test.verdict()).toBeNull();
  });

  it('accuses until it passes again, and is left out when its hour is over', async () => {
    const { clock, asked, answer, test } = rig();
    answer.text = 'state=failed';
    clock.advance(60_000);
    await test.look(true);
    clock.advance(31_000);
    await test.look(true);
    expect(test.verdict()).toMatchObject({ isPassed: false });
    clock.advance(25 * 3_600_000);
    await test.look(true);
    expect([asked.length, test.verdict()?.isPassed]).toEqual([2, false]);
  });
});
