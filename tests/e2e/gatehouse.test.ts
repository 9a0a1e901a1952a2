import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Site } from '#edge/runtime/site.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/*
 * A shift at the gatehouse: what a camera sees, its live picture, turning it, what people make of it, what is taken out and proves
 * itself, the one-key alarm, the rounds, and what the audit says of all of it.
 */

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const campusCommand = join(import.meta.dirname, '../../edge/cli/campus.mjs');
const soon = { timeout: 30_000, interval: 200 } as const;
const gate = 'gate' as ZoneId;
/** The wet floor of the kitchen stands for a button: it can be pressed and let go from here. */
const button = 'leak-kitchen/water_leak' as PointRef;
let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

function withGatehouse({ city: _, energy: __, ...site }: Site): Site {
  const grouping = { zones: 'all', devices: 'all', during: null, within: 2_000, longest: 600_000 } as const;
  return {
    ...site,
    cameras: { ...site.cameras, freeSpaceFloor: 0 },
    flowRequests: [],
    flows: { ...site.flows, enabled: false },
    // What is not there raises alarms, and none of them is what this is about.
    devices: site.devices.filter(({ id }) => /^(camera-|switch-gate$|leak-kitchen$)/.test(id)),
    incidents: {
      ...site.incidents,
      rules: [
        { ...grouping, types: ['emergency'], class: 'critical', escalateAfter: null },
        { ...grouping, types: ['person', 'motion'], class: 'medium', escalateAfter: 600_000 },
      ],
    },
    panic: [
      { id: 'gatehouse', name: { zh: '值班室', en: 'Gatehouse' }, zone: gate, input: button, sound: null, cameras: [] },
    ],
    keyPlaces: [
      {
        ...{ id: 'main-gate', name: { zh: '校门口', en: 'Main gate' }, zone: gate, cameras: [], panic: ['gatehouse'] },
        ...{ patrols: 5, reader: null },
      },
    ],
  };
}

beforeAll(async () => {
  [campus, browser] = await Promise.all([
    startCampus({
      city: false,
      video: true,
      only: ['core', 'camera', 'media', 'web'],
      change: withGatehouse,
      onlyRules: {},
    }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  // Without an administrator the first page asks for one.
  await makePerson(campus, 'wang', '王敏', 'administrator');
  await makePerson(campus, 'li', '李强', 'security');
  await makePerson(campus, 'zhou', '周岚', 'auditor');
  open = await browser.open({ width: 1920, height: 1080, language: 'zh' });
  page = open.page;
  page.setDefaultTimeout(40_000);
  await signIn(page, campus.url, 'li');
}, 150_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
}, 30_000);

const go = (hash: string, on = page) => on.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
const text = async (selector: string, on = page) => (await on.locator(selector).first().innerText()).trim();
const rows = () => page.locator('.incidents-row').count();
const rest = () => page.mouse.move(4, 4);

/** The command line as whoever gets the file would run it. */
function campusCli(...args: string[]): Promise<{ readonly status: number; readonly said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [campusCommand, ...args], { timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code ?? -1), said: `${stdout}${stderr}` }),
    );
  });
}

/** What axe finds serious or critical, in words. */
async function violations(): Promise<unknown> {
  if (!(await page.evaluate<boolean>(`typeof axe === 'object'`))) await page.evaluate(axe);
  return page.evaluate(`axe.run('#content', { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')))`);
}

test('what a camera sees is an incident in the list, with its picture and its place, by itself', async () => {
  await go('/incidents');
  await page.waitForSelector('.incidents');
  // Its driver has to have found the camera first.
  await vi.waitFor(async () => {
    await campus.turn('person-gate', 'on');
    await page.waitForSelector('.incidents-row', { timeout: 3_000 });
  }, soon);
  await page.waitForSelector('.incidents-row img.incidents-thumbnail');
  expect(await text('.incidents-row-title a')).toMatch(/^校门：/);
  expect(await text('.incidents-row')).toMatch(/待认领[\s\S]*未查看[\s\S]*自动升级[\s\S]*校门摄像机/);
  expect(await violations()).toEqual([]);
});

