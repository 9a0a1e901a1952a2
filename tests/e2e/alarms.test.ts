import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Alarm, AlarmClass } from '#edge/domain/alarm.ts';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import type { Site } from '#edge/runtime/site.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/* The list a guard works from, in a real browser on a running campus: what comes, what he does about it, what was. */

const soon = { timeout: 30_000, interval: 150 };
const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');

let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

const isTrue = (ref: string): RuleBody => ({ kind: 'point', points: ref, test: { is: true }, onBad: 'hold' });
const rule = (id: string, severity: AlarmClass, when: RuleBody, zh: string, next: string): RuleBody => ({
  rule: 1,
  id,
  name: { zh, en: id },
  kind: 'safety',
  priority: severity === 'critical' ? 1 : 5,
  latch: id === 'fire',
  when,
  then: [{ kind: 'alarm', class: severity, message: { zh, en: id }, next: { zh: next, en: next } }],
});
const someone = { kind: 'event', type: 'person', device: 'camera-playground', for: '15min' };
const onlyRules = {
  playground: rule('playground', 'low', someone, '操场有人', '查看画面。'),
  late: rule('late', 'high', isTrue('pir-101/occupancy'), '101 教室放学后有人', '查看教室并锁门。'),
  smoke: rule('smoke', 'critical', isTrue('smoke-101/smoke'), '有烟感探测器报警', '立即查看现场。'),
  fire: rule('fire', 'critical', isTrue('fire-panel/alarm'), '火灾', '组织疏散；确认安全后复位联锁。'),
};

/** Cameras and sensors alone, and alarms that only the switches of the virtual campus raise. */
function quietSite({ city: _, energy: __, ...site }: Site): Site {
  return {
    ...site,
    devices: site.devices.filter(({ id }) => /^(camera|smoke|pir)-|^fire-panel$/.test(id)),
    flowRequests: [],
    flows: { ...site.flows, enabled: false },
  };
}

beforeAll(async () => {
  [campus, browser] = await Promise.all([startCampus({ city: false, change: quietSite, onlyRules }), startBrowser()]);
  await waitForCampus(campus);
  await makePerson(campus, 'lin', '林涛', 'administrator');
  await makePerson(campus, 'zhou', '周强', 'security');
  await makePerson(campus, 'zhao', '赵宁', 'viewer');
  const walkThrough = async () => {
    await campus.turn('person-playground', 'on');
    return alarm('playground');
  };
  // Until its driver has found the camera.
  const first = await vi.waitFor(walkThrough, { timeout: 60_000, interval: 1_000 });
  await campus.post(`alarms/${first.id}/acknowledge`, { note: '体育课' });
  open = await browser.open({ width: 1366, height: 768 });
  page = open.page;
  page.setDefaultTimeout(15_000);
  await signIn(page, campus.url, 'zhou');
  await go('/alarms');
  await page.waitForSelector('.alarms');
}, 120_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
}, 30_000);

const go = (hash: string) => page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
const text = async (selector: string) => (await page.locator(selector).first().innerText()).trim();
const row = (source: string) => `.alarms-row[data-source="interlock:${source}"]`;
const sources = () =>
  page
    .locator('.alarms-row')
    .evaluateAll<string[], void>((rows) => rows.map((one) => (one as unknown as DataRow).dataset.source ?? ''));
const alarm = async (source: string) => {
  const found = (await campus.get<Alarm[]>('alarms')).find((one) => one.source === `interlock:${source}`);
  if (found === undefined) throw new Error(`there is no alarm of ${source}`);
  return found;
};
const pointAway = () => page.mouse.move(100, 700);

interface DataRow {
  readonly dataset: { readonly source?: string };
}

test('what was seen stays in the list until it is over, with its picture; a filter that leaves it out says so', async () => {
  await pointAway();
  await page.waitForSelector(row('playground'));
  expect(await text('.kit-page-header p')).toBe('0 条待确认 · 共 1 条');
  expect(await text('.alarms-pane')).toContain('选择一条报警查看详情');
  const loaded = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
  await page.click(`${row('playground')} .alarms-row-title a`);
  await vi.waitFor(async () => expect(await loaded(`${row('playground')} img`)).toBeGreaterThan(0), soon);
  await vi.waitFor(async () => expect(await loaded('.alarms-picture img')).toBeGreaterThan(0), soon);
  expect(await text('[data-moment=acknowledged]')).toContain('体育课');
  await go('/alarms?class=critical');
  await vi.waitFor(async () => expect(await text('.alarms-side')).toContain('有 1 条报警不符合所选条件'), soon);
  await page.click('.alarms-side .ant-btn');
  await page.waitForSelector(row('playground'));
});

