import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Browser } from '../e2e/browser.ts';
import { type BenchLine, type BenchOptions, median, percentile } from './bench-line.ts';
import { Script, temporaryFolder, until } from './rig.ts';

/* From a click on a filter to the rows it leaves, with a year of incidents in the store. */

const incidents = 100_000;

/** From the click until the second frame after the new list has rows; and what the API needed for it. */
const watching = `
  window.bench = { clicked: null, list: null, painted: null };
  document.addEventListener('click', () => {
    bench.list = document.querySelector('.incidents-list');
    bench.clicked = performance.now();
    bench.painted = null;
    performance.clearResourceTimings();
  }, true);
  const look = () => {
    const list = document.querySelector('.incidents-list');
    if (bench.clicked !== null && bench.painted === null && list !== bench.list && list?.querySelector('.incidents-row')) {
      bench.painted = 0;
      requestAnimationFrame(() => requestAnimationFrame(() => { bench.painted = performance.now(); }));
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });`;

interface Filtered {
  readonly total: number;
  readonly answer: number;
}

const result = `(() => {
  const { clicked, painted } = bench;
  if (!painted) return null;
  const asked = performance.getEntriesByType('resource').filter(({ name }) => /incidents\\?.*limit=100$/.test(name));
  return { total: painted - clicked, answer: asked[0] === undefined ? 0 : asked[0].duration };
})()`;

async function click(page: Page, selector: string): Promise<Filtered> {
  await page.click(selector);
  let found: Filtered | null = null;
  const look = async () => {
    found = await page.evaluate<Filtered | null>(result);
    return found !== null;
  };
  await until(`rows after ${selector}`, 20_000, look, 20);
  return found ?? { total: Number.NaN, answer: Number.NaN };
}

/** By label, as somebody would. */
async function choose(page: Page, label: string, option: string): Promise<Filtered> {
  await page.click(`.incidents-filter .ant-select:has([aria-label="${label}"])`);
  const item = `.ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option:has-text("${option}")`;
  await page.waitForSelector(item);
  const filtered = await click(page, item);
  await page.keyboard.press('Escape');
  return filtered;
}

async function oneRound(page: Page): Promise<Filtered[]> {
  const show = (name: string) => click(page, `.incidents-bar .ant-segmented-item:has-text("${name}")`);
  const steps = [
    () => show('全部'),
    () => choose(page, '级别', '紧急'),
    () => choose(page, '区域', '校门'),
    () => click(page, '.incidents-filter .ant-btn-link'),
    () => choose(page, '类型', '车辆'),
    () => choose(page, '摄像机', '操场'),
    () => click(page, '.incidents-filter .ant-btn-link'),
    () => click(page, '.incidents-filter .ant-checkbox-input'),
    () => click(page, '.incidents-filter .ant-btn-link'),
    () => show('已办结'),
    () => show('待处置'),
  ];
  const all: Filtered[] = [];
  for (const step of steps) {
    all.push(await step());
    // A person looks at what he has found.
    await page.waitForTimeout(150);
  }
  return all;
}

export async function measureReview(
  browser: Browser,
  consoleFolder: string,
  options: BenchOptions,
): Promise<BenchLine[]> {
  await using folder = await temporaryFolder('review');
  await using script = new Script('console-room.ts');
  const order = { folder: join(folder.path, 'room'), consoleFolder, meters: 0, month: null, incidents };
  const { url, cookie } = await script.ask(order, 240_000);
  options.say(`  ${incidents} incidents are stored`);
  const { page, context } = await browser.open({ width: 1920, height: 1080, language: 'zh' });
  page.setDefaultTimeout(30_000);
  const [name = '', value = ''] = String(cookie).split('=');
  await context.addCookies([{ name, value, url: String(url), httpOnly: true, sameSite: 'Lax' }]);
  await page.addInitScript({ content: watching });
  await page.goto(`${url}/#/incidents`);
  await page.waitForSelector('.incidents-row');
  await oneRound(page); // the first use of each part loads and compiles it
  const all: Filtered[] = [];
  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const computed = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return 1_000 * (metrics.find((metric) => metric.name === 'TaskDuration')?.value ?? 0);
  };
  const before = await computed();
  for (let round = options.quick ? 2 : 5; round > 0; round--) all.push(...(await oneRound(page)));
  const each = ((await computed()) - before) / all.length;
  await context.close();
  const totals = all.map(({ total }) => total);
  const answers = all.map(({ answer }) => answer);
  const figure = (value: number) => ({ value, unit: 'ms' });
  const note =
    `${all.length} clicks on filters by state, class, zone, kind, camera and unseen; of it the API ` +
    `${median(answers).toFixed(0)} (p95 ${percentile(answers, 0.95).toFixed(0)}) ms; to the second frame after the rows; the page ` +
    `computes ${each.toFixed(0)} ms of CPU for each, opening its menu and a pause of 150 ms included`;
  options.say(`  ${note}`);
  return [
    {
      ...{ bench: 'gatehouse', what: `filter of ${incidents} incidents to its rows p50`, ours: figure(median(totals)) },
      ...{ goal: { of: 'figure', atMost: 100 } as const, note },
    },
    { bench: 'gatehouse', what: 'the same p95', ours: figure(percentile(totals, 0.95)) },
    {
      ...{ bench: 'gatehouse', what: 'of it the answer of the API p50', ours: figure(median(answers)) },
      ...{ goal: { of: 'figure', atMost: 100 } as const },
    },
  ];
}