test('one key opens it, one click shows its camera live, and the picture moves', async () => {
  await rest();
  await page.keyboard.press('j');
  await page.waitForSelector('.incidents-detail[data-state=new] img.incidents-picture');
  await page.click('.incidents-detail [data-way=live]');
  await page.waitForSelector('[data-large=camera-gate] .kit-player[data-state=running][data-picture=true]');
  const shown = () =>
    page.evaluate<{ frames: number; at: number }>(`(() => {
      const video = document.querySelector('.live-large video');
      return { frames: video.getVideoPlaybackQuality().totalVideoFrames, at: video.currentTime };
    })()`);
  const first = await shown();
  await vi.waitFor(async () => {
    const { frames, at } = await shown();
    expect(frames).toBeGreaterThan(first.frames + 15);
    expect(at).toBeGreaterThan(first.at + 1);
  }, soon);
  expect(await violations()).toEqual([]);
  await page.goBack();
});

test('with keys alone it is seen and claimed, and noted', async () => {
  await page.waitForSelector('.incidents-detail[data-state=new] img.incidents-picture');
  await page.keyboard.press('a');
  await page.waitForSelector('.incidents-course [data-did=seen]:has-text("李强")');
  await page.keyboard.press('c');
  await page.waitForSelector('.incidents-detail[data-state=claimed]');
  await page.fill('.incidents-note textarea', '送水车辆，已核对');
  await page.click('[data-act=note]');
  await page.waitForSelector('.incidents-course q:has-text("送水车辆，已核对")');
  expect(await violations()).toEqual([]);
});

test('its camera goes to the preset that is chosen beside its live picture, and the page says when it is there', async () => {
  const incident = page.url();
  await page.click('.incidents-detail [data-way=live]');
  await page.click('.live-presets button:has-text("Car park")');
  await vi.waitFor(async () => {
    const { movements, position } = await campus.camera('gate');
    expect(movements.at(-1)).toMatchObject({ operation: 'GotoPreset', detail: '2' });
    expect(position).toEqual({ pan: 0.5, tilt: -0.2, zoom: 0 });
  }, soon);
  await page.waitForSelector('[data-preset="2"][data-here=true]');
  await page.waitForSelector('.live-said:has-text("已转到位")');
  expect(await text('.live-last')).toMatch(/^上次转动：您，转到“Car park”/);
  await page.goBack();
  await page.waitForSelector('.incidents-detail[data-state=claimed]');
  expect(page.url()).toBe(incident);
});

test('it is resolved with what came of it', async () => {
  await page.focus('.incidents-row-title a');
  await page.keyboard.press('r');
  await page.click('.ant-modal label:has-text("误报")');
  await page.fill('.ant-modal textarea', '送水工');
  await page.click('.ant-modal .ant-btn-primary');
  await page.waitForSelector('.incidents-detail[data-state=resolved]');
  expect(await text('.incidents-course [data-did=resolved]')).toMatch(/李强[\s\S]*误报 · 送水工/);
});

test('its case is made with a reason and fetched; the command line says that it is whole, and of one altered byte that it is not', async () => {
  await page.click('[data-act=export]');
  await page.fill('.ant-modal input[type=text], .ant-modal input:not([type])', '家长询问');
  await page.click('.ant-modal .ant-btn-primary');
  await page.waitForSelector('[data-case][data-state=ready]', { timeout: 60_000 });
  expect(await text('[data-case]')).toMatch(/李强：家长询问[\s\S]*已加遮挡[\s\S]*SHA-256 [0-9a-f]{64}/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-case] a')]);
  expect(download.suggestedFilename()).toMatch(/^case-.+\.zip$/);
  const zip = join(campus.data, 'fetched.zip');
  await download.saveAs(zip);
  const fingerprint = /\b[0-9a-f]{2}(?::?[0-9a-f]{2}){15,}\b/i.exec(
    await text('.incidents-cases + .incidents-digest'),
  )?.[0];
  const verify = () => campusCli('case', 'verify', zip, '--key', fingerprint ?? 'none', '--lang', 'en');
  expect(await verify()).toMatchObject({
    status: 0,
    said: expect.stringContaining('as it was made, byte by byte, and signed by that campus'),
  });
  const bytes = readFileSync(zip);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(zip, bytes);
  expect(await verify()).toMatchObject({
    status: 1,
    said: expect.stringMatching(/footage\/camera-gate_\w+\.mp4: its content was altered/),
  });
});

