import { describe, expect, it } from 'vitest';
import { findBrokenListening, listeningSection } from '#edge/runtime/site-listening.ts';

const devices = [
  { id: 'speaker-1', profile: 'speaker/sip-speaker', space: 'r101' },
  { id: 'speaker-yard', profile: 'speaker/rtp-speaker' },
  { id: 'noise-101', profile: 'sensor/json-sound-level', space: 'r101' },
];
const buildings = [{ floors: [{ spaces: [{ id: 'r101' }, { id: 'r102' }] }] }];
const mistakes = (...listening: readonly unknown[]) =>
  findBrokenListening({ broadcast: { listening: listeningSection.parse(listening) }, devices, buildings });

describe('sensors that listen, of the site file', () => {
  it('are taken by loudspeaker or by space, and have their usual', () => {
    const one = { point: 'noise-101/sound_level', speakers: ['speaker-1'] };
    expect(mistakes(one)).toEqual([]);
    expect(mistakes({ point: 'noise-101/sound_level', spaces: ['r101'] })).toEqual([]);
    expect(listeningSection.parse([one])[0]).toMatchObject({ margin: 8, loudness: 65, spaces: [] });
    expect(listeningSection.parse(undefined)).toEqual([]);
  });

  it('say where each mistake is', () => {
    expect(
      mistakes(
        { point: 'noise-102/sound_level', speakers: ['noise-101', 'speaker-9'], spaces: ['r102', 'roof'] },
        { point: 'noise-102/sound_level', speakers: ['speaker-1'] },
      ),
    ).toEqual([
      'broadcast.listening[0].point: unknown device "noise-102"',
      'broadcast.listening[0].speakers[0]: "noise-101" is no loudspeaker',
      'broadcast.listening[0].speakers[1]: unknown device "speaker-9"',
      'broadcast.listening[0].spaces[0]: there is no loudspeaker in "r102"',
      'broadcast.listening[0].spaces[1]: unknown space "roof"',
      'broadcast.listening[1].point: unknown device "noise-102"',
      'broadcast.listening[1].point: "noise-102/sound_level" listens in broadcast.listening[0] already',
    ]);
    expect(() => mistakes({ point: 'noise-101', speakers: ['speaker-1'] })).toThrow('<device>/<point>');
    expect(() => mistakes({ point: 'noise-101/sound_level' })).toThrow('must name speakers or spaces');
  });
});
