import { describe, expect, test } from 'vitest';
import { createFormats } from '../../../edge/web/console/kit/formats.ts';
import { type NowView, type Room, roundedNow } from '../../../edge/web/console/pages/broadcast/data.ts';
import { dateOf, shiftedDate, startOf } from '../../../edge/web/console/pages/broadcast/dates.ts';
import { groupsOf } from '../../../edge/web/console/pages/broadcast/groups.ts';
import { impactOf } from '../../../edge/web/console/pages/broadcast/impact.ts';
import {
  boxOf,
  neighbour,
  ranged,
  stillThere,
  toggled,
  toggledAll,
  touches,
  wishOf,
} from '../../../edge/web/console/pages/broadcast/selection.ts';
import { emptyField, filledText } from '../../../edge/web/console/pages/broadcast/template-text.ts';

/* The sums of the page of broadcast: which rooms are meant, and what would become of a sound there. */

function room(device: string, more: Partial<Room> = {}): Room {
  return {
    ...{ output: `${device}/clip`, device, name: { zh: device, en: device }, zone: 'teaching', space: null },
    ...{ reason: 'nothing-asked', playing: null, waiting: [], outside: null, quiet: null, level: null },
    ...{ proof: 'none', evidence: '', online: true, trouble: null },
    ...more,
  };
}

function plays(soundClass: 'fire' | 'page' | 'bell', item = 'one'): Partial<Room> {
  const part = { blocker: null, patience: null, until: null, by: 'schedule:bell', why: '', drill: false };
  const name = { zh: item, en: item };
  return {
    reason: 'plays',
    playing: { ...part, item, class: soundClass, name, state: 'playing', began: 0, length: null },
  };
}

describe('what would become of a sound', () => {
  const exam = { kind: 'exam', reason: '', until: null } as const;
  const recording = { kind: 'recording', reason: '', until: null } as const;

  test('it interrupts what is weaker and waits for what is stronger or its equal', () => {
    const rooms = [
      room('a', plays('bell')),
      room('b', plays('page', 'two')),
      room('c', plays('fire', 'three')),
      room('d'),
    ];
    expect(impactOf(rooms, 'page')).toMatchObject({
      ...{ rooms: 4, now: 2, interrupts: [{ class: 'bell', rooms: 1 }] },
      behind: [{ name: { zh: 'two' } }, { name: { zh: 'three' } }],
    });
    expect(impactOf(rooms, 'danger')).toMatchObject({ now: 3, behind: [{ class: 'fire' }] });
  });

  test('rooms that write an examination or record a lesson hear emergencies alone, and its own commands', () => {
    const rooms = [room('a', { quiet: exam }), room('b', { quiet: recording })];
    const devices = (list: readonly Room[]) => list.map(({ device }) => device);
    const page = impactOf(rooms, 'page');
    expect([page.now, devices(page.exam), devices(page.recording)]).toEqual([0, ['a'], ['b']]);
    const command = impactOf(rooms, 'exam');
    expect([command.now, devices(command.exam), devices(command.recording)]).toEqual([1, [], ['b']]);
    expect(impactOf(rooms, 'warning').now).toBe(2);
  });

  test('what a rule holds is not heard over, and a loudspeaker that does not answer is named', () => {
    const outside = { owner: 'interlock:fire', reason: '', since: 0, class: 'fire' } as const;
    const impact = impactOf([room('a', { reason: 'outside', outside }), room('b', { online: false })], 'page');
    expect(impact.held.map(({ device }) => device)).toEqual(['a']);
    expect(impact.offline.map(({ device }) => device)).toEqual(['b']);
    expect(impact.now).toBe(1);
  });
});

