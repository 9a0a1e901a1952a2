import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, HappeningId } from '#edge/domain/ids.ts';
import { FirePanels } from '#edge/processes/core/emergency-panel.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { emergencySection } from '#edge/runtime/site-emergency.ts';
import { duty, EmergencyRoom, zones } from './emergency-room.ts';

/* What a fire panel prints, as events of its driver, on a real desk of emergencies. */

const panel = 'panel' as DeviceId;
let room: EmergencyRoom;
let panels: FirePanels;

beforeEach(() => {
  room = new EmergencyRoom();
  panels = panelsOf({});
});
afterEach(() => room[Symbol.dispose]());

function panelsOf(site: object): FirePanels {
  return new FirePanels({
    devices: [
      { id: panel, protocol: 'fire-panel' },
      { id: 'sensor' as DeviceId, protocol: 'mqtt' },
    ] as never,
    site: emergencySection.parse({ panel: site }).panel,
    emergencies: room.desk,
    log: silentLog,
  });
}

function printed(
  what: string,
  text = '首次火警 裙楼一层上空 感烟探测器',
  more: Partial<CampusEvent> = {},
): CampusEvent {
  const data = { what, part: '004-004', text, printed: '26/11/23 10:15' };
  return { id: 'e' as HappeningId, type: 'fire_panel', device: panel, time: room.clock.now(), data, ...more };
}

test('a fire begins an emergency with the words of the panel, which is silent: the sounders of the panel are the law’s', () => {
  panels.hear([printed('fire')]);
  const [one] = room.desk.open;
  expect(one).toMatchObject({
    ...{ kind: 'fire', drill: false, by: 'device:panel', why: '首次火警 裙楼一层上空 感烟探测器 004-004' },
    ...{ origin: { kind: 'panel', device: 'panel' }, zones, items: [] },
  });
  expect(room.heard('field' as never)).toEqual([]);
  expect([...room.alarms]).toEqual([`emergency:${one?.id}`]);
});

test('where the site file says so it sounds besides, in the zone that it has for the detector', () => {
  panels = panelsOf({
    sounds: true,
    places: [
      { text: '裙楼', zone: 'gate' },
      { text: '006-', zone: 'field' },
    ],
  });
  panels.hear([printed('fire')]);
  const id = room.desk.open[0]?.id ?? '';
  expect(room.one(id).zones).toEqual(['gate']);
  expect(zones.map((zone) => room.heard(zone).length)).toEqual([0, 1, 0]);
  panels.hear([printed('fire', '火警后续 食堂', { data: { what: 'fire', part: '006-007', text: '火警后续 食堂' } })]);
  expect(room.one(id).zones).toEqual(['gate', 'field']);
  expect(zones.map((zone) => room.heard(zone).length)).toEqual([0, 1, 1]);
  // A detector that the site file does not know may be anywhere.
  panels.hear([printed('fire', '首次火警 门卫', { data: { what: 'fire', part: '', text: '首次火警 门卫' } })]);
  expect(new Set(room.one(id).zones)).toEqual(new Set(zones));
  expect(zones.map((zone) => room.heard(zone).length)).toEqual([1, 1, 1]);
});

test.each(['fault', 'cleared', 'disabled', 'supervisory', 'started', 'other', 'reset'])('%s begins nothing', (what) => {
  panels.hear([printed(what)]);
  expect(room.desk.open).toEqual([]);
  expect(room.commits).toBe(0);
});

test('neither does a fire that something else than a panel says, or a panel that is not there', () => {
  panels.hear([
    printed('fire', 'x', { device: 'sensor' as DeviceId }),
    printed('fire', 'x', { device: 'nobody' as DeviceId }),
    { id: 'e' as HappeningId, type: 'fire_panel', time: 0, data: { what: 'fire' } },
    printed('fire', 'x', { type: 'smoke' }),
  ]);
  expect(room.desk.open).toEqual([]);
});

test('a reset of the panel is told and ends nothing; the all clear of a person does, and a new fire is a new emergency', () => {
  panels.hear([printed('fire'), printed('reset', '系统复位')]);
  const [one] = room.desk.open;
  if (one === undefined) throw new Error('there is no emergency');
  expect(one.cleared).toBeNull();
  expect(one.timeline.at(-1)).toMatchObject({ act: 'note', who: 'device:panel' });
  expect(one.timeline.at(-1)?.text).toContain('系统复位');
  expect(room.desk.clear(one.id, 'burnt toast', duty)).toEqual({ cleared: true, message: '' });
  panels.hear([printed('reset')]);
  expect(room.desk.open).toEqual([]);
  panels.hear([printed('fire')]);
  expect(room.desk.open.map(({ id }) => id)).not.toContain(one.id);
});

test('each further detector is told once, however often it is printed, and a panel without end does not push out the beginning', () => {
  panels.hear([printed('fire')]);
  const id = room.desk.open[0]?.id ?? '';
  panels.hear([printed('fire', '火警后续 二层'), printed('fire', '火警后续 二层')]);
  expect(room.acts(id)).toEqual(['began', 'note']);
  for (let i = 0; i < 1_500; i++) panels.hear([printed('fire', `火警后续 ${i} 层`)]);
  expect(room.one(id).timeline.length).toBeLessThanOrEqual(201);
  expect(room.one(id).timeline[0]?.act).toBe('began');
});

test('it joins a fire that a person began, and is one with it', () => {
  const begun = room.begin({ sounds: true });
  panels.hear([printed('fire')]);
  expect(room.desk.open.map(({ id }) => id)).toEqual([begun.id]);
  expect(room.one(begun.id).causes.map(({ origin }) => origin.kind)).toEqual(['person', 'panel']);
  expect(room.one(begun.id).timeline.at(-1)?.text).toContain('裙楼一层');
});

test('what cannot be read as text is no line of its own, and a desk that fails keeps nobody from the next event', () => {
  panels.hear([printed('fire', '首次\u202e火警\n\u0000裙楼')]);
  expect(room.desk.open[0]?.why).toBe('首次 火警  裙楼 004-004');
  const failing = new FirePanels({
    ...{ devices: [{ id: panel, protocol: 'fire-panel' }] as never, log: silentLog },
    site: emergencySection.parse({}).panel,
    emergencies: {
      open: [],
      note: () => room.one('nothing'),
      begin: () => {
        throw new Error('the desk is broken');
      },
    },
  });
  expect(() => failing.hear([printed('fire')])).not.toThrow();
});
