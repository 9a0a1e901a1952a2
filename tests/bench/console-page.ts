import type { Page } from 'playwright-core';
import type { Browser } from '../e2e/browser.ts';
import { type BenchLine, median } from './bench-line.ts';
import { until } from './rig.ts';

/* What a person waits for, and what the page costs while it is open, in a real browser. */

export interface Room {
  readonly url: string;
  /** `name=value` of a session. */
  readonly cookie: string;
  readonly points: number;
}

/** The first moment, ms after the navigation began, at which each can be used; every long task; every frame. */
const watching = `
  window.bench = { ready: {}, tasks: [], frames: 0 };
  const isReady = {
    signIn: () => document.querySelector('#account:not(:disabled)') !== null
      && document.querySelector('button[type=submit]:not(:disabled)') !== null,
    overview: () => document.querySelector('.overview .chip-good') !== null,
    device: () => (document.querySelector('.devices-value')?.textContent ?? '').trim() !== '',
  };
  const look = () => {
    bench.frames++;
    for (const [name, test] of Object.entries(isReady)) {
      if (bench.ready[name] === undefined && test()) bench.ready[name] = performance.now();
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) bench.tasks.push([startTime, duration]);
  }).observe({ type: 'longtask', buffered: true });`;

export interface Answer {
  /** Of this host. */
  readonly path: string;
  /** As it came over the line, with its head. */
  readonly bytes: number;
}

type Moment = 'signIn' | 'overview' | 'device';

export interface OpenRoom extends AsyncDisposable {
  readonly page: Page;
  /** Answers so far, but for the stream of changes, which has no end. */
  answers(): Promise<readonly Answer[]>;
  /** When it could be used, ms after the navigation began. */
  ready(moment: Moment): Promise<number>;
}

export interface Visit {
  readonly room: Room;
  readonly isSignedIn: boolean;
  readonly encoding?: 'gzip' | 'br';
  readonly route?: string;
  /** `refused`: no stream of changes opens. */
  readonly stream?: 'refused';
  readonly size?: { readonly width: number; readonly height: number };
}

