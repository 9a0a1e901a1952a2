import { z } from 'zod';
import type { Principal } from '#edge/domain/access.ts';
import { streamRoles } from '#edge/domain/camera.ts';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { MediaHealth, RecordingHealth } from '#edge/domain/recording.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { principalOf } from './access.ts';
import { type CameraListView, type CameraView, cameraListSchema } from './camera-list-schemas.ts';
import { MediaClient } from './footage-media.ts';
import type { LiveState } from './live.ts';
import { problems } from './schemas.ts';
import { createScopes } from './scope.ts';
import type { App, CampusView } from './server.ts';

/** As media hands on what the driver found; addresses stay there. */
const factsSchema = z.object({
  cameras: z
    .array(
      z.object({
        device: z.string(),
        time: z.number(),
        maker: z.string(),
        model: z.string(),
        firmware: z.string(),
        streams: z.array(
          z.object({
            role: z.enum(streamRoles),
            codec: z.enum(['h264', 'h265', 'other']),
            width: z.number().nullable(),
            height: z.number().nullable(),
            frameRate: z.number().nullable(),
          }),
        ),
        ptz: z
          .object({ presets: z.array(z.object({ token: z.string(), name: z.string() })), home: z.boolean() })
          .nullable(),
        inputs: z.array(z.string()),
        relays: z.array(z.string()),
      }),
    )
    .max(1_024),
});
type Facts = z.infer<typeof factsSchema>['cameras'][number];

/** Facts change a few times a year; a console asks each minute, and there may be fifty of them. */
const fresh = 3_000;
const patience = 2_000;

/** `GET /api/v1/cameras`: the cameras of one's zones, and what one may do with them. */
export function addCameraListRoute(app: App, campus: CampusView, live: LiveState, clock: Clock): void {
  const scopeOf = createScopes(campus.site.devices);
  const cameras = campus.devices.filter(({ protocol }) => protocol === 'onvif');
  const facts = createFactsCache(new MediaClient(campus.data), clock);

  app.get(
    '/api/v1/cameras',
    {
      config: { access: 'see' },
      schema: {
        tags: ['cameras'],
        summary: 'Cameras: what they are, how their recording goes, and what one may do with each',
        description:
          'Views, masks and presets are for those who may watch live; recording also for those who mend devices.',
        response: { ...problems(), 200: cameraListSchema },
      },
    },
    async (request): Promise<CameraListView> => {
      const principal = principalOf(request);
      const scope = scopeOf(principal);
      const { isThere, byCamera } = await facts();
      const process = live.health.get('media');
      const health = process?.state === 'ready' ? process.media : undefined;
      const recordings = new Map(health?.cameras.map((recording) => [recording.camera, recording]));
      const visible = cameras.filter(({ id }) => scope.seesDevice(id));
      return {
        cameras: visible.map((camera) =>
          viewOf(camera, principal, {
            site: campus.site,
            facts: byCamera.get(camera.id),
            recording: recordings.get(camera.id),
          }),
        ),
        media: mediaView(isThere, health, principal),
      };
    },
  );
}

interface Known {
  readonly site: CampusView['site'];
  readonly facts: Facts | undefined;
  readonly recording: RecordingHealth | undefined;
}

function viewOf({ id, name, zone }: Device, { rights }: Principal, { site, facts, recording }: Known): CameraView {
  const own = site.cameras.byCamera[id];
  const mayLive = rights.has('live');
  const { space } = site.devices.find((device) => device.id === id) ?? {};
  return {
    id,
    name,
    zone,
    space: space ?? null,
    maker: facts?.maker ?? '',
    model: facts?.model ?? '',
    firmware: facts?.firmware ?? '',
    factsTime: facts?.time ?? null,
    streams: facts?.streams ?? [],
    ptz: mayLive ? (facts?.ptz ?? null) : null,
    inputs: facts?.inputs.length ?? 0,
    relays: facts?.relays.length ?? 0,
    // Where a camera looks is also where it does not.
    view: mayLive ? (own?.view ?? null) : null,
    masks: mayLive && !rights.has('unmasked') ? [...(own?.masks ?? [])] : [],
    recording: recording !== undefined && mayKnowRecording(rights) ? withoutCamera(recording) : null,
    may: {
      live: mayLive,
      playback: rights.has('playback'),
      evidence: rights.has('evidence'),
      turn: mayLive && rights.has('operate'),
      unmasked: rights.has('unmasked'),
    },
  };
}

function mayKnowRecording(rights: Principal['rights']): boolean {
  return rights.has('live') || rights.has('devices') || rights.has('system');
}

function withoutCamera({ camera: _camera, ...recording }: RecordingHealth): Omit<RecordingHealth, 'camera'> {
  return recording;
}

function mediaView(isThere: boolean, health: MediaHealth | undefined, { rights }: Principal): CameraListView['media'] {
  const isTold = mayKnowRecording(rights);
  const { version, isOld } = health?.ffmpeg ?? {};
  return {
    isThere,
    problem: isTold ? (health?.problem ?? '') : '',
    ffmpeg: isTold && version !== undefined ? { version, isOld: isOld === true } : null,
    bytes: isTold ? (health?.bytes ?? 0) : 0,
    protectedBytes: isTold ? (health?.protectedBytes ?? 0) : 0,
    freeBytes: isTold ? (health?.freeBytes ?? null) : null,
    transcodes: health?.transcodes ?? 0,
    recoding: health?.recoding ?? { pictures: 0, masked: 0, cpu: null },
  };
}

interface KnownFacts {
  readonly isThere: boolean;
  readonly byCamera: ReadonlyMap<DeviceId | string, Facts>;
}

/** While media is away its last word stands: a camera is what it was. */
function createFactsCache(media: MediaClient, clock: Clock): () => Promise<KnownFacts> {
  let known: KnownFacts = { isThere: false, byCamera: new Map() };
  let asked: { readonly at: number; readonly answer: Promise<KnownFacts> } | null = null;
  const ask = async (): Promise<KnownFacts> => {
    try {
      const { cameras } = factsSchema.parse(await media.json({ path: '/cameras', patience }));
      known = { isThere: true, byCamera: new Map(cameras.map((facts) => [facts.device, facts])) };
    } catch {
      known = { ...known, isThere: false }; // said as such
    }
    return known;
  };
  return () => {
    const now = clock.monotonic();
    if (asked === null || now - asked.at > fresh) asked = { at: now, answer: ask() };
    return asked.answer;
  };
}
