import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { systemClock } from '#edge/runtime/clock.ts';
import { addDays, mondayOf } from '#edge/school/dates.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';
import { vouchedFolder } from './vouched.ts';

/* The school day in a real browser: looked at before, signed, taken back, changed for a while, and read by those who may only look. */

const soon = { timeout: 40_000, interval: 150 };
const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');
const local = createSchoolClock('Asia/Shanghai');
const today = local.dateOf(systemClock.now());
const year = Number(today.slice(0, 4));
const hour = 3_600;

const name = (zh: string, en: string) => ({ zh, en });
/** Lessons around the clock, so that there is one whenever this runs. */
const pieces = Array.from({ length: 12 }, (_, n) => [
  { id: `lesson-${n + 1}`, kind: 'lesson', name: name(`第${n + 1}节`, `Lesson ${n + 1}`), minutes: 110 },
  { id: `break-${n + 1}`, kind: 'break', name: name('课间', 'Break'), minutes: n === 11 ? 9 : 10 },
]).flat();
const bell = (zh: string, en: string, when: object, weather?: string) => ({
  ...{ part: 'item', name: name(zh, en), class: 'bell', layer: 'campus', when, enabled: true },
  days: { kinds: [], weekdays: [], ...(weather === undefined ? {} : { weather }) },
  do: { kind: 'sound', clip: 'bell', zones: ['teaching'], seconds: 8 },
});
const bellAt = (second: number, zh = '晚安铃', en = 'Good night') => bell(zh, en, { at: second });
const lessons = (edge: string) => ({ slot: { kind: 'lesson' }, edge, offset: 0 });
const entries = {
  term: {
    ...{ part: 'term', name: name('测试学期', 'Test term'), from: mondayOf(today), weeks: 20 },
  },
  around: { part: 'timetable', name: name('全天作息', 'Around the clock'), start: 0, pieces },
  season: {
    ...{
      part: 'season',
      name: name('全年', 'All year'),
      layer: 'campus',
      from: addDays(today, -7),
      to: addDays(today, 120),
    },
    weekly: [{ days: [1, 2, 3, 4, 5, 6, 7], timetable: 'around' }],
  },
  // Whatever the state says of these days.
  ordinary: {
    ...{ part: 'days', name: name('照常上课', 'As usual'), layer: 'campus', from: today, to: addDays(today, 5) },
    ...{ kind: 'school' },
  },
  // Nobody said whose lessons it has.
  fair: {
    ...{ part: 'days', name: name('补课日', 'Make-up day'), layer: 'campus', kind: 'make-up' },
    ...{ from: addDays(today, 8), to: addDays(today, 8) },
  },
  'bell-lesson': bell('上课铃', 'Lesson begins', lessons('start')),
  'bell-dry': bell('室外集合铃', 'Out into the yard', { at: 86_380 }, 'dry'),
  'bell-night': bellAt(86_390),
};

let data = '';
let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

interface Release {
  readonly id: string;
  readonly from: string;
  readonly undone: { readonly why: string } | null;
  readonly accepted: readonly { readonly code: string }[];
}
interface Entry {
  readonly id: string;
  readonly rev: number;
}

const releases = () => campus.get<readonly Release[]>('school/releases');
const overrides = () =>
  campus.get<readonly { readonly what: { kind: string }; readonly until: number }[]>('school/overrides');
const putEntry = (id: string, rev: number, body: object) =>
  campus.post('school/entries', { changes: [{ id, rev, body }], why: 'a test' });
const go = (hash: string, on = page) => on.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
const text = async (selector: string, on = page) => (await on.locator(selector).first().innerText()).trim();
const act = (what: string, on = page) => on.click(`[data-act=${what}]`);
/** Says why, and waits until the dialog has done it. */
async function because(why: string, on = page): Promise<void> {
  await on.locator('.ant-modal input:not([type]), .ant-modal input[type=text]').last().fill(why);
  await on.click('.ant-modal .ant-btn-primary');
  await on.waitForSelector('.ant-modal', { state: 'detached' });
}
async function violations(on: Page): Promise<unknown[]> {
  if (!(await on.evaluate<boolean>(`typeof axe === 'object'`))) await on.evaluate(axe);
  return on.evaluate<unknown[]>(`axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html, any }) => html.slice(0, 200) + ' ' + (any[0]?.message ?? '')).join(' | ')))`);
}

