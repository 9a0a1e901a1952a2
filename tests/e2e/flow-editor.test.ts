import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/* Node-RED's own editor behind our session, in a real browser: who may deploy does, who may not is shown the door. */

const soon = { timeout: 30_000, interval: 200 };
const folder = mkdtempSync(join(tmpdir(), 'flows-'));
let campus: RunningCampus;
let browser: Browser;

interface FlowTab {
  readonly label: string;
  readonly state: string;
  readonly versions: readonly { readonly by: string }[];
}

beforeAll(async () => {
  cpSync(join(import.meta.dirname, '../../flows'), folder, { recursive: true });
  [campus, browser] = await Promise.all([
    startCampus({
      city: false,
      simulators: false,
      only: ['flows', 'web'],
      change: (site) => ({ ...site, flows: { ...site.flows, folder } }),
    }),
    startBrowser(),
  ]);
  await waitForCampus(campus);
  // Without one the console asks for the first.
  await makePerson(campus, 'he', '何立', 'administrator');
  await makePerson(campus, 'lin', '林后勤', 'facility');
  await makePerson(campus, 'tang', '唐宁', 'viewer');
}, 120_000);

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

/** As if it had been pasted into the editor. */
const pasted = [
  { id: 'e2e0000000000001', type: 'tab', label: 'notify/e2e', disabled: false, info: '' },
  { id: 'e2e0000000000002', type: 'comment', z: 'e2e0000000000001', name: '测试', info: '', x: 140, y: 80, wires: [] },
];

async function tab(label: string): Promise<FlowTab | undefined> {
  const { tabs } = await campus.get<{ readonly tabs: readonly FlowTab[] }>('flows');
  return tabs.find((one) => one.label === label);
}

test('who may edit flows deploys one in the editor: it runs, is a file, and says whose it is', async () => {
  const { page } = await browser.open({ width: 1366, height: 768, language: 'zh' });
  page.setDefaultTimeout(30_000);
  await signIn(page, campus.url, 'lin');
  await page.goto(`${campus.url}/flows-editor/`);
  await page.waitForFunction('window.RED?.nodes?.getWorkspaceOrder?.().length > 0');
  await page.evaluate(`RED.nodes.import(${JSON.stringify(pasted)}); RED.nodes.dirty(true); RED.view.redraw(true);`);
  await page.click('#red-ui-header-button-deploy:not(.disabled)');
  // Nothing that is shipped is said to be wrong: no question comes before it is done.
  await vi.waitFor(async () => expect(await tab('notify/e2e')).toMatchObject({ state: 'running' }), soon);
  const file = readdirSync(join(folder, 'notify')).find((name) => name.startsWith('e2e'));
  expect(readFileSync(join(folder, 'notify', file ?? ''), 'utf8')).toContain('e2e0000000000002');
  const { lines } = await campus.get<{ readonly lines: readonly { who: string; what: string }[] }>('audit?limit=50');
  expect(lines).toContainEqual(expect.objectContaining({ who: 'person:lin', what: 'flows.deploy' }));
}, 120_000);

test('who may not is shown the door, at the page and behind it', async () => {
  const { page } = await browser.open({ width: 1366, height: 768, language: 'zh' });
  page.setDefaultTimeout(30_000);
  await signIn(page, campus.url, 'tang');
  expect(await page.locator('.kit-side a[href="#/flows"]').count()).toBe(0);
  const deploy = `fetch('flows-editor/flows', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '[]' }).then(({ status }) => status)`;
  expect(await page.evaluate(deploy)).toBe(403);
  expect((await page.goto(`${campus.url}/flows-editor/`))?.status()).toBe(403);
  expect(await tab('notify/e2e')).toMatchObject({ state: 'running' });
}, 60_000);
