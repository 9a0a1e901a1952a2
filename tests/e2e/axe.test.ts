import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Alarm } from '#edge/domain/alarm.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, startBrowser } from './browser.ts';
import { walker } from './keys.ts';
import { makePerson, password, signIn, waitForCampus } from './people.ts';
import { alarmViews, furtherViews, pageViews, registry, show, type View } from './views.ts';

/*
 * Everybody can use it: whoever sees badly, has no mouse, or has nothing but a phone. axe comes into the page over the browser's
 * own debugging line (page.evaluate), which the content security policy of the page does not govern: nothing is bypassed.
 */

const soon = { timeout: 30_000, interval: 150 };
const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');
const sizes = {
  desk: { width: 1366, height: 768 },
  phone: { width: 390, height: 844, touch: true },
} as const;
type Size = keyof typeof sizes;

let campus: RunningCampus;
let browser: Browser;
let code = '';
let views: Readonly<Record<string, View>> = {};

beforeAll(async () => {
  const onSaid = (name: string, said: string) => {
    if (name === 'web') code = /setup\/(\w+)/.exec(said)?.[1] ?? '';
  };
  [campus, browser] = await Promise.all([
    startCampus({ city: false, only: ['core', 'fieldbus', 'web'], onSaid }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
}, 120_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
}, 30_000);

async function newPage(size: Size, language: 'zh' | 'en' = 'zh'): Promise<Page> {
  const { page } = await browser.open({ ...sizes[size], language });
  page.setDefaultTimeout(30_000);
  // What is half faded in has half its contrast.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  return page;
}

/** What axe finds serious or critical, in words. */
async function violations(page: Page, rules?: readonly string[]): Promise<unknown[]> {
  if (!(await page.evaluate<boolean>(`typeof axe === 'object'`))) await page.evaluate(axe);
  const runOnly = rules === undefined ? '' : `runOnly: { type: 'rule', values: ${JSON.stringify(rules)} },`;
  return page.evaluate<unknown[]>(`axe.run({ ${runOnly} resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html, any }) => html.slice(0, 200) + ' ' + (any[0]?.message ?? '')).join(' | ')))`);
}

/** Colours are all that the dark changes. */
const ofColours = ['color-contrast', 'link-in-text-block'];
const light = ['light'] as const;
const both = ['light', 'dark'] as const;

async function inLooks(page: Page, what: string, looks: readonly ('light' | 'dark')[]): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of looks) {
    await page.emulateMedia({ colorScheme });
    await page.waitForSelector(`html[data-theme=${colorScheme}]`);
    const rules = colorScheme === 'dark' ? ofColours : undefined;
    for (const one of await violations(page, rules)) found.push(`${what}, ${colorScheme}: ${String(one)}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  return found;
}

/** Parts of the page that scroll sideways as a whole, and by how much. */
const tooWide = `[document.documentElement, document.querySelector('main'), ...document.querySelectorAll('.ant-modal, .ant-drawer-body')]
  .filter((element) => element !== null && element.scrollWidth > element.clientWidth)
  .map((element) => element.tagName + '.' + element.className + ' ' + element.scrollWidth + ' > ' + element.clientWidth)`;

test('the doors of the box: its first start, the sign-in, a first password to be changed', async () => {
  const found: string[] = [];
  const pages = await Promise.all([newPage('desk'), newPage('phone')]);
  for (const page of pages) {
    await page.goto(`${campus.url}/#/setup/${code}`);
    await page.waitForSelector('#name');
    found.push(...(await inLooks(page, 'setup', both)));
  }
  await makePerson(campus, 'wang', '王敏', 'administrator');
  await makePerson(campus, 'zhou', '周岚', 'auditor');
  const first = 'First-Day-2931-x';
  await campus.post('people', { id: 'sun', name: '孙洁', role: 'facility', zones: 'all', password: first });
  for (const page of pages) {
    await page.goto(campus.url);
    await page.reload();
    await page.waitForSelector('#account');
    found.push(...(await inLooks(page, 'sign-in', both)));
    await page.fill('#account', 'sun');
    await page.fill('#password', 'wrong');
    await page.press('#password', 'Enter');
    await vi.waitFor(async () => expect(await page.innerText('[data-problem]')).not.toBe(''), soon);
    found.push(...(await violations(page)).map((one) => `a refused sign-in: ${String(one)}`));
    await page.fill('#password', first);
    await page.press('#password', 'Enter');
    await page.waitForSelector('#old');
    found.push(...(await inLooks(page, 'first password', both)));
    expect(await page.evaluate(tooWide)).toEqual([]);
    await page.context().close();
  }
  expect(found).toEqual([]);
}, 90_000);

/** A plan with one thing on it. */
async function drawPlan(): Promise<void> {
  const token = readFileSync(join(campus.data, 'admin-token'), 'utf8').trim();
  const send = async (method: string, path: string, type: string, body: string) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': type };
    const signal = AbortSignal.timeout(10_000);
    const response = await fetch(`${campus.url}/api/v1/plans${path}`, { method, headers, body, signal });
    if (!response.ok) throw new Error(await response.text());
  };
  const names = new URLSearchParams({ id: 'grounds', zh: '校园总图', en: 'Grounds' });
  const picture =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300" width="400" height="300"><path d="M9 9h99v99H9z"/></svg>';
  await send('POST', `?${names}`, 'image/svg+xml', picture);
  await send('PUT', '/grounds/places/leak-kitchen', 'application/json', JSON.stringify({ x: 0.5, y: 0.4 }));
}

