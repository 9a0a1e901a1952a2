import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Right, Zones } from '#edge/domain/access.ts';
import type { ZoneId } from '#edge/domain/ids.ts';
import type { LedgerLine } from '#edge/domain/school.ts';
import { SchoolBook } from '#edge/processes/core/school-book.ts';
import { createSchoolMethods } from '#edge/processes/core/school-methods.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import { usualNumbers, usualTimetable } from '#edge/school/usual-timetable.ts';
import { openReader } from '#edge/store/reader.ts';
import { jsonBody, type PlaceRoom, startPlaceRoom } from './place-room.ts';

/* The routes of the school day, with core's own book behind them on the same store. */

const name = { zh: '铃', en: 'bell' };
const every = { kinds: ['school', 'make-up', 'exam', 'event', 'weekend', 'holiday', 'vacation'], weekdays: [] };
const bell = (at: number, zones: readonly string[] = []) => ({
  ...{ part: 'item', name, class: 'bell', layer: 'campus', when: { at }, days: every, enabled: true },
  do: { kind: 'sound', clip: 'bell', zones, seconds: 10 },
});
const clock = new ManualClock(Date.UTC(2026, 10, 23, 0, 0)); // 08:00 in Shanghai
const circuit = (ref: string) => ({
  ...{ part: 'power', name, layer: 'campus', kind: 'light', outputs: [ref], on: true, off: false, slots: null },
  ...{ weekly: [{ days: [1], from: 28_800, to: 61_200 }], days: { kinds: [], weekdays: [] }, months: [] },
  ...{ occupancy: null, prepare: null, setback: null, minimumOn: 0, minimumOff: 0 },
});
const decision = { value: true, on: true, why: [{ code: 'time' }], since: 0, until: null };
/** What core would say. */
let decided: unknown = null;
let room: PlaceRoom;
let book: SchoolBook;
type Ask = (path: string, init?: RequestInit) => Promise<Response>;
let editor: Ask;
let guard: Ask;

beforeAll(async () => {
  const methods: Record<string, RpcMethod> = {};
  const lazily =
    (method: string): RpcMethod =>
    async (params) => {
      const found = methods[method];
      if (found === undefined) throw new Error(`no ${method}`);
      return found(params);
    };
  const names = ['put', 'sign', 'undo', 'override', 'override.end', 'year', 'power'].map((one) => `school.${one}`);
  room = await startPlaceRoom({ clock, methods: Object.fromEntries(names.map((one) => [one, lazily(one)])) });
  const reader = openReader(room.data);
  book = new SchoolBook({
    timeZone: 'Asia/Shanghai',
    zones: ['gate', 'teaching', 'playground'] as unknown as readonly ZoneId[],
    ...{ reader, append: (batch) => room.open.append(batch), clock },
  });
  book.load();
  methods['school.power'] = async () => ({ circuits: decided });
  Object.assign(methods, createSchoolMethods({ book, desk: undefined as never, clockWatch: undefined as never }));
  const as = (rights: readonly Right[], zones: Zones = 'all') => room.as(rights, zones);
  editor = await as(['see', 'school', 'sign', 'export', 'system']);
  guard = await as(['see', 'school', 'sign', 'export'], ['gate']);
}, 60_000);

afterAll(() => room[Symbol.asyncDispose]());

async function json(answer: Promise<Response>): Promise<Record<string, unknown>> {
  return (await (await answer).json()) as Record<string, unknown>;
}

