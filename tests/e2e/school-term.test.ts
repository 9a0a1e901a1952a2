import { rmSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Name } from '#edge/domain/place.ts';
import { addDays, mondayOf } from '#edge/school/dates.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';
import { vouchedFolder } from './vouched.ts';

/*
 * One story on one campus: a new facility manager makes the summer timetable and a make-up day, looks at what comes of it, signs it off,
 * holds the air conditioner of a room until 20:00, and reads why the light in room 203 is on.
 */

const soon = { timeout: 40_000, interval: 150 };
const today = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(Date.now());
/** The make-up day that is painted: Saturday of next week, with the lessons of Wednesday. */
const saturday = addDays(mondayOf(today), 12);
const summer: Name = { zh: '夏令作息', en: 'Summer timetable' };
const name = (zh: string, en: string): Name => ({ zh, en });
const everyDay = {
  kinds: ['school', 'make-up', 'exam', 'event', 'weekend', 'holiday', 'vacation'],
  weekdays: [],
};
const circuit = (what: Name, kind: string, ref: string, weekly: readonly object[]) => ({
  ...{ part: 'power', name: what, layer: 'campus', kind, outputs: [ref], on: true, off: false },
  ...{ slots: { kinds: ['lesson', 'break', 'long-break'], before: 10, after: 10 }, weekly, days: everyDay, months: [] },
  ...{ occupancy: null, prepare: null, setback: null, minimumOn: 0, minimumOff: 0 },
});

let data = '';
let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  data = await vouchedFolder();
  [campus, browser] = await Promise.all([
    startCampus({ data, only: ['core', 'fieldbus', 'web'], city: false, onlyRules: {} }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  await makePerson(campus, 'wang', '王敏', 'administrator');
  await makePerson(campus, 'sun', '孙洁', 'facility');
  open = await browser.open({ width: 1366, height: 768, language: 'zh' });
  page = open.page;
  page.setDefaultTimeout(40_000);
  await signIn(page, campus.url, 'sun');
}, 180_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
  rmSync(data, { recursive: true, force: true });
});

const go = (hash: string) => page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);

/** Changes the draft as whoever is signed in. */
async function write(entries: Readonly<Record<string, object>>): Promise<void> {
  const changes = Object.entries(entries).map(([id, body]) => ({ id, rev: 0, body }));
  const status = await page.evaluate<number>(`(async () => {
    const { csrf } = await (await fetch('api/v1/me')).json();
    const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf };
    const body = ${JSON.stringify(JSON.stringify({ changes, why: 'summer' }))};
    const answer = await fetch('api/v1/school/entries', { method: 'POST', headers, body });
    return answer.status;
  })()`);
  expect(status).toBe(200);
}

interface Drafted {
  readonly id: string;
  readonly body: { readonly part: string; readonly from?: string; readonly useWeekday?: number };
}
const drafted = async (part: string) => {
  const { entries } = await campus.get<{ entries: readonly Drafted[] }>('school/entries');
  return entries.filter(({ body }) => body.part === part);
};

test('a facility manager makes a summer timetable from the usual numbers', async () => {
  await go('#/school-plan?tab=timetables');
  await page.click('[data-act=add-timetable]');
  await page.getByLabel('名称（中文）').fill(summer.zh);
  await page.getByLabel('名称（英文）').fill(summer.en);
  await page.click('.schoolplan-form [data-act=save]');
  const made = await vi.waitFor(async () => {
    const [timetable] = await drafted('timetable');
    if (timetable === undefined) throw new Error('nothing was saved');
    return timetable;
  }, soon);
  const from = addDays(mondayOf(today), -14);
  await write({
    term: { part: 'term', name: name('夏季学期', 'Summer term'), from, weeks: 20 },
    season: {
      ...{ part: 'season', name: summer, layer: 'campus', from, to: addDays(from, 139) },
      weekly: [{ days: [1, 2, 3, 4, 5], timetable: made.id }],
    },
    bell: {
      ...{ part: 'item', name: name('上课铃', 'Lesson bell'), class: 'bell', layer: 'campus', enabled: true },
      ...{ when: { slot: { kind: 'lesson' }, edge: 'start', offset: 0 }, days: { kinds: [], weekdays: [] } },
      do: { kind: 'sound', clip: 'bell', zones: ['teaching'], seconds: 10 },
    },
    // On whatever time of the day this test is run.
    'light-203': circuit(name('203 教室照明', 'Light, room 203'), 'light', 'lights-2f/relay_3', [
      { days: [1, 2, 3, 4, 5, 6, 7], from: 0, to: 86_400 },
    ]),
    'air-203': circuit(name('203 教室空调', 'Air conditioner, room 203'), 'air', 'ac-203/power', []),
  });
}, 60_000);

