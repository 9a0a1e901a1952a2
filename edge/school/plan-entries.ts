import { isSlug } from '#edge/domain/ids.ts';
import {
  type Anchor,
  type DayFilter,
  dayKinds,
  itemClasses,
  lastSecond,
  type SchoolAction,
  type SchoolDays,
  type SchoolEntry,
  type SchoolExam,
  type SchoolItem,
  type SchoolPower,
  type SchoolSeason,
  type SchoolTerm,
  type SchoolTimetable,
  slotKinds,
} from '#edge/domain/school.ts';
import { addDays, daysBetween, isDate, weekdayOf, weekdays } from './dates.ts';
import { commandsOf, examTemplates } from './exam-templates.ts';
import type { Say } from './plan-mistake.ts';
import { layOut } from './timetable.ts';

/* What can be said of an entry alone, without the others. */

const mostDays = 400;
const mostWeeks = 60;
/** Longer than that no clip plays and no output is held by a schedule: a day. */
const mostSeconds = 86_400;
const parities: readonly unknown[] = ['odd', 'even'];

export function checkEntry(entry: SchoolEntry, say: Say): void {
  switch (entry.part) {
    case 'layer':
      return;
    case 'term':
      checkTerm(entry, say);
      return;
    case 'season':
      checkSeason(entry, say);
      return;
    case 'timetable':
      checkTimetable(entry, say);
      return;
    case 'days':
      checkDays(entry, say);
      return;
    case 'item':
      checkItem(entry, say);
      return;
    case 'exam':
      checkExam(entry, say);
      return;
    case 'power':
      checkPower(entry, say);
      return;
    default:
      say('part', 'unknown-word');
  }
}

function number(value: number, path: string, say: Say, from: number, to: number): boolean {
  const isGood = Number.isFinite(value) && value >= from && value <= to;
  if (!isGood) say(path, 'not-a-number', { from, to });
  return isGood;
}

function whole(value: number, path: string, say: Say, from: number, to: number): boolean {
  if (Number.isInteger(value)) return number(value, path, say, from, to);
  say(path, 'not-a-number', { from, to });
  return false;
}

function range(from: string, to: string, say: Say, most = mostDays): boolean {
  const good = date(from, 'from', say) && date(to, 'to', say);
  if (!good) return false;
  if (to < from) say('to', 'ends-before', { from, to });
  else if (daysBetween(from, to) >= most) say('to', 'too-long', { most });
  return to >= from;
}

function date(text: string, path: string, say: Say): boolean {
  const isGood = isDate(text);
  if (!isGood) say(path, 'not-a-date', { date: text.slice(0, 40) });
  return isGood;
}

function oneOf(word: unknown, words: readonly unknown[], path: string, say: Say): void {
  if (!words.includes(word)) say(path, 'unknown-word', { word: String(word).slice(0, 40) });
}

function checkTerm({ from, weeks, opens, closes }: SchoolTerm, say: Say): void {
  const isGood = date(from, 'from', say);
  if (!whole(weeks, 'weeks', say, 1, mostWeeks) || !isGood) return;
  if (weekdayOf(from) !== 1) say('from', 'not-a-monday', { date: from });
  const last = addDays(from, weeks * 7 - 1);
  for (const [path, day] of [['opens', opens] as const, ['closes', closes] as const]) {
    if (day === undefined || !date(day, path, say)) continue;
    if (day < from || day > last) say(path, 'outside-term', { date: day, from, to: last });
  }
  if (opens !== undefined && closes !== undefined && closes < opens) say('closes', 'ends-before', { opens, closes });
}

function checkSeason({ from, to, weekly }: SchoolSeason, say: Say): void {
  range(from, to, say);
  for (const [n, { days, parity }] of weekly.entries()) {
    if (days.length === 0) say(`weekly[${n}].days`, 'empty');
    for (const day of days) oneOf(day, weekdays, `weekly[${n}].days`, say);
    if (parity !== undefined) oneOf(parity, parities, `weekly[${n}].parity`, say);
  }
}

function checkTimetable(timetable: SchoolTimetable, say: Say): void {
  let isGood = whole(timetable.start, 'start', say, 0, lastSecond);
  if (timetable.pieces.length > 100) {
    say('pieces', 'too-long', { most: 100 });
    return;
  }
  const ids = new Set<string>();
  for (const [n, { id, kind, minutes, at }] of timetable.pieces.entries()) {
    const path = `pieces[${n}]`;
    if (!isSlug(id)) say(`${path}.id`, 'bad-id', { id: id.slice(0, 40) });
    if (ids.has(id)) say(`${path}.id`, 'piece-twice', { id: id.slice(0, 40) });
    ids.add(id);
    oneOf(kind, slotKinds, `${path}.kind`, say);
    isGood = number(minutes, `${path}.minutes`, say, 0, 480) && isGood;
    if (at !== undefined) isGood = whole(at, `${path}.at`, say, 0, lastSecond) && isGood;
  }
  if (isGood) for (const { path, code, params } of layOut(timetable).mistakes) say(path, code, params);
}

function checkDays({ from, to, kind, useWeekday, useParity }: SchoolDays, say: Say): void {
  range(from, to, say);
  oneOf(kind, dayKinds, 'kind', say);
  if (useWeekday !== undefined) oneOf(useWeekday, weekdays, 'useWeekday', say);
  if (useParity !== undefined) oneOf(useParity, parities, 'useParity', say);
}

