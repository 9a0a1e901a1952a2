import type { PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type {
  Anchor,
  DayFilter,
  LocalDate,
  SchoolAction,
  SchoolEntries,
  SchoolEntry,
  SchoolItem,
  SchoolPower,
  SlotKind,
  TimetablePiece,
} from '#edge/domain/school.ts';
import { addDays, mondayOf, weekdayOf } from '#edge/school/dates.ts';
import { usualNumbers, usualTimetable } from '#edge/school/usual-timetable.ts';

/* What the demo's school office has written: the plan of a primary school with a kindergarten, around any day. */

const minute = 60;
const hour = 3_600;
const everyDay: DayFilter = { kinds: [], weekdays: [] };
const on = (...names: readonly string[]) => names as readonly ZoneId[];
const out = (device: string, point: string) => `${device}/${point}` as PointRef;

/** `today`: what the terms lie around. */
export function demoSchoolEntries(today: LocalDate): SchoolEntries {
  return {
    ...terms(today),
    ...timetables(today),
    ...bells,
    ...programmes,
    ...screens,
    ...kindergarten(today),
    ...power(today),
    ...painted(today),
  };
}

const name = (zh: string, en: string): Name => ({ zh, en });

/** The autumn in which the school year of a day began. */
function schoolYear(today: LocalDate): number {
  const year = Number(today.slice(0, 4));
  return Number(today.slice(5, 7)) >= 8 ? year : year - 1;
}

/** Two terms, from the first of September and from the end of February on. */
function terms(today: LocalDate): SchoolEntries {
  const year = schoolYear(today);
  const autumn = mondayOf(`${year}-09-01`);
  const spring = mondayOf(`${year + 1}-02-26`);
  return {
    autumn: {
      ...{ part: 'term', name: name(`${year} 年秋季学期`, `Autumn term ${year}`), from: autumn, weeks: 21 },
      opens: `${year}-09-01`,
    },
    spring: { part: 'term', name: name(`${year + 1} 年春季学期`, `Spring term ${year + 1}`), from: spring, weeks: 20 },
  };
}

function seasonOf(
  [zh, en]: readonly [string, string],
  timetable: string,
  [from, to]: readonly [LocalDate, LocalDate],
): SchoolEntry {
  const weekly = [{ days: [1, 2, 3, 4, 5], timetable }] as const;
  return { part: 'season', name: name(zh, en), layer: 'campus', from, to, weekly };
}

/** Summer times from the first of May to the end of September: a longer rest at noon. */
function timetables(today: LocalDate): SchoolEntries {
  const year = schoolYear(today);
  const { primary } = usualNumbers;
  const summer = { ...primary, afternoonStart: 14 * hour + 30 * minute };
  return {
    'timetable-winter': usualTimetable(name('冬季作息', 'Winter timetable'), primary),
    'timetable-summer': usualTimetable(name('夏季作息', 'Summer timetable'), summer),
    'season-late-summer': seasonOf(['初秋（夏季作息）', 'Early autumn (summer times)'], 'timetable-summer', [
      `${year}-08-01`,
      `${year}-09-30`,
    ]),
    'season-winter': seasonOf(['冬季', 'Winter'], 'timetable-winter', [`${year}-10-01`, `${year + 1}-04-30`]),
    'season-summer': seasonOf(['夏季', 'Summer'], 'timetable-summer', [`${year + 1}-05-01`, `${year + 1}-07-31`]),
  };
}

function item(
  [zh, en]: readonly [string, string],
  kind: SchoolItem['class'],
  when: Anchor,
  action: SchoolAction,
  days: DayFilter = everyDay,
): SchoolItem {
  return { part: 'item', name: name(zh, en), class: kind, layer: 'campus', when, days, do: action, enabled: true };
}

const each = (kind: SlotKind, edge: 'start' | 'end', offset = 0): Anchor => ({ slot: { kind }, edge, offset });
const of = (slot: string, edge: 'start' | 'end', offset = 0): Anchor => ({ slot, edge, offset });
const sound = (clip: string, seconds: number, ...zones: readonly string[]): SchoolAction => ({
  ...{ kind: 'sound', clip, zones: on(...zones), seconds },
});

const bells: SchoolEntries = {
  'bell-ready': item(
    ['预备铃', 'Warning bell'],
    'bell',
    of('lesson-1', 'start', -2 * minute),
    sound('tune', 12, 'teaching'),
  ),
  'bell-lesson': item(['上课铃', 'Lesson begins'], 'bell', each('lesson', 'start'), sound('bell', 8, 'teaching')),
  'bell-break': item(
    ['下课铃', 'Lesson ends'],
    'bell',
    each('lesson', 'end'),
    sound('bell', 8, 'teaching', 'playground'),
  ),
};

const programmes: SchoolEntries = {
  flag: item(
    ['升旗仪式', 'Flag ceremony'],
    'programme',
    { at: 8 * hour + 5 * minute },
    sound('exercise', 300, 'playground'),
    {
      ...everyDay,
      weekdays: [1],
      weather: 'dry',
    },
  ),
  exercise: item(
    ['课间操', 'Morning exercise'],
    'exercise',
    each('long-break', 'start', 2 * minute),
    sound('exercise', 12 * minute, 'playground', 'teaching'),
    { ...everyDay, weather: 'dry' },
  ),
  'exercise-rain': item(
    ['室内操（雨天）', 'Exercise indoors (rain)'],
    'exercise',
    each('long-break', 'start', 2 * minute),
    sound('tune', 10 * minute, 'teaching'),
    { ...everyDay, weather: 'rainy' },
  ),
  eyes: item(
    ['眼保健操', 'Eye exercises'],
    'exercise',
    each('eye-exercise', 'start', 20),
    sound('eyes', 270, 'teaching'),
  ),
  'lunch-music': item(
    ['午间音乐', 'Music at lunch'],
    'programme',
    of('lunch', 'start', minute),
    sound('tune', 300, 'teaching'),
  ),
  dismissal: item(
    ['放学音乐', 'Time to go home'],
    'programme',
    of('dismissal', 'start', 30),
    sound('tune', 180, 'teaching', 'playground', 'gate'),
  ),
};

/** Every screen of the second floor: what is asked of one that only sleeps is that it wakes. */
const screens: SchoolEntries = {
  news: item(
    ['午间新闻', 'News at noon'],
    'screen',
    { at: 12 * hour + 20 * minute },
    {
      kind: 'hold',
      outputs: [
        { ref: out('screen-203', 'power'), value: true },
        { ref: out('screen-203', 'input'), value: 'signage' },
        { ref: out('panel-201', 'power'), value: true },
      ],
      seconds: 20 * minute,
    },
  ),
  'board-welcome': item(
    ['校门欢迎语', 'Welcome at the gate'],
    'screen',
    { at: 7 * hour },
    {
      ...{ kind: 'hold', seconds: 90 * minute },
      outputs: [{ ref: out('sign-gate', 'text'), value: '欢迎同学们，请有序进校' }],
    },
  ),
  'screens-off': item(
    ['关闭所有屏幕', 'All screens off'],
    'screen',
    { at: 18 * hour },
    {
      kind: 'hold',
      outputs: [{ ref: out('screen-203', 'power'), value: false }],
      seconds: 30 * minute,
    },
  ),
};

function piece(id: string, kind: SlotKind, [zh, en]: readonly [string, string], minutes: number): TimetablePiece {
  return { id, kind, name: name(zh, en), minutes };
}

/** Its own day: no lessons, a nap, and tunes where the others have bells. */
function kindergarten(today: LocalDate): SchoolEntries {
  const year = schoolYear(today);
  const own = (entry: SchoolItem): SchoolItem => ({ ...entry, layer: 'kindergarten' });
  return {
    kindergarten: {
      ...{
        part: 'layer',
        name: name('幼儿园', 'Kindergarten'),
        kind: 'building',
        parent: null,
        zones: on('kindergarten'),
      },
    },
    'timetable-kindergarten': {
      ...{ part: 'timetable', name: name('幼儿园作息', 'Kindergarten day'), start: 8 * hour },
      pieces: [
        piece('arrival', 'arrival', ['入园', 'Arrival'], 40),
        piece('exercise', 'exercise', ['早操', 'Morning exercise'], 20),
        piece('play-1', 'activity', ['区角活动', 'Play'], 60),
        piece('outdoors', 'activity', ['户外活动', 'Outdoors'], 60),
        piece('lunch', 'lunch', ['午餐', 'Lunch'], 60),
        piece('nap', 'nap', ['午睡', 'Nap'], 120),
        piece('play-2', 'activity', ['游戏活动', 'Games'], 80),
        piece('dismissal', 'dismissal', ['离园', 'Going home'], 0),
      ],
    },
    'season-kindergarten': {
      ...{ part: 'season', name: name('幼儿园全年', 'Kindergarten, all year'), layer: 'kindergarten' },
      ...{ from: `${year}-08-01`, to: `${year + 1}-07-31` },
      weekly: [{ days: [1, 2, 3, 4, 5], timetable: 'timetable-kindergarten' }],
    },
    'kindergarten-play': own(
      item(['活动开始', 'Play begins'], 'bell', each('activity', 'start'), sound('tune', 10, 'kindergarten')),
    ),
    'kindergarten-exercise': own(
      item(['幼儿早操', 'Exercise'], 'exercise', of('exercise', 'start', 30), sound('exercise', 600, 'kindergarten')),
    ),
    'kindergarten-wake': own(
      item(['起床音乐', 'Waking up'], 'programme', of('nap', 'end', -5 * minute), sound('tune', 240, 'kindergarten')),
    ),
  };
}

const classroom = {
  ...{ layer: 'campus', weekly: [], days: everyDay, setback: null },
} satisfies Partial<SchoolPower>;

/** Room 203: its light while somebody is there in school time, its air ready for the first lesson. */
function power(today: LocalDate): SchoolEntries {
  const month = Number(today.slice(5, 7));
  const isCold = month <= 4 || month >= 10;
  const months = isCold ? [10, 11, 12, 1, 2, 3, 4] : [5, 6, 7, 8, 9];
  const [word, setpoint] = isCold ? (['heat', 20] as const) : (['cool', 26] as const);
  const from = 6 * hour + 30 * minute;
  return {
    'light-203': {
      ...{ ...classroom, part: 'power', name: name('203 教室照明', 'Light, room 203'), kind: 'light', months: [] },
      ...{ outputs: [out('lights-2f', 'relay_3')], on: true, off: false, prepare: null, minimumOn: 5, minimumOff: 1 },
      slots: { kinds: ['reading', 'lesson', 'break', 'long-break', 'eye-exercise', 'activity'], before: 10, after: 10 },
      occupancy: { ref: out('pir-203', 'occupancy'), offAfter: 10, toStart: 'needed' },
    },
    'air-203': {
      ...{ ...classroom, part: 'power', name: name('203 教室空调', 'Air conditioner, room 203'), kind: 'air', months },
      ...{ outputs: [out('ac-203', 'power')], on: true, off: false, minimumOn: 10, minimumOff: 5 },
      slots: { kinds: ['lesson', 'break', 'long-break', 'eye-exercise'], before: 0, after: 0 },
      occupancy: { ref: out('pir-203', 'occupancy'), offAfter: 20, toStart: 'schedule' },
      prepare: {
        ...{
          temperature: out('climate-203', 'temperature'),
          mode: word,
          setpoint,
          tolerance: 1,
          rate: 4,
          earliest: 120,
        },
      },
    },
    'air-203-setting': item(
      isCold ? ['203 空调制热 20 ℃', 'Room 203 heats to 20 °C'] : ['203 空调制冷 26 ℃', 'Room 203 cools to 26 °C'],
      'power',
      { at: from },
      {
        kind: 'hold',
        outputs: [
          { ref: out('ac-203', 'mode'), value: word },
          { ref: out('ac-203', 'setpoint'), value: setpoint },
        ],
        seconds: 11 * hour,
      },
    ),
  };
}

/** Friday of next week is no day like the others. */
function painted(today: LocalDate): SchoolEntries {
  const friday = addDays(today, 5 - weekdayOf(today) + 7);
  return {
    'sports-day': {
      ...{
        part: 'days',
        name: name('趣味运动会', 'Sports day'),
        layer: 'campus',
        from: friday,
        to: friday,
        kind: 'event',
      },
    },
  };
}
