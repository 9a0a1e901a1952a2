import type { OutputPoint } from '#edge/commands/output.ts';
import type { Device } from '#edge/domain/device.ts';
import { type PointRef, pointRef, type ZoneId } from '#edge/domain/ids.ts';
import type {
  ItemClass,
  SchoolAction,
  SchoolEntries,
  SchoolEntry,
  SchoolItem,
  SchoolPower,
} from '#edge/domain/school.ts';
import { usualNumbers, usualTimetable } from '#edge/school/usual-timetable.ts';
import { place, point } from '../commands/desk.ts';

/* A school of 40 classes: what it has, and what somebody planned for it. Two buildings of twenty rooms, a gate, a playground. */

export const classRooms = Array.from({ length: 40 }, (_, n) => `room-${n + 1}`);
const buildings = { senior: classRooms.slice(0, 20), junior: classRooms.slice(20) };
export const zones = [...classRooms, 'gate', 'playground'] as unknown as readonly ZoneId[];
const both = (text: string) => ({ zh: text, en: text });
const at = (hour: number, minute = 0, second = 0) => hour * 3_600 + minute * 60 + second;

/** Zones with a loudspeaker: one in every fourth room's corridor, the gate and the playground. */
export const soundZones = [...classRooms.filter((_, n) => n % 4 === 0), 'gate', 'playground'];

export function schoolPoints(): OutputPoint[] {
  const inZone = (zone: string, places: readonly OutputPoint[]) =>
    places.map((one) => ({ ...one, device: { ...one.device, zone: zone as ZoneId } }));
  return [
    ...soundZones.flatMap((zone) =>
      inZone(zone, place(`speaker-${zone}`, 'broadcast', [point('clip', 'text', { failSafe: '' })])),
    ),
    ...classRooms.flatMap((zone) => inZone(zone, place(`light-${zone}`, 'fieldbus', [point('relay', 'boolean', {})]))),
    ...classRooms
      .slice(0, 8)
      .flatMap((zone) => inZone(zone, place(`air-${zone}`, 'fieldbus', [point('relay', 'boolean', {})]))),
    ...inZone('gate', place('boiler', 'fieldbus', [point('relay', 'boolean', {})])),
    ...inZone('gate', place('screens', 'fieldbus', [point('power', 'boolean', {}), point('source', 'text', {})])),
  ];
}

/** As the site knows them; sensors besides. */
export function devicesOf(points: readonly OutputPoint[]): readonly Device[] {
  const sensors = classRooms.flatMap((zone) => {
    const { write: _, ...occupied } = point('occupied', 'boolean', {});
    const { write: __, ...temperature } = point('temperature', 'number', {});
    const [first] = place(`sensor-${zone}`, 'fieldbus', [occupied]);
    return first === undefined ? [] : [{ ...first.device, zone: zone as ZoneId, points: [occupied, temperature] }];
  });
  const devices = Map.groupBy(points, ({ device }) => device.id);
  return [...devices.values()]
    .flatMap(([first, ...rest]) =>
      first === undefined ? [] : [{ ...first.device, points: [first, ...rest].map((one) => one.point) }],
    )
    .concat(sensors);
}

export const occupiedRef = (zone: string) => `sensor-${zone}/occupied` as PointRef;
export const temperatureRef = (zone: string) => `sensor-${zone}/temperature` as PointRef;
export const speakerRef = (zone: string) => pointRef(`speaker-${zone}` as never, 'clip' as never);

function item(
  of: ItemClass,
  when: SchoolItem['when'],
  action: SchoolAction,
  more: Partial<SchoolItem> = {},
): SchoolItem {
  return {
    ...{ part: 'item', name: both(`${of} ${JSON.stringify(when)}`), class: of, layer: 'campus', when, do: action },
    ...{ days: { kinds: [], weekdays: [] }, enabled: true, ...more },
  };
}

const sound = (clip: string, seconds: number, more: Partial<Extract<SchoolAction, { kind: 'sound' }>> = {}) =>
  ({ kind: 'sound', clip, zones: [], seconds, ...more }) as const;
const slot = (kind: string | { readonly kind: 'lesson' }, edge: 'start' | 'end', offset = 0) =>
  ({ slot: kind as never, edge, offset }) as const;

