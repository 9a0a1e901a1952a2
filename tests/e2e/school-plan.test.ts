import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { SchoolTerm } from '#edge/domain/school.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/* A facility manager writes calendar and timetables, in a real browser on a running campus. */

const soon = { timeout: 30_000, interval: 150 };
const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');

let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  [campus, browser] = await Promise.all([
    startCampus({ only: ['core', 'web'], city: false, onlyRules: {} }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  await makePerson(campus, 'lin', '林涛', 'administrator');
  await makePerson(campus, 'chen', '陈静', 'facility');
  await makePerson(campus, 'zhao', '赵宁', 'viewer');
  open = await browser.open({ width: 1366, height: 768 });
  page = open.page;
  page.setDefaultTimeout(30_000);
  await signIn(page, campus.url, 'chen');
}, 120_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
}, 30_000);

const go = (hash: string, one = page) => one.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
const entries = async () =>
  (
    await campus.get<{ entries: { id: string; rev: number; body: { part: string } & Record<string, unknown> }[] }>(
      'school/entries',
    )
  ).entries;
const bodyOf = async (part: string) => (await entries()).find(({ body }) => body.part === part)?.body;
/** Chooses in a select of antd by what stands on the option. */
async function choose(field: string, option: string): Promise<void> {
  await page.locator(field).click();
  await page
    .locator(`.ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option[title="${option}"]`)
    .click();
}

test('without a term the page says that nothing will ring, and a term is added', async () => {
  await go('/school-plan?month=2026-09');
  await page.waitForSelector('.schoolplan-month');
  expect(await page.locator('.schoolplan-loud').first().innerText()).toContain('还没有学期');
  await page.click('[data-act=add-term]');
  const form = page.locator('[data-list=term] form');
  await form.getByLabel('名称（中文）').fill('2026 秋季学期');
  await form.getByLabel('第一周的星期一').fill('2026-08-31');
  await form.getByLabel('周数').fill('21');
  await form.locator('[data-act=save]').click();
  await vi.waitFor(async () => expect(await bodyOf('term')).toMatchObject({ from: '2026-08-31', weeks: 21 }), soon);
  await page.waitForSelector('.schoolplan-week:has-text("第1周 单")');
});

test('a timetable is made from a few numbers; one piece is moved and the rest follows', async () => {
  await go('/school-plan?tab=timetables');
  await page.click('[data-act=add-timetable]');
  await page.getByLabel('名称（中文）').fill('夏季作息');
  await page.getByLabel('每节课（分钟）').fill('45');
  await page.waitForSelector('[data-piece="lesson-2"]');
  const startOf = (piece: string) => page.locator(`[data-piece="${piece}"] input[type=time]`).inputValue();
  expect(await startOf('lesson-1')).toBe('08:30');
  expect(await startOf('lesson-2')).toBe('09:30');
  await page.locator('[data-piece="lesson-2"] input[type=time]').fill('09:35');
  await vi.waitFor(async () => expect(await startOf('lesson-2')).toBe('09:35'), soon);
  // 45 min of the lesson and 30 of the long break.
  expect(await startOf('lesson-3')).toBe('10:50');
  await page.click('[data-act=save]');
  await page.waitForSelector('[data-timetable]:has-text("夏季作息")');
  const timetable = await bodyOf('timetable');
  expect(timetable).toMatchObject({ name: { zh: '夏季作息', en: '夏季作息' } });
});

test('a season puts it on the weekdays, and a Saturday is painted to have Wednesday’s lessons', async () => {
  await go('/school-plan?month=2026-09');
  await page.click('[data-act=add-season]');
  const form = page.locator('[data-list=season] form');
  await form.getByLabel('名称（中文）').fill('秋季');
  await form.getByLabel('从', { exact: true }).fill('2026-08-31');
  await form.getByLabel('到', { exact: true }).fill('2027-01-24');
  await form.locator('[data-act=add-row]').click();
  await form.locator('[data-act=save]').click();
  await page.waitForSelector('.schoolplan-day[data-date="2026-09-01"][data-kind=school]');
  await page.click('[data-brush=make-up] + *, label:has([data-brush=make-up])');
  await page.click('.schoolplan-day[data-date="2026-09-12"]');
  await page.waitForSelector('[data-paint=make-up]');
  await choose('[data-paint=make-up] .ant-select >> nth=0', '周三');
  await page.click('[data-act=paint]');
  await page.waitForSelector('.schoolplan-day[data-date="2026-09-12"][data-kind=make-up][data-unconfirmed=false]');
  expect(await page.textContent('.schoolplan-day[data-date="2026-09-12"]')).toContain('按周三上课');
});

test('several days are painted at once with the keyboard, and a part of them is erased', async () => {
  await page.click('label:has([data-brush=event])');
  await page.focus('.schoolplan-day[data-date="2026-09-14"]');
  await page.keyboard.press('Enter');
  for (let day = 0; day < 4; day++) await page.keyboard.press('Shift+ArrowRight');
  await page.waitForSelector('.schoolplan-day[data-date="2026-09-18"][aria-pressed=true]');
  await page.locator('[data-paint=event]').getByLabel('名称').fill('军训');
  await page.click('[data-act=paint]');
  await page.waitForSelector('.schoolplan-day[data-date="2026-09-18"][data-kind=event]');
  await page.click('label:has([data-brush=erase])');
  await page.click('.schoolplan-day[data-date="2026-09-16"]');
  await page.click('[data-act=paint]');
  await page.waitForSelector('.schoolplan-day[data-date="2026-09-16"][data-kind=school]');
  const days = (await entries()).flatMap(({ body }) =>
    body.part === 'days' && body.kind === 'event' ? [`${body.from} ${body.to}`] : [],
  );
  expect(days.sort()).toEqual(['2026-09-14 2026-09-15', '2026-09-17 2026-09-18']);
});

