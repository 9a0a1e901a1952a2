import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { placeDemoPlan } from '#edge/processes/demo-plan.ts';
import { buildConsole } from '#edge/web/console/build.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type PageOptions, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/*
 * Takes the pictures of edge/docs/screens: every page on a desk, in the dark, on a phone, in Chinese; the overview also in
 * English. By hand: `node edge/run.mjs tests/e2e/screens.ts [page ...]`.
 */

const folder = join(import.meta.dirname, '../../edge/docs/screens');

interface Screen {
  readonly route: string | (() => string);
  readonly who?: string;
  /** What must have happened for it to be worth looking at. */
  readonly prepare?: (campus: RunningCampus) => Promise<void>;
  /** What is covered is recoded first, ms. */
  readonly longer?: number;
}

/** When somebody walked over the playground. */
let walked = 0;

const pages: Readonly<Record<string, Screen>> = {
  overview: { route: '#/' },
  alarms: { route: '#/alarms' },
  map: { route: '#/map' },
  devices: { route: '#/devices' },
  device: { route: '#/devices/meter-main' },
  inbox: { route: '#/inbox' },
  incidents: { route: '#/incidents', who: 'li', prepare: (campus) => campus.turn('person-gate', 'on') },
  patrols: { route: '#/patrols', who: 'li' },
  live: { route: '#/live', who: 'li', longer: 12_000 },
  // While somebody walks over the playground, which is recorded only then.
  footage: {
    route: () => `#/footage?cameras=camera-gate,camera-playground&at=${walked + 3_000}`,
    who: 'li',
    longer: 15_000,
  },
  cameras: { route: '#/cameras' },
  camera: { route: '#/cameras/camera-gate' },
  assets: { route: '#/assets' },
  system: { route: '#/system' },
  people: { route: '#/people' },
  security: { route: '#/security' },
  account: { route: '#/account' },
  // Who administers does not read the audit.
  audit: { route: '#/audit', who: 'zhou' },
};

const looks: Readonly<Record<string, PageOptions>> = {
  desk: { width: 1920, height: 1080, language: 'zh' },
  dark: { width: 1920, height: 1080, dark: true, language: 'zh' },
  phone: { width: 390, height: 844, touch: true, language: 'zh' },
};

async function furnish(campus: RunningCampus): Promise<void> {
  await makePerson(campus, 'wang', '王敏', 'administrator');
  await makePerson(campus, 'zhou', '周岚', 'auditor');
  await makePerson(campus, 'li', '李强', 'security');
  await makePerson(campus, 'chen', '陈静', 'facility');
  const files = { tokenFile: join(campus.data, 'admin-token'), doneFile: join(campus.data, 'demo-plan-placed') };
  await placeDemoPlan({ url: campus.url, ...files }, AbortSignal.timeout(60_000));
  await campus.turn('leak-kitchen', 'on');
  await campus.post('requests', { point: 'relay-1/relay_3', value: false, seconds: 3_600, reason: '灯具检修' });
  await campus.turn('person-playground', 'on');
  walked = Date.now();
}

/** Until it is quiet: lists are there, pictures and charts are drawn. */
async function settle(page: Page): Promise<void> {
  await page.waitForSelector('.kit-skeleton, .ant-spin-spinning', { state: 'detached' }).catch(() => {});
  await page.evaluate('document.fonts.ready.then(() => {})');
  await page.waitForTimeout(1_500);
}

async function take(browser: Browser, campus: RunningCampus, look: string, who: string, wanted: readonly string[]) {
  const { page, context, wrong } = await browser.open(looks[look] ?? {});
  page.setDefaultTimeout(20_000);
  await signIn(page, campus.url, who);
  for (const name of wanted) {
    const { route = '#/', prepare, longer = 0 } = pages[name] ?? {};
    await prepare?.(campus);
    await page.goto(`${campus.url}/${typeof route === 'string' ? route : route()}`);
    await settle(page);
    await page.waitForTimeout(longer);
    await page.screenshot({ path: join(folder, `${name}-${look}.jpg`), type: 'jpeg', quality: 70 });
    process.stdout.write(`${name}-${look}.jpg\n`);
    if (name === 'overview' && look === 'desk') {
      await page.click('[data-switch=language]');
      await settle(page);
      await page.screenshot({ path: join(folder, 'overview-english.jpg'), type: 'jpeg', quality: 70 });
      await page.click('[data-switch=language]');
    }
  }
  for (const one of wrong) process.stdout.write(`  ${look}: ${one}\n`);
  await context.close();
}

const asked = process.argv.slice(2);
const wanted = Object.keys(pages).filter((name) => asked.length === 0 || asked.includes(name));
mkdirSync(folder, { recursive: true });
await buildConsole();
await using campus = await startCampus({ gatehouse: true, video: true });
await waitForCampus(campus);
await furnish(campus);
await using browser = await startBrowser();
const signInPage = await browser.open({ width: 1280, height: 800, language: 'zh' });
await signInPage.page.goto(campus.url);
await signInPage.page.waitForSelector('#account');
await signInPage.page.screenshot({ path: join(folder, 'sign-in.jpg'), type: 'jpeg', quality: 70 });
// Long enough that minutes, pictures and charts have something to show.
await new Promise((resolve) => setTimeout(resolve, 60_000));
for (const look of Object.keys(looks)) {
  for (const who of ['wang', 'li', 'zhou']) {
    const mine = wanted.filter((name) => (pages[name]?.who ?? 'wang') === who);
    if (mine.length > 0) await take(browser, campus, look, who, mine);
  }
}
