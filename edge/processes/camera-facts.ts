import { readFile } from 'node:fs/promises';
import type { BusClient } from '#edge/bus/client.ts';
import { decodeCameras } from '#edge/bus/codec.ts';
import { camerasTopic } from '#edge/bus/topics.ts';
import type { CameraFacts } from '#edge/domain/camera.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { writeDurably } from '#edge/runtime/durable-file.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';

/** The broker takes packets of 256 KiB. */
const mostBytes = 230_000;
/** Presets of each camera that are told, fewer and fewer until the list fits. */
const presetSteps = [256, 64, 16, 4, 0];
const tellEvery = 1_000;

export interface CameraListOptions {
  /** Kept over restarts: recording must not wait for a camera whose events are deaf. Null: nowhere. */
  readonly file: string | null;
  /** The cameras of the site; others are forgotten. */
  readonly devices: readonly DeviceId[];
  readonly log: Log;
}

/** What the cameras of the campus are, retained on the bus: told at each connection, and at each change at most once a second. */
export class CameraList implements AsyncDisposable {
  readonly #options: CameraListOptions;
  readonly #facts = new Map<DeviceId, CameraFacts>();
  #bus: Pick<BusClient, 'publish'> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: CameraListOptions) {
    this.#options = options;
  }

  get list(): readonly CameraFacts[] {
    return [...this.#facts.values()];
  }

  /** What was known before the restart. A file that is missing or cannot be read is begun anew: the cameras say it again. */
  async load(): Promise<void> {
    const { file, devices, log } = this.#options;
    if (file === null) return;
    try {
      const decoded = decodeCameras(await readFile(file));
      if (!decoded.ok) throw new Error(decoded.message);
      for (const facts of decoded.value) if (devices.includes(facts.device)) this.#facts.set(facts.device, facts);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT')
        log.warn({ reason: messageOf(error) }, 'what was known of the cameras cannot be read');
    }
  }

  put(facts: CameraFacts): void {
    const { devices, log } = this.#options;
    // A camera says what it likes: what the others could not read must not make them blind for the rest.
    const decoded = decodeCameras(Buffer.from(JSON.stringify([facts])));
    if (!decoded.ok)
      log.warn({ device: facts.device, problem: decoded.message }, 'what the camera says of itself is not told');
    if (!decoded.ok || !devices.includes(facts.device)) return;
    this.#facts.set(facts.device, facts);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tell();
      this.#keep();
    }, tellEvery);
  }

  /** For `startDriverProcess`. */
  join(bus: Pick<BusClient, 'publish' | 'onConnect'>): null {
    this.#bus = bus;
    bus.onConnect(() => this.#tell());
    return null;
  }

  #tell(): void {
    const fitting = presetSteps.map((most) => this.list.map((facts) => shortened(facts, most)));
    const payload = fitting.find((list) => Buffer.byteLength(JSON.stringify(list)) <= mostBytes);
    if (payload === undefined) {
      this.#options.log.error({ cameras: this.#facts.size }, 'too many cameras to tell what they are');
      return;
    }
    // Not taken: the next connection tells it again.
    this.#bus?.publish(camerasTopic('camera'), payload, { retain: true }).catch(() => {});
  }

  #keep(): void {
    const { file, log } = this.#options;
    if (file === null) return;
    this.#writing = this.#writing
      .then(() => writeDurably(file, JSON.stringify(this.list)))
      .catch((error: unknown) => log.warn({ reason: messageOf(error) }, 'what the cameras are could not be kept'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer !== undefined) this.#keep();
    clearTimeout(this.#timer);
    await this.#writing;
  }
}

function shortened(facts: CameraFacts, presets: number): CameraFacts {
  if (facts.ptz === null || facts.ptz.presets.length <= presets) return facts;
  return { ...facts, ptz: { ...facts.ptz, presets: facts.ptz.presets.slice(0, presets) } };
}
