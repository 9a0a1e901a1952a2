import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { PlanView } from '#edge/web/place-schemas.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/* Plans and what lies on them, in a real browser on a running campus: from the first upload to what a guard reads there. */

const soon = { timeout: 30_000, interval: 150 };
const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');
const demoPlan = join(import.meta.dirname, '../../edge/simulators/demo-plan.svg');

let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  [campus, browser] = await Promise.all([
    startCampus({ city: false, only: ['core', 'fieldbus', 'web'] }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  await makePerson(campus, 'he', '何立', 'administrator');
  await makePerson(campus, 'tang', '唐宁', 'viewer');
  open = await browser.open({ width: 1366, height: 768 });
  page = open.page;
  page.setDefaultTimeout(30_000);
  await signIn(page, campus.url, 'he');
}, 120_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
}, 30_000);

const text = async (selector: string) => (await page.locator(selector).first().innerText()).trim();
const go = (hash: string) => page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
const zoom = async () => Number(await page.getAttribute('.map-stage', 'data-zoom'));
const segment = (name: string) => page.click(`.map-side .ant-segmented-item:has-text("${name}")`);

async function plans(): Promise<readonly PlanView[]> {
  return campus.get<PlanView[]>('plans');
}

async function placeOf(device: string): Promise<{ plan: string; x: number; y: number } | undefined> {
  for (const { id, places } of await plans()) {
    const place = places.find((one) => one.device === device);
    if (place !== undefined) return { plan: id, x: place.x, y: place.y };
  }
  return undefined;
}