test('new incidents wait above a list under somebody’s hand, and the filter is in the address', async () => {
  await go('/incidents?show=all');
  await page.waitForSelector('.incidents-row');
  const before = await rows();
  const top = await page.getAttribute('.incidents-row', 'data-incident');
  await vi.waitFor(async () => {
    await page.hover('.incidents-row-title >> nth=0');
    await page.mouse.move(600, 330 + Math.random() * 20);
    await campus.turn('person-playground', 'on');
    expect(await page.locator('.incidents-fresh').count()).toBe(1);
  }, soon);
  expect(await page.getAttribute('.incidents-row', 'data-incident')).toBe(top);
  await page.click('.incidents-fresh');
  await vi.waitFor(async () => expect(await rows()).toBeGreaterThan(before), soon);
  expect(await page.getAttribute('.incidents-row', 'data-incident')).not.toBe(top);
  await go('/incidents?show=all&zone=playground&seen=no');
  await vi.waitFor(async () => expect(await text('.incidents-row-title a')).toMatch(/^操场：/), soon);
  await go('/incidents?show=resolved&q=送水');
  await vi.waitFor(async () => expect(await rows()).toBe(1), soon);
});

test('a one-key alarm stands over every page, and ends by name and with a reason', async () => {
  await go('/');
  await campus.turn('leak-kitchen', 'on');
  await page.waitForSelector('[data-panic=gatehouse]');
  expect(await text('[data-panic]')).toMatch(/一键报警 · 校门 · 值班室[\s\S]*按下/);
  await go('/devices');
  await page.waitForSelector('[role=tree]');
  expect(await page.locator('[data-panic]').count()).toBe(1);
  expect(await violations()).toEqual([]);
  await page.click('[data-panic] [data-act=end]');
  const confirm = async () => {
    await page.fill('.ant-modal input:not([type=radio])', '误碰');
    await page.click('.ant-modal .ant-btn-dangerous');
  };
  await confirm();
  await page.waitForSelector('.ant-modal [role=alert]:has-text("仍处于按下状态")');
  await campus.turn('leak-kitchen', 'off');
  await vi.waitFor(async () => {
    if ((await page.locator('.ant-modal').count()) > 0) await confirm();
    await page.waitForSelector('[data-panic]', { state: 'detached', timeout: 3_000 });
  }, soon);
});

test('rounds are counted by place, and a void code on a wall is refused in words', async () => {
  await go('/patrols');
  await page.waitForSelector('[data-place=main-gate][data-done="0"]');
  await page.click('[data-place=main-gate] [data-act=check-in]');
  await page.click('.ant-modal .ant-btn-primary');
  await page.waitForSelector('[data-place=main-gate][data-done="1"]');
  expect(await text('[data-place=main-gate]')).toMatch(/1 \/ 5 次[\s\S]*还差 4 次[\s\S]*李强 · 值班台登记/);
  expect(await violations()).toEqual([]);
  await go('/patrol/main-gate/no-such-code');
  await page.click('[data-here] .ant-btn');
  await page.waitForSelector('[data-here] [role=alert]:has-text("已作废")');
});

/** As the audit has them, and as its page tells them. */
const deeds = {
  'look live camera-gate': '观看实时画面',
  'camera.turn camera-gate to preset 2': '转动摄像机',
  'incident.see': '查看事件',
  'incident.claim': '认领事件',
  'incident.note': '记录事件',
  'incident.resolve': '办结事件',
  'case.export': '导出证据包',
  'case.fetch': '下载证据包',
  'emergency.reset gatehouse': '解除一键报警',
  'patrol.check-in main-gate (desk)': '巡查登记',
};

test('the audit names each of these acts, and who did it', async () => {
  // As tall as all its lines.
  const { page: desk, context } = await browser.open({ width: 1366, height: 4_000, language: 'zh' });
  desk.setDefaultTimeout(40_000);
  await signIn(desk, campus.url, 'zhou');
  await go('/audit', desk);
  await desk.waitForSelector('.audit-open');
  await desk.fill('#audit-who', 'li');
  await desk.press('#audit-who', 'Enter');
  const told = async () => {
    const shown = await desk.locator('#content').innerText();
    const whole = await desk.evaluate<{ lines: { who: string; what: string }[] }>(
      `fetch('api/v1/audit?limit=200&who=person:li').then((answer) => answer.json())`,
    );
    const done = new Set(whole.lines.map(({ what }) => what.replace(/ [0-9a-f]{8}-.*$/, '')));
    for (const [what, deed] of Object.entries(deeds)) {
      expect([...done]).toContain(what);
      expect(shown).toMatch(new RegExp(`\\bli\\s+${deed}`));
    }
  };
  await vi.waitFor(told, soon);
  await context.close();
});
