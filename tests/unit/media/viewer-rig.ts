import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { findFfmpeg } from '#edge/media/ffmpeg-find.ts';
import { ffmpegTitle } from '#edge/media/ffmpeg-orphans.ts';
import type { LiveMessage } from '#edge/media/live.ts';
import { createLiveSocket, createStreamsAnswer } from '#edge/media/live-socket.ts';
import { openMediaSocket } from '#edge/media/socket.ts';
import { Transcodes } from '#edge/media/transcode.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { PictureMask } from '#edge/runtime/site-cameras.ts';
import { camera, type RigOptions, streamRig } from './stream-rig.ts';

export interface Seen {
  readonly said: LiveMessage[];
  readonly binary: Buffer[];
  readonly closed: { code: number; reason: string }[];
  readonly socket: WebSocket;
}

export interface ViewerRigOptions {
  readonly transcodes?: number;
  readonly mostPictures?: number;
  readonly masks?: readonly PictureMask[];
}

/** media's socket before a camera, and viewers at it. */
export async function viewerRig(options: RigOptions & ViewerRigOptions = {}) {
  const stack = new AsyncDisposableStack();
  const rig = stack.use(await streamRig(options));
  const log = silentLog;
  const { streams, data } = rig;
  const transcodes = stack.use(
    new Transcodes({
      ffmpeg: await findFfmpeg({ folder: data }),
      title: ffmpegTitle(data),
      most: options.transcodes ?? 1,
      ...(options.mostPictures === undefined ? {} : { mostPictures: options.mostPictures }),
      clock: systemClock,
      log,
      linger: 200,
    }),
  );
  const socketFile = join(data, 'media.sock');
  stack.use(
    await openMediaSocket({
      socketFile,
      keyFile: join(data, 'media.key'),
      handlers: [createStreamsAnswer({ streams, transcodes })],
      socketHandlers: [
        createLiveSocket({
          streams,
          transcodes,
          masksOf: () => options.masks ?? [],
          clock: systemClock,
          lookEvery: 300,
        }),
      ],
      log,
    }),
  );
  const key = (await readFile(join(data, 'media.key'), 'utf8')).trim();
  const watch = (
    path = `/live/${camera}/main?codecs=avc1`,
    headers: Record<string, string> = { 'x-media-key': key },
  ) => {
    const socket = new WebSocket(`ws+unix:${socketFile}:${path}`, { headers });
    const seen: Seen = { said: [], binary: [], closed: [], socket };
    socket.on('message', (content: Buffer, isBinary) => {
      if (isBinary) seen.binary.push(content);
      else seen.said.push(JSON.parse(content.toString()));
    });
    socket.on('error', () => {});
    socket.on('close', (code, reason) => seen.closed.push({ code, reason: reason.toString() }));
    stack.defer(() => socket.terminate());
    return seen;
  };
  return { ...rig, key, transcodes, socketFile, watch, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

export const streamOf = ({ said }: Seen) => said.findLast((message) => message.kind === 'stream');