async function leak(): Promise<Alarm> {
  const found = (await campus.get<Alarm[]>('alarms')).find(({ source }) => source === 'interlock:leak');
  if (found === undefined) throw new Error('the leak is no alarm');
  return found;
}

test('every page of the registry is looked at', async () => {
  const pages = await registry();
  expect(Object.keys(pageViews).toSorted()).toEqual(pages.map(({ name }) => name).toSorted());
  for (const { name, path } of pages) expect(pageViews[name]?.hash.split('?')[0]).toBe(path);
  await drawPlan();
  await campus.turn('leak-kitchen', 'on');
  const { id } = await vi.waitFor(leak, soon);
  views = { ...pageViews, ...furtherViews, ...alarmViews(id) };
}, 60_000);

test.for<Size>(['desk', 'phone'])(
  'on a %s axe finds nothing serious, in light and dark; a phone need not scroll sideways',
  { timeout: 400_000 },
  async (size) => {
    const found: string[] = [];
    for (const who of ['wang', 'zhou'] as const) {
      const page = await newPage(size);
      await signIn(page, campus.url, who);
      for (const [what, view] of Object.entries(views).filter(
        ([, one]) => (one.who === 'auditor') === (who === 'zhou'),
      )) {
        await show(page, view);
        // A dialog has the same colours on a phone as on a desk.
        const looks = size === 'desk' || what in pageViews ? both : light;
        found.push(...(await inLooks(page, `${what} on a ${size}`, looks)));
        for (const one of await page.evaluate<string[]>(tooWide))
          found.push(`${what} on a ${size} is too wide: ${one}`);
      }
      await page.context().close();
    }
    expect(found).toEqual([]);
  },
);

test('in English, where words are longer, a phone need not scroll sideways either, and nothing is left in Chinese but names', async () => {
  const found: string[] = [];
  const page = await newPage('phone', 'en');
  await signIn(page, campus.url, 'wang');
  for (const [what, view] of Object.entries(views).filter(([, one]) => one.who === undefined)) {
    await show(page, view);
    for (const one of await page.evaluate<string[]>(tooWide)) found.push(`${what} is too wide: ${one}`);
    const text = await page.evaluate<string>('document.body.innerText');
    const chinese = text
      .replaceAll('中文', '')
      .match(/.*[\u3400-\u9fff].*/g)
      // Names, the title of the official notice, and what the board at the gate shows stay as they are.
      ?.filter((one) => !/王敏|周岚|孙洁|国务院办公厅|火警！请按疏散路线撤离/.test(one));
    if (chinese !== undefined && chinese.length > 0) found.push(`${what} says ${chinese.slice(0, 3).join(' / ')}`);
  }
  await page.context().close();
  expect(found).toEqual([]);
}, 90_000);

test('without a mouse: from the sign-in to an acknowledged alarm and an operated output, always seeing where one is', async () => {
  const page = await newPage('desk');
  const { tabTo, unseen } = walker(page);
  const { keyboard } = page;
  await page.goto(campus.url);
  await page.waitForSelector('#account:focus');
  await keyboard.type('wang');
  await tabTo('#password');
  await keyboard.type(password);
  await keyboard.press('Enter');
  await page.waitForSelector('.kit-frame');

  await tabTo('.kit-side a[href="#/alarms"]');
  await keyboard.press('Enter');
  const row = '.alarms-row[data-source="interlock:leak"]';
  await page.waitForSelector(row);
  await tabTo(`${row} [data-act=acknowledge]`);
  await keyboard.press('Enter');
  const by = async () => (await leak()).acknowledged?.by;
  await vi.waitFor(async () => expect(await by()).toBe('wang'), soon);

  await page.evaluate('document.activeElement.blur()');
  await keyboard.press('g');
  await keyboard.press('d');
  await page.waitForSelector('[role=tree] [data-device]');
  await keyboard.press('/');
  await keyboard.type('配电继');
  await vi.waitFor(async () => expect(await page.locator('[role=treeitem][data-device]').count()).toBe(1), soon);
  await tabTo('[role=tree], [role=treeitem]');
  await keyboard.press('End');
  await keyboard.press('Enter');
  const card = '[data-ref="relay-1/relay_3"]';
  await page.waitForSelector(card);
  await tabTo(`${card} .ant-btn`);
  await keyboard.press('Enter');
  await page.waitForSelector('.ant-modal form');
  await tabTo('.devices-switch input');
  await keyboard.press('ArrowRight');
  await tabTo('.ant-modal textarea');
  await keyboard.type('repair');
  await keyboard.press('Enter');
  await vi.waitFor(async () => expect(await page.innerText('.devices-outcome + p')).toMatch(/^设备已确认：/), soon);
  await keyboard.press('Escape');
  await page.waitForSelector('.ant-modal', { state: 'hidden' });
  // Whoever closes a dialog is where he was, not at the top of the page.
  expect(await page.evaluate(`document.activeElement.closest('.devices-output') !== null`)).toBe(true);
  expect(unseen).toEqual([]);
  await page.context().close();
}, 90_000);

test('on every page each stop of the Tab key can be seen', async () => {
  const page = await newPage('desk');
  await signIn(page, campus.url, 'wang');
  const unseen: string[] = [];
  for (const [what, view] of Object.entries(pageViews).filter(([, one]) => one.who === undefined)) {
    await show(page, view);
    await page.focus('main');
    const walk = walker(page);
    // Around once: the end of the page is where the browser's own buttons, then the skip link, come.
    await walk.tabTo('.kit-skip');
    unseen.push(...walk.unseen.map((one) => `${what}: ${one}`));
  }
  await page.context().close();
  expect(unseen).toEqual([]);
}, 90_000);