const air = (zone: string, n: number): SchoolPower => ({
  ...{ part: 'power', name: both(`Air ${zone}`), layer: n < 4 && n % 2 === 1 ? 'campus' : 'senior', kind: 'air' },
  ...{ outputs: [`air-${zone}/relay` as PointRef], on: true, off: false },
  slots: { kinds: ['lesson'], before: 0, after: 0 },
  ...{ weekly: [], days: { kinds: [], weekdays: [] }, months: [9, 11, 12, 1], minimumOn: 10, minimumOff: 15 },
  // Four of them follow a thermometer as well.
  occupancy: n < 4 ? null : { ref: occupiedRef(zone), offAfter: 15, toStart: 'schedule' },
  ...{
    prepare:
      n < 4
        ? {
            ...{ temperature: `sensor-${zone}/temperature` as PointRef, mode: 'heat' as const, setpoint: 20 },
            ...{ tolerance: 1, rate: 4, earliest: 90 },
          }
        : null,
  },
  setback: null,
});

const light = (zone: string, n: number): SchoolPower => ({
  ...{ part: 'power', name: both(`Light ${zone}`), layer: n < 20 ? 'senior' : 'junior', kind: 'light' },
  ...{ outputs: [`light-${zone}/relay` as PointRef], on: true, off: false },
  slots: { kinds: ['reading', 'lesson', 'evening-study'], before: 5, after: 5 },
  ...{ weekly: [], days: { kinds: [], weekdays: [] }, months: [], prepare: null, setback: null },
  // Every other room has a presence sensor; without one the schedule alone decides.
  occupancy:
    n % 2 === 0 ? { ref: occupiedRef(zone), offAfter: 10, toStart: n % 4 === 0 ? 'needed' : 'schedule' } : null,
  ...{ minimumOn: n % 5, minimumOff: n % 3 },
});

const weekly = (days: readonly (1 | 2 | 3 | 4 | 5 | 6 | 7)[], from: number, to: number) => ({ days, from, to });
const layer = (rooms: readonly string[]): SchoolEntry => ({
  ...{ part: 'layer', name: both(`Layer ${rooms[0]}`), kind: 'building', parent: null },
  zones: rooms as unknown as readonly ZoneId[],
});

/** The whole plan; `n` moves a few bells, as somebody does each week. */
export function entriesOf(n: number): SchoolEntries {
  const winter = usualTimetable(both('Winter'), { ...usualNumbers.senior, start: at(8, 10) });
  const short = usualTimetable(both('Short'), { ...usualNumbers.junior, lesson: 40 });
  return {
    term: { part: 'term', name: both('Autumn term'), from: '2026-08-31', weeks: 20, closes: '2027-01-15' },
    senior: layer(buildings.senior),
    junior: layer(buildings.junior),
    summer: usualTimetable(both('Summer'), { ...usualNumbers.senior, start: at(8) + n * 60 }),
    winter,
    short,
    early: {
      ...{ part: 'season', name: both('Summer time'), layer: 'campus', from: '2026-08-31', to: '2026-09-30' },
      weekly: [
        { days: [1, 2, 3, 4, 5], timetable: 'summer' },
        { days: [7], parity: 'even', timetable: 'short' },
      ],
    },
    late: {
      ...{ part: 'season', name: both('Winter time'), layer: 'campus', from: '2026-10-01', to: '2027-01-31' },
      weekly: [{ days: [1, 2, 3, 4, 5], timetable: 'winter' }],
    },
    young: {
      ...{ part: 'season', name: both('Junior'), layer: 'junior', from: '2026-08-31', to: '2027-01-31' },
      weekly: [
        { days: [5], parity: 'odd', timetable: 'short' },
        { days: [1, 2, 3, 4, 5], timetable: 'summer' },
      ],
    },
    'sunday-work': {
      ...{ part: 'days', name: both('As Friday'), layer: 'campus', from: '2026-09-20', to: '2026-09-20' },
      ...{ kind: 'make-up', useWeekday: 5, useParity: 'even' },
    },
    sports: {
      ...{
        part: 'days',
        name: both('Sports day'),
        layer: 'campus',
        from: '2026-10-29',
        to: '2026-10-30',
        kind: 'event',
      },
      timetable: 'short',
    },
    // 2026-10-10 is a make-up day of which nobody said whose lessons it has: nothing rings by guess.
    'mid-term': {
      ...{ part: 'exam', name: both('Mid-term'), layer: 'senior', template: 'sichuan' },
      zones: buildings.senior.slice(0, 12) as unknown as readonly ZoneId[],
      papers: [
        { name: both('Chinese'), date: '2026-11-11', at: at(9), minutes: 150 },
        { name: both('Maths'), date: '2026-11-11', at: at(15), minutes: 120 },
        { name: both('English'), date: '2026-11-12', at: at(9), minutes: 120 },
      ],
      clips: { 'entry-bell': 'long-bell', begin: 'long-bell', end: 'long-bell', rules: 'rules' },
      ...{ quietBefore: 10, quietAfter: 5 },
    },
    ...itemsOf(n),
    ...Object.fromEntries(classRooms.map((zone, i) => [`light-${zone}`, light(zone, i)])),
    ...Object.fromEntries(classRooms.slice(0, 8).map((zone, i) => [`air-${zone}`, air(zone, i)])),
    // Off at 18:00 by an item: for an hour the item has it, and then it is off by itself at 19:00.
    'screens-power': {
      ...{ part: 'power', name: both('Screens'), layer: 'campus', kind: 'screen' },
      ...{ outputs: ['screens/power' as PointRef], on: true, off: false, slots: null, months: [], occupancy: null },
      ...{ prepare: null, setback: null, minimumOn: 0, minimumOff: 0, days: { kinds: [], weekdays: [] } },
      weekly: [weekly([1, 2, 3, 4, 5], at(7, 30), at(19))],
    },
    boiler: {
      ...{ part: 'power', name: both('Boiler'), layer: 'campus', kind: 'water', outputs: ['boiler/relay' as PointRef] },
      ...{ on: true, off: false, slots: null, months: [], occupancy: null, prepare: null, setback: null },
      weekly: [weekly([1, 2, 3, 4, 5], at(5, 30), at(21)), weekly([7], at(16), 86_400), weekly([1], 0, at(1))],
      days: { kinds: ['school', 'make-up', 'exam', 'event', 'weekend'], weekdays: [] },
      ...{ minimumOn: 30, minimumOff: 30 },
    },
  };
}