describe('the draft', () => {
  test('is written entry by entry, each with its revision, and a mistake names its place', async () => {
    const put = (body: unknown, rev = 0) => editor('/api/v1/school/entries/morning', jsonBody('PUT', { rev, body }));
    expect(await json(put(bell(30_600)))).toEqual({ rev: 1 });
    const wrong = await put({ ...bell(30_600), when: { at: 99_999 } }, 1);
    expect(wrong.status).toBe(400);
    expect(await wrong.json()).toMatchObject({ error: 'bad-entry', message: expect.stringContaining('morning: when') });
    expect(await json(editor('/api/v1/school/entries/morning'))).toMatchObject({ rev: 1, body: bell(30_600) });
    expect((await editor('/api/v1/school/entries/none')).status).toBe(404);
  });

  test('of two people who change one entry the second sees what the first made of it', async () => {
    const put = (at: number) => editor('/api/v1/school/entries/noon', jsonBody('PUT', { rev: 0, body: bell(at) }));
    expect((await put(43_200)).status).toBe(200);
    const second = await put(43_260);
    expect(second.status).toBe(409);
    expect(await second.json()).toMatchObject({
      error: 'document-changed',
      others: [{ id: 'noon', rev: 1, who: expect.stringMatching(/^token:/), body: bell(43_200) }],
    });
  });

  test('is changed in one go, or not at all', async () => {
    const bulk = (changes: unknown) => editor('/api/v1/school/entries', jsonBody('POST', { changes }));
    const both = [
      { id: 'gate', rev: 0, body: bell(61_200, ['gate']) },
      { id: 'noon', rev: 7, body: null },
    ];
    const refused = await bulk(both);
    expect([refused.status, await refused.json()]).toMatchObject([409, { others: [{ id: 'noon', rev: 1 }] }]);
    expect((await editor('/api/v1/school/entries/gate')).status).toBe(404);
    expect(await json(bulk([both[0]]))).toEqual({ revs: { gate: 1 } });
    const teaching = { id: 'lessons', rev: 0, body: bell(32_400, ['teaching']) };
    expect(await json(bulk([teaching]))).toEqual({ revs: { lessons: 1 } });
  });

  test('is written by those who see the whole campus only, and what happens elsewhere is not shown', async () => {
    const put = jsonBody('PUT', { rev: 0, body: bell(1) });
    expect((await guard('/api/v1/school/entries/mine', put)).status).toBe(403);
    const { entries } = await json(guard('/api/v1/school/entries'));
    expect((entries as { id: string }[]).map(({ id }) => id)).toEqual(['gate', 'morning', 'noon']);
  });
});

describe('a plan', () => {
  test('says of each day what happens, where, and that nothing is signed', async () => {
    const draft = await json(editor('/api/v1/school/plan?from=2026-11-24&to=2026-11-25'));
    expect(draft).toMatchObject({ of: 'draft', days: [{ date: '2026-11-24' }, { date: '2026-11-25' }] });
    const [day] = draft.days as { occurrences: { key: string; zones: string[] }[] }[];
    expect(day?.occurrences.map(({ key }) => key)).toEqual([
      'morning@2026-11-24T08:30:00',
      'lessons@2026-11-24T09:00:00',
      'noon@2026-11-24T12:00:00',
      'gate@2026-11-24T17:00:00',
    ]);
    const signed = await json(editor('/api/v1/school/plan?of=signed&from=2026-11-24&to=2026-11-24'));
    expect(signed).toMatchObject({ days: [{ release: null, conflicts: [{ code: 'nothing-signed' }] }] });
    const seen = await json(guard('/api/v1/school/plan?from=2026-11-24&to=2026-11-24'));
    const [mine] = seen.days as typeof draft.days & { occurrences: { key: string; zones: string[] }[] }[];
    expect(mine?.occurrences.every(({ zones }) => zones.join() === 'gate')).toBe(true);
    expect(mine?.occurrences).toHaveLength(3);
  });

  test('says what each circuit does, when it is asked for, to those who see its outputs', async () => {
    await editor('/api/v1/school/entries/boiler', jsonBody('PUT', { rev: 0, body: circuit('relay-1/relay_1') }));
    const ask = async (who: Ask, more: string) => {
      const { days } = await json(who(`/api/v1/school/plan?from=2026-11-30&to=2026-11-30${more}`));
      return (days as { circuits?: { entry: string; changes: { at: number; decision: { on: boolean } }[] }[] }[])[0];
    };
    expect(await ask(editor, '')).not.toHaveProperty('circuits');
    // No term: a vacation on which the boiler is not needed. The day still says how it begins.
    const told = await ask(editor, '&power=true');
    const midnight = Date.UTC(2026, 10, 29, 16);
    expect(told?.circuits).toMatchObject([
      { entry: 'boiler', outputs: ['relay-1/relay_1'], changes: [{ at: midnight, decision: { on: false } }] },
    ]);
    expect((await ask(guard, '&power=true'))?.circuits).toEqual([]);
    await editor('/api/v1/school/entries/boiler?rev=1', { method: 'DELETE' });
  });

  test('that asks for what the campus has not says so: in the draft, and on its days', async () => {
    const odd = { ...bell(50_000), do: { kind: 'sound', clip: 'no-such-clip', zones: [], seconds: 5 } };
    await editor('/api/v1/school/entries/odd', jsonBody('PUT', { rev: 0, body: odd }));
    const { mistakes } = await json(editor('/api/v1/school/entries'));
    expect(mistakes).toContainEqual({
      ...{ entry: 'odd', path: 'do.clip', code: 'unknown-clip', params: { clip: 'no-such-clip' }, weight: 'mistake' },
    });
    const { days } = await json(editor('/api/v1/school/plan?from=2026-11-30&to=2026-11-30'));
    expect((days as { conflicts: { code: string; params: object }[] }[])[0]?.conflicts).toMatchObject([
      { code: 'cannot-work', params: { code: 'unknown-clip', clip: 'no-such-clip' } },
    ]);
    await editor('/api/v1/school/entries/odd?rev=1', { method: 'DELETE' });
  });

  test('of more days than anybody looks through is refused', async () => {
    const answer = await editor('/api/v1/school/plan?from=2026-01-01&to=2026-12-31');
    expect([answer.status, (await json(Promise.resolve(answer))).error]).toEqual([400, 'bad-time']);
  });
});

