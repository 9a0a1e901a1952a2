import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/* The box, its security and the register of assets in a real browser: what an administrator looks after. */

const soon = { timeout: 30_000, interval: 150 };
const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');
/** A flow logs what it likes. */
const stranger = 'said <img src=x onerror=document.title=1>';

let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

/** The processes of a test are silent: these are lines as they write them (pino). */
function writeLogs(data: string): void {
  const folder = join(data, 'logs');
  mkdirSync(folder, { recursive: true });
  const write = (process: string, ago: number, level: number, msg: string, fields: object = {}) => {
    const line = { time: new Date(Date.now() - ago).toISOString(), level, process, msg, ...fields };
    appendFileSync(join(folder, `${process}.log`), `${JSON.stringify(line)}\n`);
  };
  write('core', 9_000, 30, 'ready');
  write('core', 7_000, 20, 'turn', { ms: 3 });
  write('fieldbus', 5_000, 50, 'meter-dorm does not answer', { unit: 3 });
  write('flows', 3_000, 40, stranger);
}

beforeAll(async () => {
  [campus, browser] = await Promise.all([
    startCampus({ city: false, simulators: false, only: ['core', 'web'] }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  writeLogs(campus.data);
  await makePerson(campus, 'he', '何立', 'administrator');
  open = await browser.open({ width: 1366, height: 768 });
  page = open.page;
  page.setDefaultTimeout(30_000);
  // Half-way between two colours there may be too little contrast.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await signIn(page, campus.url, 'he');
}, 120_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
}, 30_000);

const go = (hash: string) => page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
const text = async (selector: string) => (await page.locator(selector).first().innerText()).trim();
const choose = async (selector: string, label: string) => {
  await page.click(selector);
  await page.click(`.ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option >> text="${label}"`);
};

/** What axe finds serious or critical, in words; the bar on top is tried with the frame. */
async function violations(): Promise<unknown> {
  // What is under the mouse has other colours.
  await page.mouse.move(0, 0);
  await page.evaluate(axe);
  return page.evaluate(`axe.run({ exclude: ['.kit-bar'] }, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')))`);
}

test('the page of the box shows each process, the disk, the clock, and how long the certificate is good', async () => {
  await go('/system');
  await page.waitForSelector('[data-row="core"]');
  expect(await page.locator('[data-row]').count()).toBe(2);
  for (const [process, name] of [
    ['core', '核心'],
    ['web', '网页服务'],
  ]) {
    const line = await text(`[data-row="${process}"]`);
    expect(line).toContain(name);
    expect(line).toContain('运行中');
    expect(line).toMatch(/\d+ MB/);
  }
  const all = await text('.system-columns');
  for (const part of ['2 个进程全部正常', '可用', '还能用', '运行满一天后估算', 'Asia/Shanghai', '本校自签', '还有']) {
    expect(all).toContain(part);
  }
  expect(await violations()).toEqual([]);
});

test('logs are narrowed by process, level and words, and are text whoever wrote them', async () => {
  await page.click('.ant-tabs-tab >> text=日志');
  await page.waitForSelector('.system-log li');
  const shown = () => page.locator('.system-log .system-message').allInnerTexts();
  expect(await shown()).toEqual([stranger, 'meter-dorm does not answer', 'ready']);
  await choose('#log-level', '全部（含调试）');
  await vi.waitFor(async () => expect(await shown()).toContain('turn'), soon);
  await choose('#log-level', '错误');
  await vi.waitFor(async () => expect(await shown()).toEqual(['meter-dorm does not answer']), soon);
  await page.click('.system-log summary');
  expect(await text('.system-log pre')).toContain('"unit": 3');
  await choose('#log-level', '信息及以上');
  await page.fill('#log-text', 'READY');
  await vi.waitFor(async () => expect(await shown()).toEqual(['ready']), soon);
  await page.fill('#log-text', 'nothing says this');
  await page.waitForSelector('text=没有符合条件的日志');
  expect(await violations()).toEqual([]);
});

test('a back-up is made while everything runs, says what it holds, and is fetched', async () => {
  await page.click('.ant-tabs-tab >> text=备份');
  await page.waitForSelector('text=还没有备份');
  await page.click('text=立即备份');
  await page.waitForSelector('[data-row^="campus-"]');
  expect(await text('.system-note')).toBe('备份包含全部口令、密钥和个人信息：请加密存放在校外，只交给负责人。');
  const name = (await page.locator('[data-row^="campus-"]').getAttribute('data-row')) ?? '';
  const fetched = page.waitForEvent('download');
  await page.click('[data-row^="campus-"] a');
  const download = await fetched;
  expect(download.suggestedFilename()).toBe(name);
  const archive = gunzipSync(readFileSync(await download.path()));
  expect(archive.includes('campus.db')).toBe(true);
  expect(await violations()).toEqual([]);
});

test('the security page counts what it lists, and says what it is not', async () => {
  await go('/security');
  await page.waitForSelector('[data-control]');
  const counts = await page.locator('.security-summary .security-count').allInnerTexts();
  const listed = await Promise.all(
    ['met', 'partly', 'not-met', 'outside'].map((state) =>
      page.locator(`[data-control][data-state="${state}"]`).count(),
    ),
  );
  expect(counts.map(Number)).toEqual(listed);
  expect(listed.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(20);
  expect(await text('.security-notice')).toContain('不代替测评');
  await page.click('text=只看未满足');
  await vi.waitFor(
    async () => expect(await page.locator('[data-control]').count()).toBe((listed[1] ?? 0) + (listed[2] ?? 0)),
    soon,
  );
  // Every open point says what to do about it.
  expect(await page.locator('[data-control] dt:text-is("下一步")').count()).toBe((listed[1] ?? 0) + (listed[2] ?? 0));
  expect(await violations()).toEqual([]);
});

test('an asset is registered and looked after, and its label shows the new number', async () => {
  await go('/assets/camera-gate');
  const drawer = page.locator('.ant-drawer-body');
  await drawer.getByLabel('资产编号').fill('XZ-2026-0117');
  await drawer.getByLabel('地点').fill('校门岗亭顶');
  await drawer.getByLabel('维护周期（天）').fill('180');
  await drawer.getByRole('button', { name: '保存' }).click();
  await vi.waitFor(async () => expect(await page.locator('.assets-list').innerText()).toContain('XZ-2026-0117'), soon);
  await drawer.getByLabel('日期', { exact: true }).fill('2025-01-10');
  await drawer.getByLabel('做了什么').fill('清洁镜头');
  await drawer.getByRole('button', { name: '添加一条' }).click();
  await vi.waitFor(async () => expect(await drawer.innerText()).toContain('2025-01-10 · 何立'), soon);
  await vi.waitFor(async () => expect(await text('.assets-list')).toContain('逾期 2025-07-09'), soon);
  const isDrawn = `(() => {
    const label = document.querySelector('.assets-label');
    return label.complete && label.naturalWidth > 0;
  })()`;
  await vi.waitFor(async () => expect(await page.evaluate(isDrawn)).toBe(true), soon);
  const svg = await page.evaluate<string>(
    `fetch(document.querySelector('.assets-label').src).then((one) => one.text())`,
  );
  expect(svg).toContain('XZ-2026-0117');
  expect(await violations()).toEqual([]);
  await page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'detached' });
});

test('a table is looked through before anything is written: with a mistake it is nothing, mended it is all of it', async () => {
  const csv = (date: string) =>
    `\uFEFF设备编号,资产编号,购置日期\r\nmeter-main,XZ-2021-0003,${date}\r\nsmoke-101,XZ-2025-0201,2025/3/1\r\n`;
  const give = (date: string) =>
    page.setInputFiles('.ant-drawer-body input[type=file]', {
      name: 'assets.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(csv(date)),
    });
  const bought = async () => {
    const assets = await campus.get<{ device: string; bought: string | null }[]>('assets');
    return assets.find(({ device }) => device === 'meter-main')?.bought;
  };
  await page.fill('#assets-text', 'XZ-2025-0201');
  await page.waitForSelector('text=没有符合条件的设备');
  await page.click('text=导入 CSV');
  await give('2021-02-30');
  await page.waitForSelector('[data-found=bad]');
  expect(await text('[data-found=bad]')).toContain('有 1 处错误');
  expect(await text('[data-found=bad] li')).toMatch(/^第 2 行.*购置日期.*2021-02-30/);
  expect(await page.locator('.ant-drawer-body button:has-text("写入")').count()).toBe(0);
  await give('2021年5月1日');
  await page.waitForSelector('[data-found=good]');
  expect(await text('[data-found=good]')).toContain('将修改 2 台，0 台不变');
  expect(await bought()).toBe(null);
  await page.click('.ant-drawer-body button:has-text("写入")');
  await page.waitForSelector('.assets-list >> text=XZ-2025-0201');
  expect(await bought()).toBe('2021-05-01');
  await page.locator('.ant-drawer-body').waitFor({ state: 'detached' });
});

test('chosen devices get a sheet of labels for the printer', async () => {
  // What was chosen stays so while one looks for more.
  for (const name of ['101 教室烟感', '总电表']) {
    await page.fill('#assets-text', name);
    await page.click(`[aria-label="选择 ${name}"]`);
  }
  const sheet = page.context().waitForEvent('page');
  await page.click('text=打印 2 张标签');
  const printed = await sheet;
  await printed.waitForSelector('li svg');
  expect(await printed.locator('li').count()).toBe(2);
  expect(await printed.content()).toContain('XZ-2021-0003');
  await printed.close();
});

test('it fits a phone: no page scrolls sideways, and what can be pressed is 44 px high', async () => {
  const phone = await browser.open({ width: 390, height: 844, touch: true });
  phone.page.setDefaultTimeout(30_000);
  await signIn(phone.page, campus.url, 'he');
  for (const [hash, ready] of [
    ['/system', '.kit-cards [data-row="core"]'],
    ['/system?tab=logs', '.system-log li'],
    ['/people', '.kit-cards [data-row="he"]'],
    ['/security', '[data-control]'],
    ['/assets', '.assets-card'],
    ['/account', '.account-sessions li'],
  ]) {
    await phone.page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
    await phone.page.waitForSelector(ready ?? '');
    const { width, low } = await phone.page.evaluate<{ width: number; low: string[] }>(`({
      width: document.querySelector('main').scrollWidth,
      low: [...document.querySelectorAll('main button, main a')]
        .filter((element) => element.checkVisibility({ visibilityProperty: true }) && element.offsetHeight < 44)
        .map((element) => element.outerHTML.slice(0, 200)),
    })`);
    expect({ hash, width, low }).toEqual({ hash, width: 390, low: [] });
  }
  expect(phone.wrong).toEqual([]);
  await phone.context.close();
}, 90_000);

test('in all of this there was no error in the console, and no policy was broken', async () => {
  expect(open.wrong).toEqual([]);
  expect(await page.title()).not.toBe('1');
});
