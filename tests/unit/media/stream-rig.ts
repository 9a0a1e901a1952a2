import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import type { CameraFacts, CameraStream } from '#edge/domain/camera.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { type Ffmpeg, findFfmpeg } from '#edge/media/ffmpeg-find.ts';
import { ffmpegTitle } from '#edge/media/ffmpeg-orphans.ts';
import type { Fragment, StreamInit, StreamState, StreamSubscriber } from '#edge/media/hub.ts';
import { CameraStreams, type CameraStreamsOptions } from '#edge/media/streams.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { type RtspOptions, startRtsp } from '#edge/simulators/rtsp.ts';
import { type ClipOptions, makeClip, type RtspClip } from '#edge/simulators/rtsp-clip.ts';

/* A camera that sends video on loopback, and the hubs that fetch it with a real ffmpeg. */

export const hasFfmpeg = spawnSync('ffmpeg', ['-version'], { timeout: 10_000 }).status === 0;
if (!hasFfmpeg) console.warn('SKIPPED: streams are fetched with ffmpeg, and there is none here (apt install ffmpeg)');

export const camera = 'camera-gate' as DeviceId;
export const username = 'campus';
export const password = "p:a's@s/w%rd ü";

/** Clips are made once a machine: they are the same for all tests. */
const clipFolder = join(tmpdir(), 'campus-test-clips');
export const clipOf = (options: Partial<ClipOptions> = {}): Promise<RtspClip> =>
  makeClip({ ffmpeg: 'ffmpeg', folder: clipFolder, name: 'TEST', seconds: 8, ...options });

type ToldStream = Pick<CameraStream, 'role' | 'uri'> & Partial<CameraStream>;

export function factsOf(streams: readonly ToldStream[], device = camera): CameraFacts {
  const known = { profile: 'p', codec: 'h264', width: 640, height: 360, frameRate: 25 } as const;
  return {
    device,
    time: 0,
    maker: '',
    model: '',
    firmware: '',
    endpoint: '',
    serial: '',
    streams: streams.map((stream) => ({ ...known, ...stream })),
    ptz: null,
    inputs: [],
    relays: [],
  };
}

/** Keeps what a hub says. */
export class Watcher implements StreamSubscriber {
  readonly inits: StreamInit[] = [];
  readonly fragments: Fragment[] = [];
  readonly states: StreamState[] = [];
  readonly ends: string[] = [];

  init(init: StreamInit): void {
    this.inits.push(init);
  }

  fragment(fragment: Fragment): void {
    this.fragments.push(fragment);
  }

  state(state: StreamState): void {
    this.states.push(state);
  }

  ended(reason: string): void {
    this.ends.push(reason);
  }

  get last(): StreamState | undefined {
    return this.states.at(-1);
  }
}

/** ffmpeg children of this data folder, by pid. */
export function childrenOf(data: string): number[] {
  const title = ffmpegTitle(data);
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => readText(`/proc/${pid}/cmdline`).split('\0')[0] === title)
    .map(Number);
}

export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

export interface RigOptions {
  readonly rtsp?: Partial<RtspOptions>;
  readonly streams?: Partial<CameraStreamsOptions>;
  readonly ffmpeg?: Ffmpeg | null;
}

/** One camera with `/main` and `/sub`. */
export async function streamRig({ rtsp: wanted = {}, streams: more = {}, ffmpeg }: RigOptions = {}) {
  const stack = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), 'campus-media-'));
  stack.defer(() => rm(data, { recursive: true, force: true }));
  const clip = await clipOf();
  const rtsp = stack.use(
    await startRtsp({
      host: '127.0.0.1',
      port: 0,
      clock: systemClock,
      username,
      password,
      streams: { '/main': () => clip, '/sub': () => clip },
      ...wanted,
    }),
  );
  const said: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void said.push(line) });
  const streams = stack.use(
    new CameraStreams({
      ffmpeg: ffmpeg === undefined ? await findFfmpeg({ folder: data }) : ffmpeg,
      title: ffmpegTitle(data),
      cameras: [camera],
      login: async () => ({ username, password, version: '1' }),
      clock: systemClock,
      log,
      linger: 300,
      pauses: { first: 100, cap: 300 },
      ...more,
    }),
  );
  const codecOf = (path: string) => wanted.streams?.[path]?.()?.codec ?? 'h264';
  const facts = factsOf([
    { role: 'main', uri: rtsp.url('/main'), codec: codecOf('/main') },
    { role: 'sub', uri: rtsp.url('/sub'), codec: codecOf('/sub') },
  ]);
  streams.setFacts([facts]);
  const hub = (role: 'main' | 'sub' = 'main') => {
    const found = streams.hub(camera, role);
    if (found === null) throw new Error(`there is no stream ${role}`);
    return found;
  };
  return { data, clip, rtsp, streams, hub, said, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
