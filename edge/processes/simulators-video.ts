import { findFfmpeg } from '#edge/media/ffmpeg-find.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { drawScene } from '#edge/simulators/camera-scene.ts';
import { type Rtsp, startRtsp } from '#edge/simulators/rtsp.ts';
import { makeClip, type RtspClip } from '#edge/simulators/rtsp-clip.ts';

/* What the cameras of the demo film: the yard, and somebody in it while the camera says so. Made once, kept in the data folder. */

export interface VideoOptions {
  readonly host: string;
  readonly port: number;
  /** Shown in the picture. */
  readonly name: string;
  readonly username: string;
  readonly password: string;
  readonly seesPerson: () => boolean;
  /** Of the main stream; what walls show is always H.264. */
  readonly codec: VideoCodec;
}

export type VideoCodec = NonNullable<RtspClip['codec']>;

export interface VideoKit {
  readonly clock: Clock;
  readonly log: Log;
  /** Where clips are kept. */
  readonly folder: string;
  /** Films no more. */
  readonly signal: AbortSignal;
}

/** As the simulated camera describes its streams, but for the rate: a school yard needs no more. */
export const videoShapes = {
  main: { width: 1280, height: 720, frameRate: 10 },
  sub: { width: 640, height: 360, frameRate: 10 },
} as const;
/** The figure needs so long to cross the yard. */
const seconds = 16;
const size = '640x360';
const mostTries = 5;
/** Before the second try; longer before each further one, ms. */
const pause = 10_000;

/** The RTSP server of a demo camera: 503 until its clips are made, which takes some seconds at the very first start. */
export async function startVideo(options: VideoOptions, kit: VideoKit): Promise<Rtsp> {
  const { host, port, username, password, seesPerson } = options;
  const clips = new Map<string, RtspClip>();
  const clip = (role: keyof typeof videoShapes) => () => {
    const empty = clips.get(`${role}/empty`) ?? null;
    return seesPerson() ? (clips.get(`${role}/person`) ?? empty) : empty;
  };
  const { clock } = kit;
  const streams = { '/main': clip('main'), '/sub': clip('sub') };
  const rtsp = await startRtsp({ host, port, clock, username, password, streams });
  void filmAtLast(options, kit, clips);
  return rtsp;
}

/** At a busy start a coder may run out of its time: what is filmed already is kept, and the rest is tried again. */
async function filmAtLast(options: VideoOptions, kit: VideoKit, clips: Map<string, RtspClip>): Promise<void> {
  for (let tries = 1; !kit.signal.aborted; tries++) {
    try {
      return await film(options, kit, clips);
    } catch (error) {
      const facts = { camera: options.name, problem: messageOf(error), tries };
      kit.log.warn(facts, 'this simulated camera has no video yet');
      if (tries >= mostTries) return;
    }
    await delay(pause * tries, kit.signal);
  }
}

async function film({ name, codec }: VideoOptions, { folder }: VideoKit, clips: Map<string, RtspClip>): Promise<void> {
  const ffmpeg = await findFfmpeg({ folder });
  if (ffmpeg === null) throw new Error('there is no ffmpeg');
  for (const what of ['empty', 'person'] as const) {
    for (const role of ['sub', 'main'] as const) {
      const scene = { key: `yard-1-${what}`, size, picture: sceneOf(name, what === 'person') };
      const shape = { ...videoShapes[role], codec: role === 'main' ? codec : ('h264' as const) };
      clips.set(`${role}/${what}`, await makeClip({ ffmpeg: ffmpeg.path, folder, name, seconds, scene, ...shape }));
    }
  }
}

/** Without anybody in it the picture changes once a second, and is drawn as often. */
function sceneOf(name: string, person: boolean): (second: number) => Uint8Array {
  let drawn: { readonly second: number; readonly rgb: Uint8Array } | null = null;
  return (at) => {
    const second = Math.floor(at);
    if (!person && drawn?.second === second) return drawn.rgb;
    const caption = `LOOP ${String(second).padStart(2, '0')}`;
    const { rgb } = drawScene({ name, time: at * 1000, utcOffsetMinutes: 0, person, caption });
    drawn = { second, rgb };
    return rgb;
  };
}
