import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import { placeDemoPlan } from '#edge/processes/demo-plan.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { type Camera, startCamera } from '#edge/simulators/camera.ts';
import type { PlanView } from '#edge/web/place-schemas.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { hasFfmpeg } from '../system/recording-campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { past, writeListeningPast } from './listening-past.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/* Cameras as those see them who look after them: are they heard, are they recorded, what do they see, and what must nobody see. */

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const soon = { timeout: 40_000, interval: 200 } as const;
/** What hung is tried again after a while. */
const hung = { timeout: 90_000, interval: 200 } as const;
const gate = 'camera-gate';
/** All of 127.0.0.0/8 is this machine: here is one camera that nobody has adopted. */
const found = { host: `127.77.${1 + (process.pid % 250)}.1`, port: 8899 };
let data: string;
let campus: RunningCampus;
let stranger: Camera;
let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'campus-cameras-'));
  await writeListeningPast(data, gate as DeviceId);
  stranger = await startCamera({
    ...found,
    username: 'admin',
    password: 'yard-camera-31',
    clock: systemClock,
    auth: 'digest',
    model: 'IPC-YARD',
    topicDialect: 'reolink',
  });
  [campus, browser] = await Promise.all([
    startCampus({
      data,
      city: false,
      gatehouse: true,
      video: true,
      only: ['core', 'camera', 'media', 'web'],
      change: (site) => ({ ...site, cameras: { ...site.cameras, freeSpaceFloor: 0, scan: [found.host] } }),
    }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  await makePerson(campus, 'wang', '王敏', 'administrator');
  await makePerson(campus, 'li', '李强', 'security');
  const files = { tokenFile: join(data, 'admin-token'), doneFile: join(data, 'demo-plan-placed') };
  await placeDemoPlan({ url: campus.url, ...files }, AbortSignal.timeout(30_000));
  open = await browser.open({ width: 1366, height: 768, language: 'zh' });
  page = open.page;
  page.setDefaultTimeout(40_000);
  await signIn(page, campus.url, 'wang');
}, 150_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
  await stranger?.[Symbol.asyncDispose]();
  rmSync(data, { recursive: true, force: true });
}, 40_000);

const go = (hash: string, on = page) => on.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
const text = async (selector: string, on = page) => (await on.locator(selector).first().innerText()).trim();
const rowOf = (camera: string) => `.cameras-list tr:has([data-camera-link="${camera}"])`;
const viewOfGate = async () =>
  (await campus.get<PlanView[]>('plans')).flatMap(({ places }) => places).find(({ device }) => device === gate)?.view;

/** What axe finds serious or critical, in words. */
async function violations(): Promise<unknown> {
  if (!(await page.evaluate<boolean>(`typeof axe === 'object'`))) await page.evaluate(axe);
  return page.evaluate(`axe.run('#content', { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')))`);
}

test('every camera stands in the list with how it is heard and recorded', async () => {
  await go('/cameras');
  for (const camera of [gate, 'camera-playground']) {
    await vi.waitFor(async () => expect(await text(rowOf(camera))).toMatch(/在线/), soon);
  }
  if (hasFfmpeg) await vi.waitFor(async () => expect(await text(rowOf(gate))).toMatch(/录像中[\s\S]*天/), soon);
  expect(await violations()).toEqual([]);
  // Its driver waits for what hangs: that is looked for further down.
  await campus.turn('camera-gate-dead', 'on');
});

