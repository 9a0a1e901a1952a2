import { expect, test } from 'vitest';
import type { IncidentView } from '#edge/web/console/pages/incidents/data.ts';
import { filterIn, filterParts, listQuery, noFilter, passes } from '#edge/web/console/pages/incidents/filter.ts';

const incident: IncidentView = {
  ...{
    id: '01a20571-90e9-7901-be03-118ec5cccc05',
    state: 'new',
    class: 'high',
    zone: 'gate',
    isClosed: false,
    count: 1,
  },
  ...{ types: ['intrusion', 'person'], devices: ['camera-gate'], from: 1_000, to: 2_000, picture: null, rev: 1 },
  ...{ claimedBy: null, seenBy: null, escalatesAt: null, outcome: null, emergency: null },
};

test('what the stream tells belongs into the list that is shown, or not, or only the server can say', () => {
  const of = (search: string) => passes(incident, filterIn(new URLSearchParams(search)));
  for (const search of ['', 'show=all', 'class=high,low', 'zone=gate&camera=camera-gate&type=person&seen=no'])
    expect(of(search), search).toBe(true);
  for (const search of ['show=resolved', 'class=low', 'zone=field', 'camera=camera', 'type=motion'])
    expect(of(search), search).toBe(false);
  expect(of('q=gate')).toBeNull();
  expect(of('q=gate&zone=field')).toBe(false);
  const seen = { ...incident, seenBy: { who: 'person:li', name: '李强', time: 3_000 } };
  expect(passes(seen, { ...noFilter, isUnseen: true })).toBe(false);
  expect(passes({ ...incident, mergedInto: incident.id }, noFilter)).toBe(false);
});

test('a filter survives the address, and what cannot be meant is not looked for', () => {
  const address = 'show=all&class=critical,high&zone=gate&seen=no&q=送水';
  const filter = filterIn(new URLSearchParams(address));
  expect(filterIn(new URLSearchParams(filterParts(filter)))).toEqual(filter);
  expect(filterIn(new URLSearchParams('show=nothing&class=grave'))).toEqual(noFilter);
  expect(listQuery(filter, 50)).toBe('?class=critical&class=high&zone=gate&q=%E9%80%81%E6%B0%B4&seen=false&limit=50');
});
