import type { CameraFacts, CameraStream, StreamRole } from '#edge/domain/camera.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Ffmpeg } from './ffmpeg-find.ts';
import type { StreamHealth, StreamHub, Streams } from './hub.ts';
import { LiveHub } from './hub-live.ts';
import { LoginTries } from './login-tries.ts';
import { type CameraLogin, CameraSource } from './streams-camera.ts';

export interface CameraStreamsOptions {
  /** null: none runs here. */
  readonly ffmpeg: Ffmpeg | null;
  /** argv[0] of the children. */
  readonly title: string;
  /** Cameras of the site file: of no others there are streams, whatever the bus says. */
  readonly cameras: readonly DeviceId[];
  /** User and password of a camera. Throws in words when they cannot be had. */
  readonly login: (camera: DeviceId) => Promise<CameraLogin>;
  readonly clock: Clock;
  readonly log: Log;
  readonly linger?: number;
  readonly pauses?: { readonly first: number; readonly cap: number };
  readonly timings?: ConstructorParameters<typeof CameraSource>[0]['timings'];
}

/** The streams of all cameras: at most one RTSP session for each, however many want it. */
export class CameraStreams implements Streams, AsyncDisposable {
  readonly #options: CameraStreamsOptions;
  readonly #cameras: ReadonlySet<DeviceId>;
  readonly #facts = new Map<DeviceId, CameraFacts>();
  readonly #tries = new Map<DeviceId, LoginTries>();
  readonly #hubs = new Map<string, { readonly hub: LiveHub; readonly source: CameraSource }>();

  constructor(options: CameraStreamsOptions) {
    this.#options = options;
    this.#cameras = new Set(options.cameras);
  }

  /** What cameras have said about themselves. Where an address changed, its stream is asked for anew; where it did not, a pause ends. */
  setFacts(facts: readonly CameraFacts[]): void {
    const before = new Map([...this.#hubs].map(([key, { hub }]) => [key, this.#stream(hub.camera, hub.role)?.uri]));
    this.#facts.clear();
    for (const fact of facts) if (this.#cameras.has(fact.device)) this.#facts.set(fact.device, fact);
    for (const [key, { hub }] of this.#hubs) {
      const uri = this.#stream(hub.camera, hub.role)?.uri;
      if (uri !== before.get(key)) hub.retry(before.get(key) === undefined ? 'waiting' : 'anew');
    }
  }

  /** What cameras have said about themselves; with addresses. */
  facts(): readonly CameraFacts[] {
    return [...this.#facts.values()];
  }

  /** Cameras that refused a password are asked again when it is another one now. To be called now and then. */
  async lookForNewLogins(): Promise<void> {
    for (const { hub, source } of this.#hubs.values()) if (await source.hasNewLogin()) hub.retry('waiting');
  }

  hub(camera: DeviceId, role: StreamRole): StreamHub | null {
    if (!this.#cameras.has(camera)) return null;
    const real = role === 'sub' && !this.#has(camera, 'sub') && this.#facts.has(camera) ? 'main' : role;
    const key = `${camera}/${real}`;
    const known = this.#hubs.get(key);
    if (known !== undefined) return known.hub;
    const source = this.#source(camera, real);
    const { clock, log, linger, pauses } = this.#options;
    const hub = new LiveHub({
      camera,
      role: real,
      source,
      clock,
      log,
      ...(linger === undefined ? {} : { linger }),
      ...(pauses === undefined ? {} : { pauses }),
    });
    this.#hubs.set(key, { hub, source });
    return hub;
  }

  codecOf(camera: DeviceId, role: StreamRole): 'h264' | 'h265' | 'other' | null {
    const codec = this.#hubs.get(`${camera}/${role}`)?.hub.init?.codec;
    if (codec !== undefined) return codec.startsWith('avc') ? 'h264' : 'h265';
    return this.#stream(camera, role)?.codec ?? null;
  }

  health(): readonly StreamHealth[] {
    return [...this.#hubs.values()].map(({ hub }) => hub.health);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#hubs.values()].map(({ hub }) => hub.close('video stops on this box')));
    this.#hubs.clear();
  }

  #source(camera: DeviceId, role: StreamRole): CameraSource {
    const { ffmpeg, title, login, clock, timings } = this.#options;
    const tries = this.#tries.get(camera) ?? new LoginTries(clock);
    this.#tries.set(camera, tries);
    return new CameraSource({
      ffmpeg,
      title,
      uri: () => this.#stream(camera, role)?.uri ?? null,
      codec: () => this.#stream(camera, role)?.codec ?? null,
      login: () => login(camera),
      tries,
      clock,
      ...(timings === undefined ? {} : { timings }),
    });
  }

  #has(camera: DeviceId, role: StreamRole): boolean {
    return this.#facts.get(camera)?.streams.some((stream) => stream.role === role) ?? false;
  }

  #stream(camera: DeviceId, role: StreamRole): CameraStream | null {
    const streams = this.#facts.get(camera)?.streams ?? [];
    return streams.find((stream) => stream.role === role) ?? (role === 'sub' ? (streams[0] ?? null) : null);
  }
}