beforeAll(async () => {
  data = await vouchedFolder();
  [campus, browser] = await Promise.all([
    startCampus({ data, only: ['core', 'web'], city: false, simulators: false, onlyRules: {} }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  const changes = Object.entries(entries).map(([id, body]) => ({ id, rev: 0, body }));
  await campus.post('school/entries', { changes });
  for (const [id, who, role] of [
    ['wang', '王敏', 'administrator'],
    ['chen', '陈静', 'timetable'],
    ['zhao', '赵宁', 'viewer'],
  ] as const)
    await makePerson(campus, id, who, role);
  open = await browser.open({ width: 1366, height: 768, language: 'zh' });
  page = open.page;
  page.setDefaultTimeout(30_000);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await signIn(page, campus.url, 'chen');
}, 150_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
  rmSync(data, { recursive: true, force: true });
}, 30_000);

test('nothing is signed: today says that nothing rings, and the next two weeks are marked so', async () => {
  await go('/school-day');
  await page.waitForSelector(`[data-unsigned="${today}"]`);
  await go('/school-day?tab=ahead');
  await page.waitForSelector(`[data-day="${today}"]`);
  expect(await page.locator('[data-signature=unsigned]').count()).toBe(14);
  expect(await text('.schoolday-ahead .schoolday-loud')).toContain('没有说明上周几的课');
});

test('what happens on a day is looked at before anybody signs: every bell with its reasons, in plain words', async () => {
  await page.click(`[data-day="${addDays(today, 1)}"] a`);
  const first = '[data-key^="bell-lesson.lesson-1@"]';
  await page.waitForSelector(first);
  expect(await text(first)).toContain('00:00');
  expect(await text(`${first} .schoolday-why`)).toMatch(
    /“第1节”开始时.*校历把这天定为上课日：“照常上课”.*作息表“全天作息”/s,
  );
});

test('a year whose holidays nobody knows is said loudly wherever it is looked at', async () => {
  await go(`/school-day?tab=simulator&date=${year + 3}-03-08&of=draft`);
  await page.waitForSelector('[data-unconfirmed]');
  expect(await text('[data-unconfirmed]')).toContain(`${year + 3} 年放假通知还没有导入`);
  await go(`/school-day/sheet?date=${year + 3}-03-08&of=draft`);
  await page.waitForSelector('.schoolday-paper [data-unconfirmed]');
  expect(await text('.schoolday-paper')).toContain('草稿，未签发');
});

test('signing asks for each assumption and for a reason, and then the two weeks are signed', async () => {
  await go('/school-day?tab=ahead');
  await act('sign');
  await page.waitForSelector('.schoolday-accept');
  expect(await page.locator('[data-changed]').count()).toBe(14);
  await act('sign-now');
  await vi.waitFor(async () => expect(await text('.schoolday-signform [role=alert]')).toContain('没有勾选'), soon);
  for (const box of await page.locator('.schoolday-accept input').all()) await box.check();
  await act('sign-now');
  await vi.waitFor(async () => expect(await text('.schoolday-signform [role=alert]')).toContain('理由'), soon);
  expect(await releases()).toEqual([]);
  await page.fill('.schoolday-signform input', '下两周照常');
  await act('sign-now');
  await page.waitForSelector(`[data-day="${today}"][data-signature=signed]`);
  expect(await page.locator('[data-signature=signed]').count()).toBe(14);
  const [release] = await releases();
  expect(release?.accepted.map(({ code }) => code)).toContain('make-up-no-weekday');
});

test('today shows the lesson that it is, and each bell with what became of it', async () => {
  await go('/school-day');
  await page.waitForSelector('.schoolday-stretch[data-state=now]');
  expect(await text('.schoolday-facts')).toContain('上课日');
  expect(await text('.schoolday-signature')).toContain('陈静');
  const next = await page.locator('[data-next]').count();
  expect(next).toBeGreaterThan(0);
  // A command of an examination without a clip is shown, not sounded: done without any device.
  const second = Math.min(local.secondOf(systemClock.now()) + 12, 86_398);
  await putEntry('exam', 0, {
    ...{ part: 'exam', name: name('期中考试', 'Midterm'), layer: 'campus', zones: ['teaching'], template: 'sichuan' },
    papers: [{ name: name('语文', 'Chinese'), date: today, at: Math.max(second, 2_400), minutes: 1 }],
    ...{ clips: {}, quietBefore: 0, quietAfter: 0 },
  }).catch(() => {}); // late in the evening a paper does not fit into the day
  const { entries: all } = await campus.get<{ entries: readonly Entry[] }>('school/entries');
  if (!all.some(({ id }) => id === 'exam')) return;
  const revs = Object.fromEntries(all.map(({ id, rev }) => [id, rev]));
  const accept = (await campus.get<{ assumptions: readonly { name: string }[] }>('school/plan?of=draft')).assumptions;
  await campus.post('school/releases', { revs, accept: accept.map((one) => one.name), why: 'an examination' });
  await page.waitForSelector('.schoolday-item[data-key^="exam.begin@"][data-fate=done]', { timeout: 90_000 });
  expect(await text('.schoolday-item[data-key^="exam.begin@"]')).toContain('已执行');
}, 120_000);

test('a draft that somebody changes while another signs is not signed: he sees what changed, and looks again', async () => {
  const before = (await releases()).length;
  await go('/school-day/sign');
  await page.waitForSelector('.schoolday-accept');
  for (const box of await page.locator('.schoolday-accept input').all()) await box.check();
  await page.fill('.schoolday-signform input', '照常');
  await putEntry('bell-night', 1, bellAt(86_391, '熄灯铃', 'Lights out'));
  await act('sign-now');
  await page.waitForSelector('[data-changed-meanwhile]');
  await vi.waitFor(async () => expect(await text('[data-changed-meanwhile]')).toContain('熄灯铃'), soon);
  expect(await releases()).toHaveLength(before);
  // What he wrote is still there.
  expect(await page.inputValue('.schoolday-signform input')).toBe('照常');
  await act('redo');
  await page.waitForSelector('[data-changed-meanwhile]', { state: 'detached' });
  await page.waitForSelector('[data-changed]');
  for (const box of await page.locator('.schoolday-accept input').all()) await box.check();
  await act('sign-now');
  await page.waitForSelector(`[data-day="${today}"]`);
  expect(await releases()).toHaveLength(before + 1);
});

test('two plans are compared by what happens', async () => {
  await putEntry('bell-new', 0, bellAt(12 * hour + 7, '午间铃', 'Noon'));
  await go(`/school-day?tab=simulator&date=${addDays(today, 2)}&of=draft&with=signed`);
  await page.waitForSelector('[data-change=added]');
  expect(await text('[data-change=added]')).toMatch(/新增\s+12:00\s+午间铃/);
});

test('a signature is taken back after it was said what holds then', async () => {
  const all = await releases();
  const [newest, older] = all;
  await go('/school-day?tab=releases');
  await page.click(`[data-release="${newest?.id}"] [data-act=undo]`);
  await page.waitForSelector(`.ant-modal [data-holds="${older?.id}"]`);
  expect(await text('.ant-modal .schoolday-holds')).toContain('恢复');
  await because('签错了');
  await page.waitForSelector(`[data-release="${newest?.id}"][data-state=undone]`);
  expect((await releases())[0]?.undone?.why).toBe('签错了');
});

test('rain, quiet and a bell left out hold for a while, with who and why, and end early', async () => {
  await go('/school-day');
  await act('rain');
  await page.waitForSelector('.ant-modal');
  await page.click('.ant-modal [data-until=day]').catch(() => {});
  await because('操场积水');
  await page.waitForSelector('[data-override=rainy]');
  expect(await text('[data-override=rainy]')).toMatch(/操场积水（陈静）[\s\S]*自动结束/);
  await page.waitForSelector('.schoolday-item[data-key^="bell-dry@"][data-fate=silenced]');
  expect(await text('.schoolday-item[data-key^="bell-dry@"]')).toContain('雨天');
  expect(await page.locator('[data-act=rain]').count()).toBe(0);
  const night = '.schoolday-item[data-key^="bell-night@"]';
  await page.click(`${night} summary`);
  await page.click(`${night} [data-act=skip]`);
  await because('今晚停电');
  await page.waitForSelector(`${night}[data-fate=silenced]`);
  expect(await text(night)).toContain('今晚停电');
  await act('quiet');
  await page.waitForSelector('.ant-modal');
  await because('开会');
  await page.waitForSelector('[data-override=quiet]');
  await page.click('[data-override=rainy] [data-act=end-override]');
  await because('雨停了');
  await page.waitForSelector('[data-override=rainy]', { state: 'detached' });
  const now = systemClock.now();
  expect(
    (await overrides())
      .filter(({ until }) => until > now)
      .map(({ what }) => what.kind)
      .sort(),
  ).toEqual(['quiet', 'skip']);
});

test('a clock that nobody vouches for and a command that waits are said before anything else', async () => {
  const other = await browser.open({ width: 1366, height: 768, language: 'zh' });
  other.page.setDefaultTimeout(30_000);
  const { next } = await campus.get<{ next: readonly { key: string; at: number }[] }>('school/now');
  const [one] = next;
  expect(one).toBeDefined();
  // What the box says is put into the answer: neither can be made to happen within a test.
  await other.page.route('**/api/v1/school/now', async (route) => {
    const answer = await route.fetch();
    const body = (await answer.json()) as Record<string, unknown>;
    const clock = { paused: 'start', synchronised: null, source: 'unknown', vouched: null };
    await route.fulfill({ response: answer, json: { ...body, clock, asked: [one] } });
  });
  await signIn(other.page, campus.url, 'wang');
  await go('/school-day', other.page);
  await other.page.waitForSelector('[data-clock=start]');
  expect(await text('[data-clock=start]', other.page)).toContain('没有任何时间来源');
  expect(await violations(other.page)).toEqual([]);
  await act('vouch', other.page);
  await because('与北京时间核对过', other.page);
  const { clock } = await campus.get<{ clock: { vouched: { why: string } } }>('school/now');
  expect(clock.vouched.why).toBe('与北京时间核对过');
  await act('give', other.page);
  await other.page.waitForSelector('.ant-modal');
  expect(await text('.ant-modal', other.page)).toContain('立即听到');
  await other.context.close();
});

test('who may only look sees the day and no button', async () => {
  const other = await browser.open({ width: 390, height: 844, touch: true, language: 'zh' });
  other.page.setDefaultTimeout(30_000);
  await signIn(other.page, campus.url, 'zhao');
  for (const hash of ['/school-day', '/school-day?tab=ahead', '/school-day?tab=releases', '/school-day/sign']) {
    await go(hash, other.page);
    await other.page.waitForSelector(
      '.schoolday-course, .schoolday-days, .schoolday-release, .schoolday-signing .kit-empty',
    );
    expect(await other.page.locator('[data-act]').count()).toBe(0);
    // A phone is not scrolled sideways.
    const wide = await other.page.evaluate<number>(
      `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.kit-main'))`,
    );
    expect(wide, hash).toBeLessThanOrEqual(0);
  }
  await other.context.close();
});

test('everybody can use it: nothing that axe finds serious, in light and dark', async () => {
  const found: unknown[] = [];
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    for (const [hash, ready] of [
      ['/school-day', '.schoolday-course'],
      ['/school-day?tab=ahead', '.schoolday-days'],
      [`/school-day?tab=simulator&date=${addDays(today, 2)}&of=draft&with=signed`, '[data-change]'],
      ['/school-day?tab=releases', '.schoolday-release'],
      ['/school-day/sign', '.schoolday-accept'],
      ['/school-day/sheet', '.schoolday-paper'],
    ] as const) {
      await go(hash);
      await page.waitForSelector(ready);
      found.push(...(await violations(page)).map((one) => `${scheme} ${hash} ${String(one)}`));
    }
  }
  expect(found).toEqual([]);
  expect(open.wrong.filter((one) => !one.includes('409'))).toEqual([]);
}, 90_000);