describe('choosing', () => {
  test('a room, all of a zone, and back again', () => {
    const one = toggled(new Set(), 'a');
    expect([...one]).toEqual(['a']);
    expect([...toggled(one, 'a')]).toEqual([]);
    const all = toggledAll(one, ['a', 'b']);
    expect([...all]).toEqual(['a', 'b']);
    expect([...toggledAll(all, ['a', 'b'])]).toEqual([]);
  });

  test('a range goes from the last one to this, either way, and is this alone when there was none', () => {
    const order = ['a', 'b', 'c', 'd'];
    expect([...ranged(new Set(), order, 'd', 'b')]).toEqual(['b', 'c', 'd']);
    expect([...ranged(new Set(['a']), order, null, 'c')]).toEqual(['a', 'c']);
    expect([...ranged(new Set(), order, 'gone', 'c')]).toEqual(['c']);
  });

  test('what is gone is not chosen any more; nothing changes when nothing is gone', () => {
    const chosen = new Set(['a', 'b']);
    expect(stillThere(chosen, [room('a'), room('b')])).toBe(chosen);
    expect([...stillThere(chosen, [room('b')])]).toEqual(['b']);
  });

  test('whole zones are asked for by their name, all of it as all, the rest one by one', () => {
    const rooms = [
      room('a'),
      room('b'),
      room('c', { zone: 'gate' }),
      room('d', { zone: 'yard' }),
      room('e', { zone: 'yard' }),
    ];
    const wish = (...devices: string[]) => wishOf(new Set(devices), rooms);
    expect(wish('a', 'b', 'd')).toEqual({ zones: ['teaching'], devices: ['d'] });
    expect(wish('c')).toEqual({ zones: [], devices: ['c'] });
    expect(wish('a', 'b', 'c', 'd', 'e')).toEqual({ zones: 'all', devices: [] });
  });

  test('a box chooses what it touches, whichever corner it was begun in', () => {
    const box = boxOf({ x: 50, y: 40 }, { x: 10, y: 5 });
    expect(box).toEqual({ left: 10, top: 5, right: 50, bottom: 40 });
    expect(touches(box, { left: 45, top: 30, right: 90, bottom: 60 })).toBe(true);
    expect(touches(box, { left: 51, top: 0, right: 90, bottom: 60 })).toBe(false);
  });

  test('arrow keys go to the card beside, and to the nearest of the next row', () => {
    const at = (left: number, top: number) => ({ left, top, right: left + 90, bottom: top + 90 });
    const boxes = [at(0, 0), at(100, 0), at(200, 0), at(0, 100), at(100, 100)];
    expect(neighbour(boxes, 0, 'ArrowRight')).toBe(1);
    expect(neighbour(boxes, 0, 'ArrowLeft')).toBe(0);
    expect(neighbour(boxes, 1, 'ArrowDown')).toBe(4);
    expect(neighbour(boxes, 2, 'ArrowDown')).toBe(4);
    expect(neighbour(boxes, 3, 'ArrowUp')).toBe(0);
    expect(neighbour(boxes, 4, 'ArrowDown')).toBe(4);
  });
});

describe('rooms', () => {
  const name = (zh: string) => ({ zh, en: zh });
  const campus = {
    zones: [
      { id: 'gate', name: name('校门'), spaces: [] },
      { id: 'teaching', name: name('教学楼'), spaces: ['r101', 'r201'] },
    ],
    buildings: [
      {
        ...{ id: 'b1', name: name('一号楼') },
        floors: [
          { id: 'f1', name: name('一层'), spaces: [{ id: 'r101', name: name('101') }] },
          { id: 'f2', name: name('二层'), spaces: [{ id: 'r201', name: name('201') }] },
        ],
      },
    ],
  };
  const rooms = [
    room('r10', { space: 'r201' }),
    room('r2', { space: 'r101' }),
    room('door', { zone: 'gate' }),
    room('x', { zone: 'old' }),
  ];
  const grouped = (by: 'zone' | 'floor') =>
    groupsOf(rooms, campus, by, { language: 'zh', elsewhere: '其他' }).map((group) => [
      group.name,
      group.rooms.map(({ device }) => device),
    ]);

  test('stand by zone in the order of the campus, 2 before 10, and one of a zone that is gone is not lost', () => {
    expect(grouped('zone')).toEqual([
      ['校门', ['door']],
      ['教学楼', ['r2', 'r10']],
      ['old', ['x']],
    ]);
  });

  test('stand by floor, with those that lie on none at the end', () => {
    expect(grouped('floor')).toEqual([
      ['一号楼 · 一层', ['r2']],
      ['一号楼 · 二层', ['r10']],
      ['其他', ['door', 'x']],
    ]);
  });

  test('are the same as before when nothing but time has passed', () => {
    const { playing, ...rest } = room('a', plays('bell'));
    const told = (time: number): NowView => {
      const { began: _, length: __, ...part } = playing ?? { began: 0, length: 0 };
      return {
        time,
        items: [],
        rooms: [{ ...rest, playing: { ...part, position: time - 60_000 } }],
      } as unknown as NowView;
    };
    expect(roundedNow(told(61_230))).toEqual(roundedNow(told(64_990)));
    expect(roundedNow(told(61_230)).rooms[0]?.playing?.began).toBe(60_000);
  });
});

test('a template is spoken with what was filled in, and says which field is empty', () => {
  const field = (key: string) => ({ key, name: { zh: key, en: key }, options: [] });
  const body = {
    ...{
      name: { zh: '找人', en: 'find' },
      text: '{class}同学请到{place}。{other}',
      class: 'page' as const,
      chime: null,
    },
    fields: [field('class'), field('place')],
  };
  expect(filledText(body, { class: ' 三年级2班 ', place: '校门' })).toBe('三年级2班同学请到校门。{other}');
  expect(emptyField(body, { class: '三年级2班', place: ' ' })?.key).toBe('place');
  expect(emptyField(body, { class: 'a', place: 'b' })).toBeNull();
});

test('a day begins at midnight of the campus, wherever that is', () => {
  for (const zone of ['Asia/Shanghai', 'America/New_York', 'Pacific/Auckland', 'UTC']) {
    const start = startOf('2026-09-01', createFormats('zh', zone));
    expect([dateOf(start, zone), dateOf(start - 1, zone)], zone).toEqual(['2026-09-01', '2026-08-31']);
  }
  expect(shiftedDate('2026-12-31', 1)).toBe('2027-01-01');
});
