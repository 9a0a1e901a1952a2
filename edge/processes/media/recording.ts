import type { BusClient } from '#edge/bus/client.ts';
import { decodeCalendar, decodeCampusEvent } from '#edge/bus/codec.ts';
import { calendarTopic, filters } from '#edge/bus/topics.ts';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { Exports } from '#edge/media/export.ts';
import { openFootage } from '#edge/media/footage-load.ts';
import type { Streams } from '#edge/media/hub.ts';
import { Pictures } from '#edge/media/picture.ts';
import type { FootageFfmpeg } from '#edge/media/picture-ffmpeg.ts';
import { createPlayback, type PlaybackHandler } from '#edge/media/playback.ts';
import { RecorderDesk, type RecordingState } from '#edge/media/recorder-desk.ts';
import { DeletionAudit } from '#edge/media/retention-audit.ts';
import { ProtectedFootage } from '#edge/media/retention-protected.ts';
import { openRetention } from '#edge/media/retention-worker.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { createClockSync } from '#edge/runtime/clock-sync.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import { recordingPlanOf } from '#edge/runtime/site-cameras.ts';
import { type EdgeInit, paths } from '../context.ts';

export interface RecordingOptions {
  readonly site: EdgeInit['site'];
  readonly data: string;
  /** Those of the process `camera`. */
  readonly cameras: readonly Pick<Device, 'id' | 'name'>[];
  readonly streams: Pick<Streams, 'hub'>;
  readonly ffmpeg: () => FootageFfmpeg | null;
  readonly rpc: RpcClient;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Recording extends AsyncDisposable {
  /** Answers what is asked below /footage, /pictures and /exports; false: it is none of these. */
  readonly answer: PlaybackHandler;
  readonly state: RecordingState;
  /** Hears what happens, what kind of time it is, and that something is to be kept. */
  join(bus: Pick<BusClient, 'subscribe'>): Promise<void>;
}

/** What happens to the machine in front of a camera, not to what it sees. */
const notSeen = /^(device_|process_|samples_)/;
const callTime = 10_000;

/** Footage: read, mended, written, tidied and shown. It needs neither core nor a camera to start. */
export async function startRecording(options: RecordingOptions): Promise<Recording> {
  const { site, data, cameras, streams, ffmpeg, rpc, clock, log } = options;
  const { quota = null, protectedQuota, freeSpaceFloor } = site.cameras;
  await using stack = new AsyncDisposableStack();
  const started = clock.monotonic();
  const folder = paths.footage(data, site);
  const { footage, report } = await openFootage(folder, log);
  log.info({ ...report, ms: Math.round(clock.monotonic() - started) }, 'footage is read');
  const planOf = (camera: DeviceId) => recordingPlanOf(site.cameras, camera);
  const masksOf = (camera: DeviceId) => planOf(camera).masks;
  const names = new Map(cameras.map(({ id, name }) => [id, name.zh]));
  const call = (method: string, params: object) => rpc.call(method, params, callTime);
  const kept = new ProtectedFootage({ folder, call, log });
  const synchronisation = createClockSync({ clock });
  const retention = await openRetention({
    footage,
    planOf,
    limits: { quota, protectedQuota, freeSpaceFloor },
    kept,
    audit: new DeletionAudit({ folder, call, log }),
    clock,
    synchronised: async () => (await synchronisation()).synchronised,
    log,
  });
  const plans = cameras.map(({ id }) => ({ id, plan: planOf(id) }));
  const limits = { quota, freeSpaceFloor };
  const desk = stack.use(new RecorderDesk({ footage, cameras: plans, streams, kept, retention, limits, clock, log }));
  const room = () => {
    const { freeBytes } = desk.state;
    return freeBytes === null ? null : freeBytes - freeSpaceFloor;
  };
  const nameOf = (camera: DeviceId): string => names.get(camera) ?? camera;
  const exports = stack.use(new Exports({ footage, ffmpeg, masksOf, nameOf, room, clock, log }));
  await exports.clear();
  const pictures = new Pictures({ footage, ffmpeg, masksOf });
  const answer = createPlayback({ footage, kept, pictures, exports, masksOf, log });
  await desk.start();
  const owned = stack.move();
  return {
    answer,
    get state() {
      return desk.state;
    },
    join: (bus) => join(bus, desk, log),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function join(bus: Pick<BusClient, 'subscribe'>, desk: RecorderDesk, log: Log): Promise<void> {
  await bus.subscribe(calendarTopic, (topic, payload) => {
    const decoded = decodeCalendar(payload);
    if (decoded.ok) desk.setTimes(decoded.value.labels, decoded.value.modes);
    else log.error({ topic, problem: decoded.message }, 'the calendar of core cannot be read');
  });
  await bus.subscribe(filters.events, (topic, payload) => {
    const decoded = decodeCampusEvent(payload);
    if (!decoded.ok) return log.error({ topic, problem: decoded.message }, 'an event of core cannot be read');
    const { device, type, time, active } = decoded.value;
    if (device === undefined || notSeen.test(type)) return;
    desk.note(device, { type, time, ...(active === undefined ? {} : { active }) });
  });
  await bus.subscribe(filters.incidents, () => desk.hint());
}