test('a new alarm appears by itself, on top, with what to do and where, and is counted in the title of the window', async () => {
  await pointAway();
  await campus.turn('pir-101', 'on');
  await page.waitForSelector(row('late'));
  const words = await text(row('late'));
  for (const part of ['高', '101 教室放学后有人', '查看教室并锁门。', '未确认', '教学楼'])
    expect(words).toContain(part);
  expect(await sources()).toEqual(['interlock:late', 'interlock:playground']);
  await vi.waitFor(async () => expect(await page.title()).toBe('(1) 报警'), soon);
});

test('the arrow chooses, one key acknowledges, and the note goes along', async () => {
  await page.keyboard.press('ArrowDown');
  const { id } = await alarm('late');
  await page.waitForSelector(`[data-detail="${id}"]`);
  expect(page.url()).toContain(`#/alarms/${id}`);
  await page.fill('#alarms-note', '已请门卫查看');
  await page.click('.alarms-detail h2');
  await page.keyboard.press('a');
  await page.waitForSelector(`${row('late')}[data-state=acknowledged]`);
  expect(await text('[data-moment=acknowledged]')).toContain('已请门卫查看');
  expect((await alarm('late')).acknowledged).toMatchObject({ by: 'zhou', note: '已请门卫查看' });
  await vi.waitFor(async () => expect(await page.title()).toBe('报警'), soon);
});

test('what comes while somebody points at the list waits behind a pill, and no line moves', async () => {
  const place = async () => page.locator(row('late')).boundingBox();
  const before = await place();
  const point = () => page.mouse.move(500 + Math.random() * 60, (before?.y ?? 0) + 40);
  await point();
  await campus.turn('smoke-101', 'on');
  // The list lets go after a rest: a hand that works moves.
  await vi.waitFor(async () => {
    await point();
    expect(await page.locator('[data-fresh]').count()).toBe(1);
  }, soon);
  expect(await text('[data-fresh]')).toBe('↑ 1 条新报警，其中 1 条紧急');
  expect(await sources()).toEqual(['interlock:late', 'interlock:playground']);
  expect(await place()).toEqual(before);
  await page.click('[data-fresh]');
  await page.waitForSelector(row('smoke'));
  expect((await sources())[0]).toBe('interlock:smoke');
});

test('shelving asks why and for how long within the limit of the class, and the shelf says what is left', async () => {
  await page.click(`${row('late')} .alarms-row-title a`);
  await page.keyboard.press('s');
  await page.waitForSelector('.ant-modal input[aria-required=true]');
  expect(await text('.ant-modal')).toContain('此等级最长可搁置 8 小时');
  await page.click('.ant-modal .ant-btn-primary');
  await vi.waitFor(async () => expect(await text('.ant-modal')).toContain('请填写原因'), soon);
  await page.fill('.ant-modal input[aria-required=true]', '正在维修门锁');
  await page.press('.ant-modal input[aria-required=true]', 'Enter');
  await page.waitForSelector(row('late'), { state: 'detached' });
  await page.click('.ant-segmented-item:has-text("已搁置")');
  await page.waitForSelector(row('late'));
  expect(await text(row('late'))).toMatch(/搁置到 .+还剩 1\d 分钟/);
  expect(await text('[data-moment=shelved]')).toContain('正在维修门锁');
  await page.click(`${row('late')} .alarms-row-button`);
  await vi.waitFor(async () => expect((await alarm('late')).shelved).toBeUndefined(), soon);
  await page.click('.ant-segmented-item:has-text("当前")');
  await page.waitForSelector(row('late'));
});

test('a critical alarm is heard until somebody asks for two quiet minutes; a new one ends them', async () => {
  await pointAway();
  await page.click('.alarms-silence');
  expect(await text('[data-silenced]')).toMatch(/^已静音，还剩 [12] 分钟/);
  // The life-safety one cannot be shelved: it says why in words.
  await page.click(`${row('smoke')} .alarms-row-title a`);
  await page.keyboard.press('s');
  await page.fill('.ant-modal input[aria-required=true]', '误报');
  await page.click('.ant-modal .ant-btn-primary');
  await vi.waitFor(async () => expect(await text('.ant-modal')).toContain('不能搁置，只能确认'), soon);
  expect(await text('.ant-modal')).toContain('此等级最长可搁置 1 小时');
  await page.click('.ant-modal-footer .ant-btn:not(.ant-btn-primary)');
  await page.waitForSelector('.ant-modal', { state: 'hidden' });
  await campus.turn('fire-panel', 'on');
  await page.waitForSelector('[data-silenced]', { state: 'detached' });
  await page.waitForSelector('.alarms-silence');
});

test('several are acknowledged at once, with one note', async () => {
  await pointAway();
  await page.waitForSelector(row('fire'));
  await page.click('.alarms-bulk .ant-checkbox-wrapper');
  await page.fill('.alarms-bulk input[type=text]', '演练');
  await page.click('.alarms-bulk .ant-btn-primary');
  await vi.waitFor(async () => {
    for (const source of ['smoke', 'fire']) {
      expect((await alarm(source)).acknowledged?.note).toBe('演练');
    }
  }, soon);
  await vi.waitFor(async () => expect(await page.title()).toBe('报警'), soon);
});