/** A browser context that was never here: nothing is cached, and whoever is signed in is so by his cookie alone. */
export async function visit(
  browser: Browser,
  { room, isSignedIn, encoding, route = '', stream, size }: Visit,
): Promise<OpenRoom> {
  const { context, page, wrong } = await browser.open({ language: 'zh', ...size });
  const [name = '', value = ''] = room.cookie.split('=');
  if (isSignedIn) await context.addCookies([{ name, value, url: room.url, httpOnly: true, sameSite: 'Lax' }]);
  if (encoding !== undefined) await context.setExtraHTTPHeaders({ 'accept-encoding': encoding });
  await page.addInitScript({ content: watching });
  if (stream === 'refused') await page.route('**/api/v1/stream*', (request) => request.fulfill({ status: 503 }));
  const answers = await listAnswers(page);
  await page.goto(`${room.url}/${route}`, { waitUntil: 'commit', timeout: 30_000 });
  return {
    page,
    answers,
    ready: async (moment) => {
      const found = () => page.evaluate<number | null>(`window.bench?.ready.${moment} ?? null`);
      await until(`${moment} in the browser (${wrong.join('; ')})`, 30_000, async () => (await found()) !== null, 20);
      return (await found()) ?? Number.NaN;
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

async function listAnswers(page: Page): Promise<() => Promise<readonly Answer[]>> {
  const devtools = await page.context().newCDPSession(page);
  const paths = new Map<string, string>();
  const answers: Answer[] = [];
  devtools.on('Network.requestWillBeSent', ({ requestId, request }) => {
    paths.set(requestId, new URL(request.url).pathname);
  });
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    answers.push({ path: paths.get(requestId) ?? '', bytes: encodedDataLength });
  });
  await devtools.send('Network.enable');
  return async () => {
    // Whatever was said before this answer has arrived with it.
    await devtools.send('Runtime.evaluate', { expression: '0' });
    return [...answers];
  };
}

/** The files of the page and its parts, and what the API answered. */
export function bytesOf(answers: readonly Answer[]): { readonly files: number; readonly api: number } {
  const sum = (some: readonly Answer[]) => some.reduce((total, { bytes }) => total + bytes, 0);
  const isOfApi = ({ path }: Answer) => path.startsWith('/api/');
  return { files: sum(answers.filter((one) => !isOfApi(one))), api: sum(answers.filter(isOfApi)) };
}

const kB = (bytes: number) => ({ value: bytes / 1_000, unit: 'kB' });

/** How much a browser fetches that was never here. */
export async function measureBytes(browser: Browser, room: Room): Promise<BenchLine[]> {
  const take = async (isSignedIn: boolean, encoding: 'gzip' | 'br') => {
    await using open = await visit(browser, { room, isSignedIn, encoding });
    await open.ready(isSignedIn ? 'overview' : 'signIn');
    const first = bytesOf(await open.answers());
    await new Promise((resolve) => setTimeout(resolve, 700));
    return { first, settled: bytesOf(await open.answers()) };
  };
  const words = (bytes: number) => `${kB(bytes).value.toFixed(0)} kB`;
  const line = async (what: string, isSignedIn: boolean): Promise<BenchLine> => {
    const gzip = await take(isSignedIn, 'gzip');
    const br = await take(isSignedIn, 'br');
    return {
      bench: 'console',
      what,
      ours: kB(gzip.first.files),
      goal: { of: 'figure', atMost: 300 },
      note: `page, scripts and styles that had come over the line by then, heads included, from the browser's own network log, with accept-encoding: gzip (with brotli, which it takes over HTTPS and on loopback, ${words(br.first.files)}); ${words(gzip.settled.files)} when all was quiet; besides, ${words(gzip.first.api)} of answers of the API, which are not compressed`,
    };
  };
  return [
    await line('bytes until the sign-in form, gzip', false),
    await line('bytes until the overview shows devices, gzip', true),
  ];
}

/** How long a person waits who was never here. */
export async function measureWaits(browser: Browser, room: Room, rounds: number): Promise<BenchLine[]> {
  const signIn: number[] = [];
  const overview: number[] = [];
  for (let i = 0; i < rounds; i++) {
    {
      await using open = await visit(browser, { room, isSignedIn: false });
      signIn.push(await open.ready('signIn'));
    }
    await using open = await visit(browser, { room, isSignedIn: true });
    overview.push(await open.ready('overview'));
  }
  const line = (what: string, times: readonly number[]): BenchLine => ({
    bench: 'console',
    what,
    ours: { value: median(times), unit: 'ms' },
    goal: { of: 'figure', atMost: 1_500 },
    note: `median of ${rounds} browser contexts that were never here, from the beginning of the navigation, over loopback: ${times.map((time) => time.toFixed(0)).join(', ')}`,
  });
  return [line('until the sign-in form can be used', signIn), line('until the overview shows devices', overview)];
}

/** What an open page does to its browser while every point of a large school changes once a second. */
export async function measureLongTasks(browser: Browser, room: Room, seconds: number): Promise<BenchLine[]> {
  const size = { width: 1920, height: 1080 };
  const lines: BenchLine[] = [];
  for (const [name, moment, route] of [
    ['devices', 'device', '#/devices/meter-0'],
    ['overview', 'overview', '#/'],
  ] as const) {
    await using open = await visit(browser, { room, isSignedIn: true, route, size });
    await open.ready(moment);
    const { page } = open;
    const before = await page.evaluate<{ time: number; frames: number }>(
      `({ time: performance.now(), frames: bench.frames })`,
    );
    const end = performance.now() + 1_000 * seconds;
    for (let device = 1; performance.now() < end; device++) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(2_000, Math.max(0, end - performance.now()))));
      if (name === 'devices') await page.evaluate(`void (location.hash = '#/devices/meter-${device}')`);
    }
    const after = await page.evaluate<{ time: number; frames: number; tasks: [number, number][] }>(
      `({ time: performance.now(), frames: bench.frames, tasks: bench.tasks })`,
    );
    const standing = after.tasks.filter(([start]) => start >= before.time).map(([, took]) => took);
    const opened = after.tasks.filter(([start]) => start < before.time).map(([, took]) => took);
    const doing = name === 'devices' ? 'another device is opened every 2 s' : 'nobody touches it';
    lines.push({
      bench: 'console',
      what: `longest task, ${name} page`,
      ours: { value: Math.max(0, ...standing), unit: 'ms' },
      goal: { of: 'figure', atMost: 200 },
      note: `${room.points} points that change every second, ${seconds} s at 1920 x 1080, ${doing}; ${standing.length} tasks of more than 50 ms in all; the longest while it opened: ${Math.max(0, ...opened).toFixed(0)} ms`,
    });
    lines.push({
      bench: 'console',
      what: `frames, ${name} page`,
      ours: { value: (1_000 * (after.frames - before.frames)) / (after.time - before.time), unit: '1/s' },
    });
  }
  return lines;
}
