import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { notifySchema } from '#edge/runtime/site-notify.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/* Outputs, modes, flows, notices, the report of alarms and mending, in a real browser on a running campus. */

const soon = { timeout: 30_000, interval: 150 };

let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;
let gateway: Server;
const received: string[] = [];

/** A gateway for text messages that takes everything. */
async function startGateway(): Promise<string> {
  gateway = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => {
      body += part.toString();
    });
    request.on('end', () => {
      received.push(body);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"code":0}');
    });
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/sms`;
}

beforeAll(async () => {
  const url = await startGateway();
  const notify = notifySchema.parse({
    channels: [{ id: 'text', kind: 'sms', name: { zh: '值班短信', en: 'Duty SMS' }, url }],
    recipients: [{ id: 'lead', name: { zh: '值班组长', en: 'Duty lead' }, groups: ['duty'], phone: '+8613800000002' }],
    ladders: [
      {
        id: 'urgent',
        name: { zh: '紧急报警', en: 'Critical' },
        classes: ['critical'],
        steps: [{ after: '3min', to: ['lead@text'] }],
      },
    ],
  });
  [campus, browser] = await Promise.all([
    startCampus({
      city: false,
      only: ['core', 'fieldbus', 'camera', 'flows', 'notify', 'web'],
      change: (site) => ({ ...site, notify }),
    }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  await makePerson(campus, 'he', '何立', 'administrator');
  await makePerson(campus, 'tang', '唐宁', 'viewer');
  open = await browser.open({ width: 1366, height: 768, language: 'zh' });
  page = open.page;
  page.setDefaultTimeout(30_000);
  await signIn(page, campus.url, 'he');
}, 120_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
  gateway?.close();
}, 30_000);

const text = async (selector: string) => (await page.locator(selector).first().innerText()).trim();
const go = (hash: string) => page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);

test('an output says who holds it and why, and changes before one’s eyes when it is let go', async () => {
  await campus.post('requests', { point: 'relay-1/relay_3', value: false, seconds: 3_600, reason: '灯具检修' });
  await go('/outputs/relay-1/relay_3');
  const row = '[data-output-row="relay-1/relay_3"]';
  const inForce = '.outputs-rungs [data-in-force=true]';
  await vi.waitFor(async () => expect(await text(row)).toContain('人工（控制台）'), soon);
  await vi.waitFor(async () => expect(await text(inForce)).toContain('灯具检修'), soon);
  expect(await text(inForce)).toMatch(/人工 8/);
  expect(await text('[data-fact=next]')).toContain('之后无人控制');
  await page.click('.outputs-detail .devices-output .kit-actions .ant-btn >> nth=1');
  await page.click('.ant-modal .ant-btn-primary');
  await vi.waitFor(async () => expect(await text(row)).toContain('无人控制'), soon);
  expect(await page.locator(inForce).count()).toBe(0);
}, 60_000);

test('outputs are looked for by their words, and the filter stays in the address', async () => {
  await go('/outputs');
  await page.fill('.outputs-filter input[type=search]', '校门广播');
  await vi.waitFor(async () => expect(await page.locator('.outputs-row').count()).toBe(1), soon);
  expect(decodeURIComponent(page.url())).toContain('text=校门广播');
}, 40_000);

test('a mode is turned on with a reason and an end, and everybody sees who did it', async () => {
  await go('/outputs');
  const mode = '.outputs-modes [data-mode=exam]';
  await page.click(`${mode} .ant-btn`);
  await page.fill('.ant-modal input[maxlength="200"]', '期末考试');
  await page.press('.ant-modal input[maxlength="200"]', 'Enter');
  await vi.waitFor(async () => expect(await page.getAttribute(mode, 'data-on')).toBe('true'), soon);
  expect(await text(mode)).toContain('期末考试');
  expect(await text(mode)).toMatch(/he 于 .* 开启 · 到 .* 自动结束/);
  const modes = await campus.get<{ id: string; on: boolean; until: number | null }[]>('modes');
  expect(modes.find(({ id }) => id === 'exam')).toMatchObject({ on: true, until: expect.any(Number) });
}, 40_000);

test('a flow shows that it runs and what it takes; the editor opens in a window of its own', async () => {
  await go('/flows');
  await vi.waitFor(async () => expect(await text('.flows-line')).toContain('运行中'), soon);
  await page.click('.flows-line');
  await vi.waitFor(async () => expect(await text('.flows-figures')).toContain('条/秒'), soon);
  expect(await page.getAttribute('.flows-editor', 'target')).toBe('_blank');
  expect(await page.getAttribute('.flows-editor', 'href')).toBe(`${campus.url}/flows-editor/`);
}, 60_000);

test('flows are started again with a reason, and run', async () => {
  await go('/flows');
  await page.click('.kit-page-header .ant-btn');
  await page.fill('.ant-modal input[maxlength="200"]', '测试');
  // Flows that are just starting say so, and the dialog stays.
  await vi.waitFor(
    async () => {
      if (await page.locator('.ant-modal').isVisible()) await page.click('.ant-modal .ant-btn-primary');
      await page.waitForSelector('.ant-modal', { state: 'hidden', timeout: 5_000 });
    },
    { timeout: 60_000, interval: 500 },
  );
  await vi.waitFor(async () => expect(await text('.flows-line')).toContain('运行中'), soon);
}, 90_000);

test('a ladder reads as a sentence, and a test arrives and is said to have arrived', async () => {
  await go('/notices');
  await vi.waitFor(
    async () => expect(await text('.notices-ladders ol')).toBe('3 分钟无人确认 → 值班组长，值班短信'),
    soon,
  );
  await page.click('[data-test=text]');
  await page.click('.ant-modal .ant-btn-primary');
  await page.waitForSelector('.notices-outcome[data-outcome=delivered]');
  expect(received.some((body) => body.includes('13800000002'))).toBe(true);
  await page.keyboard.press('Escape');
  await vi.waitFor(async () => expect(await text('[data-notice-state]')).toContain('已送达'), soon);
}, 60_000);

test('the report of alarms counts what was raised, and opens from the page of alarms', async () => {
  await campus.turn('leak-kitchen', 'on');
  await go('/alarms');
  await page.waitForSelector('.alarms-row[data-source="interlock:leak"]');
  await page.click('a[href="#/alarms/report"]');
  await vi.waitFor(async () => expect(await page.locator('.alarms-report-top li').count()).toBeGreaterThan(0), soon);
  expect(await text('.alarms-report-verdict')).toMatch(/人手应付得来|偏多|过多/);
  expect(await page.locator('.alarms-report-plot rect').count()).toBeGreaterThan(0);
}, 60_000);

test('a step of mending begins by hand and stands in the ladder of the device', async () => {
  await go('/devices/camera-gate');
  await page.click('[data-act=mend]');
  await page.click('.ant-modal .ant-btn-primary');
  await vi.waitFor(async () => expect(await text('.devices-ladder [data-step=probe]')).toMatch(/已完成|进行中/), soon);
  await go('/system?tab=network');
  await vi.waitFor(async () => expect(await page.locator('.system-repairs li').count()).toBeGreaterThan(0), soon);
  await vi.waitFor(
    async () => expect(await text('.system-network [data-row=camera-gate]')).toContain('校门交换机'),
    soon,
  );
}, 60_000);

test('a visitor sees outputs and notices, and nothing that he could change', async () => {
  const other = await browser.open({ width: 390, height: 844, touch: true, language: 'zh' });
  other.page.setDefaultTimeout(30_000);
  await signIn(other.page, campus.url, 'tang');
  await other.page.evaluate(`void (location.hash = '/outputs/relay-1/relay_3')`);
  await other.page.waitForSelector('.outputs-rungs');
  expect(await other.page.locator('.outputs-detail .kit-actions').count()).toBe(0);
  await other.page.evaluate(`void (location.hash = '/notices')`);
  await other.page.waitForSelector('.notices-ladders');
  expect(await other.page.locator('[data-test]').count()).toBe(0);
  await other.page.evaluate(`void (location.hash = '/outputs')`);
  await other.page.waitForSelector('.outputs-modes');
  expect(await other.page.locator('.outputs-modes .ant-btn').count()).toBe(0);
  expect(other.wrong).toEqual([]);
  await other.context.close();
}, 60_000);

test('nothing went wrong in the page, and no policy was violated', () => {
  expect(open.wrong).toEqual([]);
});