test('the ledger shows from when to when nobody was told of anything, and what share that leaves', async () => {
  await go(`/cameras/${gate}`);
  await page.waitForSelector('.cameras-share');
  const gaps = await page.locator('.cameras-gaps li').allInnerTexts();
  expect(gaps[0]).toMatch(/40 分钟/);
  expect(await page.locator('.cameras-strip').first().locator('.cameras-span-gap').count()).toBeGreaterThan(0);
  const share = Number(await page.getAttribute('.cameras-share', 'data-share'));
  const known = 1 - (past.silentFrom - past.silentTo) / past.begin;
  // What the test itself takes to start is a gap too.
  expect(share).toBeGreaterThan(known - 0.06);
  expect(share).toBeLessThan(known + 0.02);
  expect(await text('.cameras-share')).toMatch(/%/);
  expect(await page.getAttribute('.cameras-gaps li a', 'href')).toMatch(/^#\/footage\?cameras=camera-gate&at=\d{13}$/);
  await page.click('.ant-segmented-item:has-text("30 天")');
  await page.waitForSelector('.cameras-days li');
  expect(await page.locator('.cameras-days li').count()).toBeGreaterThanOrEqual(29);
});

test('what is kept, for how long, and what it can do stand on its page with the ways on', async () => {
  await go(`/cameras/${gate}`);
  await page.waitForSelector('.cameras-two');
  const hrefs = await page
    .locator('.kit-page-header a.kit-button')
    .evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  expect(hrefs).toEqual([
    `#/live/${gate}`,
    expect.stringMatching(/^#\/footage\?cameras=camera-gate&at=\d{13}$/),
    '#/incidents?show=all&camera=camera-gate',
    '#/map?device=camera-gate',
    '#/devices/camera-gate',
  ]);
  await vi.waitFor(async () => expect(await text('.cameras-two')).toMatch(/预置位|3 个/), soon);
  if (hasFfmpeg) await vi.waitFor(async () => expect(await text('.cameras-two')).toMatch(/30 天/), soon);
  expect(await violations()).toEqual([]);
});

test('masks are drawn by mouse and by keys, and are then what the site file wants to hear', async () => {
  await page.click('[data-act=draw-masks]');
  const canvas = page.locator('.cameras-canvas');
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  if (box === null) throw new Error('there is nothing to draw on');
  const at = (x: number, y: number) => [box.x + x * box.width, box.y + y * box.height] as const;
  await page.mouse.move(...at(0.1, 0.2));
  await page.mouse.down();
  await page.mouse.move(...at(0.3, 0.5), { steps: 4 });
  await page.mouse.up();
  await vi.waitFor(
    async () => expect(await text('.cameras-yaml pre')).toMatch(/- \{x: 0\.1, y: 0\.2, width: 0\.2, height: 0\.3\}/),
    soon,
  );
  await page.focus('[data-mask="1"]');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Shift+ArrowDown');
  expect(await text('.cameras-yaml pre')).toContain('{x: 0.11, y: 0.2, width: 0.2, height: 0.31}');
  await page.keyboard.press('n');
  await vi.waitFor(async () => expect(await page.locator('[data-mask]').count()).toBe(2), soon);
  await page.focus('[data-mask="1"]');
  await page.keyboard.press('Delete');
  await vi.waitFor(async () => expect(await page.locator('[data-mask]').count()).toBe(1), soon);
});

test('a camera that hangs is said to hang, in the list, on its page and on the map', async () => {
  await go('/cameras');
  await vi.waitFor(async () => expect(await text(rowOf(gate))).toMatch(/离线|异常/), hung);
  await go(`/cameras/${gate}`);
  await vi.waitFor(async () => expect(await text('[data-trouble=link]')).toMatch(/没有应答/), soon);
  await go('/map/grounds');
  await page.waitForSelector(`[data-sector="${gate}"][data-state=unheard]`);
  await campus.turn('camera-gate-dead', 'off');
}, 150_000);

test('what it sees is on the map: the card shows it live, and keys and hand turn it', async () => {
  await go(`/map/grounds?device=${gate}`);
  await page.waitForSelector(`.map-card .kit-player[data-camera="${gate}"]`);
  if (hasFfmpeg) await page.waitForSelector('.map-card .kit-player[data-picture=true]');
  expect(await page.locator('.map-card-ways a').count()).toBe(4);
  await page.keyboard.press('Escape');
  await page.click('.map-controls button[aria-label="显示全图"]');
  const plan = await page.locator('.map-image').boundingBox();
  if (plan === null) throw new Error('there is no plan');
  // Within what it sees, where nothing else lies.
  await page.mouse.click(plan.x + 0.68 * plan.width, plan.y + 0.16 * plan.height);
  await page.waitForSelector('.map-card:has-text("操场摄像机")');
  await go('/map/grounds?edit=yes');
  await page.click(`.map-glyph[data-device="${gate}"]`);
  await page.click('[data-act=turn]');
  const before = await viewOfGate();
  await page.waitForSelector('.map-turning input:focus');
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
  await page.keyboard.press('Enter');
  await vi.waitFor(async () => expect((await viewOfGate())?.direction).toBe((before?.direction ?? 0) + 3), soon);
  await page.waitForSelector('.map-turning', { state: 'detached' });
  await page.click('.ant-notification button:has-text("撤销")');
  await vi.waitFor(async () => expect(await viewOfGate()).toEqual(before), soon);
  await page.click(`.map-glyph[data-device="camera-playground"]`);
  await page.click('[data-act=turn]');
  const handle = await page.locator('[data-pull=far]').boundingBox();
  if (handle === null) throw new Error('there is no handle');
  await page.mouse.move(handle.x + handle.width / 2, handle.y + handle.height / 2);
  await page.mouse.down();
  await page.mouse.move(handle.x - 40, handle.y + 30, { steps: 4 });
  await page.mouse.up();
  await page.waitForFunction(
    `Number(document.querySelector('.map-turning output').textContent.replace('°', '')) > 120`,
  );
  expect(await violations()).toEqual([]);
  await page.keyboard.press('Escape');
});

test('a camera of an incident that nobody took pulses on the map, until somebody takes it', async () => {
  await go('/map/grounds');
  await vi.waitFor(async () => {
    await campus.turn('person-gate', 'on');
    await page.waitForSelector(`[data-sector="${gate}"][data-pulsing=true] .map-sector-pulse`, { timeout: 4_000 });
  }, hung);
  // It answers again, and is heard as before.
  await page.waitForSelector(`[data-sector="${gate}"]:not([data-state=unheard])`);
  expect(await text('.map-legend')).toContain('有事件待认领');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  expect(await page.evaluate(`getComputedStyle(document.querySelector('.map-sector-pulse')).animationName`)).toBe(
    'none',
  );
  await page.emulateMedia({ reducedMotion: null });
}, 150_000);

test('a camera that the network knows is adopted from the inbox; its wrong password is called that', async () => {
  await go('/inbox');
  const card = page.locator('.inbox-card', { hasText: found.host });
  await card.waitFor({ timeout: 80_000 });
  await card.locator('button:has-text("接纳")').click();
  const field = (label: string) => page.locator('.inbox-adopt').getByLabel(label, { exact: true });
  await field('用户名').fill('admin');
  await field('密码').fill('yard-camera-31');
  await field('中文名称').fill('后院摄像机');
  await field('英文名称').fill('Yard camera');
  await field('分区').click();
  await page.click('.ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option:has-text("操场")');
  await page.click('.inbox-foot .ant-btn-primary');
  await page.waitForSelector('.inbox-adopted[data-back="true"]', { timeout: 60_000 });
  const adopted = (await campus.get<{ devices: { id: string; name: { zh: string } }[] }>('campus')).devices.find(
    ({ name }) => name.zh === '后院摄像机',
  );
  const id = adopted?.id ?? '';
  await page.keyboard.press('Escape');
  await go('/cameras');
  await vi.waitFor(async () => expect(await text(rowOf(id))).toMatch(/后院摄像机[\s\S]*在线/), soon);
  stranger.changePassword('somebody-else-4');
  await stranger.fault('reboot');
  await stranger.fault('none');
  await vi.waitFor(async () => expect(await text(rowOf(id))).toContain('密码错误'), hung);
  await go(`/cameras/${id}`);
  await vi.waitFor(async () => expect(await text('[data-trouble=link]')).toMatch(/拒绝用户名或密码/), soon);
  expect(stranger.passwordTries).toBeLessThanOrEqual(2);
}, 200_000);

test('on a phone all of it fits, in English too', async () => {
  const phone = await browser.open({ width: 390, height: 844, touch: true, language: 'en' });
  phone.page.setDefaultTimeout(40_000);
  await signIn(phone.page, campus.url, 'li');
  for (const [hash, ready] of [
    ['/cameras', '[data-camera-link]'],
    [`/cameras/${gate}`, '.cameras-share'],
    ['/map/grounds?device=camera-playground', '.map-card .kit-player'],
  ] as const) {
    await go(hash, phone.page);
    await phone.page.waitForSelector(ready);
    expect(await phone.page.evaluate('document.documentElement.scrollWidth'), hash).toBe(390);
    expect((await text('#content', phone.page)).replaceAll(/[“"].*?[”"]|后院摄像机/g, ''), hash).not.toMatch(
      /[\u3400-\u9fff]/,
    );
  }
  await phone.context.close();
});

test('had no error in the console and broke no policy in all of this', () => {
  // A picture that is not there yet is an answer, web starts again where a device is adopted, and who leaves a page may leave before
  // its live picture is there.
  const expected =
    /status of (404|503)|ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING)|closed before the connection is established/;
  expect(open.wrong.filter((one) => !expected.test(one))).toEqual([]);
});
