import type { Page } from 'playwright-core';
import type { Rtsp } from '#edge/simulators/rtsp.ts';
import { numberBits } from '#edge/simulators/rtsp-clip.ts';
import { startBrowser } from '../e2e/browser.ts';
import { buildLivePage } from '../system/live-page.ts';
import { liveRig } from '../system/live-rig.ts';
import { password, username } from '../unit/media/stream-rig.ts';
import { type BenchLine, type BenchOptions, median, percentile } from './bench-line.ts';
import { startBareLive } from './live-bare.ts';
import { type FirstOptions, firstPictures } from './live-first.ts';
import { manyStreams } from './live-many.ts';
import { until } from './rig.ts';

/* Live view: from the camera's lens to the glass of a real browser, against the shortest way there is; and what many streams cost. */

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

async function watch(page: Page, url: string, rtsp: Rtsp, path: string, ms: number): Promise<number[]> {
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
  return delays;
}

/** In turns, so that whatever else the machine does falls on both. */
async function glassToGlass(
  { browser, folder, say }: Pick<FirstOptions, 'browser' | 'folder' | 'say'>,
  rounds: number,
  ms: number,
): Promise<BenchLine[]> {
  await using stack = new AsyncDisposableStack();
  const rig = stack.use(await liveRig({ page: folder }));
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password).replaceAll("'", '%27')}`;
  const bare = stack.use(await startBareLive(rig.rtsp.url('/main').replace('//', `//${login}@`)));
  const delays: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] };
  for (let round = 0; round < rounds * 2; round++) {
    const who = round % 2 === 0 ? 'ours' : 'bare';
    const { page, context } = await browser.open();
    await context.addCookies(rig.cookies);
    const url = who === 'ours' ? `${rig.url}/#role=main` : bare.url;
    const watched = await watch(page, url, rig.rtsp, '/main', ms);
    delays[who].push(...watched);
    say(`  ${who}: p50 ${median(watched).toFixed(0)} ms`);
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
  ];
}

export async function run(options: BenchOptions): Promise<BenchLine[]> {
  const { quick } = options;
  const many = await manyStreams(quick ? 6_000 : 20_000, options);
  await using browser = await startBrowser();
  await using built = await buildLivePage();
  const { folder } = built;
  const glass = await glassToGlass({ ...options, browser, folder }, quick ? 1 : 3, quick ? 8_000 : 12_000);
  const firsts = await firstPictures({ ...options, browser, folder, rounds: quick ? 4 : 20 });
  return [...glass, ...firsts, ...many];
}
