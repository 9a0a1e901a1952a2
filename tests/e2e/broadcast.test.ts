import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import type * as shapes from '#edge/web/broadcast-schemas.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, prepareChromium, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';
import { vouchedFolder } from './vouched.ts';

/* The page of broadcast in a real browser, on a campus whose loudspeakers are heard: a clip, a text, stop, volume, quiet, and why. */

const soon = { timeout: 40_000, interval: 150 };
const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');
type Now = z.infer<typeof shapes.broadcastNow>;
type Levels = z.infer<typeof shapes.levelsView>;

let data = '';
let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

const gate = '[data-room="speaker-gate"]';
const teaching = '[data-room="speaker-teaching"]';
const go = (hash: string, on = page) => on.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
const text = async (selector: string, on = page) => (await on.locator(selector).first().innerText()).trim();
const act = (what: string, on = page) => on.click(`[data-act=${what}]`);
const now = () => campus.get<Now>('broadcast/now');
const playing = async (device: string) => (await now()).rooms.find((room) => room.device === device)?.playing ?? null;
/** Chooses these rooms and no others. */
async function choose(...rooms: readonly string[]): Promise<void> {
  await page.keyboard.press('Escape');
  for (const room of rooms) await page.click(`${room} .broadcast-pick`);
  await page.waitForSelector(`.broadcast-actions[data-chosen="${rooms.length}"]`);
}
/** Presses the button of the dialog and waits until it has done it. */
async function confirm(): Promise<void> {
  await page.click('.ant-modal .ant-modal-footer .ant-btn-primary');
  await page.waitForSelector('.ant-modal', { state: 'detached' });
}
async function pick(label: string, choice: string): Promise<void> {
  await page.getByLabel(label, { exact: true }).click();
  await page
    .locator('.ant-select-dropdown:not(.ant-select-dropdown-hidden)')
    .locator('.ant-select-item-option-content')
    .getByText(choice, { exact: true })
    .click();
}
async function stopAll(): Promise<void> {
  for (const { id } of (await now()).items) await campus.post(`broadcast/items/${id}/stop`, { why: 'a test' });
  await vi.waitFor(async () => expect((await now()).items).toEqual([]), soon);
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
    startCampus({ data, only: ['core', 'web', 'broadcast'], city: false, onlyRules: {} }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  for (const [id, who, role] of [
    ['wang', '王敏', 'administrator'],
    ['chen', '陈静', 'timetable'],
    ['zhao', '赵宁', 'viewer'],
  ] as const)
    await makePerson(campus, id, who, role);
  await vi.waitFor(async () => expect((await now()).rooms.every(({ online }) => online === true)).toBe(true), soon);
  open = await browser.open({ width: 1366, height: 768, language: 'zh' });
  page = open.page;
  page.setDefaultTimeout(30_000);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await signIn(page, campus.url, 'chen');
  await go('/broadcast');
  await page.waitForSelector(gate);
}, 150_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
  rmSync(data, { recursive: true, force: true });
}, 30_000);

test('every loudspeaker is there by its zone, silent, and nothing can be done before one is chosen', async () => {
  expect(await page.locator('[data-room]').count()).toBe((await now()).rooms.length);
  expect(await text(gate)).toContain('校门广播');
  expect(await text(gate)).toContain('空闲');
  expect(await page.locator('.broadcast-now').innerText()).toContain('现在没有广播');
  expect(await page.locator('[data-act=talk]').isDisabled()).toBe(true);
});

test('rooms are chosen by a click, by their zone, all at once, and by keys', async () => {
  await choose(gate, teaching);
  await page.click(`${teaching} .broadcast-pick`);
  await page.waitForSelector('.broadcast-actions[data-chosen="1"]');
  await page.click('[data-group=teaching] > header button');
  await page.waitForSelector('.broadcast-actions[data-chosen="2"]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.broadcast-actions[data-chosen="0"]');
  await page.locator('.broadcast-pick').first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await page.waitForSelector('.broadcast-actions[data-chosen="1"]');
  const second = await page.locator('[data-room]:has([aria-pressed=true])').getAttribute('data-room');
  expect(second).not.toBe(await page.locator('[data-room]').first().getAttribute('data-room'));
  await page.keyboard.press('a');
  await page.waitForSelector(`.broadcast-actions[data-chosen="${(await now()).rooms.length}"]`);
});

