import { join } from 'node:path';
import pino from 'pino';
import type { DeviceId } from '#edge/domain/ids.ts';
import { findFfmpeg } from '#edge/media/ffmpeg-find.ts';
import { ffmpegTitle } from '#edge/media/ffmpeg-orphans.ts';
import { createLiveSocket } from '#edge/media/live-socket.ts';
import { openMediaSocket } from '#edge/media/socket.ts';
import { CameraStreams } from '#edge/media/streams.ts';
import { Transcodes } from '#edge/media/transcode.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { factsOf } from '../unit/media/stream-rig.ts';
import { serveOrders } from './rig.ts';

/* The live half of the media process by itself: hubs and their socket, no bus and no recorder. */
serveOrders(async ({ data, uris, username, password, masks }) => {
  if (typeof data !== 'string' || !Array.isArray(uris) || !Array.isArray(masks))
    throw new Error('no folder or no cameras');
  const log = pino({ level: 'silent' });
  const title = ffmpegTitle(data);
  const ffmpeg = await findFfmpeg({ folder: data });
  const cameras = uris.map((_, index) => `camera-${index}` as DeviceId);
  const login = async () => ({ username: String(username), password: String(password), version: '1' });
  const streams = new CameraStreams({ ffmpeg, title, cameras, login, clock: systemClock, log });
  streams.setFacts(uris.map((uri, index) => factsOf([{ role: 'main', uri: String(uri) }], cameras[index])));
  const transcodes = new Transcodes({ ffmpeg, title, most: 2, clock: systemClock, log });
  await openMediaSocket({
    socketFile: join(data, 'media.sock'),
    keyFile: join(data, 'media.key'),
    handlers: [],
    socketHandlers: [createLiveSocket({ streams, transcodes, masksOf: () => masks, clock: systemClock })],
    log,
  });
  return { pid: process.pid };
});
