import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#edge/runtime/errors.ts';
import { buildConsole } from '#edge/web/console/build.ts';
import { type Browser, startBrowser } from '../e2e/browser.ts';
import type { BenchLine, BenchOptions } from './bench-line.ts';
import { type MonthRoom, measureApi, measureChart } from './console-api.ts';
import { measureFifty } from './console-fifty.ts';
import { measureBytes, measureLongTasks, measureWaits, type Room } from './console-page.ts';
import { Script, temporaryFolder } from './rig.ts';

/** A large school: 125 meters of 16 points. */
const meters = 125;

export async function run({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  await using folder = await temporaryFolder('console');
  const consoleFolder = await buildConsole();
  const lines: BenchLine[] = [];
  {
    const month = quick ? { points: 1, every: 60_000 } : { points: 3, every: 60_000 };
    await using small = new Script('console-room.ts');
    const room = await openRoom(small, { folder: join(folder.path, 'small'), consoleFolder, meters: 0, month });
    say('  a month is stored');
    lines.push(...(await withBrowser((browser) => measureFirstSight(browser, room, quick))));
    say('  the console was opened');
    const samples = (30 * 86_400_000) / month.every;
    const about = `${samples} samples, in a store of ${month.points} such points`;
    lines.push(
      ...(await measureApi(room, { pid: small.pid, ...(quick ? { rounds: 1, ms: 500 } : { rounds: 3, ms: 500 }) })),
    );
    lines.push(await measureChart(room, about, quick ? 9 : 25));
    say('  the API answered');
  }
  {
    await using large = new Script('console-room.ts');
    const room = await openRoom(large, { folder: join(folder.path, 'large'), consoleFolder, meters, month: null });
    lines.push(...(await withBrowser((browser) => measureLongTasks(browser, room, quick ? 4 : 10))));
    say('  the console stood open');
  }
  lines.push(...(await fifty(quick ? 2 : 3)));
  return lines;
}

async function openRoom(script: Script, order: object): Promise<MonthRoom> {
  const { url, cookie, points, from, to } = await script.ask(order);
  return { url: String(url), cookie: String(cookie), points: Number(points), from: Number(from), to: Number(to) };
}

async function measureFirstSight(browser: Browser, room: Room, quick: boolean): Promise<BenchLine[]> {
  return [...(await measureBytes(browser, room)), ...(await measureWaits(browser, room, quick ? 3 : 5))];
}

/** Where there is no browser, the lines that need none still stand. */
async function withBrowser(measure: (browser: Browser) => Promise<BenchLine[]>): Promise<BenchLine[]> {
  let browser: Browser;
  try {
    browser = await startBrowser();
  } catch (error) {
    const note = `SKIPPED: no Chromium can be started here (${messageOf(error).split('\n')[0]}); CHROMIUM_PATH names one`;
    return [{ bench: 'console', what: 'in a browser', ours: null, note }];
  }
  await using _ = browser;
  return await measure(browser);
}

async function fifty(seconds: number): Promise<BenchLine[]> {
  if (existsSync('/proc/self/schedstat')) return measureFifty(seconds);
  const note = 'SKIPPED: this system does not say how much a process has computed (/proc/<pid>/schedstat)';
  return [{ bench: 'console', what: 'CPU with 50 consoles', ours: null, note }];
}
