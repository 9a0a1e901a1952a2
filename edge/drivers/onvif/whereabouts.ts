import type { DeviceId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { OnvifConfig } from './config.ts';
import { type AskWho, askIdentity } from './identity.ts';
import type { CameraMemory, CameraPlace, CameraRecord } from './memory.ts';
import { isNear } from './near.ts';
import type { OnvifTimings } from './timings.ts';
import { type Endpoint, endpointName } from './transport.ts';
import { Trouble } from './trouble.ts';

/** What discovery heard of a camera. */
export interface Sighting extends CameraPlace {
  readonly endpoint: string;
  /** Twelve hex digits; '' = not said. */
  readonly mac: string;
}

export interface WhereaboutsOptions {
  readonly device: DeviceId;
  readonly config: OnvifConfig;
  readonly memory: CameraMemory;
  readonly clock: Clock;
  readonly timings: OnvifTimings;
  readonly askWho: AskWho | null;
  /** The site file looks for cameras at this address. */
  readonly isListed: (host: string) => boolean;
  readonly count: (outcome: string) => void;
  /** It was found elsewhere, or is where the site file says again (`to` is null). */
  readonly onMoved: (from: CameraPlace, to: CameraPlace | null) => void;
}

/** A sighting is worth going after for so long, ms. */
const fresh = 900_000;
/** What is announced at its place is looked into at most so often, ms. */
const learnEvery = 300_000;
/** Attempts at a place it was found at before the site file's is tried again. */
const patience = 3;

/**
 * Where one camera is spoken to: where the site file says, or where the same camera was found when it was silent there. Reads as
 * an endpoint that follows. Nobody but the camera of that identity is ever shown the password: before every log-in elsewhere it
 * must have shown, unasked for any password, the endpoint that it had when it was last logged in to.
 */
export class Whereabouts implements Endpoint {
  readonly #options: WhereaboutsOptions;
  readonly #home: CameraPlace;
  #here: CameraPlace;
  #seen: { readonly place: CameraPlace; readonly at: number } | null = null;
  #failures = 0;
  /** Somebody else answers at home. */
  #usurped = false;
  #learntAt = Number.NEGATIVE_INFINITY;

  constructor(options: WhereaboutsOptions) {
    const { config, memory, device } = options;
    this.#options = options;
    this.#home = { host: config.host.replace(/^\[|\]$/g, ''), port: config.port };
    const configured = endpointName(this.#home);
    // Another address in the site file: what was learnt under the old one may be of another camera.
    if (memory.of(device).configured !== configured) {
      memory.change(device, { configured, endpoints: [], serial: '', mac: '', moved: null, habit: [] });
    }
    this.#here = this.#record.moved ?? this.#home;
  }

  get host(): string {
    return this.#here.host;
  }

  get port(): number {
    return this.#here.port;
  }

  get tls(): Endpoint['tls'] {
    return this.#options.config.tls;
  }

  get home(): CameraPlace {
    return this.#home;
  }

  /** It is spoken to elsewhere than the site file says. */
  get isAway(): boolean {
    return this.#here !== this.#home;
  }

  get #record(): CameraRecord {
    return this.#options.memory.of(this.#options.device);
  }

  /** Is this our camera, by what it was when it was last logged in to? */
  knows({ endpoint, mac }: { endpoint: string; mac: string }): boolean {
    const record = this.#record;
    if (endpoint !== '' && record.endpoints.includes(endpoint)) return true;
    return mac !== '' && record.mac === mac;
  }

  isAt({ host, port }: CameraPlace): boolean {
    const same = (place: CameraPlace) => place.host === host && place.port === port;
    return same(this.#here) || same(this.#home);
  }

  /** Discovery heard our camera; true when it is somewhere else than it is looked for. */
  see({ host, port }: Sighting): boolean {
    const { clock, config, count, isListed } = this.#options;
    // A pinned certificate is a proof wherever it is; a name is none, and anybody can say it.
    if (config.tls?.fingerprint === undefined && !isNear(host, this.#home.host, isListed)) {
      count('sighting-far');
      return false;
    }
    // What is announced is the open port; the site file knows the one with TLS.
    const place = { host, port: config.tls === undefined ? port : config.port };
    if (place.host === this.#here.host && place.port === this.#here.port) return false;
    this.#seen = { place, at: clock.monotonic() };
    return true;
  }

  /**
   * Before an attempt: goes where the camera was last seen if it is `silent` here, and proves anywhere but at home that it is the
   * camera. Throws Trouble when it is not; the site file's address is tried next then.
   */
  async arrive(silent: boolean, signal: AbortSignal): Promise<void> {
    const seen = this.#seen;
    const { clock, count } = this.#options;
    if (seen !== null && (silent || this.#usurped) && clock.monotonic() - seen.at < fresh) {
      this.#seen = null;
      if (await this.#isOurs(seen.place, signal)) this.#go(seen.place);
      else count('sighting-refused');
    } else if (this.isAway && !(await this.#isStillOurs(signal))) {
      const at = endpointName(this.#here);
      this.#goHome();
      throw new Trouble('stranger', `another camera than ours answers at ${at}, where it was found before`);
    }
  }

  /** An attempt here ended because nobody answered. */
  failed(): void {
    this.#failures += 1;
    if (this.isAway && this.#failures >= patience) this.#goHome();
  }

  /**
   * It is logged in to, and says who it is. Throws Trouble `stranger` when that is another camera while ours has been seen
   * elsewhere: two cameras have changed addresses. Without such a sighting it is the new camera of this place: true.
   */
  welcome(serial: string, endpoint: string): boolean {
    const { memory, device, count } = this.#options;
    const record = this.#record;
    this.#failures = 0;
    const other = record.serial !== '' && serial !== '' && record.serial !== serial;
    if (other && (this.isAway || this.#seen !== null)) {
      const at = endpointName(this.#here);
      if (this.isAway) this.#goHome();
      this.#usurped = true;
      count('stranger');
      throw new Trouble('stranger', `another camera (serial ${serial}) than ours (${record.serial}) answers at ${at}`);
    }
    this.#usurped = false;
    const endpoints =
      endpoint === '' ? record.endpoints : [endpoint, ...record.endpoints.filter((e) => e !== endpoint)];
    if (other) memory.change(device, { serial, endpoints: endpoint === '' ? [] : [endpoint], mac: '', habit: [] });
    else if (record.serial !== serial || endpoints.join() !== record.endpoints.join()) {
      memory.change(device, { serial, endpoints: endpoints.slice(0, 4) });
    }
    return other;
  }

  /**
   * Discovery heard this endpoint at the place where the camera is logged in to. The sender of a datagram is whoever it says it is, so the
   * camera itself is asked: what it does not confirm is not its name, or a stranger could be followed by it later. Never throws.
   */
  async learn({ endpoint, mac }: { endpoint: string; mac: string }, signal: AbortSignal): Promise<void> {
    const { memory, device, clock, config, timings, askWho, count } = this.#options;
    const { endpoints, mac: known } = this.#record;
    const isNews = endpoint !== '' && (!endpoints.includes(endpoint) || (mac !== '' && mac !== known));
    const now = clock.monotonic();
    if (!isNews || now - this.#learntAt < learnEvery) return;
    this.#learntAt = now;
    try {
      const told = await askIdentity(this, { path: config.path, timeout: timings.answer, signal, askWho });
      if (told.endpoint !== endpoint) return count('announcement-denied');
      const names = this.#record.endpoints.filter((one) => one !== endpoint);
      const shown = told.mac === '' ? {} : { mac: told.mac };
      memory.change(device, { endpoints: [endpoint, ...names].slice(0, 4), ...shown });
    } catch {
      count('announcement-denied'); // it does not answer now: it is asked when it is announced again
    }
  }

  /** Nobody answering at a place it was found at is no proof that it is another camera. */
  async #isStillOurs(signal: AbortSignal): Promise<boolean> {
    const { config, timings, askWho } = this.#options;
    return this.knows(await askIdentity(this, { path: config.path, timeout: timings.answer, signal, askWho }));
  }

  async #isOurs(place: CameraPlace, signal: AbortSignal): Promise<boolean> {
    const { config, timings, askWho } = this.#options;
    const endpoint: Endpoint = { ...place, tls: config.tls };
    try {
      return this.knows(await askIdentity(endpoint, { path: config.path, timeout: timings.answer, signal, askWho }));
    } catch (error) {
      if (error instanceof Trouble && error.kind !== 'aborted') return false;
      throw error;
    }
  }

  #go(place: CameraPlace): void {
    const { memory, device, count, onMoved } = this.#options;
    const from = this.#here;
    const isHome = place.host === this.#home.host && place.port === this.#home.port;
    this.#here = isHome ? this.#home : place;
    this.#failures = 0;
    memory.change(device, { moved: isHome ? null : place });
    count('followed');
    onMoved(from, isHome ? null : place);
  }

  #goHome(): void {
    const { memory, device } = this.#options;
    this.#here = this.#home;
    this.#failures = 0;
    memory.change(device, { moved: null });
  }
}