function checkItem(item: SchoolItem, say: Say): void {
  oneOf(item.class, itemClasses, 'class', say);
  checkAnchor(item.when, say);
  checkFilter(item.days, say);
  checkAction(item.do, say);
}

function checkAnchor(when: Anchor, say: Say): void {
  if ('at' in when) {
    whole(when.at, 'when.at', say, 0, lastSecond);
    return;
  }
  oneOf(when.edge, ['start', 'end'], 'when.edge', say);
  whole(when.offset, 'when.offset', say, -lastSecond, lastSecond);
  if (typeof when.slot !== 'string') oneOf(when.slot.kind, slotKinds, 'when.slot.kind', say);
}

function checkFilter({ kinds, weekdays: days, parity, weather, from, to }: DayFilter, say: Say): void {
  for (const kind of kinds) oneOf(kind, dayKinds, 'days.kinds', say);
  for (const day of days) oneOf(day, weekdays, 'days.weekdays', say);
  if (parity !== undefined) oneOf(parity, parities, 'days.parity', say);
  if (weather !== undefined) oneOf(weather, ['rainy', 'dry'], 'days.weather', say);
  const good = [from, to].every((day, n) => day === undefined || date(day, n === 0 ? 'days.from' : 'days.to', say));
  if (good && from !== undefined && to !== undefined && to < from) say('days.to', 'ends-before', { from, to });
}

function checkAction(action: SchoolAction, say: Say): void {
  number(action.seconds, 'do.seconds', say, 0, mostSeconds);
  if (action.kind === 'sound') {
    if (action.clip === '') say('do.clip', 'empty');
    if (action.volume !== undefined) number(action.volume, 'do.volume', say, 0, 1);
  } else if (action.kind === 'hold') {
    if (action.outputs.length === 0) say('do.outputs', 'empty');
  } else if (action.kind === 'mode') {
    if (action.mode === '') say('do.mode', 'empty');
  } else say('do.kind', 'unknown-word');
}

function checkExam(exam: SchoolExam, say: Say): void {
  const { papers, template } = exam;
  if (!Object.hasOwn(examTemplates, template)) {
    say('template', 'unknown-word', { word: String(template) });
    return;
  }
  if (papers.length === 0) {
    say('papers', 'empty');
    return;
  }
  if (papers.length > 100) {
    say('papers', 'too-long', { most: 100 });
    return;
  }
  number(exam.quietBefore, 'quietBefore', say, 0, 240);
  number(exam.quietAfter, 'quietAfter', say, 0, 240);
  const isGood = papers.map((paper, n) => {
    const day = date(paper.date, `papers[${n}].date`, say);
    const at = whole(paper.at, `papers[${n}].at`, say, 0, lastSecond);
    return whole(paper.minutes, `papers[${n}].minutes`, say, 1, 480) && day && at;
  });
  if (!isGood.every(Boolean)) return;
  for (const [n, paper] of papers.entries()) {
    const seconds = commandsOf(exam, paper).map(({ second }) => second);
    if (Math.min(...seconds) < 0 || Math.max(...seconds) > lastSecond) say(`papers[${n}].at`, 'past-midnight');
  }
  const inOrder = [...papers.entries()].toSorted(([, a], [, b]) =>
    a.date < b.date ? -1 : a.date > b.date ? 1 : a.at - b.at,
  );
  for (const [n, [index, paper]] of inOrder.entries()) {
    const before = inOrder[n - 1]?.[1];
    if (before?.date === paper.date && before.at + before.minutes * 60 > paper.at)
      say(`papers[${index}].at`, 'papers-overlap', { date: paper.date });
  }
}

function checkPower(power: SchoolPower, say: Say): void {
  const { slots, weekly, months, occupancy, prepare } = power;
  if (power.outputs.length === 0) say('outputs', 'empty');
  checkFilter(power.days, say);
  for (const kind of slots?.kinds ?? []) oneOf(kind, slotKinds, 'slots.kinds', say);
  if (slots !== null)
    for (const part of ['before', 'after'] as const) number(slots[part], `slots.${part}`, say, 0, 480);
  for (const [n, { days, from, to }] of weekly.entries()) {
    for (const day of days) oneOf(day, weekdays, `weekly[${n}].days`, say);
    const isGood = whole(from, `weekly[${n}].from`, say, 0, lastSecond) && whole(to, `weekly[${n}].to`, say, 0, 86_400);
    if (isGood && to <= from) say(`weekly[${n}].to`, 'ends-before', { from, to });
  }
  for (const month of months) whole(month, 'months', say, 1, 12);
  if (occupancy !== null) number(occupancy.offAfter, 'occupancy.offAfter', say, 0, 1_440);
  if (prepare !== null) {
    number(prepare.setpoint, 'prepare.setpoint', say, -50, 100);
    number(prepare.tolerance, 'prepare.tolerance', say, 0, 20);
    number(prepare.rate, 'prepare.rate', say, 0.01, 100);
    number(prepare.earliest, 'prepare.earliest', say, 0, 1_440);
  }
  for (const part of ['minimumOn', 'minimumOff'] as const) number(power[part], part, say, 0, 1_440);
}
