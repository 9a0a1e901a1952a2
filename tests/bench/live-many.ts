import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { systemClock } from '#edge/runtime/clock.ts';
import { startRtsp } from '#edge/simulators/rtsp.ts';
import { childrenOf, clipOf, password, username } from '../unit/media/stream-rig.ts';
import { type BenchLine, type BenchOptions, percentile } from './bench-line.ts';
import { cpuTimeOf, Script, temporaryFolder, until } from './rig.ts';

/* What streams cost: many that are copied, many viewers of one, and one that is recoded because of its masks. */

const walls = 16;
const crowd = 30;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function startRoom() {
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
      sessions: walls * 4,
      streams: Object.fromEntries(paths.map((path) => [path, () => clip])),
    }),
  );
  const media = stack.use(new Script('live-media.ts', ['--max-old-space-size=256']));
  const data = folder.path;
  const masks = [{ x: 0.25, y: 0.25, width: 0.5, height: 0.5 }];
  await media.ask({ data, uris: paths.map((path) => rtsp.url(path)), username, password, masks });
  const key = (await readFile(join(data, 'media.key'), 'utf8')).trim();
  const sockets: WebSocket[] = [];
  stack.defer(() => {
    for (const socket of sockets) socket.terminate();
  });
  const watch = (camera: number, more = '&unmasked=1') => {
    const path = `/live/camera-${camera}/main?codecs=avc1${more}`;
    const socket = new WebSocket(`ws+unix:${join(data, 'media.sock')}:${path}`, { headers: { 'x-media-key': key } });
    const seen = { socket, fragments: 0, at: [] as number[], closed: false, skipped: false };
    socket.on('message', (content: Buffer, isBinary) => {
      if (isBinary) seen.fragments += 1;
      else if (content.includes('"skipped"')) seen.skipped = true;
      if (isBinary && seen.at.length < 2_000) seen.at.push(performance.now());
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      seen.closed = true;
    });
    sockets.push(socket);
    return seen;
  };
  const owned = stack.move();
  return { data, rtsp, media, watch, paths, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** % of a core that each of these takes over a time. */
async function shares(pids: readonly number[], ms: number): Promise<number[]> {
  const cpu = () => Promise.all(pids.map(async (pid) => (await cpuTimeOf(pid)) ?? 0));
  const [before, began] = [await cpu(), performance.now()];
  await pause(ms);
  const [after, took] = [await cpu(), performance.now() - began];
  return after.map((value, index) => ((value - (before[index] ?? 0)) / took) * 100);
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const ofCore = (value: number) => ({ value, unit: '% of a core' });

type Room = Awaited<ReturnType<typeof startRoom>>;

/** The same streams fetched by ffmpeg alone, its output thrown away: what cannot be saved. */
async function bareShare({ rtsp, paths }: Room, ms: number): Promise<number> {
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password).replaceAll("'", '%27')}`;
  const output = ['-c', 'copy', '-an', '-f', 'mp4', '-movflags', 'frag_every_frame+empty_moov+default_base_moof'];
  const children = paths.map((path) => {
    const from = rtsp.url(path).replace('//', `//${login}@`);
    const args = ['-v', 'error', '-rtsp_transport', 'tcp', '-i', from, ...output, '-y', '/dev/null'];
    return spawn('ffmpeg', args, { stdio: 'ignore' });
  });
  try {
    await until('all play', 60_000, () => rtsp.playing === paths.length, 100);
    await pause(4_000);
    return sum(
      await shares(
        children.map(({ pid = 0 }) => pid),
        ms,
      ),
    );
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await until('all are gone', 30_000, () => rtsp.playing === 0, 100);
  }
}