test('one classroom is paged by a clip, said before, seen and heard there alone, and stopped', async () => {
  await choose(gate);
  await act('play');
  expect(await text('.broadcast-impact')).toContain('1 个房间立即听到');
  await pick('音频', (await clipName('evacuation')) ?? 'evacuation');
  await page.getByText('循环播放，直到停止').click();
  await page.fill('.ant-modal input[maxlength="300"]', '家长接孩子');
  await confirm();
  await page.waitForSelector(`${gate}[data-tone=page]`);
  await vi.waitFor(async () => expect(await text(gate)).toContain('由您播放'), soon);
  expect(await text('.broadcast-item')).toContain('家长接孩子');
  expect(await playing('speaker-gate')).toMatchObject({ class: 'page', by: 'person:chen', why: '家长接孩子' });
  expect(await playing('speaker-teaching')).toBeNull();
  await vi.waitFor(async () => {
    const heard = (await campus.heard()).filter(({ silentSince, packets }) => silentSince === null && packets > 20);
    expect(heard).toHaveLength(1);
  }, soon);
  await act('stop');
  expect(await text('.ant-modal')).toContain('将在 1 个房间立即停止');
  await confirm();
  await page.waitForSelector(`${gate}[data-tone=idle]`);
  expect((await now()).items).toEqual([]);
}, 60_000);

test('a bell waits behind a page, and the room says why it plays and what waits', async () => {
  const put = (body: object) => campus.post('broadcast/play', { devices: ['speaker-gate'], loop: true, ...body });
  await put({ clips: ['eyes'], name: { zh: '集合通知', en: 'Assembly' }, why: '升旗' });
  await page.waitForSelector(`${gate}[data-tone=page]`);
  await choose(gate, teaching);
  await act('play');
  await pick('类别', '节目');
  await vi.waitFor(async () => expect(await text('.broadcast-impact')).toContain('先等“集合通知”播完'), soon);
  await pick('音频', (await clipName('tune')) ?? 'tune');
  await page.getByText('循环播放，直到停止').click();
  await confirm();
  await vi.waitFor(async () => expect(await text(gate)).toContain('后面还有 1 项等候'), soon);
  expect((await playing('speaker-teaching'))?.class).toBe('programme');
  await page.click(`${gate} [data-act=why]`);
  const drawer = page.locator('.broadcast-drawer');
  await vi.waitFor(async () => expect(await drawer.innerText()).toMatch(/集合通知.*由程序.*等候/s), soon);
  expect(await drawer.innerText()).toContain('等“集合通知”');
  expect(await drawer.innerText()).toContain('“集合通知”开始播放');
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.waitForSelector('.broadcast-drawer .ant-drawer-body', { state: 'detached' });
  await stopAll();
}, 60_000);

test('a text is typed, heard before it is sent, and spoken in a room', async () => {
  await choose(teaching);
  await act('speak');
  await page.locator('.ant-modal .ant-btn-primary').click();
  await vi.waitFor(async () => expect(await text('.ant-modal [role=alert]')).toContain('请输入内容'), soon);
  await page.fill('.ant-modal textarea', '请三年级二班的同学到操场集合。');
  const made = page.waitForResponse((answer) => answer.url().endsWith('/broadcast/clips/preview'));
  await act('preview');
  const preview = await made;
  expect([preview.status(), preview.headers()['content-type']]).toEqual([200, expect.stringContaining('audio/')]);
  await confirm();
  await vi.waitFor(async () => {
    const items = (await now()).items.map(({ name, class: soundClass }) => [soundClass, name.zh]);
    const { recent } = await campus.get<z.infer<typeof shapes.whyView>>('broadcast/why/speaker-teaching');
    // It may be over already.
    expect(items.length + recent.filter(({ class: soundClass }) => soundClass === 'page').length).toBeGreaterThan(0);
  }, soon);
  const { recent } = await campus.get<z.infer<typeof shapes.whyView>>('broadcast/why/speaker-teaching');
  expect(recent.some(({ kind, class: soundClass }) => kind === 'begun' && soundClass === 'page')).toBe(true);
  await stopAll();
}, 90_000);