test('a year without official holidays says so loudly', async () => {
  await go('/school-plan?month=2026-12');
  await page.waitForSelector('.schoolplan-loud[data-unconfirmed="2027"]');
  await page.waitForSelector('.schoolplan-day[data-date="2027-01-04"][data-unconfirmed=true]');
});

test('a bell is hung on each lesson, and its mistake is shown until it is mended', async () => {
  await go('/school-plan?tab=items');
  await page.click('[data-act=add-item]');
  await page.getByLabel('名称（中文）').fill('上课铃');
  await page.click('[data-act=save]');
  await page.waitForSelector('.kit-form-error:has-text("请选择声音")');
  await page.getByLabel('声音', { exact: true }).click();
  await page.locator('.ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option').nth(1).click();
  await page.click('[data-act=save]');
  await page.waitForSelector('[data-item]:has-text("上课铃")');
  await vi.waitFor(async () => expect((await bodyOf('item'))?.when).toMatchObject({ slot: { kind: 'lesson' } }), soon);
});

test('what somebody else changed meanwhile is shown beside one’s own, and both are kept', async () => {
  await go('/school-plan?month=2026-09');
  await page.click('[data-list=term] .schoolplan-link');
  const form = page.locator('[data-list=term] form');
  await form.getByLabel('周数').fill('20');
  const term = (await entries()).find(({ body }) => body.part === 'term');
  if (term === undefined) throw new Error('there is no term');
  const theirs = { ...(term.body as unknown as SchoolTerm), name: { zh: '秋季学期', en: 'Autumn' } };
  await campus.post('school/entries', { changes: [{ id: term.id, rev: term.rev, body: theirs }], why: '' });
  await form.locator('[data-act=save]').click();
  await page.waitForSelector('.schoolplan-conflict [data-field=name]:has-text("秋季学期")');
  await page.click('[data-act=merge]');
  await form.locator('[data-act=save]').click();
  await vi.waitFor(
    async () => expect(await bodyOf('term')).toMatchObject({ weeks: 20, name: { zh: '秋季学期', en: 'Autumn' } }),
    soon,
  );
});

test('an exam shows its ten commands with their times', async () => {
  await go('/school-plan?tab=exams');
  await page.click('[data-act=add-exam]');
  await page.getByLabel('名称（中文）').fill('期中考试');
  expect(await page.locator('[data-command]').count()).toBe(10);
  expect(await page.locator('[data-command=begin] td').first().innerText()).toBe('09:00');
  await page.click('[data-act=save]');
  await page.waitForSelector('[data-exam]:has-text("期中考试")');
});

test('another calendar is read, chosen from and painted', async () => {
  await go('/school-plan?tab=files');
  const lines = [
    ...['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:x', 'BEGIN:VEVENT', 'UID:1', 'DTSTAMP:20260901T000000Z'],
    ...[
      'DTSTART;VALUE=DATE:20261020',
      'DTEND;VALUE=DATE:20261022',
      'SUMMARY:秋季运动会',
      'END:VEVENT',
      'END:VCALENDAR',
    ],
  ];
  await page.getByLabel('日历内容').fill(lines.join('\r\n'));
  await page.click('[data-act=read]');
  await page.waitForSelector('[data-import]:has-text("秋季运动会")');
  await page.click('[data-act=take]');
  await vi.waitFor(async () => {
    const found = (await entries()).find(({ body }) => body.part === 'days' && body.from === '2026-10-20');
    expect(found?.body).toMatchObject({ to: '2026-10-21' });
  }, soon);
});

test('axe finds nothing serious, in light and in dark; on a phone it fits; whoever may only look has no brushes', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [hash, ready] of [
      ['/school-plan?month=2026-09', '.schoolplan-day[data-date="2026-09-12"][data-kind=make-up]'],
      ['/school-plan?tab=timetables', '[data-timetable]'],
      ['/school-plan?tab=items', '[data-item]'],
      ['/school-plan?tab=exams', '[data-exam]'],
      ['/school-plan?tab=files', '[data-act=read]'],
    ] as const) {
      await go(hash);
      await page.waitForSelector(ready);
      await page.evaluate(axe);
      // The colours of the look that was just chosen may not be there yet.
      const look = () =>
        page.evaluate(`axe.run('#content', { resultTypes: ['violations'] }).then(({ violations }) =>
        violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
          .map(({ id, nodes }) => id + ': ' + nodes.slice(0, 5).map(({ html }) => html).join(' | ')))`);
      await vi.waitFor(async () => expect(await look(), `${hash} ${colorScheme}`).toEqual([]), soon);
    }
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
  const phone = await browser.open({ width: 390, height: 844, touch: true, language: 'en' });
  await signIn(phone.page, campus.url, 'zhao');
  await go('/school-plan?month=2026-09', phone.page);
  await phone.page.waitForSelector('.schoolplan-day[data-date="2026-09-12"][data-kind=make-up]');
  expect(await phone.page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  expect(await phone.page.locator('[data-brush], [data-act^=add]').count()).toBe(0);
  await phone.context.close();
});

test('in all of this there was no error in the console, and no policy was broken', () => {
  expect(open.wrong.filter((one) => !/status of (400|409)/.test(one))).toEqual([]);
});