/** Through the API, as many at once as a person would place in an hour. */
async function put(device: string, x: number, y: number): Promise<void> {
  const token = readFileSync(join(campus.data, 'admin-token'), 'utf8').trim();
  const response = await fetch(`${campus.url}/api/v1/plans/grounds/places/${device}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ x, y }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(await response.text());
}

/** Where a spot of the plan is on the screen. */
async function pixel(x: number, y: number): Promise<{ x: number; y: number }> {
  const box = await page.locator('.map-image').boundingBox();
  if (box === null) throw new Error('there is no plan');
  return { x: box.x + x * box.width, y: box.y + y * box.height };
}

/** What axe finds serious or critical, in words. */
async function violations(of: Page): Promise<unknown> {
  await of.evaluate(axe);
  return of.evaluate(`axe.run('#content', { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')))`);
}

test('without a plan it says what to do; a picture that is refused is refused with what and where', async () => {
  await go('/map');
  await page.click('.kit-empty button:has-text("上传平面图")');
  const bad = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">\n<g>\n<script>1</script></g></svg>';
  await page.setInputFiles('.ant-drawer input[type=file]', {
    name: 'bad.svg',
    mimeType: 'image/svg+xml',
    buffer: Buffer.from(bad),
  });
  await page.click('.ant-drawer button[type=submit]');
  await vi.waitFor(async () => expect(await text('.ant-drawer [role=alert]')).toContain('请填写中文和英文名称'), soon);
  await page.getByLabel('中文名称').fill('校园总图');
  await page.getByLabel('英文名称').fill('Grounds');
  await page.click('.ant-drawer button[type=submit]');
  await vi.waitFor(
    async () => expect(await text('.ant-drawer [role=alert]')).toMatch(/第 3 行：.*<script>.*纯 SVG.*PNG/),
    soon,
  );
  await page.setInputFiles('.ant-drawer input[type=file]', demoPlan);
  await page.waitForSelector('.map-preview img');
  await page.click('.ant-drawer button[type=submit]');
  await page.waitForSelector('.map-stage');
  expect((await plans()).map(({ id, name, format }) => ({ id, name, format }))).toEqual([
    { id: 'grounds', name: { zh: '校园总图', en: 'Grounds' }, format: 'svg' },
  ]);
  await vi.waitFor(
    async () => expect(await page.evaluate(`document.querySelector('.map-image').naturalWidth`)).toBeGreaterThan(0),
    soon,
  );
});

test('a device is placed by keys alone, and taking it back is one press', async () => {
  await page.fill('.map-side input[type=search]', '总电表');
  const placing = page.locator('.map-row-line button:has-text("放置")');
  await placing.focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-carried="meter-main"]:focus');
  for (const key of ['ArrowLeft', 'ArrowLeft', 'Shift+ArrowUp']) await page.keyboard.press(key);
  await vi.waitFor(async () => expect(await page.innerText('[data-announce=polite]')).toBe('距左 48%，距上 45%'), soon);
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-device="meter-main"]:focus');
  expect(await placeOf('meter-main')).toEqual({ plan: 'grounds', x: 0.48, y: 0.45 });
  await page.click('.ant-notification button:has-text("撤销")');
  await vi.waitFor(async () => expect(await placeOf('meter-main')).toBeUndefined(), soon);
  await page.waitForSelector('[data-device="meter-main"]', { state: 'detached' });
});

test('devices are dragged from the list, moved on the plan, and Escape lets go of them', async () => {
  await page.fill('.map-side input[type=search]', '厨房水浸');
  const row = await page.locator('.map-row-line').first().boundingBox();
  if (row === null) throw new Error('it is not in the list');
  const target = await pixel(0.13, 0.64);
  await page.mouse.move(row.x + 12, row.y + 20);
  await page.mouse.down();
  await page.mouse.move(row.x - 80, row.y + 40, { steps: 4 });
  await page.waitForSelector('.map-badge');
  await page.mouse.move(target.x, target.y, { steps: 4 });
  await page.mouse.up();
  await vi.waitFor(async () => expect((await placeOf('leak-kitchen'))?.x).toBeCloseTo(0.13, 2), soon);
  await page.waitForSelector('.map-badge', { state: 'detached' });
  const there = await pixel(0.3, 0.7);
  await page.mouse.move(target.x, target.y);
  await page.mouse.down();
  await page.mouse.move(there.x, there.y, { steps: 4 });
  await page.mouse.up();
  await vi.waitFor(async () => expect((await placeOf('leak-kitchen'))?.y).toBeCloseTo(0.7, 2), soon);
  await page.waitForSelector('.ant-notification:has-text("已移动“厨房水浸”")');
  const before = await placeOf('leak-kitchen');
  await page.mouse.move(there.x, there.y);
  await page.mouse.down();
  await page.mouse.move(there.x + 90, there.y + 20, { steps: 4 });
  await page.keyboard.press('Escape');
  await page.mouse.up();
  await page.fill('.map-side input[type=search]', '');
  await segment('图上');
  await page.click('[data-row="leak-kitchen"] + button');
  await vi.waitFor(async () => expect(await placeOf('leak-kitchen')).toBeUndefined(), soon);
  await page.click('.ant-notification button:has-text("撤销")');
  await vi.waitFor(async () => expect(await placeOf('leak-kitchen')).toEqual(before), soon);
});

test('a glyph shows the alarm of its device as it comes; its card has live values and the ways on', async () => {
  await put('meter-main', 0.5, 0.32);
  await put('relay-1', 0.56, 0.32);
  await put('smoke-201', 0.3, 0.15);
  for (const [at, device] of ['smoke-101', 'climate-101', 'pir-101', 'plug-1'].entries()) {
    await put(device, 0.08 + at * 0.015, 0.32);
  }
  await page.reload();
  await page.click('button:has-text("完成")');
  const smoke = '.map-glyph[data-device="smoke-201"]';
  await page.waitForSelector(`${smoke}:not([data-status=critical])`);
  await campus.turn('smoke-201', 'on');
  await page.waitForSelector(`${smoke}[data-status=critical][data-unseen=true]`);
  await vi.waitFor(
    async () => expect(await page.getAttribute(smoke, 'aria-label')).toMatch(/201 教室烟感.*报警.*紧急/),
    soon,
  );
  await vi.waitFor(async () => expect(await text('.map-row')).toMatch(/201 教室烟感[\s\S]*紧急/), soon);
  await page.click(smoke);
  await vi.waitFor(
    async () => expect(await text('.map-card')).toMatch(/201 教室烟感[\s\S]*有烟感探测器报警[\s\S]*未确认/),
    soon,
  );
  const alarm = await page.getAttribute('.map-card-alarm a', 'href');
  expect(alarm).toMatch(/^#\/alarms\/./);
  await campus.post(`${alarm?.slice(2)}/acknowledge`, { note: '' });
  await page.waitForSelector(`${smoke}[data-status=critical][data-unseen=false]`);
  await page.keyboard.press('Escape');
  await page.waitForSelector('.map-card', { state: 'detached' });
  await page.focus('[data-device="meter-main"]');
  await page.keyboard.press('Enter');
  const power = '.map-card [data-point="meter-main/power"] .map-value';
  await vi.waitFor(async () => expect(await text(power)).toMatch(/^[\d,]+ W$/), soon);
  const before = await text(power);
  await vi.waitFor(async () => expect(await text(power)).not.toBe(before), soon);
  expect(page.url()).toContain('device=meter-main');
  await page.click('[data-row="relay-1"]');
  await page.waitForSelector('.map-card a:has-text("操作")');
  expect(await page.getAttribute('.map-card a:has-text("操作")', 'href')).toBe('#/devices/relay-1');
});

test('it zooms by wheel, keys and buttons; what is too close is one glyph until one comes nearer', async () => {
  await go('/map/grounds');
  await page.waitForSelector('.map-card', { state: 'detached' });
  await page.click('.map-controls button[aria-label="显示全图"]');
  await vi.waitFor(async () => expect(await zoom()).toBe(1), soon);
  await page.waitForSelector('[data-cluster~="smoke-101"]');
  expect(await page.getAttribute('[data-cluster~="smoke-101"]', 'aria-label')).toMatch(/一年级 1 班.*4 个设备/);
  const corner = await pixel(0.9, 0.2);
  await page.mouse.move(corner.x, corner.y);
  await page.mouse.wheel(0, -320);
  await vi.waitFor(async () => expect(await zoom()).toBe(2), soon);
  const same = await pixel(0.9, 0.2);
  expect(Math.hypot(same.x - corner.x, same.y - corner.y)).toBeLessThan(3);
  await page.focus('.map-stage');
  await page.keyboard.press('-');
  await page.keyboard.press('-');
  expect(await zoom()).toBe(1);
  await page.click('[data-cluster~="smoke-101"]');
  await vi.waitFor(async () => expect(await page.locator('.map-cluster-list .map-row').count()).toBe(4), soon);
  await page.click('.map-card button:has-text("放大到这里")');
  await page.waitForSelector('[data-device="smoke-101"]');
  expect(await zoom()).toBeGreaterThan(3);
});

test('axe finds nothing serious on it, in light and dark, looking and editing', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [hash, selector] of [
      ['/map/grounds?device=meter-main', '.map-card'],
      ['/map/grounds?edit=yes', '.map-edit'],
    ] as const) {
      await go(hash);
      await page.waitForSelector(selector);
      expect(await violations(page), `${hash} ${colorScheme}`).toEqual([]);
    }
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
}, 60_000);