test('the chosen rooms become quieter, and the page of loudness says so', async () => {
  await choose(gate);
  await act('volume');
  const handle = page.locator('.ant-modal [role=slider]');
  await handle.focus();
  for (let presses = 0; presses < 10; presses++) await page.keyboard.press('ArrowLeft');
  await vi.waitFor(async () => expect(await text('.ant-modal output')).toBe('50%'), soon);
  await confirm();
  expect((await campus.get<Levels>('broadcast/levels')).body.devices).toEqual({ 'speaker-gate': 50 });
  await go('/broadcast?tab=levels');
  await vi.waitFor(async () => expect(await text('.broadcast-own')).toMatch(/校门广播.*50%/s), soon);
  await act('add-cap');
  await act('save-levels');
  await vi.waitFor(
    async () => expect((await campus.get<Levels>('broadcast/levels')).body.caps).toMatchObject([{ most: 40 }]),
    soon,
  );
  expect(await violations(page)).toEqual([]);
  await go('/broadcast');
  await page.waitForSelector(gate);
}, 60_000);

test('a room is kept quiet: who would speak there is told before, a page is not heard, and it is ended by hand', async () => {
  await choose(teaching);
  await act('quiet');
  await page.locator('.ant-modal input:not([type]), .ant-modal input[type=text]').last().fill('公开课录像');
  await confirm();
  await page.waitForSelector(`${teaching}[data-tone=quiet]`);
  expect(await text(teaching)).toContain('录课静音');
  await choose(teaching);
  await act('play');
  expect(await text('.broadcast-impact')).toContain('1 个房间正在录课，听不到');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.ant-modal', { state: 'detached' });
  await go('/broadcast?tab=quiets');
  await vi.waitFor(async () => expect(await text('.broadcast')).toContain('公开课录像'), soon);
  expect(await violations(page)).toEqual([]);
  await act('end-quiet');
  await confirm();
  await go('/broadcast');
  await page.waitForSelector(`${teaching}[data-tone=idle]`);
}, 60_000);

test('a clip is dragged from the shelf onto a zone', async () => {
  await page.locator('[data-clip=bell] .broadcast-clip').dragTo(page.locator('[data-group=gate] > header'));
  await page.waitForSelector('.ant-modal .broadcast-impact');
  expect(await text('.broadcast-where')).toContain('校门广播');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.ant-modal', { state: 'detached' });
});

test('rooms are chosen on the plan, where they lie, and say there what plays', async () => {
  const token = readFileSync(join(campus.data, 'admin-token'), 'utf8').trim();
  const send = async (method: string, path: string, type: string, body: string) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': type };
    const answer = await fetch(`${campus.url}/api/v1/plans${path}`, { method, headers, body });
    expect(answer.ok, `${path} ${await answer.clone().text()}`).toBe(true);
  };
  const drawing =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 500" width="900" height="500"><path fill="none" stroke="#777" stroke-width="3" d="M60 60h520v260H60zM60 190h520M240 60v260M420 60v260M640 120h200v280H640z"/></svg>';
  const names = new URLSearchParams({ id: 'sound-plan', zh: '校园总平面', en: 'Grounds' });
  await send('POST', `?${names}`, 'image/svg+xml', drawing);
  const places = { 'speaker-gate': [0.82, 0.8], 'speaker-teaching': [0.25, 0.3] } as const;
  for (const [device, [x, y]] of Object.entries(places))
    await send('PUT', `/sound-plan/places/${device}`, 'application/json', JSON.stringify({ x, y }));
  await page.keyboard.press('Escape');
  await page.reload();
  await page.locator('.broadcast-bar').getByText('平面图', { exact: true }).click();
  await page.waitForSelector(`.broadcast-plan ${gate}`);
  expect(await page.locator('[data-unplaced]').count()).toBe(1);
  await page.click(`.broadcast-plan ${gate}`);
  await page.waitForSelector(`.broadcast-plan ${gate}[aria-pressed=true]`);
  await page.waitForSelector('.broadcast-actions[data-chosen="1"]');
  const { item } = await campus.post<z.infer<typeof shapes.played>>('broadcast/play', {
    ...{ clips: ['evacuation'], loop: true, devices: ['speaker-teaching'], why: 'seen on the plan' },
  });
  await page.waitForSelector(`.broadcast-plan ${teaching}[data-tone=page]`, { timeout: 20_000 });
  // A box that is drawn over the whole plan chooses both.
  const box = await page.locator('.broadcast-plan').boundingBox();
  if (box === null) throw new Error('the plan is not seen');
  await page.mouse.move(box.x + 6, box.y + 6);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 6, box.y + box.height - 6, { steps: 5 });
  await page.mouse.up();
  await page.waitForSelector('.broadcast-actions[data-chosen="2"]');
  expect(await violations(page)).toEqual([]);
  await campus.post(`broadcast/items/${item}/stop`, { why: 'seen' });
  await page.waitForSelector(`.broadcast-plan ${teaching}[data-tone=idle]`, { timeout: 20_000 });
  await page.locator('.broadcast-bar').getByText('按分区', { exact: true }).click();
  await page.waitForSelector('.broadcast-grid');
}, 90_000);

