import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { findFfmpeg } from '#edge/media/ffmpeg-find.ts';
import { ffmpegTitle } from '#edge/media/ffmpeg-orphans.ts';
import { createLiveSocket, createStreamsAnswer } from '#edge/media/live-socket.ts';
import { openMediaSocket } from '#edge/media/socket.ts';
import { Transcodes } from '#edge/media/transcode.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { PictureMask } from '#edge/runtime/site-cameras.ts';
import { type RigOptions, streamRig } from '../unit/media/stream-rig.ts';
import { startPeopleRoom } from '../unit/web/people-room.ts';

/* RTSP to screen: a camera, the hubs of media, media's socket, the web process with somebody signed in, and a page of players. */

export interface LiveRigOptions extends RigOptions {
  readonly page: string;
  readonly transcodes?: number;
  readonly masks?: readonly PictureMask[];
}

export async function liveRig({ page, transcodes: most = 1, masks = [], ...options }: LiveRigOptions) {
  await using stack = new AsyncDisposableStack();
  const rig = stack.use(await streamRig(options));
  const people = stack.use(await startPeopleRoom({ consoleFolder: page }));
  const { data, streams } = rig;
  const title = ffmpegTitle(data);
  const ffmpeg = await findFfmpeg({ folder: data });
  const transcodes = stack.use(new Transcodes({ ffmpeg, title, most, clock: systemClock, log: silentLog }));
  stack.use(
    await openMediaSocket({
      socketFile: join(people.data, 'media.sock'),
      keyFile: join(people.data, 'media.key'),
      handlers: [createStreamsAnswer({ streams, transcodes })],
      socketHandlers: [createLiveSocket({ streams, transcodes, masksOf: () => masks, clock: systemClock })],
      log: silentLog,
    }),
  );
  await people.addPerson('guard', 'security', { zones: ['gate'] });
  const guard = await people.signedIn('guard');
  const cookies = [...guard.cookies].map(([name, value]) => ({ name, value, url: people.url() }));
  const owned = stack.move();
  return { ...rig, people, guard, cookies, url: people.url(), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** What the first player of a page shows. */
export interface Shown {
  readonly state: string;
  readonly reason: string;
  readonly source: string;
  readonly text: string;
  /** Pictures that the browser has decoded and shown. */
  readonly pictures: number;
  readonly width: number;
  readonly currentTime: number;
  readonly image: string;
}

export function shown(page: Page): Promise<Shown> {
  return page.evaluate(`(() => {
    const player = document.querySelector('.kit-player');
    if (player === null) return { state: '', reason: '', source: '', text: '', pictures: 0, width: 0, currentTime: 0, image: '' };
    const video = player.querySelector('video');
    const { state = '', reason = '', source = '' } = player.dataset;
    const pictures = video.getVideoPlaybackQuality().totalVideoFrames;
    const image = player.querySelector('img').getAttribute('src') ?? '';
    return { state, reason, source, text: player.innerText, pictures, width: video.videoWidth, currentTime: video.currentTime, image };
  })()`);
}