function itemsOf(n: number): SchoolEntries {
  const lesson = { kind: 'lesson' } as const;
  const hold = (ref: string, value: boolean | string, seconds: number) =>
    ({ kind: 'hold', outputs: [{ ref: ref as PointRef, value }], seconds }) as const;
  return {
    prepare: item('bell', slot(lesson, 'start', -120), sound('ready', 6, { volume: 0.5 })),
    begin: item('bell', slot(lesson, 'start'), sound('bell', 10)),
    end: item('bell', slot(lesson, 'end'), sound('bell', 8, { volume: 0.8 })),
    eyes: item('exercise', slot('eye-1', 'start'), sound('eyes', 300), { layer: 'junior' }),
    exercise: item(
      'exercise',
      slot('break-2', 'start', 60),
      sound('exercise', 600, { zones: ['playground' as ZoneId] }),
      {
        days: { kinds: [], weekdays: [], weather: 'dry' },
      },
    ),
    indoor: item('exercise', slot('break-2', 'start', 60), sound('exercise', 600), {
      days: { kinds: [], weekdays: [], weather: 'rainy' },
    }),
    flag: item('programme', { at: at(7, 40, n) }, sound('anthem', 90, { zones: ['playground' as ZoneId] }), {
      days: { kinds: ['school'], weekdays: [1], weather: 'dry' },
    }),
    radio: item('programme', { at: at(12, 35) }, sound('radio', 1_200), {
      days: { kinds: ['school', 'make-up'], weekdays: [], parity: 'odd' },
    }),
    news: item('screen', { at: at(12, 20) }, hold('screens/source', 'news', 900), {
      days: { kinds: [], weekdays: [2, 4] },
    }),
    'screens-off': item('screen', { at: at(18) }, hold('screens/power', false, 3_600)),
    'exam-mode': item(
      'mode',
      { at: at(8, 20) },
      { kind: 'mode', mode: 'exam', on: true, seconds: 4 * 3_600 },
      {
        days: { kinds: ['exam'], weekdays: [] },
        layer: 'senior',
      },
    ),
    lullaby: item('programme', { at: at(21, 50) }, sound('lullaby', 120, { volume: 0.25 }), {
      days: { kinds: ['school'], weekdays: [1, 2, 3, 4] },
    }),
    off: item('bell', { at: at(6) }, sound('bell', 5), { enabled: false }),
  };
}

export const clips = ['bell', 'ready', 'eyes', 'exercise', 'anthem', 'radio', 'lullaby', 'long-bell', 'rules'];
export const modeIds = ['exam'];