test('an interlock that stays is reset from its alarm: refused with the reason while its cause stands', async () => {
  await page.click(`${row('fire')} .alarms-row-title a`);
  const reset = async () => {
    await page.click('.alarms-do .ant-btn-dangerous');
    await page.fill('.ant-modal input[aria-required=true]', '现场已确认安全');
    await page.click('.ant-modal .ant-btn-primary');
  };
  await reset();
  await vi.waitFor(async () => expect(await text('.ant-modal .kit-form-error')).toContain('的原因仍然存在'), soon);
  await page.click('.ant-modal-footer .ant-btn:not(.ant-btn-primary)');
  await page.waitForSelector('.ant-modal', { state: 'hidden' });
  await campus.turn('smoke-101', 'off');
  await campus.turn('fire-panel', 'off');
  await vi.waitFor(async () => expect((await alarm('smoke')).state).toBe('normal'), soon);
  await reset();
  await page.waitForSelector('.alarms-detail[data-state=normal]');
  await page.waitForSelector('[data-moment=ended]');
});

test('looking back filters by class and time, keeps that in the address, and opens what is over', async () => {
  await go('/alarms?view=history');
  await page.waitForSelector('[data-history]');
  await vi.waitFor(async () => expect(await page.locator('[data-history]').count()).toBeGreaterThanOrEqual(4), soon);
  await page.click('.alarms-filter .ant-select >> nth=0');
  await page.click('.ant-select-item-option:has-text("紧急")');
  await vi.waitFor(() => expect(page.url()).toContain('class=critical'), soon);
  await page.keyboard.press('Escape');
  await vi.waitFor(async () => expect(await page.locator('[data-history]').count()).toBe(2), soon);
  await page.click('.ant-segmented-item:has-text("近 7 天")');
  await vi.waitFor(() => expect(page.url()).toMatch(/from=\d+/), soon);
  await page.reload();
  await vi.waitFor(async () => expect(await page.locator('[data-history]').count()).toBe(2), soon);
  await page.click(`[data-history="${(await alarm('smoke')).id}"]`);
  await page.waitForSelector('.alarms-detail[data-state=normal]');
  const chart = await page.getAttribute('.alarms-jumps .kit-button', 'href');
  expect(chart).toMatch(/^#\/points\/smoke-101\/smoke\?from=\d+&to=\d+$/);
});

test('one that is not there says so instead of an empty page', async () => {
  await go('/alarms/0190a1b2-0000-7000-8000-000000000000');
  await vi.waitFor(async () => expect(await text('.alarms-pane')).toContain('没有这条报警'), soon);
});

test('axe finds nothing serious in list, details and history, in light and in dark', async () => {
  const violations = async () => {
    await page.evaluate(axe);
    return page.evaluate(`axe.run('#content', { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')))`);
  };
  for (const theme of ['light', 'dark']) {
    await page.evaluate(`localStorage.setItem('campus.theme', '${theme}')`);
    await page.reload();
    const detail = `/alarms/${(await alarm('late')).id}`;
    for (const hash of theme === 'light' ? [detail, '/alarms?view=history', '/alarms?view=shelved'] : [detail]) {
      await go(hash);
      await page.waitForSelector('.alarms-side .alarms-row, .alarms-side [data-history], .alarms-side .kit-empty');
      expect(await violations()).toEqual([]);
    }
  }
}, 60_000);

test('on a phone it fits, is pressed with a thumb, and whoever may only look has no buttons', async () => {
  const phone = await browser.open({ width: 390, height: 844, touch: true });
  phone.page.setDefaultTimeout(30_000);
  await signIn(phone.page, campus.url, 'zhao');
  await phone.page.goto(`${campus.url}/#/alarms`);
  await phone.page.waitForSelector(row('late'));
  const { width, low } = await phone.page.evaluate<{ width: number; low: string[] }>(`({
    width: document.documentElement.scrollWidth,
    low: [...document.querySelectorAll('main button, main summary, .alarms-back a')]
      .filter((element) => element.offsetParent !== null && element.offsetHeight < 44)
      .map((element) => element.outerHTML.slice(0, 200)),
  })`);
  expect(width).toBe(390);
  expect(low).toEqual([]);
  expect(await phone.page.locator('[data-act=acknowledge]').count()).toBe(0);
  await phone.page.click(`${row('late')} .alarms-row-title a`);
  await phone.page.waitForSelector('.alarms-detail');
  expect(await phone.page.locator('.alarms-do').innerText()).toContain('没有确认和搁置的权限');
  await phone.page.click('.alarms-back a');
  await phone.page.waitForSelector(row('late'));
  expect(phone.wrong).toEqual([]);
  await phone.context.close();
});

test('in all of this there was no error in the console, and no policy was broken', () => {
  const expected = [/status of 404/, /status of 409/];
  expect(open.wrong.filter((one) => !expected.some((known) => known.test(one)))).toEqual([]);
});