test('a text of an emergency stands over every tab until it ends', async () => {
  const { item } = await campus.post<{ item: string }>('broadcast/play', {
    ...{ class: 'danger', clips: ['lockdown'], zones: 'all', loop: true, name: { zh: '封闭校园', en: 'Lockdown' } },
  });
  await page.waitForSelector('.broadcast-emergency');
  await go('/broadcast?tab=levels');
  await page.waitForSelector('.broadcast-levels');
  expect(await text('.broadcast-emergency')).toContain('封闭校园');
  expect(await page.locator('.broadcast-emergency a').getAttribute('href')).toBe('#/emergency');
  await go('/broadcast');
  await page.waitForSelector(`${gate}[data-tone=emergency]`);
  // Whoever makes timetables has no right to end it.
  expect(await page.locator(`[data-item="${item}"] [data-act=stop]`).count()).toBe(0);
  expect(await violations(page)).toEqual([]);
  await stopAll();
  await page.waitForSelector('.broadcast-emergency', { state: 'detached' });
}, 60_000);

test('whoever may only look sees what plays and finds nothing to press; in English and on a phone too', async () => {
  const other = await browser.open({ width: 390, height: 844, touch: true, language: 'en', dark: true });
  other.page.setDefaultTimeout(30_000);
  await other.page.emulateMedia({ reducedMotion: 'reduce', colorScheme: 'dark' });
  await signIn(other.page, campus.url, 'zhao');
  await go('/broadcast', other.page);
  await other.page.waitForSelector(gate);
  expect(await text(gate, other.page)).toContain('Gate speaker');
  expect(await other.page.locator('.broadcast-actions, .broadcast-shelf, [data-act=stop]').count()).toBe(0);
  expect(await other.page.evaluate(`document.documentElement.scrollWidth <= innerWidth`)).toBe(true);
  expect(await violations(other.page)).toEqual([]);
  await other.context.close();
}, 60_000);

test('one speaks into a classroom, which hears it and no other does, and it is said what hears it', async () => {
  const { executablePath, env } = await prepareChromium();
  // Its microphone beeps; nobody is asked whether it may be used.
  const flags = ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
  await using chrome = await chromium.launch({ executablePath, args: flags, env: { ...process.env, ...env } });
  const context = await chrome.newContext({ locale: 'zh-CN', viewport: { width: 1366, height: 768 } });
  const mine = await context.newPage();
  mine.setDefaultTimeout(30_000);
  await signIn(mine, campus.url, 'chen');
  await go('/broadcast', mine);
  await mine.click(`${gate} .broadcast-pick`);
  await act('talk', mine);
  expect(await text('.broadcast-impact', mine)).toContain('1 个房间立即听到');
  const before = await campus.heard();
  await act('talk-begin', mine);
  await mine.waitForSelector('[data-talk=speaking]');
  await vi.waitFor(async () => expect(await text('[data-talk]', mine)).toContain('1 个房间中 1 个正在播放'), soon);
  expect(await playing('speaker-gate')).toMatchObject({ class: 'page', by: 'person:chen' });
  await vi.waitFor(async () => {
    const grown = (await campus.heard()).filter(({ packets }, n) => packets > (before[n]?.packets ?? 0) + 20);
    expect(grown).toHaveLength(1);
  }, soon);
  expect(await violations(mine)).toEqual([]);
  await act('talk-end', mine);
  await mine.waitForSelector('[data-talk=over]');
  expect(await text('[data-talk=over]', mine)).toContain('喊话已结束');
  await page.waitForSelector(`${gate}[data-tone=idle]`);
}, 90_000);

test('nothing went wrong in the browser meanwhile', () => {
  // Chromium without a sound card cannot play what was made to be heard before.
  expect(open.wrong.filter((line) => !/play\(\)|audio|NotSupported/i.test(line))).toEqual([]);
});

/** What a clip is called on the shelf. */
async function clipName(id: string): Promise<string | undefined> {
  return (await page.locator(`[data-clip="${id}"] .broadcast-clip > span`).first().innerText()).trim();
}
