import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Alarm } from '#edge/domain/alarm.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/* The page of meters in a real browser on a running campus: the tree, one meter, a swapped meter decided, and shared lines. */

const soon = { timeout: 40_000, interval: 200 };
const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');
const swapped = 'meter-lights/energy_import';

let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  [campus, browser] = await Promise.all([
    startCampus({
      city: false,
      only: ['core', 'fieldbus', 'web'],
      // Counters are read each minute otherwise, and a step needs three reads that agree.
      change: (site) => ({ ...site, poll: { ...site.poll, slow: 2_000 } }),
    }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  await makePerson(campus, 'he', '何立', 'administrator');
  await makePerson(campus, 'tang', '唐宁', 'viewer');
  open = await browser.open({ width: 1366, height: 768 });
  page = open.page;
  page.setDefaultTimeout(40_000);
  await signIn(page, campus.url, 'he');
  // The swap is noticed while the first tests look elsewhere: the counter must have been believed before.
  const believed = async () => {
    const points = await campus.get<{ id: string; value: unknown; quality: string }[]>('points');
    const point = points.find(({ id }) => id === swapped);
    expect(point).toMatchObject({ quality: 'good' });
    expect(Number(point?.value)).toBeGreaterThan(100);
  };
  await vi.waitFor(believed, soon);
  await campus.turn('meter-lights-swap', 'on');
}, 150_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
}, 30_000);

const text = async (selector: string, on = page) => (await on.locator(selector).first().innerText()).trim();
const go = (hash: string, on = page) => on.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);

/** What axe finds serious or critical, in words. */
async function violations(within = '#content'): Promise<unknown> {
  if (!(await page.evaluate<boolean>(`typeof axe === 'object'`))) await page.evaluate(axe);
  return page.evaluate(`axe.run('${within}', { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')))`);
}

test('the meters are a tree with what each draws now, and each leads to its page', async () => {
  await go('/energy/meters');
  await page.waitForSelector('[data-meter-link=main]');
  expect(await page.getAttribute('.meters-branch:has([data-meter-link=canteen])', 'data-depth')).toBe('1');
  await vi.waitFor(async () => expect(await text('[data-row=main]')).toMatch(/总电表\s+[\d.]+ kW\s/), soon);
  await page.click('[data-meter-link=main]');
  await page.waitForSelector('[data-meter=main] .meters-figures');
  expect(await text('.meters-meter h1')).toBe('总电表');
  expect(await text('.meters-below')).toMatch(/食堂电表[\s\S]*下级表没有解释的部分/);
  // A tree that nothing hangs below has no such part.
  await page.click('.meters-below a:has-text("食堂电表")');
  await page.waitForSelector('[data-meter=canteen]');
  expect(await page.locator('.meters-below').count()).toBe(0);
});

test('a meter shows its phases as they change in place, how well its device answers, and other periods', async () => {
  await go('/energy/meters/main');
  const cell = '[data-live="meter-main/power_l1"]';
  await vi.waitFor(async () => expect(await text(cell)).toMatch(/^[\d,.]+ W$/), soon);
  await page.evaluate(`document.querySelector('${cell}').dataset.marked = 'yes'`);
  const before = await text(cell);
  await vi.waitFor(async () => expect(await text(cell)).not.toBe(before), soon);
  expect(await page.getAttribute(cell, 'data-marked')).toBe('yes');
  await vi.waitFor(
    async () => expect(await text('.meters-health')).toMatch(/在线[\s\S]*127\.0\.0\.1:\d+ · 地址 1/),
    soon,
  );
  await page.click('.meters-period .ant-segmented-item:has-text("月")');
  await vi.waitFor(async () => expect(await text('.meters-period-name')).toMatch(/^\d{4}\/\d\d\/01 至 /), soon);
  expect(await page.evaluate('location.hash')).toBe('#/energy/meters/main?kind=month');
  const month = await text('.meters-period-name');
  await page.click('.meters-period [data-go=earlier]');
  await vi.waitFor(async () => {
    const shown = await text('.meters-period-name');
    expect(shown).toMatch(/01 至/);
    expect(shown).not.toBe(month);
  }, soon);
  // A month before the campus was there: no readings, and no bars of zero.
  expect(await text('.meters-course-panel')).toContain('这段时间还没有读数');
  await go('/energy/meters/nobody');
  await page.waitForSelector('main :text("没有这块表")');
});

test('a swapped meter is a story with an alarm that leads to it; who may not decide only sees it', async () => {
  const alarmOf = async (): Promise<Alarm> => {
    const found = (await campus.get<Alarm[]>('alarms')).find(({ source }) => source === `counter:${swapped}`);
    if (found === undefined) throw new Error('the step is no alarm');
    return found;
  };
  const { id } = await vi.waitFor(alarmOf, soon);
  await go(`/alarms/${id}`);
  await page.click('[data-way=counter]');
  const card = `[data-ref="${swapped}"]`;
  await page.waitForSelector(card);
  expect(await page.evaluate('location.hash')).toBe(`#/energy/counters?ref=${swapped}`);
  expect(await text(card)).toMatch(/路灯电表[\s\S]*换表|清零/);
  expect(await text(card)).toMatch(/跳变前[\s\S]*kWh[\s\S]*目前显示[\s\S]*对账单意味着什么[\s\S]*接受[\s\S]*拒绝/);
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    expect(await violations(), colorScheme).toEqual([]);
  }
  const { page: other } = await browser.open({ width: 390, height: 844, touch: true });
  other.setDefaultTimeout(40_000);
  await signIn(other, campus.url, 'tang');
  await go('/energy/counters', other);
  await other.waitForSelector(card);
  expect(await other.locator('[data-act=accept], [data-act=reject]').count()).toBe(0);
  expect(await text(card, other)).toContain('由有“设备”权限的人员决定');
  expect(await other.evaluate(`document.querySelector('main').scrollWidth <= innerWidth`)).toBe(true);
  await other.context().close();
}, 90_000);

