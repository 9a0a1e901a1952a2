import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EnergyNowView, EnergyReportView } from '#edge/web/energy-schemas.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/* The page of energy and its report in a real browser, over a campus whose limit is lower than what it draws at night. */

const soon = { timeout: 40_000, interval: 150 };
const limit = 5;

let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  [campus, browser] = await Promise.all([
    startCampus({
      city: false,
      only: ['core', 'fieldbus', 'web'],
      change: (site) => ({
        ...site,
        ...(site.energy === undefined
          ? {}
          : { energy: { ...site.energy, demand: site.energy.demand.map((one) => ({ ...one, limit })) } }),
      }),
    }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  // Without an administrator the box still asks for its first one.
  await makePerson(campus, 'wang', '王敏', 'administrator');
  await makePerson(campus, 'chen', '陈静', 'facility');
  await makePerson(campus, 'tang', '唐宁', 'viewer');
  open = await browser.open({ width: 1366, height: 768, language: 'zh' });
  page = open.page;
  page.setDefaultTimeout(40_000);
  await signIn(page, campus.url, 'chen');
}, 120_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
}, 30_000);

const go = (hash: string) => page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
const text = async (selector: string) => (await page.locator(selector).first().innerText()).trim();
const number = async (selector: string) => Number.parseFloat((await text(selector)).replace(',', ''));
const today = () => campus.get<EnergyReportView>('energy/report');

test('the page says what the campus draws now and today; what is not known yet is said to be so, not zero', async () => {
  await go('/energy');
  await page.waitForSelector('.energy-strip');
  await vi.waitFor(async () => {
    const now = await campus.get<EnergyNowView>('energy/now');
    const power = now.meters.find(({ meter }) => meter === 'main')?.power ?? 0;
    expect(power).toBeGreaterThan(0);
    // It was asked a moment earlier, and the school goes on.
    expect(await number('[data-figure=power] dd')).toBeGreaterThan(power / 3);
  }, soon);
  expect(await text('[data-figure=today]')).toMatch(/kWh/);
  // A box of a minute knows nothing of nights and of days like this one.
  expect(await text('[data-figure=night] dd')).toBe('—');
  expect(await text('[data-figure=power]')).toContain('还不知道平常');
  expect(await text('.energy-odd')).toContain('没有发现异常');
  expect(await text('.energy')).not.toMatch(/NaN|undefined|null|Infinity/);
  expect(await page.locator('[data-medium=water]').count()).toBe(1);
}, 90_000);

test('where it goes is told for each medium and period, and as a table for those who see no picture', async () => {
  const choose = (name: string) => page.click(`.energy-where-all .ant-segmented-item:has-text("${name}")`);
  await choose('本月');
  await page.waitForSelector('.energy-where-all[data-kind=month]');
  await choose('水');
  await choose('表格');
  await vi.waitFor(async () => expect(await text('.energy-where')).toMatch(/总水表|还没有数据/), soon);
  await choose('电');
  await vi.waitFor(async () => expect(await text('.energy-where')).toMatch(/总电表|还没有数据/), soon);
  await choose('人均能耗');
  expect(await page.locator('.energy-ranking li').count()).toBeGreaterThanOrEqual(3);
}, 60_000);

test('the report goes from period to period by keys and buttons, to no day that is still to come, and may be taken as a file', async () => {
  const { first } = await today();
  await go('/energy/report');
  await page.waitForSelector(`[data-period="day ${first}"]`);
  expect(await page.isDisabled('[data-go=later]')).toBe(true);
  await page.focus('main');
  await page.keyboard.press('ArrowLeft');
  const yesterday = new Date(Date.parse(`${first}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
  await page.waitForSelector(`[data-period="day ${yesterday}"]`);
  expect(await text('.energy-sheet')).toContain('这段时间没有数据');
  // The address is the view: it can be sent to somebody.
  expect(page.url()).toContain(`date=${yesterday}`);
  await page.click('[data-go=later]');
  await page.waitForSelector(`[data-period="day ${first}"]`);
  await page.click('.energy-picker .ant-segmented-item:has-text("月报")');
  await page.waitForSelector(`[data-period="month ${first.slice(0, 7)}-01"]`);
  const words = await text('.energy-sheet');
  for (const word of ['用量', '上期同时段', '分类能耗 01', '总电表']) expect(words).toContain(word);
  expect(words).not.toMatch(/NaN|undefined|null|Infinity/);
  const links = page.locator('.energy-report a[download]');
  expect(await links.count()).toBe(2);
  const csv = await links.first().getAttribute('href');
  expect(csv).toMatch(/energy\/report\.csv\?kind=month&date=[\d-]+&language=zh$/);
  const status = await page.evaluate(`fetch(${JSON.stringify(csv)}).then((answer) => answer.status)`);
  expect(status).toBe(200);
  await go('/energy/report?kind=day&date=2099-01-01');
  await vi.waitFor(async () => expect(await text('.energy-report')).toContain('这一期还没有开始'), soon);
}, 90_000);

test('who may not take data out has no buttons for it', async () => {
  const other = await browser.open({ width: 390, height: 844, touch: true, language: 'en' });
  other.page.setDefaultTimeout(40_000);
  await signIn(other.page, campus.url, 'tang');
  await other.page.goto(`${campus.url}/#/energy/report`);
  await other.page.waitForSelector('.energy-sheet');
  expect(await other.page.locator('a[download]').count()).toBe(0);
  const wide = `document.querySelector('main').scrollWidth - document.querySelector('main').clientWidth`;
  expect(await other.page.evaluate(wide)).toBe(0);
  await other.context.close();
}, 60_000);

test('above its limit the page says what was shed, why, and until when', async () => {
  await go('/energy');
  // It makes sure for half a minute, and leaves a window alone that is nearly over.
  await page.waitForSelector('.energy-sheds li', { timeout: 120_000 });
  expect(await page.getAttribute('[data-demand]', 'data-demand')).toMatch(/shedding|short/);
  const said = await text('.energy-sheds li');
  expect(said).toMatch(/\d\d:\d\d 起切除，最早 \d\d:\d\d、最迟 \d\d:\d\d 恢复/);
  expect(said).toContain(`限值 ${limit} kW`);
  expect(await page.getAttribute('.energy-gauge', 'aria-label')).toContain(`限额 ${limit} kW`);
  const left = async () => text('.energy-demand .energy-facts');
  const before = await left();
  await vi.waitFor(async () => expect(await left()).not.toBe(before), soon);
}, 150_000);

test('a campus without meters is told how to write its section of the site file', async () => {
  const none = { meters: [], buildings: [], tariffs: [], demand: [], problems: [] };
  await page.route('**/api/v1/energy/plan', (route) => route.fulfill({ json: none }));
  await page.goto(`${campus.url}/#/energy`);
  await page.reload();
  await page.waitForSelector('.energy-none');
  expect(await text('.energy-none pre')).toMatch(
    /^energy:\n[\s\S]*meters:[\s\S]*under: main[\s\S]*tariffs:[\s\S]*demand:/,
  );
  expect(await text('.energy-none')).toContain('edge/docs/energy.md');
  await page.unroute('**/api/v1/energy/plan');
}, 60_000);

test('nothing went wrong in the browser, and no rule of its security policy was broken', () => {
  // The day that is still to come was refused, as it should be.
  expect(open.wrong.filter((one) => !/status of 400/.test(one))).toEqual([]);
});
