import { rmSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';
import { vouchedFolder } from './vouched.ts';

/* Circuits by the school day in a real browser: why they are on, holding one for a while, the week, and writing the draft. */

const soon = { timeout: 40_000, interval: 150 };
const everyDay = {
  kinds: ['school', 'make-up', 'exam', 'event', 'weekend', 'holiday', 'vacation'],
  weekdays: [],
};
const circuit = (zh: string, en: string, kind: string, ref: string, weekly: readonly object[]) => ({
  ...{ part: 'power', name: { zh, en }, layer: 'campus', kind, outputs: [ref], on: true, off: false, slots: null },
  ...{ weekly, days: everyDay, months: [], occupancy: null, prepare: null, setback: null },
  ...{ minimumOn: 0, minimumOff: 0 },
});
const always = [{ days: [1, 2, 3, 4, 5, 6, 7], from: 0, to: 86_400 }];
const entries = {
  'light-203': circuit('203 教室照明', 'Light, room 203', 'light', 'lights-2f/relay_3', always),
  'light-201': circuit('201 教室照明', 'Light, room 201', 'light', 'lights-2f/relay_1', []),
};

let data = '';
let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

interface Held {
  readonly holder: string | null;
  readonly value: unknown;
  readonly until: number | null;
}
interface Entry {
  readonly rev: number;
  readonly body: {
    readonly name: { readonly zh: string };
    readonly minimumOn: number;
    readonly weekly: readonly { readonly days: readonly number[]; readonly from: number; readonly to: number }[];
  };
}

beforeAll(async () => {
  data = await vouchedFolder();
  [campus, browser] = await Promise.all([
    startCampus({ data, only: ['core', 'fieldbus', 'web'], city: false, onlyRules: {} }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  const changes = Object.entries(entries).map(([id, body]) => ({ id, rev: 0, body }));
  const { revs } = await campus.post<{ revs: Record<string, number> }>('school/entries', { changes });
  await campus.post('school/releases', { revs, why: 'a test' });
  for (const [id, name, role] of [
    ['wang', '王敏', 'administrator'],
    ['sun', '孙洁', 'facility'],
    ['zhou', '周岚', 'timetable'],
    ['li', '李想', 'viewer'],
  ] as const)
    await makePerson(campus, id, name, role);
  await vi.waitFor(async () => {
    expect(await output('lights-2f/relay_3')).toMatchObject({ value: true, holder: 'schedule:light-203' });
  }, soon);
  open = await browser.open({ width: 1366, height: 768, language: 'zh' });
  page = open.page;
  page.setDefaultTimeout(30_000);
  await signIn(page, campus.url, 'sun');
}, 180_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
  rmSync(data, { recursive: true, force: true });
});

const output = (ref: string) => campus.get<Held>(`outputs/${ref}`);
const go = (hash: string, on = page) => on.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);

test('a question in the search, Enter, and there is the answer: on, by which schedule, why, and what comes next', async () => {
  await page.keyboard.press('g');
  await page.keyboard.press('z');
  await page.waitForSelector('[data-power-row="lights-2f/relay_3"]');
  await page.keyboard.press('/');
  await page.keyboard.type('203 的灯为什么开着？');
  await vi.waitFor(async () => expect(await page.locator('[data-power-row]').count()).toBe(1), soon);
  await page.keyboard.press('Enter');
  const detail = '[data-power-detail="lights-2f/relay_3"]';
  await vi.waitFor(async () => {
    const text = await page.innerText(detail);
    expect(text).toContain('203 教室照明：现在开着');
    expect(text).toContain('由签发的用电安排“203 教室照明”控制');
    expect(text).toContain('每周定时：00:00 到 24:00');
    expect(text).toContain('设备已确认');
  }, soon);
  // What no schedule has is found too, and says so.
  await page.fill('.power-filter input', '投影机');
  await vi.waitFor(
    async () => expect(await page.locator('[data-power-row^="screen-203/"]').count()).toBeGreaterThan(0),
    soon,
  );
});

test('a light is held until 20:00, it is said what comes then, and it is ended early', async () => {
  await go('#/power/at/lights-2f/relay_1');
  await page.click('[data-act=hold]');
  await page.click('.ant-modal .power-choice label:has-text("到某个时间")');
  await page.fill('.ant-modal .power-clock input, .ant-modal input.power-clock', '20:00');
  await vi.waitFor(async () => {
    expect(await page.innerText('.power-what')).toMatch(/将保持“开”到 .*20:00.*那时用电安排会要求“关”/s);
  }, soon);
  await page.click('.ant-modal [type=submit]');
  expect(await page.innerText('.ant-modal [role=alert]')).toContain('请填写原因');
  await page.fill('.ant-modal textarea', '晚自习');
  await page.press('.ant-modal textarea', 'Enter');
  await vi.waitFor(async () => expect(await page.innerText('.ant-modal')).toMatch(/设备已确认/), soon);
  await page.keyboard.press('Escape');
  await vi.waitFor(async () => expect((await output('lights-2f/relay_1')).holder).toBe('request:web'), soon);
  const { until } = await output('lights-2f/relay_1');
  expect(
    new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Shanghai', timeStyle: 'short' }).format(until ?? 0),
  ).toMatch(/^(19:59|20:00)$/);
  const held = '[data-held="lights-2f/relay_1"]';
  await vi.waitFor(async () => expect(await page.innerText(held)).toMatch(/手动开 · 到 .*20:00.*还剩.*晚自习/s), soon);
  await page.click(`${held} [data-act=end-hold]`);
  await page.click('.ant-modal .ant-btn-primary');
  await page.waitForSelector(held, { state: 'detached' });
  await vi.waitFor(async () => {
    expect(await output('lights-2f/relay_1')).toMatchObject({ value: false, holder: 'schedule:light-201' });
  }, soon);
});

test('the week shows each day by date, and the days that nobody signed', async () => {
  await go('#/power/week');
  const row = '[data-circuit=light-203]';
  await page.waitForSelector(row);
  const today = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(Date.now());
  await vi.waitFor(async () => {
    expect(await page.getAttribute(`${row} [data-day="${today}"]`, 'data-bars')).toBe('1');
    expect(await page.innerText(`${row} .power-grid-hours`)).toMatch(/\d+ 小时/);
  }, soon);
  for (let weeks = 0; weeks < 3; weeks++) await page.click('[aria-label="下一周"]');
  await page.waitForSelector('.kit-empty, .power-cell[data-look=unsigned]');
  await go(`#/power/week?of=draft&day=${today}`);
  await vi.waitFor(async () => expect(await page.locator(`${row} .power-cell`).count()).toBe(1), soon);
  expect(await page.innerText('.power')).toContain('草稿：签发之前不会执行');
});

const draftOf = (id: string) => campus.get<Entry>(`school/entries/${id}`);

test('a stretch of the week is drawn with the mouse, changed by keys, seen before it is saved, and waits for a signature', async () => {
  const other = await browser.open({ width: 1366, height: 768, language: 'zh' });
  const { page: desk } = other;
  desk.setDefaultTimeout(30_000);
  await signIn(desk, campus.url, 'zhou');
  await go('#/power/edit/light-201', desk);
  const track = desk.locator('.power-draw-track[data-day="2"]');
  await track.scrollIntoViewIfNeeded();
  const box = await track.boundingBox();
  if (box === null) throw new Error('there is nothing to draw on');
  const at = (hour: number) => box.x + (box.width * hour) / 24;
  const middle = box.y + box.height / 2;
  await desk.mouse.move(at(8), middle);
  await desk.mouse.down();
  await desk.mouse.move(at(10), middle, { steps: 4 });
  await desk.mouse.move(at(12), middle, { steps: 4 });
  await desk.mouse.up();
  await desk.waitForSelector('.power-draw-bar[aria-label="周二 08:00–12:00"]');
  await desk.focus('.power-draw-bar');
  await desk.keyboard.press('Shift+ArrowRight');
  await desk.waitForSelector('.power-draw-bar[aria-label="周二 08:00–12:15"]');
  await desk.focus('.power-draw-bar');
  await desk.keyboard.press('ArrowDown');
  await desk.waitForSelector('.power-draw-bar[aria-label="周三 08:00–12:15"]');
  await desk.click('button:has-text("复制到周一至周五")');
  await vi.waitFor(async () => expect(await desk.locator('.power-draw-bar').count()).toBe(5), soon);
  // Ten weekdays of 4.25 hours, on every kind of day.
  await vi.waitFor(async () => expect(await desk.innerText('.power-preview')).toContain('42.5 小时'), soon);
  await desk.click('[data-act=save]');
  await desk.waitForSelector('[data-draft=light-201][data-standing=changed]');
  expect((await draftOf('light-201')).body.weekly).toEqual([{ days: [1, 2, 3, 4, 5], from: 28_800, to: 44_100 }]);
  expect(await desk.innerText('.power-draft-bar')).toContain('1 项改动还没有签发');
  // What is signed goes on.
  expect(await output('lights-2f/relay_1')).toMatchObject({ value: false, holder: 'schedule:light-201' });
  expect(other.wrong).toEqual([]);
  await desk.context().close();
}, 60_000);

test('of two people who change one circuit nobody loses a word: both are shown, and put together', async () => {
  const other = await browser.open({ width: 1366, height: 768, language: 'zh' });
  const { page: desk } = other;
  desk.setDefaultTimeout(30_000);
  await signIn(desk, campus.url, 'zhou');
  await go('#/power/edit/light-203', desk);
  await desk.waitForSelector('.power-preview-row');
  const { rev, body } = await draftOf('light-203');
  const theirs = { ...body, minimumOn: 9, months: [11, 12] };
  await campus.post('school/entries', { changes: [{ id: 'light-203', rev, body: theirs }] });
  await desk.getByLabel('名称', { exact: true }).fill('203 教室前排灯');
  await desk.getByLabel('最短开启（分钟）').fill('5');
  await desk.getByLabel('最短开启（分钟）').press('Tab');
  await desk.click('[data-act=save]');
  await desk.waitForSelector('.power-conflict');
  await vi.waitFor(async () => {
    expect(await desk.locator('[data-conflict=both]').count()).toBe(1);
    expect(await desk.innerText('[data-conflict=theirs]')).toContain('11 月、12 月');
    expect(await desk.innerText('[data-conflict=mine]')).toContain('203 教室前排灯');
  }, soon);
  await desk.click('[data-conflict=both] td >> nth=1 >> .ant-radio-wrapper');
  await desk.click('[data-act=merge]');
  await desk.waitForSelector('.power-conflict', { state: 'detached' });
  await desk.click('[data-act=save]');
  await desk.waitForSelector('[data-draft=light-203][data-standing=changed]');
  expect((await draftOf('light-203')).body).toMatchObject({
    ...{ name: { zh: '203 教室前排灯' }, minimumOn: 9, months: [11, 12] },
  });
  // The refused save is told by the browser itself.
  expect(other.wrong.filter((line) => !/409/.test(line))).toEqual([]);
  await desk.context().close();
}, 60_000);

test('who may only look sees why, and has no buttons that would be refused', async () => {
  const other = await browser.open({ width: 390, height: 844, touch: true, language: 'en' });
  const { page: phone } = other;
  phone.setDefaultTimeout(30_000);
  await signIn(phone, campus.url, 'li');
  await go('#/power/at/lights-2f/relay_3', phone);
  await vi.waitFor(async () => expect(await phone.innerText('.power-detail')).toContain('is on'), soon);
  expect(await phone.locator('[data-act=hold]').count()).toBe(0);
  expect(await phone.locator('.power-tabs a').count()).toBe(2);
  await go('#/power/edit/light-203', phone);
  await phone.waitForSelector('.kit-empty');
  await go('#/power/week', phone);
  await phone.waitForSelector('[data-circuit=light-203]');
  expect(await phone.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  expect(other.wrong).toEqual([]);
  await phone.context().close();
});

test('nothing went wrong in the browser on the way', () => {
  expect(open.wrong).toEqual([]);
});