describe('what is signed', () => {
  test('is the draft as it was seen, holds for two weeks, and is taken back', async () => {
    const { entries } = (await json(editor('/api/v1/school/entries'))) as { entries: { id: string; rev: number }[] };
    const revs = Object.fromEntries(entries.map(({ id, rev }) => [id, rev]));
    const sign = (body: object) => editor('/api/v1/school/releases', jsonBody('POST', { why: 'ready', ...body }));
    const other = await sign({ revs: { ...revs, noon: 99 } });
    expect([other.status, (await json(Promise.resolve(other))).error]).toEqual([409, 'document-changed']);
    const release = await json(sign({ revs }));
    expect(release).toMatchObject({ from: '2026-11-23', to: '2026-12-06', undone: null });
    const plan = await json(editor('/api/v1/school/plan?of=signed&from=2026-11-24&to=2026-11-24'));
    expect(plan).toMatchObject({ days: [{ release: release.id, conflicts: [] }] });
    await editor('/api/v1/school/entries/noon', jsonBody('PUT', { rev: 1, body: bell(43_500) }));
    const { days } = await json(editor('/api/v1/school/compare?from=2026-11-24&to=2026-11-24'));
    expect(days).toMatchObject([{ date: '2026-11-24', occurrences: [{ kind: 'moved' }] }]);
    const undo = () => editor(`/api/v1/school/releases/${String(release.id)}/undo`, jsonBody('POST', { why: 'no' }));
    expect(await json(undo())).toMatchObject({ undone: { why: 'no' } });
    expect((await undo()).status).toBe(409);
    expect(await json(editor('/api/v1/school/releases'))).toMatchObject([{ id: release.id }]);
    expect(await json(editor(`/api/v1/school/releases/${String(release.id)}`))).toMatchObject({
      entries: { noon: bell(43_200) },
    });
  });

  test('can be set aside for a while: everywhere by some, in his own zones by a guard', async () => {
    const until = clock.now() + 3_600_000;
    const say = (ask: Ask, what: object) =>
      ask('/api/v1/school/overrides', jsonBody('POST', { what, until, why: 'assembly' }));
    expect((await say(guard, { kind: 'rainy' })).status).toBe(403);
    expect((await say(guard, { kind: 'quiet', classes: [], zones: ['teaching'] })).status).toBe(403);
    const mine = await json(say(guard, { kind: 'quiet', classes: [], zones: ['gate'] }));
    const rain = await json(say(editor, { kind: 'rainy' }));
    const end = (ask: Ask, id: unknown) =>
      ask(`/api/v1/school/overrides/${String(id)}/end`, jsonBody('POST', { why: 'over' }));
    expect((await end(guard, rain.id)).status).toBe(404);
    expect(await json(end(guard, mine.id))).toMatchObject({ until: clock.now() });
    expect(((await json(editor('/api/v1/school/overrides'))) as unknown as unknown[]).length).toBe(2);
  });
});