test('she paints a make-up Saturday with the lessons of Wednesday, and the draft has no mistakes', async () => {
  await go(`#/school-plan?month=${saturday.slice(0, 7)}`);
  await page.click('.schoolplan-brushes label:has-text("调休上课")');
  await page.click(`.schoolplan-day[data-date="${saturday}"]`);
  await page.waitForSelector('[data-paint=make-up]');
  await page.getByLabel('按周几的课上').click();
  await page.locator('.ant-select-item-option').filter({ hasText: '三' }).click();
  await page.click('[data-act=paint]');
  await vi.waitFor(async () => {
    expect((await drafted('days')).map(({ body }) => body)).toMatchObject([{ from: saturday, useWeekday: 3 }]);
  }, soon);
  const { mistakes } = await campus.get<{ mistakes: readonly { weight: string }[] }>('school/entries');
  expect(mistakes.filter(({ weight }) => weight === 'mistake')).toEqual([]);
}, 60_000);

test('she looks at the painted Saturday before anything is signed: lessons of Wednesday, its bells, its lights', async () => {
  await go(`#/school-day?tab=simulator&date=${saturday}&of=draft`);
  await page.waitForSelector('.schoolday-headline[data-kind=make-up]');
  await vi.waitFor(async () => {
    expect(await page.innerText('.schoolday-shown')).toMatch(/周三|星期三/);
    expect(await page.locator(`[data-key^="bell."][data-key*="@${saturday}T"]`).count()).toBeGreaterThan(3);
  }, soon);
  await go(`#/power/week?of=draft&from=${mondayOf(saturday)}`);
  const day = `[data-circuit=air-203] [data-day="${saturday}"]`;
  await vi.waitFor(async () => expect(Number(await page.getAttribute(day, 'data-bars'))).toBeGreaterThan(0), soon);
  const sunday = `[data-circuit=air-203] [data-day="${addDays(saturday, 1)}"]`;
  expect(await page.getAttribute(sunday, 'data-bars')).toBe('0');
});

test('she signs the coming two weeks, knowing what is assumed', async () => {
  await go('#/school-day/sign');
  await page.waitForSelector('[data-act=sign-now]');
  for (const box of await page.locator('input[data-accept], [data-accept] input').all()) await box.check();
  await page.getByLabel('签发理由').fill('夏令作息开始');
  await page.click('[data-act=sign-now]');
  await vi.waitFor(async () => {
    expect(await campus.get('school/releases')).toMatchObject([{ by: 'person:sun', from: today, undone: null }]);
    expect(await campus.get('outputs/lights-2f/relay_3')).toMatchObject({ value: true, holder: 'schedule:light-203' });
    expect(await campus.get('outputs/ac-203/power')).toMatchObject({ holder: 'schedule:air-203' });
    // The page goes there by itself; whoever is quicker would be taken back.
    expect(await page.evaluate('location.hash')).toContain('tab=ahead');
  }, soon);
}, 60_000);

test('she holds the air conditioner of room 203 until 20:00, and it says what comes after that', async () => {
  await go('#/power');
  await page.fill('.power-filter input', '203 空调');
  await vi.waitFor(async () => {
    expect(await page.locator('[data-power-row]').first().getAttribute('data-power-row')).toBe('ac-203/power');
  }, soon);
  await page.press('.power-filter input', 'Enter');
  await page.waitForSelector('[data-power-detail="ac-203/power"]');
  await page.click('[data-act=hold]');
  await page.click('.ant-modal .power-choice >> nth=0 >> label:has-text("开")');
  await page.click('.ant-modal .power-choice label:has-text("到某个时间")');
  await page.fill('.ant-modal input[type=time]', '20:00');
  await page.fill('.ant-modal textarea', '家长会');
  expect(await page.innerText('.power-what')).toMatch(/20:00.*那时用电安排会要求/s);
  await page.click('.ant-modal [type=submit]');
  await vi.waitFor(async () => {
    expect(await campus.get('outputs/ac-203/power')).toMatchObject({ value: true, holder: 'request:web', priority: 8 });
  }, soon);
  await page.keyboard.press('Escape');
  await vi.waitFor(async () => {
    expect(await page.innerText('[data-held="ac-203/power"]')).toMatch(/手动开 · 到 .*20:00.*家长会/s);
    expect(await page.innerText('.power-why')).toContain('有人手动保持：家长会');
  }, soon);
}, 60_000);

test('and she reads why the light in room 203 is on, by asking for it', async () => {
  await page.fill('.power-filter input', '203 的灯为什么开着');
  await page.press('.power-filter input', 'Enter');
  await vi.waitFor(async () => {
    const text = await page.innerText('[data-power-detail="lights-2f/relay_3"]');
    expect(text).toContain('203 教室照明：现在开着');
    expect(text).toContain('由签发的用电安排“203 教室照明”控制');
    expect(text).toMatch(/每周定时：00:00 到 24:00/);
  }, soon);
  expect(open.wrong).toEqual([]);
});
