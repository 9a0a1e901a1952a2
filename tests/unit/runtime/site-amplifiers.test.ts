import { describe, expect, it } from 'vitest';
import { amplifierPlans } from '#edge/processes/core/amplifier-plans.ts';
import { amplifiersSection, findBrokenAmplifiers } from '#edge/runtime/site-amplifiers.ts';
import { place, point } from '../commands/desk.ts';

const zones = [{ id: 'teaching' }, { id: 'yard' }];
const devices = [
  { id: 'line-teaching', zone: 'teaching' },
  { id: 'relay', zone: 'yard' },
];
const main = {
  ...{ id: 'main', name: { zh: '主楼功放', en: 'Main amplifier' }, power: 'relay/power', speakers: ['line-teaching'] },
  zones: { teaching: 'relay/teaching' },
};
const mistakes = (...amplifiers: readonly unknown[]) =>
  findBrokenAmplifiers({ amplifiers: amplifiersSection.parse(amplifiers), zones, devices });

describe('amplifiers of the site file', () => {
  it('takes a whole one and gives the rest its usual', () => {
    expect(mistakes(main)).toEqual([]);
    expect(amplifiersSection.parse([main])[0]).toMatchObject({ warmUp: 3_000, afterRun: 60_000 });
    expect(amplifiersSection.parse(undefined)).toEqual([]);
  });

  it('says where each mistake is', () => {
    expect(mistakes({ ...main, power: 'rely/power', zones: { yard: 'relay/yard', roof: 'relay/roof' } })).toEqual([
      'amplifiers[0].power: unknown device "rely"',
      'amplifiers[0].zones.yard: none of its speakers is in this zone',
      'amplifiers[0].zones.roof: unknown zone "roof"',
    ]);
    expect(mistakes(main, { ...main, power: 'relay/other', speakers: ['line-teaching', 'line-x'], zones: {} })).toEqual(
      [
        'amplifiers[1].id: "main" is used twice',
        'amplifiers[1].speakers[0]: "line-teaching" is used by amplifiers[0].speakers[0] already',
        'amplifiers[1].speakers[1]: unknown device "line-x"',
      ],
    );
    expect(mistakes({ ...main, zones: { teaching: 'relay/power' } })).toEqual([
      'amplifiers[0].zones.teaching: "relay/power" is used by amplifiers[0].power already',
    ]);
    expect(() => mistakes({ ...main, warmUp: '30s' })).toThrow('at most 20s');
    expect(() => mistakes({ ...main, power: 'relay' })).toThrow('<device>/<point>');
  });

  it('leaves out one whose relay or loudspeaker is none, in words', () => {
    const places = [
      ...place('relay', 'fieldbus', [point('power', 'boolean', {}), point('teaching', 'number', {})]),
      ...place('line-teaching', 'broadcast', [point('volume', 'number', {})]),
    ];
    const site = amplifiersSection.parse([main]);
    expect(amplifierPlans(site, [...new Map(places.map(({ device }) => [device.id, device])).values()])).toEqual({
      amplifiers: [],
      problems: [
        'amplifiers[0].zones.teaching: "relay/teaching" is no output that is on or off',
        'amplifiers[0].speakers[0]: "line-teaching" is no loudspeaker',
      ],
    });
  });
});