describe('the ledger', () => {
  test('is read page by page, as far as one may see', async () => {
    const line = (n: number): LedgerLine => ({
      ...{
        key: `b${n}@2026-11-23T08:00:0${n}`,
        entry: 'b',
        class: 'bell',
        planned: clock.now() + n,
        time: clock.now(),
      },
      ...{ outcome: 'done', reason: 'in-time', message: '', release: 'r', name },
      zones: [n % 2 === 0 ? 'gate' : 'teaching'] as unknown as readonly ZoneId[],
    });
    await room.open.append({ schoolLedger: Array.from({ length: 9 }, (_, n) => line(n)) });
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const page = await json(guard(`/api/v1/school/ledger?limit=2${after}`));
      seen.push(...(page.lines as LedgerLine[]).map(({ key }) => key.slice(0, 2)));
      if (page.next === null) break;
      after = `&after=${encodeURIComponent(String(page.next))}`;
    }
    expect(seen).toEqual(['b8', 'b6', 'b4', 'b2', 'b0']);
  });
});

describe('files', () => {
  test('holidays of a year are brought in with their source, and then known', async () => {
    const year = {
      ...{ year: 2027, source: '关于2027年部分节假日安排的通知', published: '2026-11-20' },
      days: [{ date: '2027-01-01', off: true, name: { zh: '元旦', en: 'New Year' } }],
    };
    const bring = (file: unknown) => editor('/api/v1/school/years', jsonBody('POST', { year: file, why: 'published' }));
    expect((await bring({ ...year, days: [{ date: 'soon' }] })).status).toBe(400);
    const known = (await json(bring(year))) as unknown as { year: number }[];
    expect(known.map((one) => one.year)).toContain(2027);
  });

  test('the days and the bells come as calendars, and a calendar is read without being kept', async () => {
    const bells = await editor('/api/v1/school/bells.ics?of=draft&from=2026-11-24&to=2026-11-24');
    expect(bells.headers.get('content-type')).toMatch(/^text\/calendar/);
    expect((await bells.text()).match(/BEGIN:VEVENT/g)).toHaveLength(4);
    expect((await editor('/api/v1/school/days.ics?of=draft&layer=none')).status).toBe(404);
    const text =
      'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261201\r\nSUMMARY:运动会\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n';
    const read = await json(editor('/api/v1/school/calendar-import', jsonBody('POST', { text, to: '2026-12-31' })));
    expect(read).toMatchObject({ drafts: [{ days: { part: 'days', from: '2026-12-01' } }], refused: [] });
  });
});

