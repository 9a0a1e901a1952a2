import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Browser, startBrowser } from '../e2e/browser.ts';
import { buildLivePage } from '../system/live-page.ts';
import { liveRig, shown } from '../system/live-rig.ts';
import { factsOf, hasFfmpeg, password, streamRig, username, Watcher } from '../unit/media/stream-rig.ts';

/* GStreamer's RTSP server, which nobody here wrote: H.264 and H.265 with B-frames, digest, both transports, real RTCP. */

const python = '/usr/bin/python3';
const script = join(import.meta.dirname, 'rtsp-peers/gst_server.py');
const asks =
  "import gi\ngi.require_version('GstRtspServer', '1.0')\nfrom gi.repository import GstRtspServer, Gst\nGst.init(None)\n";
const elements = ['qtdemux', 'h264parse', 'h265parse', 'rtph264pay', 'rtph265pay']
  .map((name) => `assert Gst.ElementFactory.find('${name}'), '${name}'\n`)
  .join('');
const found = spawnSync(python, ['-c', asks + elements], { timeout: 30_000, encoding: 'utf8' });
const hasPeer = hasFfmpeg && found.status === 0;
if (!hasPeer) {
  const names = 'gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-good gstreamer1.0-plugins-bad';
  console.warn(
    `SKIPPED: no RTSP server of GStreamer here (apt install ${names}): ${found.stderr?.trim().split('\n').at(-1)}`,
  );
}

const patient = { timeout: 30_000, interval: 50 };
const seconds = 60;

/** Made once a machine. */
async function movie(codec: 'h264' | 'h265'): Promise<string> {
  const folder = join(tmpdir(), 'campus-test-clips');
  const file = join(folder, `peer-2-${codec}.mp4`);
  if (existsSync(file)) return file;
  await mkdir(folder, { recursive: true });
  const part = `${file}.${process.pid}.mp4`;
  const coder =
    codec === 'h264'
      ? ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '25']
      : [
          '-c:v',
          'libx265',
          '-preset',
          'ultrafast',
          '-x265-params',
          'log-level=none:keyint=25:bframes=2',
          '-tag:v',
          'hvc1',
        ];
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=480x270:rate=25', '-t', String(seconds)];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...source, ...coder, '-pix_fmt', 'yuv420p', part], { timeout: 80_000 });
  await rename(part, file);
  return file;
}

async function startPeer() {
  const files = [await movie('h264'), await movie('h265')];
  const child = spawn(python, [script, ...files, username, password], { stdio: ['pipe', 'pipe', 'inherit'] });
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (said: Buffer) => resolve(said.toString().trim()));
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return {
    url: (path: string) => `rtsp://127.0.0.1:${port}${path}`,
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await gone;
      clearTimeout(late);
    },
  };
}

let peer: Awaited<ReturnType<typeof startPeer>> | null = null;
beforeAll(async () => {
  if (hasPeer) peer = await startPeer();
}, 180_000);
afterAll(() => peer?.[Symbol.asyncDispose]());

const at = (path: string): string => peer?.url(path) ?? '';

describe.skipIf(!hasPeer)('a foreign RTSP server', () => {
  it.each([
    ['h264', /^avc1/],
    ['h265', /^hvc1/],
  ])('sends %s, and its times go on without a gap', async (path, codec) => {
    await using it = await streamRig();
    it.streams.setFacts([factsOf([{ role: 'main', uri: at(`/${path}`) }])]);
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, { fromKeyFrame: true });
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(80), patient);
    expect(watcher.inits).toMatchObject([{ codec: expect.stringMatching(codec), width: 480, height: 270 }]);
    expect(watcher.fragments[0]?.isKey).toBe(true);
    expect(watcher.fragments.filter(({ isKey }) => isKey).length).toBeGreaterThan(2);
    // The first decode times are a guess of ffmpeg's: RTP says only when pictures are shown.
    const times = watcher.fragments.slice(10).map(({ time }) => time);
    const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(Math.max(...steps)).toBeLessThan(130);
    expect(Math.abs((times.at(-1) ?? 0) - (times[0] ?? 0) - 40 * (times.length - 1))).toBeLessThan(130);
  });

  it('that refuses a password is told apart from one that is not there', async () => {
    await using it = await streamRig({
      streams: { login: async () => ({ username, password: 'wrong', version: '1' }) },
    });
    it.streams.setFacts([factsOf([{ role: 'main', uri: at('/h264') }])]);
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, { fromKeyFrame: true });
    await vi.waitFor(() => expect(watcher.last).toMatchObject({ kind: 'refused', reason: 'password' }), patient);
    it.streams.setFacts([factsOf([{ role: 'main', uri: 'rtsp://127.0.0.1:1/h264' }])]);
    await vi.waitFor(() => expect(watcher.last).toMatchObject({ reason: 'unreachable' }), patient);
  });

  it('says that it has no such stream', async () => {
    await using it = await streamRig();
    it.streams.setFacts([factsOf([{ role: 'main', uri: at('/nothing') }])]);
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, { fromKeyFrame: true });
    await vi.waitFor(() => expect(watcher.last).toMatchObject({ kind: 'refused', reason: 'missing' }), patient);
  });
});

describe.skipIf(!hasPeer)('a foreign RTSP server in a browser', () => {
  let browser: Browser;
  let page: Awaited<ReturnType<typeof buildLivePage>>;
  let canPlay = false;
  beforeEach(({ skip }) => {
    if (!canPlay) skip('this Chromium plays no H.264');
  });
  beforeAll(async () => {
    [browser, page] = await Promise.all([startBrowser(), buildLivePage()]);
    const probe = await browser.open();
    canPlay = await probe.page.evaluate(`MediaSource.isTypeSupported('video/mp4; codecs="avc1.640028"')`);
    await probe.context.close();
    if (!canPlay) console.warn('SKIPPED: this Chromium plays no H.264 (apt install chromium)');
  });
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await page?.[Symbol.asyncDispose]();
  });

  it.each([
    ['h264', 'copy', 'as it is'],
    ['h265', 'transcode', 'recoded'],
    ['h264', 'transcode', 'masked'],
    ['h265', 'transcode', 'recoded and masked'],
  ])('moves: %s as %s, %s', async (path, source, how) => {
    const isMasked = how.includes('masked');
    const masks = isMasked ? [{ x: 0, y: 0, width: 0.5, height: 0.5 }] : [];
    await using it = await liveRig({ page: page.folder, masks });
    it.streams.setFacts([factsOf([{ role: 'main', uri: at(`/${path}`) }])]);
    const opened = await browser.open();
    await opened.context.addCookies(it.cookies);
    await opened.page.goto(`${it.url}/#role=main`);
    await vi.waitFor(async () => expect((await shown(opened.page)).pictures).toBeGreaterThan(40), patient);
    expect(await shown(opened.page)).toMatchObject({ state: 'running', source, width: 480 });
    await opened.context.close();
  });
});
