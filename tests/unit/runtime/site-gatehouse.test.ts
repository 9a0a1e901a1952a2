import { expect, test } from 'vitest';
import { checkSite } from '#edge/runtime/site.ts';

const base = {
  site: 1,
  campus: { id: '1151000001', name: { zh: '校', en: 'School' }, timeZone: 'Asia/Shanghai' },
  zones: [
    { id: 'gate', name: { zh: '门', en: 'Gate' } },
    { id: 'yard', name: { zh: '院', en: 'Yard' } },
  ],
  devices: [
    {
      id: 'camera-gate',
      name: { zh: '门', en: 'Gate' },
      profile: 'camera/onvif-generic',
      zone: 'gate',
      address: { host: '127.0.0.1' },
    },
  ],
  clips: { help: { file: 'help.wav' } },
};
const name = { zh: '报警', en: 'Alarm' };
const panic = {
  ...{ id: 'desk', name, zone: 'gate', input: 'camera-gate/input_1' },
  ...{ sound: { clip: 'help', zones: ['gate'] }, cameras: [{ device: 'camera-gate', preset: '1' }] },
};
const place = {
  id: 'main-gate',
  name,
  zone: 'gate',
  cameras: ['camera-gate'],
  panic: ['desk'],
  reader: 'camera-gate/card',
};
const grouping = { types: ['person'], zones: ['gate'], devices: ['camera-gate'], during: 'closed', class: 'low' };

function mistakesOf(more: object): string[] {
  try {
    checkSite({ ...base, ...more }, '/');
    return [];
  } catch (error) {
    return error instanceof Error ? error.message.split('\n') : [String(error)];
  }
}

test('a gatehouse whose devices, zones, clips and buttons exist is taken, with what is usual filled in', () => {
  const site = checkSite({ ...base, panic: [panic], keyPlaces: [place], incidents: { rules: [grouping] } }, '/');
  expect(site.keyPlaces[0]).toMatchObject({ patrols: 5, cameras: ['camera-gate'] });
  expect(site.incidents.rules?.[0]).toMatchObject({ within: 120_000, longest: 1_800_000, escalateAfter: null });
  expect(checkSite(base, '/')).toMatchObject({ panic: [], keyPlaces: [], incidents: { keepFootage: 30 * 86_400_000 } });
});

test.each([
  [{ incidents: { rules: [{ ...grouping, zones: ['roof'] }] } }, 'incidents.rules[0].zones[0]: unknown zone "roof"'],
  [{ incidents: { rules: [{ ...grouping, devices: ['x'] }] } }, 'incidents.rules[0].devices[0]: unknown device "x"'],
  [
    { incidents: { rules: [{ ...grouping, during: 'night' }] } },
    'incidents.rules[0].during: unknown label of the calendar or mode "night"',
  ],
  [{ panic: [{ ...panic, zone: 'roof' }] }, 'panic[0].zone: unknown zone "roof"'],
  [{ panic: [{ ...panic, input: 'x/y' }] }, 'panic[0].input: unknown device "x"'],
  [{ panic: [{ ...panic, sound: { clip: 'song', zones: 'all' } }] }, 'panic[0].sound.clip: unknown clip "song"'],
  [{ panic: [{ ...panic, sound: { clip: 'help', zones: ['roof'] } }] }, 'panic[0].sound.zones[0]: unknown zone "roof"'],
  [{ panic: [{ ...panic, cameras: [{ device: 'x' }] }] }, 'panic[0].cameras[0].device: unknown device "x"'],
  [{ panic: [panic, panic] }, 'panic[1].id: "desk" is used twice'],
  [{ keyPlaces: [{ ...place, panic: ['none'] }] }, 'keyPlaces[0].panic[0]: unknown panic "none"'],
  [{ panic: [panic], keyPlaces: [{ ...place, reader: 'x/card' }] }, 'keyPlaces[0].reader: unknown device "x"'],
  [{ panic: [panic], keyPlaces: [{ ...place, cameras: ['x'] }] }, 'keyPlaces[0].cameras[0]: unknown device "x"'],
])('what it names and is not there is a mistake with its path (%#)', (more, mistake) => {
  expect(mistakesOf(more)).toEqual([mistake]);
});
