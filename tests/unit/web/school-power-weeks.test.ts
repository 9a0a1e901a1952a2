import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { SchoolPower } from '#edge/domain/school.ts';
import { SchoolBook } from '#edge/processes/core/school-book.ts';
import { createSchoolMethods } from '#edge/processes/core/school-methods.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import { usualNumbers, usualTimetable } from '#edge/school/usual-timetable.ts';
import { openReader } from '#edge/store/reader.ts';
import { jsonBody, type PlaceRoom, startPlaceRoom } from './place-room.ts';

/* When circuits are needed through the weeks to come, over HTTP. */

const clock = new ManualClock(Date.UTC(2026, 10, 23, 0, 0)); // Monday, 08:00 in Shanghai
const hour = 3_600_000;
const midnight = (day: number) => Date.UTC(2026, 10, day) - 8 * hour;
const name: Name = { zh: '照明', en: 'light' };
const circuit = (ref: string, more: object = {}) => ({
  ...{ part: 'power', name, layer: 'campus', kind: 'light', outputs: [ref], on: true, off: false },
  ...{ slots: { kinds: ['lesson', 'break', 'long-break'], before: 10, after: 5 }, weekly: [] },
  ...{ days: { kinds: [], weekdays: [] }, months: [], occupancy: null, prepare: null, setback: null },
  ...{ minimumOn: 0, minimumOff: 0, ...more },
});
type Ask = (path: string, init?: RequestInit) => Promise<Response>;
let room: PlaceRoom;
let editor: Ask;
let guard: Ask;

interface Weeks {
  readonly days: readonly { readonly date: string; readonly from: number; readonly isPlanned: boolean }[];
  readonly layers: Readonly<Record<string, readonly { readonly kind: string; readonly lessonsOf: number | null }[]>>;
  readonly circuits: readonly {
    readonly entry: string;
    readonly power: SchoolPower;
    readonly needs: readonly { readonly from: number; readonly to: number; readonly due: number }[];
  }[];
}

beforeAll(async () => {
  const methods: Record<string, RpcMethod> = {};
  room = await startPlaceRoom({
    clock,
    methods: Object.fromEntries(
      ['school.put', 'school.sign'].map((one): [string, RpcMethod] => [
        one,
        async (params) => {
          const found = methods[one];
          if (found === undefined) throw new Error(`no ${one}`);
          return found(params);
        },
      ]),
    ),
  });
  const book = new SchoolBook({
    timeZone: 'Asia/Shanghai',
    zones: ['gate', 'teaching', 'playground'] as unknown as readonly ZoneId[],
    ...{ reader: openReader(room.data), append: (batch) => room.open.append(batch), clock },
  });
  book.load();
  Object.assign(methods, createSchoolMethods({ book, desk: undefined as never, clockWatch: undefined as never }));
  editor = await room.as(['see', 'school', 'sign'], 'all');
  guard = await room.as(['see'], ['gate']);
  const changes = Object.entries({
    usual: usualTimetable(name, usualNumbers.primary),
    term: { part: 'term', name, from: '2026-09-07', weeks: 20 },
    autumn: {
      ...{ part: 'season', name, layer: 'campus', from: '2026-09-01', to: '2027-01-31' },
      weekly: [{ days: [1, 2, 3, 4, 5], timetable: 'usual' }],
    },
    saturday: {
      part: 'days',
      name,
      layer: 'campus',
      from: '2026-11-28',
      to: '2026-11-28',
      kind: 'make-up',
      useWeekday: 3,
    },
    corridor: circuit('relay-1/relay_1'),
  }).map(([id, body]) => ({ id, rev: 0, body }));
  const put = await editor('/api/v1/school/entries', jsonBody('POST', { changes }));
  if (!put.ok) throw new Error(await put.text());
}, 60_000);

afterAll(() => room[Symbol.asyncDispose]());

async function weeks(ask: Ask, query: string): Promise<Weeks> {
  const answer = await ask(`/api/v1/school/power/weeks?${query}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Weeks;
}

test('a circuit is needed on the days that the calendar has, a make-up Saturday among them, and not on Sunday', async () => {
  const { days, layers, circuits } = await weeks(editor, 'of=draft&from=2026-11-23&to=2026-11-29');
  expect(days.map(({ from }) => from)).toEqual([23, 24, 25, 26, 27, 28, 29].map(midnight));
  expect(layers.campus?.[5]).toMatchObject({ kind: 'make-up', lessonsOf: 3 });
  expect(circuits.map(({ entry }) => entry)).toEqual(['corridor']);
  const needs = circuits[0]?.needs ?? [];
  const on = (day: number) => needs.filter(({ from }) => from >= midnight(day) && from < midnight(day + 1));
  expect(on(28).length).toBeGreaterThan(0);
  const clockOf = (day: number) => on(day).map(({ from, to, due }) => [from, to, due].map((at) => at - midnight(day)));
  expect(clockOf(28)).toEqual(clockOf(25));
  expect(on(29)).toEqual([]);
  for (const { from, due } of needs) expect(due - from).toBeGreaterThanOrEqual(10 * 60_000);
});

test('what nobody signed is no plan, and says so day by day', async () => {
  const { days, circuits, layers } = await weeks(editor, 'of=signed&from=2026-11-23&to=2026-11-24');
  expect(days.map(({ isPlanned }) => isPlanned)).toEqual([false, false]);
  expect([circuits, layers.campus]).toEqual([[], []]);
});

test('circuits elsewhere are not told', async () => {
  const { circuits } = await weeks(guard, 'of=draft&from=2026-11-23&to=2026-11-24');
  expect(circuits).toEqual([]);
});

test('an entry that is not saved is looked at as it would be, and a mistake in it is named', async () => {
  const ask = (body: unknown) =>
    editor('/api/v1/school/power/weeks', jsonBody('POST', { from: '2026-11-23', to: '2026-11-24', body }));
  const late = { days: [1], from: 79_200, to: 86_400 };
  const found = await ask(circuit('relay-1/relay_2', { slots: null, weekly: [late] }));
  expect(await found.json()).toMatchObject({
    kinds: [{ kind: 'school' }, { kind: 'school' }],
    needs: [{ from: midnight(23) + 22 * hour, to: midnight(24), why: [{ code: 'time' }] }],
  });
  const wrong = await ask(circuit('relay-1/relay_2', { minimumOn: -1 }));
  expect([wrong.status, await wrong.json()]).toMatchObject([400, { error: 'bad-entry' }]);
  expect((await ask({ part: 'layer' })).status).toBe(400);
});
