import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildConsole } from '#edge/web/console/build.ts';
import { type Answer, bytesOf, type Room, visit } from '../bench/console-page.ts';
import { Script, temporaryFolder } from '../bench/rig.ts';
import { type Browser, startBrowser } from './browser.ts';

/* What a browser that was never here fetches: bytes and questions, which no busy machine changes. Waits are in the bench. */

const most = 300_000;
const stack = new AsyncDisposableStack();
let browser: Browser;
let room: Room;

beforeAll(async () => {
  const folder = stack.use(await temporaryFolder('first-sight'));
  const script = stack.use(new Script('console-room.ts'));
  const order = { folder: `${folder.path}/data`, consoleFolder: await buildConsole(), meters: 0, month: null };
  const [{ url, cookie, points }, started] = await Promise.all([script.ask(order), startBrowser()]);
  browser = stack.use(started);
  room = { url: String(url), cookie: String(cookie), points: Number(points) };
}, 90_000);

afterAll(async () => await stack.disposeAsync(), 30_000);

test('the sign-in form is there within 300 kB of gzip', async () => {
  await using open = await visit(browser, { room, isSignedIn: false, encoding: 'gzip' });
  await open.ready('signIn');
  const { files } = bytesOf(await open.answers());
  expect(files).toBeGreaterThan(most / 10);
  expect(files).toBeLessThan(most);
}, 60_000);

test('the overview is there within 300 kB of gzip, and asks each question once', async () => {
  await using open = await visit(browser, { room, isSignedIn: true, encoding: 'gzip' });
  await open.ready('overview');
  const answers = await open.answers();
  expect(bytesOf(answers).files).toBeLessThan(most);
  const asked = answers.map(({ path }: Answer) => path).filter((path) => path.startsWith('/api/'));
  expect(asked).toContain('/api/v1/points');
  expect(asked.toSorted()).toEqual([...new Set(asked)].toSorted());
}, 60_000);

test('the names of things are there even where the stream does not open', async () => {
  await using open = await visit(browser, {
    room,
    isSignedIn: true,
    route: '#/points/meter-main/power',
    stream: 'refused',
  });
  await open.page.waitForSelector('.devices-point-head', { timeout: 30_000 });
  const asked = (await open.answers()).map(({ path }) => path);
  expect(asked.filter((path) => path === '/api/v1/points')).toHaveLength(1);
}, 60_000);
