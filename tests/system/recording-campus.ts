import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { FootageRange, FootageSegment, RecordingHealth } from '#edge/domain/recording.ts';
import { ffmpegTitle } from '#edge/media/ffmpeg-orphans.ts';
import { parsePartName, parseSegmentName } from '#edge/media/footage-names.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import type { Site } from '#edge/runtime/site.ts';
import { type Camera, startCamera } from '#edge/simulators/camera.ts';
import { type Rtsp, startRtsp } from '#edge/simulators/rtsp.ts';
import { makeClip } from '#edge/simulators/rtsp-clip.ts';
import { type CampusOptions, type RunningCampus, startCampus } from './campus.ts';

/* A campus of real processes that records one camera: ONVIF and RTSP on loopback, a real ffmpeg, files on a real disk. */

export const hasFfmpeg = spawnSync('ffmpeg', ['-version'], { timeout: 10_000 }).status === 0;
if (!hasFfmpeg) console.warn('SKIPPED: footage is recorded with ffmpeg, and there is none here (apt install ffmpeg)');

export const camera = 'camera-gate' as DeviceId;
const login = { username: 'campus', password: 'demo-camera-gate-5' };

type Recording = Omit<RecordingHealth, 'camera'>;

export interface RecordingCampus extends AsyncDisposable {
  readonly campus: RunningCampus;
  readonly rtsp: Rtsp;
  readonly onvif: Camera;
  /** Where footage of the camera lies. */
  readonly folder: string;
  footage(): Promise<{ readonly ranges: readonly FootageRange[]; readonly segments: readonly FootageSegment[] }>;
  health(): Promise<Recording | null>;
  /** ffmpeg children of this campus, by pid. */
  children(): number[];
}

export interface RecordingCampusOptions extends Pick<CampusOptions, 'data'> {
  readonly cameras?: Partial<Site['cameras']>;
  /** Further cameras of the site that film the same: the simulated camera stands for each of them. */
  readonly twins?: readonly string[];
}

export async function startRecordingCampus(options: RecordingCampusOptions = {}): Promise<RecordingCampus> {
  await using stack = new AsyncDisposableStack();
  const clip = await makeClip({
    ffmpeg: 'ffmpeg',
    folder: join(tmpdir(), 'campus-test-clips'),
    name: 'TEST',
    seconds: 8,
    width: 640,
    height: 360,
    frameRate: 10,
  });
  const host = '127.0.0.1';
  const base = { host, port: 0, ...login, clock: systemClock };
  const rtsp = stack.use(await startRtsp({ ...base, streams: { '/main': () => clip } }));
  const { port } = rtsp;
  const onvif = stack.use(
    await startCamera({
      ...base,
      auth: 'digest',
      model: 'DS-GATE-4',
      topicDialect: 'reolink',
      rtsp: { port, sub: '/main' },
    }),
  );
  const filming = new Set<string>([camera, ...(options.twins ?? [])]);
  const campus = stack.use(
    await startCampus({
      only: ['core', 'camera', 'media', 'web'],
      simulators: false,
      city: false,
      ...(options.data === undefined ? {} : { data: options.data }),
      change: (site) => ({
        ...site,
        cameras: { ...site.cameras, freeSpaceFloor: 0, ...options.cameras },
        devices: site.devices.map((device) =>
          filming.has(device.id)
            ? { ...device, address: { ...device.address, host, port: onvif.port, ...login } }
            : device,
        ),
      }),
    }),
  );
  const folder = join(campus.data, 'footage', camera);
  const now = () => systemClock.now();
  const owned = stack.move();
  return {
    campus,
    rtsp,
    onvif,
    folder,
    footage: () => campus.get(`cameras/${camera}/footage?from=${now() - 3_600_000}&to=${now() + 3_600_000}`),
    health: async () => {
      const { cameras } = await campus.get<{ cameras: { id: string; recording: Recording | null }[] }>('cameras');
      return cameras.find(({ id }) => id === camera)?.recording ?? null;
    },
    children: () => childrenOf(campus.data),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function childrenOf(data: string): number[] {
  const title = ffmpegTitle(data);
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(title);
      } catch {
        return false; // gone meanwhile
      }
    })
    .map(Number);
}

export interface FilesOnDisk {
  readonly segments: readonly {
    readonly path: string;
    readonly from: number;
    readonly to: number;
    readonly bytes: number | null;
  }[];
  readonly parts: readonly string[];
  /** None of ours. */
  readonly others: readonly string[];
}

/** What lies below a camera's folder, its spool left out. */
export function filesOnDisk(folder: string): FilesOnDisk {
  const segments: FilesOnDisk['segments'][number][] = [];
  const parts: string[] = [];
  const others: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.parentPath.endsWith('spool')) continue;
    const path = join(entry.parentPath, entry.name);
    const parsed = parseSegmentName(entry.name);
    if (parsed !== null) segments.push({ path, ...parsed });
    else if (parsePartName(entry.name) !== null) parts.push(path);
    else others.push(path);
  }
  return { segments: segments.sort((a, b) => a.from - b.from), parts, others };
}

/** What ffmpeg says of a file while it decodes all of it; '' is good. */
export function complaintsOf(path: string): string {
  const run = spawnSync('ffmpeg', ['-v', 'error', '-i', path, '-f', 'null', '-'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return `${run.status === 0 ? '' : `exit ${run.status} `}${run.stderr}`;
}
