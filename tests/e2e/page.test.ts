import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, findChromium, type OpenPage, startBrowser } from './browser.ts';

/* What a person in the gatehouse sees and does, in a real browser, on a whole running campus. */

const chromium = findChromium();
const soon = { timeout: 15_000, interval: 100 };

describe.skipIf(chromium === null)('the page', () => {
  let campus: RunningCampus;
  let browser: Browser;
  let open: OpenPage;
  let page: Page;
  const wrong = () => open.wrong.filter((text) => !text.includes('status of 404'));

  beforeAll(async () => {
    [campus, browser] = await Promise.all([startCampus({ city: false }), startBrowser()]);
    await vi.waitFor(async () => expect((await fetch(`${campus.url}/healthz`)).status).toBe(200), {
      timeout: 40_000,
      interval: 200,
    });
    open = await browser.open();
    page = open.page;
    page.setDefaultTimeout(15_000);
  }, 60_000);
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await campus?.[Symbol.asyncDispose]();
  });

  const token = () => readFileSync(join(campus.data, 'admin-token'), 'utf8').trim();
  // What runs in the browser is given as text: this program knows nothing of a DOM.
  const at = (selector: string) => `document.querySelector(${JSON.stringify(selector)})`;
  const text = (selector: string) => page.evaluate<string>(`${at(selector)}?.innerText ?? ''`);

  test('asks for the token, refuses a wrong one in Chinese, and shows the campus with the right one', async () => {
    await page.goto(campus.url);
    await page.fill('#token', 'not the token');
    await page.press('#token', 'Enter');
    await vi.waitFor(async () => expect(await text('#sign-in-error')).toBe('令牌不正确。'), soon);
    await page.fill('#token', token());
    await page.click('#sign-in button');
    await page.waitForSelector('#campus:not([hidden])');
    expect(await text('#campus-name')).toBe('青禾实验小学');
    expect(await text('#link')).toContain('核心在线');
    open.wrong.splice(0, open.wrong.length, ...open.wrong.filter((one) => !one.includes('status of 401')));
  });

  test('shows a value as it changes, in place, with its unit', async () => {
    const row = '[data-point="meter-main/power"]';
    await page.waitForSelector(row);
    await page.evaluate(`void (${at(row)}.dataset.marked = 'yes')`);
    await vi.waitFor(async () => expect(await text(`${row} .value`)).toMatch(/^[\d,.]+ W$/), soon);
    const before = await text(`${row} .value`);
    await vi.waitFor(async () => expect(await text(`${row} .value`)).not.toBe(before), soon);
    expect(await page.getAttribute(row, 'data-marked')).toBe('yes');
  });

  test('shows the time of the campus, not of the browser', async () => {
    const shown = await text('#clock');
    const now = new Intl.DateTimeFormat('zh-CN', { timeZone: 'Asia/Shanghai', dateStyle: 'full' }).format(Date.now());
    expect(shown).toContain(now);
  });

  test('reads a new alarm aloud, says what to do, and lets a person acknowledge it with a click', async () => {
    await campus.turn('leak-kitchen', 'on');
    const card = '[data-source="interlock:leak"]';
    await page.waitForSelector(card);
    expect(await text(`${card} .title`)).toContain('食堂厨房漏水');
    expect(await text(`${card} .next`)).toBe('处置：关闭厨房总水阀，通知后勤。');
    await vi.waitFor(async () => expect(await page.textContent('#announce')).toContain('新报警'), soon);
    await page.click(`${card} button:has-text("确认")`);
    await vi.waitFor(async () => expect(await text(card)).toContain('已确认 admin'), soon);
    const alarms = await campus.get<{ source: string; state: string }[]>('alarms?open=true');
    expect(alarms.find(({ source }) => source === 'interlock:leak')?.state).toBe('acknowledged');
  });

  test('shows the picture of a person at the gate', async () => {
    await campus.turn('person-gate', 'on');
    await vi.waitFor(async () => {
      const width = page.evaluate<number>(`${at('#events img')}?.naturalWidth ?? 0`);
      expect(await width).toBeGreaterThan(100);
    }, soon);
    // The list may move under the hand just then: a person clicks again.
    await vi.waitFor(async () => {
      await page.locator('#events .picture').first().click({ timeout: 1_000 });
      await page.waitForSelector('#picture-dialog[open]', { timeout: 1_000 });
    }, soon);
    await page.keyboard.press('Escape');
    await page.waitForSelector('#picture-dialog:not([open])', { state: 'attached' });
  });

  test('draws the curve of a value on a click', async () => {
    await page.click('[data-point="meter-main/power"] button');
    await page.waitForSelector('#curve svg polyline');
    await vi.waitFor(async () => expect(await text('#curve-note')).toMatch(/最小：.+ W · 最大：.+ W/), soon);
    await page.click('#curve-dialog [data-close]');
  });

  test('takes a request with a reason, shows who holds the output and why, and lets go again', async () => {
    await page.click('#free-summary');
    await page.click('[data-ref="relay-1/relay_3"] button:has-text("操作")');
    await page.click('#operate-dialog label:has-text("关")');
    await page.click('#operate-dialog [type=submit]');
    // Without a reason nothing is sent.
    expect(await page.locator('#operate-dialog[open]').count()).toBe(1);
    await page.fill('#operate-reason', '灯具检修');
    await page.press('#operate-reason', 'Enter');
    const row = '#held-outputs [data-ref="relay-1/relay_3"]';
    await vi.waitFor(
      async () => expect(await text(row)).toMatch(/为什么：灯具检修 · 人工（本页面） · 8 人工 · 至/),
      soon,
    );
    await vi.waitFor(async () => expect(await text(row)).toContain('✓ 已回读 关'), soon);
    await page.click(`${row} button:has-text("放弃")`);
    await page.waitForSelector(row, { state: 'detached' });
  });

  test('says why an interlock cannot be reset yet, and resets it once it can', async () => {
    await campus.turn('fire-panel', 'on');
    const card = '[data-source="interlock:fire"]';
    await page.click(`${card} button:has-text("复位")`);
    await page.fill('#reset-reason', '误报');
    await page.click('#reset-dialog [type=submit]');
    await vi.waitFor(async () => expect(await text('#reset-dialog .error')).toContain('未复位：原因仍然存在'), soon);
    await campus.turn('fire-panel', 'off');
    await vi.waitFor(async () => expect(await text('[data-point="fire-panel/alarm"] .value')).toBe('正常'), soon);
    await page.click('#reset-dialog [type=submit]');
    await page.waitForSelector('#reset-dialog:not([open])', { state: 'attached' });
  });

  test('speaks English at a click, with no Chinese left but names that have no other, and back', async () => {
    await page.click('#language');
    expect(await text('#alarms-title')).toContain('Alarms');
    expect(await text('#campus-name')).toBe('Qinghe Primary School');
    const english = (await text('body')).replace('中文', '');
    expect(english).not.toMatch(/[\u3400-\u9fff]/);
    await page.click('#language');
    const chinese = await text('body');
    const known =
      /English|CO₂|PM2\.5|MB|GATE|FIELD|kWh|admin|ppm|µg|Hz|[A-Z]\d\b|\blx\b|\bmV\b|\bvar\b|\bkvarh\b|\bVA\b/g;
    expect(chinese.replace(known, '')).not.toMatch(/[A-Za-z]{3,}/);
  });

  test('fits a phone without scrolling sideways, and everything that can be pressed there is 44 px high', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    const { width, low } = await page.evaluate<{ width: number; low: string[] }>(`({
      width: document.documentElement.scrollWidth,
      low: [...document.querySelectorAll('main .buttons button, .bar button, summary')]
        .filter((element) => element.offsetParent !== null && element.offsetHeight < 44)
        .map((element) => element.outerHTML),
    })`);
    expect(width).toBe(390);
    expect(low).toEqual([]);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  test('opens the flow editor from its button, live connection and all, for nobody else', async () => {
    const [editor] = await Promise.all([page.waitForEvent('popup'), page.click('#flows-link')]);
    await editor.waitForSelector('.red-ui-palette-node', { timeout: 25_000 });
    expect(editor.url().split('#')[0]).toBe(`${campus.url}/flows-editor/`);
    expect(await editor.evaluate(`fetch('/flows-editor/flows').then((answer) => answer.status)`)).toBe(200);
    expect(await editor.evaluate('document.cookie')).toBe('');
    await editor.close();
  });

  test('says that core is away while it is, marks what it shows, and is whole again afterwards', async () => {
    process.kill(campus.pid('core'), 'SIGKILL');
    await vi.waitFor(async () => expect(await text('#away')).toContain('核心进程暂时离线'), soon);
    await vi.waitFor(async () => expect(await text('#link')).toContain('核心在线'), { timeout: 25_000, interval: 100 });
    await page.waitForSelector('#away', { state: 'hidden' });
    const before = await text('[data-point="meter-main/power"] .value');
    await vi.waitFor(async () => expect(await text('[data-point="meter-main/power"] .value')).not.toBe(before), soon);
  });

  test('had no error in the console and broke no policy in all of this', () => {
    expect(wrong()).toEqual([]);
  });
});