test('who may only look sees no way to change it; on a phone it fits, and fingers find their targets', async () => {
  const phone = await browser.open({ width: 390, height: 844, touch: true, language: 'en' });
  phone.page.setDefaultTimeout(30_000);
  await signIn(phone.page, campus.url, 'tang');
  await phone.page.evaluate(`void (location.hash = '/map/grounds?edit=yes')`);
  await phone.page.tap('.map-glyph[data-device="leak-kitchen"]');
  await phone.page.waitForSelector('.map-card');
  const said = await phone.page.innerText('.map');
  expect(said).toMatch(/Water leak, kitchen/);
  expect(said).not.toMatch(/Edit|Remove|Upload|Operate|[\u3400-\u9fff]/);
  const { width, low } = await phone.page.evaluate<{ width: number; low: string[] }>(`({
    width: document.documentElement.scrollWidth,
    low: [...document.querySelectorAll('.map-card button, .map-card a, .map-controls button, .map-row')]
      .filter((element) => element.offsetParent !== null && element.offsetHeight < 44)
      .map((element) => element.outerHTML),
  })`);
  expect(width).toBe(390);
  expect(low).toEqual([]);
  expect(phone.wrong).toEqual([]);
  await phone.context.close();
});

test('a plan gets another name and floor, another comes before it, and deleting it leaves the devices', async () => {
  await go('/map/grounds?edit=yes');
  await page.click('.map-edit button:has-text("改名或换图")');
  await page.getByLabel('中文名称').fill('一层');
  await page.getByLabel('楼层').click();
  await page.click('.ant-select-item-option:has-text("教学楼 · 一层")');
  await page.click('.ant-drawer button[type=submit]');
  await vi.waitFor(async () => expect((await plans())[0]?.floor).toBe('teaching-1'), soon);
  await vi.waitFor(async () => expect(await text('.kit-page-header')).toContain('一层 · 教学楼 · 一层'), soon);
  await page.click('.map-edit button:has-text("上传平面图")');
  await page.setInputFiles('.ant-drawer input[type=file]', demoPlan);
  await page.getByLabel('中文名称').fill('二层');
  await page.getByLabel('英文名称').fill('Grounds');
  await page.click('.ant-drawer button[type=submit]');
  await page.waitForSelector('.kit-page-header:has-text("二层")');
  await page.click('.map-edit button:has-text("前移")');
  await vi.waitFor(async () => expect((await plans()).map(({ id }) => id)).toEqual(['grounds-2', 'grounds']), soon);
  await page.click('.kit-page-header .ant-segmented-item:has-text("一层")');
  await page.waitForSelector('[data-device="meter-main"]');
  await page.click('.map-edit button:has-text("删除")');
  await vi.waitFor(
    async () => expect(await text('.ant-modal-confirm')).toMatch(/一层[\s\S]*8 个设备回到“未放置”/),
    soon,
  );
  await page.click('.ant-modal-confirm .ant-btn-dangerous');
  await vi.waitFor(async () => expect((await plans()).map(({ id }) => id)).toEqual(['grounds-2']), soon);
  expect(await placeOf('meter-main')).toBeUndefined();
  expect((await campus.get<{ devices: { id: string }[] }>('campus')).devices.map(({ id }) => id)).toContain(
    'meter-main',
  );
});

test('had no error in the console and broke no policy in all of this', () => {
  // A refused picture is an answer, not an error of the page.
  expect(open.wrong.filter((one) => !/status of 400/.test(one))).toEqual([]);
});
