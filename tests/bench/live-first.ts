import { findFfmpeg } from '#edge/media/ffmpeg-find.ts';
import type { Browser } from '../e2e/browser.ts';
import { liveRig } from '../system/live-rig.ts';
import { password, username } from '../unit/media/stream-rig.ts';
import { type BenchLine, type BenchOptions, median, percentile } from './bench-line.ts';
import { startBareLive } from './live-bare.ts';
import { temporaryFolder, until } from './rig.ts';

/* From the start of a player to its first picture: with nothing running (cold), and as a second viewer (warm). */

export interface FirstOptions extends BenchOptions {
  readonly browser: Browser;
  /** The built page of players. */
  readonly folder: string;
  readonly rounds: number;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Where the time goes, by the page's own clock: when the socket was asked for, open, and brought its first picture. */
const spy = `(() => {
  const Real = WebSocket;
  window.marks = {};
  let pieces = 0;
  const mark = (name) => { window.marks[name] ??= performance.now(); };
  window.WebSocket = class extends Real {
    constructor(...args) {
      super(...args);
      mark('asked');
      this.addEventListener('open', () => mark('open'));
      this.addEventListener('message', ({ data }) => typeof data !== 'string' && ++pieces === 2 && mark('picture'));
    }
  };
})()`;

interface First {
  /** ms from the player's start to its first picture on the screen. */
  readonly total: number;
  readonly open: number;
  readonly arrived: number;
}

interface Place {
  readonly browser: Browser;
  readonly url: string;
  readonly cookies: Awaited<ReturnType<typeof liveRig>>['cookies'];
}

async function look({ browser, url, cookies }: Place): Promise<First> {
  const { page, context } = await browser.open();
  await context.addInitScript(spy);
  await context.addCookies(cookies);
  await page.goto(url);
  const total = async () => Number(await page.evaluate(`document.querySelector('[data-first]')?.dataset.first ?? ''`));
  await until('a picture', 30_000, async () => (await total()) > 0, 50);
  const marks = (await page.evaluate('window.marks')) as Record<'asked' | 'open' | 'picture', number>;
  const first = { total: await total(), open: marks.open - marks.asked, arrived: marks.picture - marks.asked };
  await context.close();
  return first;
}

/** Cold in turns with the bare one, then warm; `program` chooses the ffmpeg of both. */
async function measure(program: string | null, { browser, folder, rounds, say }: FirstOptions) {
  await using stack = new AsyncDisposableStack();
  const own = stack.use(await temporaryFolder('ffmpeg'));
  const ffmpeg = await findFfmpeg({ folder: own.path, ...(program === null ? {} : { program }) });
  if (ffmpeg === null) return null;
  const rig = stack.use(await liveRig({ page: folder, ffmpeg }));
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password).replaceAll("'", '%27')}`;
  const bare = stack.use(await startBareLive(rig.rtsp.url('/main').replace('//', `//${login}@`), ffmpeg.path));
  const { cookies } = rig;
  const seen: Record<'ours' | 'bare', First[]> = { ours: [], bare: [] };
  for (let round = 0; round < rounds * 2; round++) {
    const who = round % 2 === 0 ? 'ours' : 'bare';
    // Anywhere between two key frames.
    await pause(Math.random() * 1_000);
    const first = await look({ browser, cookies, url: who === 'ours' ? `${rig.url}/#role=main` : bare.url });
    seen[who].push(first);
    say(`  ${who}: first after ${first.total.toFixed(0)} ms`);
    await until('the camera is let go of', 30_000, () => rig.rtsp.playing === 0);
  }
  const { page, context } = await browser.open();
  await context.addCookies(cookies);
  await page.goto(`${rig.url}/#role=main`);
  await until('the first viewer sees it', 30_000, () => rig.hub().recent.length > 5);
  const warm: First[] = [];
  for (let round = 0; round < rounds; round++)
    warm.push(await look({ browser, cookies, url: `${rig.url}/#role=main` }));
  await context.close();
  return { version: ffmpeg.version, ...seen, warm };
}

const totals = (firsts: readonly First[]) => firsts.map(({ total }) => total);

function linesOf(found: NonNullable<Awaited<ReturnType<typeof measure>>>, name: string): BenchLine[] {
  const { ours, bare, warm, version } = found;
  const ms = (value: number) => ({ value, unit: 'ms' });
  const figure = { of: 'figure', atMost: 2_000 } as const;
  const part = (of: 'open' | 'arrived') => median(ours.map((first) => first[of])).toFixed(0);
  const note =
    `ffmpeg ${version}; ${ours.length} times each, in turns, begun anywhere between two key frames, of which the camera sends one a second: half a ` +
    `second on average is waiting for one; ours, p50: socket open after ${part('open')} ms, first picture in it after ${part('arrived')} ms`;
  const other = (share: number) => ({ ...ms(percentile(totals(bare), share)), name: `bare, ${name}` });
  return [
    {
      bench: 'live',
      what: `first picture, cold, p50 (${name})`,
      ours: ms(median(totals(ours))),
      other: other(0.5),
      note,
    },
    {
      bench: 'live',
      what: `first picture, cold, p95 (${name})`,
      ours: ms(percentile(totals(ours), 0.95)),
      other: other(0.95),
      goal: figure,
    },
    {
      bench: 'live',
      what: `first picture, second viewer, p95 (${name})`,
      ours: ms(percentile(totals(warm), 0.95)),
      goal: figure,
    },
  ];
}

export async function firstPictures(options: FirstOptions): Promise<BenchLine[]> {
  const system = await measure(null, options);
  const bundled = await measure('/nowhere', { ...options, rounds: Math.ceil(options.rounds / 2) });
  return [
    ...(system === null ? [] : linesOf(system, 'system ffmpeg')),
    ...(bundled === null ? [] : linesOf(bundled, 'bundled ffmpeg')),
  ];
}
