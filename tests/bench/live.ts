import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { systemClock } from '#edge/runtime/clock.ts';
import { type Rtsp, startRtsp } from '#edge/simulators/rtsp.ts';
import { numberBits } from '#edge/simulators/rtsp-clip.ts';
import { type Browser, startBrowser } from '../e2e/browser.ts';
import { buildLivePage } from '../system/live-page.ts';
import { liveRig } from '../system/live-rig.ts';
import { childrenOf, clipOf, password, username } from '../unit/media/stream-rig.ts';
import { type BenchLine, type BenchOptions, median, percentile } from './bench-line.ts';
import { startBareLive } from './live-bare.ts';
import { cpuTimeOf, Script, temporaryFolder, until } from './rig.ts';

/* Live view: from the camera's lens to the glass of a real browser, against the shortest way there is; and what many streams cost. */

const walls = 16;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Reads the number that each picture carries in its lower left corner, as it comes onto the screen. */
const reader = `(() => {
  const video = document.querySelector('video');
  const bits = ${numberBits};
  window.seen = [];
  const canvas = document.createElement('canvas');
  const look = () => {
    const { videoWidth: width, videoHeight: height } = video;
    const side = Math.max(8, Math.round(width / 54));
    canvas.width = side * bits;
    canvas.height = side;
    const at = Date.now();
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, height - side, side * bits, side, 0, 0, side * bits, side);
    const { data } = context.getImageData(0, 0, side * bits, side);
    let number = 0;
    for (let bit = 0; bit < bits; bit++) {
      const place = (Math.floor(side / 2) * side * bits + bit * side + Math.floor(side / 2)) * 4;
      if (data[place] > 128) number += 2 ** bit;
    }
    window.seen.push([number, at]);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
})()`;

interface Watched {
  readonly delays: readonly number[];
  /** ms from the player's start to the first picture; the page's own loading is not in it. */
  readonly first: number;
}

async function watch(page: Page, url: string, rtsp: Rtsp, path: string, ms: number): Promise<Watched> {
  await page.goto(url);
  const first = async () => Number(await page.evaluate(`document.querySelector('[data-first]')?.dataset.first ?? ''`));
  await until('a picture', 30_000, async () => (await first()) > 0, 50);
  await pause(4_000);
  await page.evaluate(reader);
  const delays: number[] = [];
  for (let left = ms; left > 0; left -= 1_000) {
    await pause(1_000);
    const seen = (await page.evaluate('window.seen.splice(0)')) as [number, number][];
    for (const [number, at] of seen) {
      const sent = rtsp.sentAt(path, number);
      if (sent !== null && at >= sent) delays.push(at - sent);
    }
  }
  return { delays, first: await first() };
}

/** In turns, so that whatever else the machine does falls on both. */
async function glassToGlass(browser: Browser, rounds: number, ms: number, { say }: BenchOptions): Promise<BenchLine[]> {
  await using stack = new AsyncDisposableStack();
  const built = stack.use(await buildLivePage());
  const rig = stack.use(await liveRig({ page: built.folder }));
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password).replaceAll("'", '%27')}`;
  const bare = stack.use(await startBareLive(rig.rtsp.url('/main').replace('//', `//${login}@`)));
  const delays: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] };
  const firsts: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] };
  for (let round = 0; round < rounds * 2; round++) {
    const who = round % 2 === 0 ? 'ours' : 'bare';
    const { page, context } = await browser.open();
    await context.addCookies(rig.cookies);
    const url = who === 'ours' ? `${rig.url}/#role=main` : bare.url;
    const watched = await watch(page, url, rig.rtsp, '/main', ms);
    delays[who].push(...watched.delays);
    firsts[who].push(watched.first);
    say(`  ${who}: p50 ${median(watched.delays).toFixed(0)} ms, first after ${watched.first.toFixed(0)} ms`);
    await context.close();
    // The next begins cold, as the bare one always does.
    await until('the camera is let go of', 20_000, () => rig.rtsp.playing === 0);
  }
  const note =
    `640 x 360 at 25 pictures/s, a key frame each second; ${delays.ours.length} and ${delays.bare.length} pictures whose number was read off the ` +
    'screen, in turns; from the send of the RTP packets to requestVideoFrameCallback; both behind software decoding';
  const ratio = { of: 'ratio', atMost: 1.3 } as const;
  const figure = (value: number) => ({ value, unit: 'ms' });
  return [
    {
      bench: 'live',
      what: 'glass to glass p50',
      ours: figure(median(delays.ours)),
      other: { ...figure(median(delays.bare)), name: 'bare ffmpeg to MSE' },
      goal: ratio,
      note,
    },
    {
      bench: 'live',
      what: 'glass to glass p95',
      ours: figure(percentile(delays.ours, 0.95)),
      other: { ...figure(percentile(delays.bare, 0.95)), name: 'bare ffmpeg to MSE' },
    },
    {
      bench: 'live',
      what: 'first picture, cold',
      ours: figure(Math.max(...firsts.ours)),
      other: { ...figure(Math.max(...firsts.bare)), name: 'bare ffmpeg to MSE' },
      goal: { of: 'figure', atMost: 2_000 },
      note: 'the worst; from the start of the player, with no ffmpeg running yet; the camera sends a key frame each second',
    },
  ];
}

