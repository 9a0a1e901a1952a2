import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { BusClient } from '#edge/bus/client.ts';
import { decodeCameras } from '#edge/bus/codec.ts';
import { camerasTopic, healthTopic } from '#edge/bus/topics.ts';
import type { Device } from '#edge/domain/device.ts';
import type { ProcessHealth } from '#edge/domain/health.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { loadCredentials, parseOnvifConfig } from '#edge/drivers/onvif/config.ts';
import { type Ffmpeg, findFfmpeg } from '#edge/media/ffmpeg-find.ts';
import { endOrphans, ffmpegTitle } from '#edge/media/ffmpeg-orphans.ts';
import { createLiveSocket, createStreamsAnswer } from '#edge/media/live-socket.ts';
import { openMediaSocket } from '#edge/media/socket.ts';
import { CameraStreams } from '#edge/media/streams.ts';
import type { CameraLogin } from '#edge/media/streams-camera.ts';
import { Transcodes } from '#edge/media/transcode.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { recordingPlanOf } from '#edge/runtime/site-cameras.ts';
import { describeCampus } from './campus.ts';
import { type EdgeInit, paths } from './context.ts';
import { joinBus } from './link.ts';
import { mediaHealthOf } from './media/health.ts';
import { startRecording } from './media/recording.ts';

const healthEvery = 10_000;
const loginsEvery = 30_000;

/** Pictures that move: live view, recording, footage. Its ffmpeg children die with it; events and rules never wait for it. */
export async function startMedia(init: EdgeInit, context: ChildContext): Promise<Running> {
  const { clock, log } = context;
  const { data, site } = init;
  const ending = new AbortController();
  const instance = randomUUID();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => ending.abort());
  const cameras = (await describeCampus(site)).devicesOfProcess('camera');
  const ffmpeg = await chooseFfmpeg(data, log);
  const title = ffmpegTitle(data);
  const login = loginsOf(cameras);
  const streams = stack.use(
    new CameraStreams({ ffmpeg, title, cameras: cameras.map(({ id }) => id), login, clock, log }),
  );
  const transcodes = stack.use(new Transcodes({ ffmpeg, title, most: site.cameras.transcodes, clock, log }));
  const masksOf = (camera: DeviceId) => recordingPlanOf(site.cameras, camera).masks;
  const rpc = stack.use(connectRpc(paths.socket(data)));
  const tool = ffmpeg === null ? null : { path: ffmpeg.path, title };
  const recording = stack.use(
    await startRecording({ site, data, cameras, streams, ffmpeg: () => tool, rpc, clock, log }),
  );
  await rememberCameras(paths.cameraFacts(data), streams, log);
  stack.use(
    await openMediaSocket({
      socketFile: paths.mediaSocket(data),
      keyFile: paths.mediaKey(data),
      handlers: [createStreamsAnswer({ streams, transcodes }), recording.answer],
      socketHandlers: [createLiveSocket({ streams, transcodes, masksOf, clock })],
      log,
    }),
  );
  // Everything else stands by now: video does not wait for core.
  const bus = stack.use(await joinBus('media', init, context, instance, ending.signal));
  await followCameras(bus, streams, log);
  await recording.join(bus);
  const tell = () => {
    const media = mediaHealthOf(recording.state, streams.health(), ffmpeg, transcodes.load());
    const health: ProcessHealth = { process: 'media', state: 'ready', time: clock.now(), instance, devices: [], media };
    bus.publish(healthTopic('media'), health, { retain: true }).catch(() => {}); // told again at the next beat
  };
  bus.onConnect(tell);
  stack.use(new Ticker(healthEvery, tell));
  stack.use(new Ticker(loginsEvery, () => streams.lookForNewLogins()));
  const owned = stack.move();
  return { info: {}, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function chooseFfmpeg(data: string, log: Log): Promise<Ffmpeg | null> {
  const orphans = await endOrphans(data);
  if (orphans > 0) log.warn({ orphans }, 'ffmpeg children of an earlier run are ended');
  const ffmpeg = await findFfmpeg({ folder: data });
  if (ffmpeg === null) log.warn({}, 'there is no ffmpeg: no video');
  else log.info(ffmpeg, 'ffmpeg is there');
  return ffmpeg;
}

/** As the driver logs in: the same user and password, read anew each time. */
function loginsOf(cameras: readonly Device[]): (camera: DeviceId) => Promise<CameraLogin> {
  const addresses = new Map(cameras.map(({ id, address }) => [id, address]));
  return async (camera) => {
    const address = addresses.get(camera);
    if (address === undefined) throw new CodedError('CAMERA_UNKNOWN', `there is no camera "${camera}"`);
    const config = parseOnvifConfig(address);
    return { ...(await loadCredentials(config)), tls: config.tls, allowsBasic: config.clearPassword };
  };
}

/** What the process `camera` knew when it was told last: while core is away nothing comes over the bus. */
async function rememberCameras(file: string, streams: CameraStreams, log: Log): Promise<void> {
  try {
    const decoded = decodeCameras(await readFile(file));
    if (decoded.ok) streams.setFacts(decoded.value);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') log.warn({ problem: messageOf(error) }, 'what cameras are cannot be remembered');
  }
}

async function followCameras(bus: Pick<BusClient, 'subscribe'>, streams: CameraStreams, log: Log): Promise<void> {
  await bus.subscribe(camerasTopic('camera'), (topic, payload) => {
    const decoded = decodeCameras(payload);
    if (decoded.ok) streams.setFacts(decoded.value);
    else log.error({ topic, problem: decoded.message }, 'what cameras are cannot be read');
  });
}

if (import.meta.main) runChild('media', startMedia);