describe('tables', () => {
  const send = (query: string, rows: string | Uint8Array<ArrayBuffer>) =>
    editor(`/api/v1/school/table-import?${query}`, {
      ...{ method: 'POST', headers: { 'content-type': 'text/csv' }, body: rows },
    });
  const import_ = (query: string, rows: string) => json(send(query, rows));
  const bulk = (changes: unknown) => editor('/api/v1/school/entries', jsonBody('POST', { changes }));

  test('of bells come with BOM for spreadsheets, formulas disarmed, as far as one may see', async () => {
    const evil = { ...bell(36_000, ['gate']), name: { zh: '=HYPERLINK("http://x")', en: 'evil' } };
    await bulk([{ id: 'evil', rev: 0, body: evil }]);
    const ask = (who: Ask) => who('/api/v1/school/bells.csv?of=draft&from=2026-11-24&to=2026-11-24');
    const answer = await ask(editor);
    expect(answer.headers.get('content-disposition')).toContain('school-bells-2026-11-24.csv');
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    const lines = bytes.toString().split('\r\n');
    expect(lines[0]).toContain('日期,时间,名称');
    expect(lines).toHaveLength(1 + 5 + 1);
    expect(lines[3]).toContain(`"'=HYPERLINK`);
    expect((await (await ask(guard)).text()).split('\r\n').filter((line) => line.includes('teaching'))).toEqual([]);
    await bulk([{ id: 'evil', rev: 1, body: null }]);
  });

  test('of a timetable go out and come back as they were; what is changed is shown and then written', async () => {
    const body = usualTimetable({ zh: '夏令', en: 'Summer' }, usualNumbers.junior);
    await bulk([{ id: 'summer', rev: 0, body }]);
    const table = await (await editor('/api/v1/school/timetable.csv?id=summer')).text();
    expect(await import_('of=timetable&id=summer', table)).toEqual({ changes: [], same: ['summer'], mistakes: [] });
    const changed = await import_('of=timetable&id=summer', table.replace('12:50:00', '13:00:00'));
    expect(changed).toMatchObject({ changes: [{ id: 'summer', rev: 1, before: { part: 'timetable' } }], mistakes: [] });
    const [change] = changed.changes as { id: string; rev: number; body: unknown }[];
    const written = await bulk([{ id: change?.id, rev: change?.rev, body: change?.body }]);
    expect(await written.json()).toEqual({ revs: { summer: 2 } });
    expect((await send('of=timetable', table)).status).toBe(400);
    expect((await editor('/api/v1/school/timetable.csv?id=morning')).status).toBe(404);
  });

  test('of an office become entries with revisions; a mistake names row and column, and nothing is offered', async () => {
    const head = '时间,名称,曲目\n';
    const found = await import_('of=items&weekdays=1,2', `${head}7:50,预备铃,bell\n8:30,铃,bell\n`);
    expect(found).toMatchObject({
      changes: [
        { id: 'bell-0750', rev: 0, line: 2, before: null, body: { days: { weekdays: [1, 2] } } },
        { id: 'bell-0830', rev: 0, line: 3 },
      ],
    });
    const changes = found.changes as { id: string; rev: number; body: unknown }[];
    expect((await bulk(changes.map(({ id, rev, body }) => ({ id, rev, body })))).status).toBe(200);
    const again = await import_('of=items&weekdays=1,2', `${head}7:50,预备铃,bell\n8:30,铃,bell\n`);
    expect(again).toEqual({ changes: [], same: ['bell-0750', 'bell-0830'], mistakes: [] });
    expect(await import_('of=items', `${head}7:50,预备铃,bell\n8.30,,bell\n`)).toEqual({
      changes: [],
      same: [],
      mistakes: [
        { line: 3, column: 'time', code: 'not-a-time', cell: '8.30' },
        { line: 3, column: 'zh', code: 'empty', cell: '' },
      ],
    });
    expect((await send('of=items', new Uint8Array([0xff, 0xff, 0xff]))).status).toBe(400);
    await bulk(changes.map(({ id }) => ({ id, rev: 1, body: null })));
  });

  test('of circuits change their week and nothing else of them', async () => {
    await bulk([{ id: 'light', rev: 0, body: circuit('relay-1/relay_1') }]);
    const table = await (await editor('/api/v1/school/power.csv?language=en')).text();
    expect(table).toContain('light,铃,bell,relay-1/relay_1,1,08:00:00,17:00:00');
    const found = await import_('of=power', table.replace('1,08:00:00,17:00:00', '1-5,07:30,24:00'));
    expect(found.changes).toMatchObject([
      {
        id: 'light',
        rev: 1,
        body: { ...circuit('relay-1/relay_1'), weekly: [{ days: [1, 2, 3, 4, 5], from: 27_000, to: 86_400 }] },
      },
    ]);
    expect(await import_('of=power', 'id,weekdays,from,to\nnone,1,8:00,9:00\n')).toMatchObject({
      mistakes: [{ line: 2, column: 'id', code: 'unknown-id', cell: 'none' }],
    });
    await bulk([{ id: 'light', rev: 1, body: null }]);
  });

  test('of the calendar and of the ledger', async () => {
    const days = await (
      await editor('/api/v1/school/days.csv?of=draft&from=2026-10-01&to=2026-10-02&language=en')
    ).text();
    expect(days.split('\r\n')).toHaveLength(4);
    const painted = await import_('of=days', '日期,类型,名称\n2026-12-01,活动,运动会\n');
    expect(painted.changes).toMatchObject([{ id: 'days-2026-12-01', body: { part: 'days', kind: 'event' } }]);
    const ledger = await (await guard('/api/v1/school/ledger.csv?language=en')).text();
    expect(
      ledger
        .split('\r\n')
        .slice(1, -1)
        .map((line) => line.split(',').at(-1)?.slice(0, 2)),
    ).toEqual([...['b8', 'b6', 'b4', 'b2', 'b0']]);
    expect(room.audited.at(-1)?.what).toMatch(/^export school ledger/);
  });
});

test('what circuits do is told with why and what comes next, to those who see their outputs', async () => {
  expect(await json(editor('/api/v1/school/power'))).toEqual({ circuits: null });
  const next = [{ at: 1, decision: { ...decision, value: false, on: false } }];
  const told = { entry: 'light', power: circuit('nowhere/relay_1'), decision, next };
  decided = [told];
  expect(await json(editor('/api/v1/school/power'))).toEqual({ circuits: [told] });
  expect(await json(guard('/api/v1/school/power'))).toEqual({ circuits: [] });
});
