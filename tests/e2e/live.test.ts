import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Site } from '#edge/runtime/site.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/* Turning a camera from its live picture: a real browser, a real driver, a simulated head that says where it looks. */

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const soon = { timeout: 30_000, interval: 100 } as const;
let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

function camerasAlone({ city: _, energy: __, ...site }: Site): Site {
  return {
    ...site,
    devices: site.devices.filter(({ id }) => /^(camera-|switch-gate$)/.test(id)),
    flowRequests: [],
    flows: { ...site.flows, enabled: false },
    panic: [],
    keyPlaces: [],
  };
}

beforeAll(async () => {
  const only = ['core', 'camera', 'media', 'web'];
  [campus, browser] = await Promise.all([
    startCampus({ city: false, only, change: camerasAlone, onlyRules: {} }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  await makePerson(campus, 'wang', '王敏', 'administrator');
  await makePerson(campus, 'li', '李强', 'security');
  open = await browser.open({ width: 1366, height: 768, language: 'zh' });
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
const told = async () => (await campus.camera('gate')).movements.map(({ operation }) => operation);
const isMoving = async () => (await campus.camera('gate')).isMoving;
const moved = async (operation: string, detail = '') =>
  vi.waitFor(async () => {
    const { movements } = await campus.camera('gate');
    expect(movements.at(-1)).toMatchObject({ operation, detail: expect.stringContaining(detail) });
  }, soon);

/** It stops within moments, by our word and not because its own limit of seconds was over. */
async function stopped(): Promise<void> {
  await moved('Stop');
  expect(await isMoving()).toBe(false);
}

test('a camera that can turn is turned while a key or a button is held, and stops when it is let go of', async () => {
  await go('/live/camera-gate');
  await page.waitForSelector('.live-presets button');
  await page.keyboard.down('ArrowLeft');
  await moved('ContinuousMove', '-0.5 0 0');
  await page.waitForSelector('[data-turn=left][data-held=true]');
  await page.keyboard.up('ArrowLeft');
  await stopped();
  await page.hover('[data-turn=zoomIn]');
  await page.mouse.down();
  await moved('ContinuousMove', '0 0 0.5');
  await page.mouse.up();
  await stopped();
  expect(await text('.live-said')).toBe('已停止');
  expect(await text('.live-last')).toMatch(/^上次转动：您，手动转动/);
});

test('a hand that slips off, or a window that loses the keyboard, lets go of it', async () => {
  await page.hover('[data-turn=up]');
  await page.mouse.down();
  await moved('ContinuousMove', '0 0.5 0');
  await page.mouse.move(700, 700);
  await stopped();
  await page.mouse.up();
  await page.keyboard.down('ArrowRight');
  await moved('ContinuousMove', '0.5 0 0');
  await page.evaluate(`void dispatchEvent(new Event('blur'))`);
  await stopped();
  await page.keyboard.up('ArrowRight');
  expect((await told()).at(-1)).toBe('Stop');
});

test('digits go to presets and 0 goes home; the page says when it is there, and another who turned it', async () => {
  await page.keyboard.press('2');
  await moved('GotoPreset', '2');
  await page.waitForSelector('[data-preset="2"][data-here=true]');
  await vi.waitFor(async () => expect(await text('.live-said')).toBe('已转到位'), soon);
  await page.keyboard.press('0');
  await moved('GotoHomePosition');
  const other = await browser.open({ width: 390, height: 844, touch: true, language: 'en' });
  other.page.setDefaultTimeout(40_000);
  await signIn(other.page, campus.url, 'wang');
  await go('/live/camera-gate', other.page);
  await other.page.waitForSelector('.live-last');
  expect(await text('.live-last', other.page)).toMatch(/^Last turned by 李强, Home/);
  const width = await other.page.evaluate('document.documentElement.scrollWidth');
  expect(width).toBe(390);
  await other.context.close();
});

test('what the camera refuses is said in words', async () => {
  const answer = { outcome: 'refused', message: 'the camera has no preset "2": it has 1' };
  await page.route('**/api/v1/cameras/*/turn', (route) =>
    route.request().method() === 'POST' ? route.fulfill({ json: answer }) : route.continue(),
  );
  await page.click('[data-preset="2"]');
  await page.waitForSelector('.live-said[data-said=refused]:has-text("没有转动：摄像机里已没有这个预置位")');
  await page.unroute('**/api/v1/cameras/*/turn');
  await page.evaluate(axe);
  const found = await page.evaluate(`axe.run('#content', { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id }) => id))`);
  expect(found).toEqual([]);
});

test('a lost connection lets go of it, says so, and nothing goes on by itself when it is back', async () => {
  await page.keyboard.down('ArrowLeft');
  await moved('ContinuousMove', '-0.5 0 0');
  await open.context.setOffline(true);
  // Our word does not reach it any more: nobody asks again, and so it ends.
  await vi.waitFor(async () => expect(await isMoving()).toBe(false), soon);
  await page.waitForSelector('.live-said[data-said=refused]:has-text("没有转动：无法连接本机服务")');
  await page.waitForSelector('[data-turn=left][data-held=false]');
  await open.context.setOffline(false);
  const before = await told();
  await page.keyboard.up('ArrowLeft');
  await page.keyboard.press('1');
  await moved('GotoPreset', '1');
  expect((await told()).slice(before.length)).toEqual(['GotoPreset']);
});

test('from live one goes five minutes back; what cannot be turned, or may not, has nothing to turn it with', async () => {
  const about = Date.now() - 300_000;
  await page.click('[data-act=playback]');
  await vi.waitFor(() => expect(page.url()).toMatch(/#\/footage\?cameras=camera-gate&at=\d+/), soon);
  const at = Number(new URLSearchParams(page.url().split('?')[1]).get('at'));
  expect(Math.abs(at - about)).toBeLessThan(60_000);
  for (const change of [{ ptz: null }, { may: { live: true, playback: true, turn: false } }]) {
    await page.route('**/api/v1/cameras', async (route) => {
      const answer = await route.fetch();
      const list = (await answer.json()) as { readonly cameras: readonly object[] };
      await route.fulfill({ json: { ...list, cameras: list.cameras.map((camera) => ({ ...camera, ...change })) } });
    });
    await go('/live/camera-gate');
    await page.reload();
    await page.waitForSelector('[data-large=camera-gate]');
    expect(await page.locator('.live-turning').count()).toBe(0);
    await page.unroute('**/api/v1/cameras');
  }
});
