import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import type { broadcastNow } from '#edge/web/broadcast-schemas.ts';
import type { emergenciesView } from '#edge/web/emergency-schemas.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, prepareChromium, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/* An emergency in a real browser, on a campus whose loudspeakers are heard: a fire drill from the button to the all clear. */

const soon = { timeout: 40_000, interval: 150 };
const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');
type List = z.infer<typeof emergenciesView>;

let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

const list = () => campus.get<List>('emergencies');
const playing = async () => {
  const { rooms } = await campus.get<z.infer<typeof broadcastNow>>('broadcast/now');
  return rooms.flatMap(({ playing: part }) => (part === null ? [] : [`${part.class}${part.drill ? ' drill' : ''}`]));
};
const go = (hash: string) => page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
/** Holds a guarded button for as long as it wants, and no longer. */
async function hold(act: string): Promise<void> {
  const button = page.locator(`[data-act=${act}]`);
  await button.hover();
  await page.mouse.down();
  await page.waitForSelector(`[data-act=${act}][data-held=true]`);
  await page.waitForSelector('.ant-modal', { state: 'detached', timeout: 40_000 });
  await page.mouse.up();
}
const counted = (selector: string, count: number) =>
  expect.poll(() => page.locator(selector).count(), soon).toBe(count);
async function violations(): Promise<unknown[]> {
  if (!(await page.evaluate<boolean>(`typeof axe === 'object'`))) await page.evaluate(axe);
  return page.evaluate<unknown[]>(`axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html, any }) => html.slice(0, 200) + ' ' + (any[0]?.message ?? '')).join(' | ')))`);
}

beforeAll(async () => {
  campus = await startCampus({ only: ['core', 'broadcast', 'web'], city: false, onlyRules: {} });
  await prepareChromium();
  browser = await startBrowser();
  await waitForCampus(campus);
  await makePerson(campus, 'admin', '管理员', 'administrator');
  await makePerson(campus, 'guard', '值班员', 'security');
  await makePerson(campus, 'visitor', '访客', 'viewer');
  open = await browser.open({ width: 1366, height: 768, language: 'zh' });
  page = open.page;
  page.setDefaultTimeout(30_000);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await signIn(page, campus.url, 'guard');
}, 120_000);
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
});

test('a press that is let go does nothing', async () => {
  await go('/emergency');
  await page.click('[data-kind=fire] [data-act=begin]');
  await page.click('.emergency-choice-real');
  const button = page.locator('[data-act=hold-begin]');
  await button.hover();
  await page.mouse.down();
  await page.waitForSelector('[data-act=hold-begin][data-held=true]');
  await page.mouse.up();
  await page.waitForSelector('[data-act=hold-begin][data-held=false]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.ant-modal', { state: 'detached' });
  expect((await list()).open).toEqual([]);
}, 60_000);

test('a fire drill goes from the button to the all clear, with the roll called', async () => {
  await page.click('[data-kind=fire] [data-act=begin]');
  await page.click('.emergency-choice-drill');
  await page.getByLabel('说明（可不填）').fill('十一月消防演练');
  expect(await violations()).toEqual([]);
  await hold('hold-begin');
  const course = page.locator('[data-emergency]').first();
  await course.waitFor();
  expect(await course.getAttribute('data-drill')).toBe('true');
  await vi.waitFor(async () => expect(new Set(await playing())).toEqual(new Set(['fire drill'])), soon);
  const heard = await campus.heard();
  await vi.waitFor(async () => {
    const now = await campus.heard();
    for (const { name, packets } of heard)
      expect(now.find((one) => one.name === name)?.packets).toBeGreaterThan(packets);
  }, soon);
  expect(await violations()).toEqual([]);

  const rooms = await page.locator('[data-room]').count();
  expect(rooms).toBeGreaterThan(3);
  await page.locator('[data-room] [data-answer=missing]').first().click();
  await page.waitForSelector('[data-room][data-state=missing]');
  await page.locator('.emergency-filter .ant-btn').click();
  await counted('[data-room][data-state=all]', rooms - 1);
  await page.locator('[data-room][data-state=missing] [data-answer=all]').click();
  await counted('[data-room][data-state=all]', rooms);
  await page.locator('.emergency-steps input').first().click();
  await page.waitForSelector('.emergency-steps [data-done=true]');
  await page.getByPlaceholder('记录一句').fill('操场集合完毕');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.emergency-timeline [data-act=note]');

  await go('/');
  const banner = page.locator('.emergency-banner');
  await banner.waitFor();
  expect(await banner.innerText()).toContain('演练');
  await banner.locator('a').click();

  await page.click('[data-act=all-clear]');
  await page.getByLabel('解除原因').fill('演练结束');
  await hold('hold-clear');
  await vi.waitFor(async () => expect((await list()).open).toEqual([]), soon);
  // What is heard now is the all clear, once.
  await vi.waitFor(async () => expect(await playing()).toEqual([]), soon);
  const [past] = (await list()).past;
  await go(`/emergency/${past?.id}`);
  await page.waitForSelector('.emergency-course[data-open=false]');
  const told = await page.locator('.emergency-timeline').innerText();
  for (const word of ['发起', '播音', '点名', '步骤', '操场集合完毕', '解除', '演练结束']) expect(told).toContain(word);
  expect(await violations()).toEqual([]);
}, 120_000);

test('the proof of it stands in the day of broadcast: which loudspeaker played it, and how that is known', async () => {
  await go('/broadcast?tab=deliveries');
  const row = page.locator('.broadcast-deliveries [data-row]', { hasText: '火灾' }).first();
  await row.waitFor();
  await row.getByRole('button').click();
  const story = page.locator('.broadcast-story');
  await story.waitFor();
  const told = await story.innerText();
  expect(told).toContain('校门广播');
  expect(told).toContain('已发出');
  // A drawer that still slides in is half transparent.
  await expect.poll(violations, soon).toEqual([]);
  await page.keyboard.press('Escape');
}, 60_000);

test('whoever may only look sees it without its buttons', async () => {
  const other = await browser.open({ language: 'zh' });
  await signIn(other.page, campus.url, 'visitor');
  await other.page.goto(`${campus.url}/#/emergency`);
  await other.page.waitForSelector('.emergency-plans');
  expect(await other.page.locator('[data-act=begin]').count()).toBe(0);
  await other.context.close();
}, 60_000);

test('the browser has nothing to complain of', () => {
  expect(open.wrong).toEqual([]);
});
