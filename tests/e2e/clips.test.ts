import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import type { clipView, templateView } from '#edge/web/clip-schemas.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/* The clip library in a real browser: a file is uploaded, a text is heard and kept, both are found and removed. */

const soon = { timeout: 60_000, interval: 150 };
const tune = join(import.meta.dirname, '../../edge/simulators/clips/tune.wav');
const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');

let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

const clips = () => campus.get<z.infer<typeof clipView>[]>('broadcast/clips');
const row = (name: string) => page.locator('[data-row]', { hasText: name });
async function save(): Promise<void> {
  await page.click('.ant-modal .ant-modal-footer .ant-btn-primary');
  await page.waitForSelector('.ant-modal', { state: 'detached', timeout: 60_000 });
}
async function violations(on: Page): Promise<unknown[]> {
  if (!(await on.evaluate<boolean>(`typeof axe === 'object'`))) await on.evaluate(axe);
  return on.evaluate<unknown[]>(`axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 200)).join(' | ')))`);
}

beforeAll(async () => {
  [campus, browser] = await Promise.all([
    startCampus({ only: ['core', 'web', 'broadcast'], city: false, onlyRules: {} }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  await makePerson(campus, 'wang', '王敏', 'administrator');
  await makePerson(campus, 'chen', '陈静', 'timetable');
  await makePerson(campus, 'zhao', '赵宁', 'viewer');
  open = await browser.open({ width: 1366, height: 768, language: 'zh' });
  page = open.page;
  page.setDefaultTimeout(30_000);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await signIn(page, campus.url, 'chen');
  await page.evaluate(`void (location.hash = '/clips')`);
  await page.waitForSelector('.clips [data-row]');
}, 180_000);
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await campus[Symbol.asyncDispose]();
});

test('a file of this PC becomes a clip with its length, and can be listened to', async () => {
  await page.getByRole('button', { name: '上传文件' }).click();
  await page.click('.ant-modal .ant-modal-footer .ant-btn-primary');
  await page.getByText('请选择一个音频文件').waitFor();
  await page.setInputFiles('.ant-modal input[type=file]', tune);
  await page.getByLabel('中文名称').fill('午间音乐');
  await page.getByLabel('英文名称（可不填）').fill('Lunch music');
  await save();
  await row('午间音乐').waitFor();
  const made = (await clips()).find(({ name }) => name.zh === '午间音乐');
  expect(made).toMatchObject({ source: 'upload', name: { en: 'Lunch music' }, problem: null });
  expect(made?.id).toMatch(/^lunch-music-[a-z0-9]+$/);
  await row('午间音乐').getByRole('button', { name: '试听 午间音乐' }).click();
  await row('午间音乐').getByRole('button', { name: '停止试听' }).click();
}, 90_000);

test('a text is heard before it is kept', async () => {
  await page.getByRole('button', { name: '文字转语音' }).click();
  await page.getByLabel('要读的文字').fill('请三年二班的同学到101室集合。');
  const preview = page.waitForResponse((answer) => answer.url().endsWith('/clips/preview'));
  await page.getByRole('button', { name: '先听一听' }).click();
  expect((await preview).headers()['content-type']).toBe('audio/wav');
  await page.getByLabel('中文名称').fill('三年二班集合');
  expect(await violations(page)).toEqual([]);
  await save();
  await row('三年二班集合').waitFor();
  expect(await row('三年二班集合').innerText()).toContain('请三年二班的同学到101室集合。');
}, 120_000);

test('what is sought is found, and removed when it is used nowhere', async () => {
  await page.getByLabel('查找').fill('101室');
  await vi.waitFor(async () => expect(await page.locator('.clips [data-row]').count()).toBe(1), soon);
  await row('三年二班集合').getByRole('button', { name: '删除 三年二班集合' }).click();
  await page
    .locator('.ant-modal-confirm')
    .getByRole('button', { name: /删\s*除/ })
    .click();
  await page.waitForSelector('.clips .kit-empty');
  expect((await clips()).map(({ name }) => name.zh)).not.toContain('三年二班集合');
  await page.getByLabel('查找').fill('');
  // A clip of the site cannot be removed here, whoever uses it.
  expect(await page.locator('.clips [data-row=bell]').getByRole('button', { name: /^删除/ }).count()).toBe(0);
  expect(await violations(page)).toEqual([]);
}, 90_000);

test('a template is written with names in braces, changed, and removed', async () => {
  await page.getByRole('button', { name: '新建模板' }).click();
  await page.getByLabel('中文名称').fill('集合');
  await page.getByLabel('播报文字').fill('请{班级}的同学到{地点集合。');
  await page.click('.ant-modal .ant-modal-footer .ant-btn-primary');
  await page.getByText('大括号没有成对').waitFor();
  await page.getByLabel('播报文字').fill('请{班级}的同学到{地点}集合。');
  await page.getByLabel('“班级”的选项').fill('三年一班、三年二班');
  expect(await violations(page)).toEqual([]);
  await save();
  const templates = () => campus.get<z.infer<typeof templateView>[]>('announcement-templates');
  const mine = async () => (await templates()).find(({ body }) => body.name.zh === '集合');
  expect((await mine())?.body).toMatchObject({
    text: '请{field_1}的同学到{field_2}集合。',
    fields: [
      { name: { zh: '班级' }, options: ['三年一班', '三年二班'] },
      { name: { zh: '地点' }, options: [] },
    ],
  });
  const line = page.locator('[data-template]', { hasText: '请{班级}的同学到{地点}集合。' });
  await line.getByRole('button', { name: '修改 集合' }).click();
  await page.getByLabel('播报文字').fill('请{班级}的同学马上到{地点}集合。');
  await save();
  await vi.waitFor(async () => expect((await mine())?.body.text).toBe('请{field_1}的同学马上到{field_2}集合。'), soon);
  await page.locator('[data-template]', { hasText: '马上' }).getByRole('button', { name: '删除 集合' }).click();
  await page
    .locator('.ant-modal-confirm')
    .getByRole('button', { name: /删\s*除/ })
    .click();
  await vi.waitFor(async () => expect(await mine()).toBeUndefined(), soon);
  await page.waitForSelector('[data-template]', { state: 'detached' });
  expect(await violations(page)).toEqual([]);
}, 90_000);

test('who may only look is shown the library, without the buttons; on a phone nothing is cut off', async () => {
  const other = await browser.open({ width: 390, height: 844, touch: true, language: 'en' });
  await signIn(other.page, campus.url, 'zhao');
  await other.page.evaluate(`void (location.hash = '/clips')`);
  await other.page.waitForSelector('.clips [data-row]', { timeout: 60_000 });
  expect(await other.page.getByRole('button', { name: 'Upload a file' }).count()).toBe(0);
  expect(await other.page.locator('main').innerText()).toContain('Lunch music');
  const width = await other.page.evaluate<number>('document.documentElement.scrollWidth');
  expect(width).toBeLessThanOrEqual(390);
  expect(await violations(other.page)).toEqual([]);
  await other.context.close();
  expect(open.wrong).toEqual([]);
}, 90_000);