/** What 16 streams that are copied cost, with a viewer each: the media process, and ffmpeg beside it. */
async function copies(room: Room, ms: number): Promise<BenchLine[]> {
  const bare = await bareShare(room, ms);
  const viewers = Array.from({ length: walls }, (_, index) => room.watch(index));
  await until('all streams play', 60_000, () => room.rtsp.playing === walls, 100);
  await pause(5_000);
  const counted = sum(viewers.map(({ fragments }) => fragments));
  const [own = 0, ...children] = await shares([room.media.pid, ...childrenOf(room.data)], ms);
  const perSecond = ((sum(viewers.map(({ fragments }) => fragments)) - counted) / ms) * 1000;
  for (const { socket } of viewers) socket.terminate();
  const note = `${walls} sub-streams of 640 x 360 at 25 pictures/s (about 0.9 Mbit/s each), one viewer each: ${perSecond.toFixed(0)} fragments/s reach them`;
  return [
    { bench: 'live', what: `${walls} streams copied: media process`, ours: ofCore(own), note },
    {
      bench: 'live',
      what: `${walls} streams copied: with all ffmpeg`,
      ours: ofCore(own + sum(children)),
      other: { ...ofCore(bare), name: `${walls} bare ffmpeg, to nobody` },
      goal: { of: 'figure', atMost: 30 },
    },
  ];
}

/** One stream to 30, one of whom does not read. */
async function fanOut(room: Room, ms: number): Promise<BenchLine[]> {
  const viewers = Array.from({ length: crowd }, () => room.watch(0));
  const idle = room.watch(0);
  await until('everybody sees it', 30_000, () => [...viewers, idle].every(({ fragments }) => fragments > 5));
  idle.socket.pause();
  for (const viewer of viewers) viewer.at.length = 0;
  const [own = 0] = await shares([room.media.pid], ms);
  // Between the first and the last of them to have the same picture: the last ones are the same for all.
  const length = Math.min(...viewers.map(({ at }) => at.length)) - 5;
  const spread = Array.from({ length: Math.max(0, length) }, (_, index) => {
    const times = viewers.map(({ at }) => at.at(-1 - index) ?? 0);
    return Math.max(...times) - Math.min(...times);
  });
  const gaps = viewers.flatMap(({ at }) => at.slice(1).map((time, index) => time - (at[index] ?? time)));
  const missed = viewers.filter(({ skipped, closed }) => skipped || closed).length;
  await until(
    'who does not read is dropped',
    60_000,
    async () => {
      idle.socket.resume();
      await pause(200);
      if (!idle.closed && !idle.skipped) idle.socket.pause();
      return idle.closed || idle.skipped;
    },
    2_000,
  );
  const dropped = idle.closed ? 'closed' : 'given the next key frame when it read again';
  for (const { socket } of [...viewers, idle]) socket.terminate();
  const note =
    `640 x 360 at 25 pictures/s; one more viewer reads nothing (${dropped}) and ${missed} of the others miss a picture; ` +
    `p99 between two pictures of a viewer ${percentile(gaps, 0.99).toFixed(0)} ms`;
  return [
    { bench: 'live', what: `one stream to ${crowd} viewers: media process`, ours: ofCore(own), note },
    {
      bench: 'live',
      what: 'from the first to the last of them, p95',
      ours: { value: percentile(spread, 0.95), unit: 'ms' },
    },
  ];
}

/** A camera's masks burnt in: one child for all who may not see behind them. */
async function masked(room: Room, ms: number): Promise<BenchLine[]> {
  const copy = room.watch(0);
  await until('it plays', 30_000, () => copy.fragments > 5);
  const before = new Set(childrenOf(room.data));
  const viewers = [room.watch(0, '')];
  await until('it is covered', 30_000, () => viewers.every(({ fragments }) => fragments > 30));
  const [pid = 0] = childrenOf(room.data).filter((child) => !before.has(child));
  const [one = 0] = await shares([pid], ms);
  while (viewers.length < 10) viewers.push(room.watch(0, ''));
  await until('all see it', 30_000, () => viewers.every(({ fragments }) => fragments > 5));
  const [ten = 0] = await shares([pid], ms);
  for (const { socket } of [copy, ...viewers]) socket.terminate();
  const note = `640 x 360 at 25 pictures/s, H.264, decoded, covered and coded again by one ffmpeg; with ten such viewers it takes ${ten.toFixed(1)} %`;
  return [{ bench: 'live', what: 'a stream with masks burnt in: its ffmpeg', ours: ofCore(one), note }];
}

export async function manyStreams(ms: number, { say }: BenchOptions): Promise<BenchLine[]> {
  await using room = await startRoom();
  say(`  ${walls} streams ...`);
  const lines = await copies(room, ms);
  say(`  ${crowd} viewers ...`);
  lines.push(...(await fanOut(room, ms)));
  say('  masks ...');
  return [...lines, ...(await masked(room, ms))];
}