test('it is accepted with what the old meter counted last: the dialog says what will happen, and it is told who did it', async () => {
  await go(`/energy/counters?ref=${swapped}`);
  const accept = `[data-ref="${swapped}"] [data-act=accept]:not([disabled])`;
  await page.waitForSelector(accept);
  await page.click(accept);
  await page.fill(`[data-between="${swapped}"]`, 'twelve');
  await page.click('.ant-modal .ant-btn-primary');
  expect(await text('.ant-modal .kit-form-error')).toBe('请填写原因');
  await page.fill('.ant-modal [aria-required=true]', '供电所换表，工单 1173');
  await page.click('.ant-modal .ant-btn-primary');
  await vi.waitFor(async () => expect(await text('.ant-modal .kit-form-error')).toContain('0 或更大的数字'), soon);
  expect(await violations('.ant-modal')).toEqual([]);
  await page.fill(`[data-between="${swapped}"]`, '12.5');
  await vi.waitFor(async () => expect(await text('.meters-will')).toMatch(/跳变期间计 12\.5 kWh[\s\S]*重新计算/), soon);
  await page.click('.ant-modal .ant-btn-primary');
  await page.waitForSelector('.ant-modal', { state: 'hidden' });
  await vi.waitFor(
    async () =>
      expect(await text('.meters-decided')).toMatch(
        /路灯电表[\s\S]*已接受[\s\S]*he · [\s\S]*跳变期间计 12\.5 kWh · 供电所换表/,
      ),
    soon,
  );
  await vi.waitFor(async () => expect(await page.locator(`[data-ref="${swapped}"]`).count()).toBe(0), soon);
  const { steps } = await campus.get<{ steps: { state: string; between?: number }[] }>(`counters?ref=${swapped}`);
  expect(steps).toMatchObject([{ state: 'accepted', between: 12.5 }]);
  // The figure may be wrong: it is changed, and nothing else is.
  await page.click('.meters-decided button:has-text("改用量")');
  await page.fill(`[data-between="${swapped}"]`, '15');
  await page.fill('.ant-modal [aria-required=true]', '旧表底数核对后更正');
  await page.keyboard.press('Enter');
  await vi.waitFor(async () => expect(await text('.meters-decided')).toContain('跳变期间计 15 kWh'), soon);
}, 90_000);

test('a silent meter brings its line to the top with what to do; lines are told anew in place', async () => {
  await campus.turn('meter-ac-silent', 'on');
  await go('/energy/lines');
  await page.waitForSelector('.meters-line');
  const first = '.meters-line:first-of-type';
  await page.evaluate(`document.querySelector('${first}').dataset.marked = 'yes'`);
  const row = page.locator('.meters-line [data-row$=" meter-ac"]');
  await vi.waitFor(async () => expect(await row.innerText()).toMatch(/没有应答[\s\S]*试探[\s\S]*秒前|刚刚/), soon);
  await vi.waitFor(
    async () => expect(await text('[data-fault=silent]')).toMatch(/空调电表[\s\S]*检查供电、接线和地址/),
    soon,
  );
  expect(await page.getAttribute('.meters-lines > section >> nth=0', 'data-trouble')).toBe('true');
  expect(await page.locator('[data-marked=yes]').count()).toBe(1);
  expect(await text('.meters-lines-sum')).toMatch(/3 条线路[\s\S]*1 条有问题/);
  await campus.turn('meter-ac-silent', 'off');
}, 90_000);

test('axe finds nothing serious on these pages, in light and in dark', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [hash, selector] of [
      ['/energy/meters', '[data-meter-link]'],
      ['/energy/meters/main', '.meters-figures'],
      ['/energy/counters', '.meters-decided [data-row]'],
      ['/energy/lines', '.meters-line'],
    ] as const) {
      await go(hash);
      await page.waitForSelector(selector);
      expect(await violations(), `${hash} in ${colorScheme}`).toEqual([]);
    }
  }
  await page.click('[data-switch=language]');
  await go('/energy/counters');
  await vi.waitFor(async () => expect(await text('main h1')).toBe('Meters and lines'), soon);
  await vi.waitFor(
    async () => expect(await text('.meters-decided')).toMatch(/Accepted[\s\S]*15 kWh counted across it/),
    soon,
  );
  // The meter that nobody has.
  expect(open.wrong.filter((one) => !one.includes('404'))).toEqual([]);
  expect(open.wrong.length).toBeLessThanOrEqual(1);
}, 60_000);
