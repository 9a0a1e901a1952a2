import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { buildConsole } from '#edge/web/console/build.ts';
import { type RunningCampus, startCampus } from '../system/campus.ts';
import { type Browser, type PageOptions, startBrowser } from './browser.ts';
import { makePerson, signIn, waitForCampus } from './people.ts';

/*
 * Takes the pictures of edge/docs/screens: every page on a desk, in the dark, on a phone, in Chinese; the overview also in
 * English. By hand: `node edge/run.mjs tests/e2e/screens.ts [page ...]`.
 */

const folder = join(import.meta.dirname, '../../edge/docs/screens');

const pages: Readonly<Record<string, { readonly route: string; readonly who?: string }>> = {
  overview: { route: '#/' },
  alarms: { route: '#/alarms' },
  map: { route: '#/map' },
  devices: { route: '#/devices' },
  device: { route: '#/devices/meter-main' },
  inbox: { route: '#/inbox' },
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

/** A plan of made-up grounds, with what lies on them. */
const plan = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 760" width="1200" height="760">
<rect width="1200" height="760" fill="#eef3ea"/>
<path d="M0 640h1200v60H0z" fill="#d9dde1"/><path d="M560 460h80v180h-80z" fill="#e3e6e9"/>
<rect x="90" y="70" width="560" height="250" fill="#fff" stroke="#8996a3" stroke-width="4"/>
<path d="M90 195h560M230 70v250M370 70v250M510 70v250" stroke="#b7c1ca" stroke-width="2"/>
<rect x="90" y="390" width="300" height="170" fill="#fff" stroke="#8996a3" stroke-width="4"/>
<rect x="470" y="560" width="110" height="80" fill="#fff" stroke="#8996a3" stroke-width="4"/>
<ellipse cx="920" cy="300" rx="220" ry="210" fill="#d98a63"/><ellipse cx="920" cy="300" rx="170" ry="160" fill="#8fbf7f"/>
<g font-family="sans-serif" font-size="24" fill="#46525f"><text x="110" y="52">教学楼 Teaching building</text>
<text x="110" y="376">食堂 Canteen</text><text x="850" y="70">操场 Playground</text><text x="600" y="620">校门 Gate</text></g></svg>`;

const places: Readonly<Record<string, readonly [number, number]>> = {
  'meter-main': [0.1, 0.14],
  'relay-1': [0.14, 0.14],
  'speaker-teaching': [0.5, 0.14],
  'smoke-101': [0.12, 0.34],
  'climate-101': [0.16, 0.34],
  'pir-101': [0.2, 0.34],
  'plug-1': [0.24, 0.34],
  'smoke-102': [0.33, 0.34],
  'smoke-201': [0.12, 0.22],
  'climate-201': [0.16, 0.22],
  'air-201': [0.2, 0.22],
  'air-301': [0.4, 0.22],
  'meter-dorm': [0.5, 0.34],
  'meter-canteen': [0.12, 0.65],
  'leak-kitchen': [0.24, 0.65],
  'camera-playground': [0.68, 0.2],
  'speaker-playground': [0.86, 0.2],
  'camera-gate': [0.45, 0.88],
  'speaker-gate': [0.52, 0.88],
  'door-gate': [0.42, 0.79],
  'button-gatehouse': [0.45, 0.79],
  'fire-panel': [0.48, 0.79],
};

async function send(campus: RunningCampus, path: string, token: string, body: string, type: string, method = 'POST') {
  const headers = { authorization: `Bearer ${token}`, 'content-type': type };
  const response = await fetch(`${campus.url}/api/v1/${path}`, {
    method,
    headers,
    body,
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

async function furnish(campus: RunningCampus, token: string): Promise<void> {
  await makePerson(campus, 'wang', '王敏', 'administrator');
  await makePerson(campus, 'zhou', '周岚', 'auditor');
  await makePerson(campus, 'li', '李强', 'security');
  await makePerson(campus, 'chen', '陈静', 'facility');
  const names = new URLSearchParams({ id: 'grounds', zh: '校园总图', en: 'Grounds' });
  await send(campus, `plans?${names}`, token, plan, 'image/svg+xml');
  for (const [device, [x, y]] of Object.entries(places)) {
    await send(campus, `plans/grounds/places/${device}`, token, JSON.stringify({ x, y }), 'application/json', 'PUT');
  }
  await campus.turn('leak-kitchen', 'on');
  await campus.post('requests', { point: 'relay-1/relay_3', value: false, seconds: 3_600, reason: '灯具检修' });
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
    await page.goto(`${campus.url}/${pages[name]?.route ?? '#/'}`);
    await settle(page);
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
await using campus = await startCampus();
await waitForCampus(campus);
await furnish(campus, readFileSync(join(campus.data, 'admin-token'), 'utf8').trim());
await using browser = await startBrowser();
const signInPage = await browser.open({ width: 1280, height: 800, language: 'zh' });
await signInPage.page.goto(campus.url);
await signInPage.page.waitForSelector('#account');
await signInPage.page.screenshot({ path: join(folder, 'sign-in.jpg'), type: 'jpeg', quality: 70 });
// Long enough that minutes, pictures and charts have something to show.
await new Promise((resolve) => setTimeout(resolve, 20_000));
for (const look of Object.keys(looks)) {
  for (const who of ['wang', 'zhou']) {
    const mine = wanted.filter((name) => (pages[name]?.who ?? 'wang') === who);
    if (mine.length > 0) await take(browser, campus, look, who, mine);
  }
}