/** What 16 streams that are copied cost, with a viewer each: the media process, and ffmpeg beside it. */
async function manyStreams(ms: number, { say }: BenchOptions): Promise<BenchLine[]> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder('live'));
  const clip = await clipOf();
  const paths = Array.from({ length: walls }, (_, index) => `/sub${index}`);
  const rtsp = stack.use(
    await startRtsp({
      host: '127.0.0.1',
      port: 0,
      clock: systemClock,
      username,
      password,
      sessions: walls * 2,
      streams: Object.fromEntries(paths.map((path) => [path, () => clip])),
    }),
  );
  const media = stack.use(new Script('live-media.ts', ['--max-old-space-size=256']));
  const data = folder.path;
  await media.ask({ data, uris: paths.map((path) => rtsp.url(path)), username, password });
  const key = (await readFile(join(data, 'media.key'), 'utf8')).trim();
  let fragments = 0;
  for (let index = 0; index < walls; index++) {
    const path = `/live/camera-${index}/main?codecs=avc1`;
    const socket = new WebSocket(`ws+unix:${join(data, 'media.sock')}:${path}`, { headers: { 'x-media-key': key } });
    stack.defer(() => socket.terminate());
    socket.on('message', (_content, isBinary) => {
      if (isBinary) fragments += 1;
    });
  }
  say(`  ${walls} streams ...`);
  await until('all streams play', 60_000, () => rtsp.playing === walls, 100);
  await pause(5_000);
  const pids = [media.pid, ...childrenOf(data)];
  const cpu = () => Promise.all(pids.map(async (pid) => (await cpuTimeOf(pid)) ?? 0));
  const [before, counted, began] = [await cpu(), fragments, performance.now()];
  await pause(ms);
  const [after, took] = [await cpu(), performance.now() - began];
  const shares = after.map((value, index) => ((value - (before[index] ?? 0)) / took) * 100);
  const [own = 0, ...children] = shares;
  const perSecond = ((fragments - counted) / took) * 1000;
  const note = `${walls} sub-streams of 640 x 360 at 25 pictures/s (about 0.9 Mbit/s each), one viewer each: ${perSecond.toFixed(0)} fragments/s reach them`;
  return [
    {
      bench: 'live',
      what: `${walls} streams copied: media process`,
      ours: { value: own, unit: '% of a core' },
      goal: { of: 'figure', atMost: 30 },
      note,
    },
    {
      bench: 'live',
      what: `${walls} streams copied: with all ffmpeg`,
      ours: { value: own + children.reduce((sum, share) => sum + share, 0), unit: '% of a core' },
    },
  ];
}

export async function run(options: BenchOptions): Promise<BenchLine[]> {
  const many = await manyStreams(options.quick ? 8_000 : 20_000, options);
  await using browser = await startBrowser();
  const glass = await glassToGlass(browser, options.quick ? 1 : 3, options.quick ? 8_000 : 12_000, options);
  return [...glass, ...many];
}
