import { describe, expect, it } from 'vitest';
import { drilled, fireCycle } from '#edge/rules/sound-fire-cycle.ts';

const siren = { clip: 'siren', length: 12_000 };
const zh = { clip: 'fire-zh', length: 14_000 };
const en = { clip: 'fire-en', length: 11_000 };
const drillWord = { clip: 'drill-word', length: 2_000 };

describe('the fire cycle', () => {
  it('alternates one siren with one or two voices, again and again', () => {
    expect(fireCycle({ siren, voices: [zh], drillWord: null })).toEqual({
      source: { kind: 'clips', clips: ['siren', 'fire-zh'], loop: true },
      round: 26_000,
      mistakes: [],
    });
    expect(fireCycle({ siren, voices: [zh, en], drillWord: null })).toMatchObject({ round: 37_000, mistakes: [] });
  });

  it('of an exercise has the word in front of each voice, and counts it with the voice', () => {
    const cycle = fireCycle({ siren, voices: [zh, { ...en, length: 8_500 }], drillWord });
    expect(cycle.source).toMatchObject({ clips: ['siren', 'drill-word', 'fire-zh', 'drill-word', 'fire-en'] });
    expect(cycle).toMatchObject({ round: 38_500, mistakes: [] });
  });

  it('says a short siren and a short voice as often as it takes', () => {
    const short = { siren: { clip: 's', length: 3_000 }, voices: [{ clip: 'v', length: 4_000 }], drillWord: null };
    expect(fireCycle(short)).toEqual({
      source: { kind: 'clips', clips: ['s', 's', 's', 'v', 'v', 'v'], loop: true },
      ...{ round: 21_000, mistakes: [] },
    });
    const drill = fireCycle({ ...short, drillWord });
    expect(drill.source).toMatchObject({ clips: ['s', 's', 's', 'drill-word', 'v', 'drill-word', 'v'] });
    expect(drill.round).toBe(21_000);
  });

  it('says what the code of practice does not allow', () => {
    const long = 'a-name-that-is-very-long-for-a-clip-of-a-school-all-the-same';
    const { mistakes } = fireCycle({
      siren: { clip: long, length: 7_999 },
      voices: [{ clip: long, length: 9_999 }, { ...en, length: 30_001 }, zh],
      drillWord: null,
    });
    expect(mistakes.map(({ code }) => code)).toEqual([
      'voices',
      'siren-too-short',
      'voice-too-short',
      'voice-too-long',
    ]);
    const limits = [
      [8_000, 10_000],
      [20_000, 30_000],
    ] as const;
    for (const [a, b] of limits) {
      expect(
        fireCycle({ siren: { ...siren, length: a }, voices: [{ ...zh, length: b }], drillWord: null }).mistakes,
      ).toEqual([]);
    }
    const howl = fireCycle({ siren: { ...siren, length: 20_001 }, voices: [], drillWord: null });
    expect(howl.mistakes.map(({ code }) => code)).toEqual(['voices', 'siren-too-long']);
  });

  it('does not say the word twice, not in front of a siren, and never leaves it out', () => {
    const clips = (...names: string[]) => ({ kind: 'clips', clips: names, loop: true }) as const;
    const say = (...names: string[]) => drilled(clips(...names), 'word', ['siren']);
    expect(say('siren', 'word', 'a', 'b')).toEqual(clips('siren', 'word', 'a', 'word', 'b'));
    expect(say('siren')).toEqual(clips('siren', 'word'));
    const live = { kind: 'live', session: 's' } as const;
    expect(drilled(live, 'word', [])).toBe(live);
  });
});
