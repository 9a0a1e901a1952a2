import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import type { Site } from '#edge/runtime/site.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type OpenPage, startBrowser } from './browser.ts';
import { flutters, writeNoisyPast } from './noisy-past.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/* The life of a rule in a real browser on a running campus that has a noisy day behind it. */

const soon = { timeout: 30_000, interval: 150 };
const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');

let data: string;
let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

const leak: RuleBody = {
  rule: 1,
  id: 'leak',
  name: { zh: '厨房漏水', en: 'Water leak in the kitchen' },
  kind: 'safety',
  priority: 5,
  when: { kind: 'point', points: 'leak-kitchen/water_leak', test: { is: true }, onBad: 'hold' },
  then: [
    {
      kind: 'alarm',
      class: 'high',
      message: { zh: '食堂厨房漏水', en: 'Water on the floor' },
      next: { zh: '关闭总水阀。', en: 'Close the valve.' },
    },
  ],
  tests: [
    {
      name: { zh: '漏水即报警', en: 'Water is an alarm' },
      start: '2026-11-22T03:00',
      given: [{ at: '0s', set: { 'leak-kitchen/water_leak': true } }],
      expect: [{ at: '0s', fired: ['leak'], alarm: 'high' }],
    },
  ],
};

function quietSite({ city: _, energy: __, ...site }: Site): Site {
  const devices = site.devices.filter(({ id }) => /^(air-201|leak-kitchen)$/.test(id));
  return { ...site, devices, flowRequests: [], flows: { ...site.flows, enabled: false } };
}

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'rules-'));
  await writeNoisyPast(data);
  [campus, browser] = await Promise.all([
    startCampus({ data, city: false, simulators: false, only: ['web'], change: quietSite, onlyRules: { leak } }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  await makePerson(campus, 'wang', '王敏', 'administrator');
  await makePerson(campus, 'li', '李强', 'facility');
  await makePerson(campus, 'zhao', '赵宁', 'viewer');
  open = await browser.open({ width: 1366, height: 768, language: 'zh' });
  page = open.page;
  page.setDefaultTimeout(20_000);
  await signIn(page, campus.url, 'wang');
}, 120_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
  rmSync(data, { recursive: true, force: true });
}, 30_000);

const go = (hash: string, on = page) => on.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);
const text = async (selector: string, on = page) => (await on.locator(selector).first().innerText()).trim();
const act = (name: string, on = page) => on.click(`[data-act=${name}]`);
/** Says why, and waits until the dialog has done it. */
async function because(why: string, on = page): Promise<void> {
  await on.fill('.ant-modal input', why);
  await on.press('.ant-modal input', 'Enter');
  await on.waitForSelector('.ant-modal', { state: 'detached' });
}
const field = (label: string) => page.getByLabel(label, { exact: true }).first();

interface RuleNow {
  readonly state: string;
  readonly active: number | null;
  readonly shadow: number | null;
  readonly versions: readonly { readonly version: number; readonly body: { readonly when: unknown } }[];
}
const ruleNow = () => campus.get<RuleNow>('rules/stuffy');

async function rehearseYesterday(): Promise<number> {
  await page.locator('.rules-choice .ant-segmented-item').first().click();
  await act('rehearse');
  await page.waitForSelector('.rules-verdict');
  return Number(await page.locator('.rules-verdict').getAttribute('data-fired'));
}

test('a rule is written by choosing its parts, reads as a sentence, and is told at once what is wrong with it', async () => {
  await go('/rules/new');
  await page.click('[data-start=scratch]');
  await page.waitForSelector('.rules-check[data-mistakes]:not([data-mistakes="0"])');
  expect(await page.locator('[data-act=save]').isDisabled()).toBe(true);
  await field('名称（英文）').fill('Stuffy');
  await field('名称（中文）').fill('教室太闷');
  await page.locator('.rules-chip-place[data-path=when] input[role=combobox]').nth(1).fill('air-201/co2');
  await page.keyboard.press('Escape');
  await field('值').fill('1000');
  await page.locator('.rules-chip-place[data-path="then[0]"]').getByLabel('内容（中文）').fill('{place}太闷');
  await field('内容（英文）').fill('{place} is stuffy');
  await field('该做什么（中文）').fill('请开窗。');
  await field('该做什么（英文）').fill('Open a window.');
  await page.waitForSelector('.rules-check[data-mistakes="0"][data-checking=false]');
  expect(await text('.rules-sentence-text')).toBe(
    '当201 教室空气 · 二氧化碳高于 1000 ppm时，发出“中”级报警“{place}太闷”。',
  );
});

test('rehearsed before it is saved, it would have rung 40 times yesterday, and says that this is too often', async () => {
  await page.getByRole('tab', { name: '彩排' }).click();
  expect(await rehearseYesterday()).toBe(flutters + 1);
  expect(await text('.rules-verdict-count')).toContain('会响 40 次');
  expect(await text('.rules-verdict-advice')).toContain('太频繁了');
  await page.locator('.rules-spans button').nth(2).click();
  const seen = await text('.rules-span');
  expect(seen).toContain('01:30:00');
  expect(seen).toContain('1050');
  await act('save');
  await because('提醒开窗');
  await page.waitForSelector('[data-rule-page=stuffy][data-state=draft]');
  await act('activate');
  await because('先用起来');
  await page.waitForSelector('[data-rule-page=stuffy][data-state=active]');
}, 90_000);

test('fixed, it rings once; it watches in shadow, then runs, and is rolled back in one click and a reason', async () => {
  await go('/rules/stuffy/edit');
  await page.click('.rules-chip-place[data-path=when] .rules-chip');
  await field('持续多久').fill('300');
  await page.waitForSelector('.rules-check[data-mistakes="0"][data-checking=false]');
  expect(await text('.rules-sentence-text')).toContain('持续 5 分钟');
  await page.getByRole('tab', { name: '彩排' }).click();
  expect(await rehearseYesterday()).toBe(1);
  expect(await text('.rules-verdict')).toContain('生效的版本：40 次');
  await act('save');
  await because('五分钟以上才提醒');
  await page.waitForSelector('[data-rule-page=stuffy]');
  await act('shadow');
  await because('先观察');
  await vi.waitFor(async () => expect(await ruleNow()).toMatchObject({ active: 1, shadow: 2 }), soon);
  await act('activate');
  await because('观察无误');
  await vi.waitFor(async () => expect(await ruleNow()).toMatchObject({ active: 2, shadow: null }), soon);
  await go('/rules/stuffy?tab=versions');
  await page.click('[data-version="2"] button[aria-expanded]');
  expect(await text('[data-version="2"] .rules-fields')).toContain('when.for');
  await page.click('[data-version="1"] [data-act=rollBack]');
  await because('五分钟太久');
  await vi.waitFor(async () => {
    const { active, versions } = await ruleNow();
    const when = (version: number | null) => versions.find((one) => one.version === version)?.body.when;
    expect(active).not.toBe(2);
    expect(when(active)).toEqual(when(1));
  }, soon);
  expect(open.wrong).toEqual([]);
}, 90_000);

test('a safety rule changes only when a second person has seen the difference and approved', async () => {
  await go('/rules/leak/edit');
  await page.getByRole('checkbox', { name: '触发后一直保持，直到有人复位' }).click();
  await page.waitForSelector('.rules-check[data-mistakes="0"][data-checking=false]');
  await act('save');
  await because('漏水须有人到场');
  await page.waitForSelector('[data-rule-page=leak]');
  await act('activate');
  await because('请批准');
  await page.waitForSelector('.rules-proposal');
  const approve = (on: Page) => on.locator('.rules-proposal').getByRole('button', { name: /批\s?准/ });
  expect(await approve(page).isDisabled()).toBe(true);
  expect(await text('#rules-own')).toContain('必须由另一个人批准');
  expect((await campus.get<RuleNow>('rules/leak')).active).toBe(1);
  const second = await browser.open({ width: 1366, height: 768, language: 'zh' });
  try {
    await signIn(second.page, campus.url, 'li');
    await go('/rules/leak', second.page);
    await second.page.waitForSelector('.rules-proposal');
    const shown = await text('.rules-proposal', second.page);
    for (const part of ['wang', '请批准', 'latch', '触发后一直保持']) expect(shown).toContain(part);
    await approve(second.page).click();
    await because('同意', second.page);
    await second.page.waitForSelector('.rules-proposal', { state: 'detached' });
  } finally {
    await second.context.close();
  }
  expect((await campus.get<RuleNow>('rules/leak')).active).toBe(2);
}, 90_000);

test('whoever only looks reads rules, why they have not fired, and the page of safety, and is offered nothing to change', async () => {
  const viewer = await browser.open({ width: 390, height: 844, touch: true, language: 'zh' });
  const see = viewer.page;
  try {
    await signIn(see, campus.url, 'zhao');
    await go('/rules', see);
    await see.waitForSelector('.rules-row[data-rule=leak]');
    expect(await see.locator('a[href="#/rules/new"]').count()).toBe(0);
    await go('/rules/leak', see);
    await see.waitForSelector('.rules-cond[data-path=when][data-met=false]');
    expect(await text('.rules-cond', see)).toContain('厨房');
    expect(await see.locator('[data-act]').count()).toBe(0);
    await go('/rules/safety', see);
    await see.waitForSelector('[data-safety=leak]');
    const sheet = await text('[data-safety=leak]', see);
    for (const part of ['重要设备 5', '保持，须由人复位', '第 2 版']) expect(sheet).toContain(part);
    const sideways = await see.evaluate<number>(
      `document.querySelector('main').scrollWidth - document.querySelector('main').clientWidth`,
    );
    expect(sideways).toBeLessThanOrEqual(0);
  } finally {
    await viewer.context.close();
  }
}, 60_000);

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

test('nothing of it keeps anybody out: list, rule, editor, rehearsal and the page of safety', async () => {
  await page.evaluate(axe);
  const wrong: string[] = [];
  for (const [hash, ready] of [
    ['/rules', '.rules-row'],
    ['/rules/leak', '.rules-cond'],
    ['/rules/leak/edit', '.rules-check'],
    ['/rules/stuffy?tab=rehearse', '.rules-choice'],
    ['/rules/safety', '.rules-sheet'],
  ] as const) {
    await go(hash);
    await page.waitForSelector(ready);
    const found = await page.evaluate<Violation[]>(
      'axe.run(document, { resultTypes: ["violations"] }).then((result) => result.violations)',
    );
    for (const { id, impact, nodes } of found) {
      if (impact === 'serious' || impact === 'critical') wrong.push(`${hash} ${id}: ${nodes[0]?.html ?? ''}`);
    }
  }
  expect(wrong).toEqual([]);
}, 60_000);
