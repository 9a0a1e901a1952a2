import { addressesOf } from '#edge/runtime/address-range.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { Discovery, type Nic } from './discovery.ts';
import { type Announced, type Door, doorOf } from './discovery-words.ts';
import type { AskWho } from './identity.ts';
import { certificateOf, devicePath, knock, scan } from './scan.ts';
import type { Sighting } from './whereabouts.ts';

/** A camera that nobody has adopted, as a person would want to know it. */
export interface FoundCamera extends Door {
  /** Names it for ever: its endpoint, or its address where it has told none. */
  readonly key: string;
  readonly endpoint: string;
  readonly maker: string;
  readonly model: string;
  /** SHA-256 of the certificate it shows, where it is spoken to by TLS. */
  readonly fingerprint: string | null;
  readonly how: 'probe' | 'hello' | 'scan';
}

export interface FinderOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The driver's: true for a camera of ours. */
  readonly hear: (sighting: Sighting) => boolean;
  /** Some camera of ours does not answer where it is looked for. */
  readonly misses: () => boolean;
  /** Puts a stranger before people. May reject: tried again in the next round. */
  readonly offer: (found: FoundCamera) => Promise<void>;
  /** Asks and listens on every network; default: yes. */
  readonly probes?: boolean;
  /** Of the site file: `10.0.3.0/24`. */
  readonly scan: readonly string[];
  readonly paces?: Partial<FinderPaces>;
  readonly nics?: () => readonly Nic[];
  readonly port?: number;
  readonly scanPorts?: readonly number[];
}

/** All ms. */
export interface FinderPaces {
  /** Until the first round, between rounds, and between them while a camera of ours is missed. */
  readonly first: number;
  readonly round: number;
  readonly missing: number;
  /** The same for scans of ranges. */
  readonly firstScan: number;
  readonly scan: number;
  readonly missingScan: number;
  /** A stranger is told of again after so long. */
  readonly again: number;
  /** And after it has said goodbye. */
  readonly bye: number;
  readonly probe: number;
  readonly knock: number;
}

const defaultPaces: FinderPaces = {
  first: 5_000,
  round: 600_000,
  missing: 60_000,
  firstScan: 30_000,
  scan: 6 * 3_600_000,
  missingScan: 1_800_000,
  again: 3_600_000,
  bye: 60_000,
  probe: 700,
  knock: 2_000,
};

/** Strangers kept in mind, and asked who they are at the same time. */
const mostStrangers = 1024;
/** Of one host: a recorder shows each of its cameras. */
const mostOfHost = 64;
const mostAsked = 8;
const mostWaiting = 256;

/**
 * Finds cameras: by probes from every interface, by what they announce, and by knocking at the ranges of the site file. Ours are
 * told to the driver, which follows them; strangers that prove to speak ONVIF are offered to people.
 */
export class Finder implements AsyncDisposable {
  readonly #options: FinderOptions;
  readonly #paces: FinderPaces;
  readonly #discovery: Discovery;
  readonly #stop = new AbortController();
  /** When each stranger was last told of, and where it was. */
  readonly #told = new Map<string, { readonly at: number; readonly where: string }>();
  readonly #asking = new Set<Promise<void>>();
  readonly #queued = new Set<string>();
  readonly #counts = new Map<string, number>();
  readonly #turns: (() => void)[] = [];
  #busy = 0;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: FinderOptions) {
    this.#options = options;
    this.#paces = { ...defaultPaces, ...options.paces };
    const { clock, log, nics, port } = options;
    this.#discovery = new Discovery({
      ...{ clock, log, pace: this.#paces.probe },
      ...(nics === undefined ? {} : { nics }),
      ...(port === undefined ? {} : { port }),
      count: (outcome) => this.#count(outcome),
      onAnnounced: (found, sender) => this.#hear(found, sender),
    });
  }

  /** Outcome counts since the start. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** For a driver that wants to know who is at an address. */
  readonly askWho: AskWho = async (host, signal) => {
    const found = await this.#discovery.ask(host, AbortSignal.any([signal, this.#stop.signal]));
    return found === null ? null : { endpoint: found.endpoint, mac: found.mac };
  };

  start(): void {
    this.#running = Promise.all([this.#options.probes === false ? null : this.#probe(), this.#scan()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await Promise.all(this.#asking);
    await this.#discovery[Symbol.asyncDispose]();
  }

  async #probe(): Promise<void> {
    const { signal } = this.#stop;
    const { first, round, missing } = this.#paces;
    await delay(first, signal);
    while (!signal.aborted) {
      await this.#discovery.listen();
      await this.#discovery.probeAll(signal);
      await this.#pause(round, missing);
    }
  }

  /** A round may come early when a camera is missed meanwhile. Never all campuses' boxes at once: a tenth is chance. */
  async #pause(usual: number, missing: number): Promise<void> {
    const { clock, misses } = this.#options;
    const { signal } = this.#stop;
    const from = clock.monotonic();
    const until = from + usual * (0.95 + 0.1 * Math.random());
    while (!signal.aborted && clock.monotonic() < until) {
      await delay(Math.min(missing, until - clock.monotonic()), signal);
      if (misses()) return;
    }
  }

  async #scan(): Promise<void> {
    const { signal } = this.#stop;
    const addresses = [...new Set(this.#options.scan.flatMap((range) => addressesOf(range) ?? []))];
    if (addresses.length === 0) return;
    await delay(this.#paces.firstScan, signal);
    while (!signal.aborted) {
      const { scanPorts } = this.#options;
      await scan({
        addresses,
        ...(scanPorts === undefined ? {} : { ports: scanPorts }),
        skip: (host, port) => this.#options.hear({ host, port, endpoint: '', mac: '' }),
        onFound: (host, port) => this.#consider({ host, port, path: devicePath, tls: false }, null, 'scan'),
        count: (outcome) => this.#count(outcome),
        signal,
      });
      await this.#pause(this.#paces.scan, this.#paces.missingScan);
    }
  }

  #hear(found: Announced, sender: string): void {
    if (found.kind === 'bye') {
      this.#bye(`onvif/${found.endpoint}`);
      return;
    }
    const door = doorOf(found.addresses, sender);
    // A Hello may come without addresses: its sender is asked.
    if (door !== null) this.#consider(door, found, found.kind === 'hello' ? 'hello' : 'probe');
    else if (found.kind === 'hello') this.#ask(`hello ${sender}`, () => this.#askAndWait(sender));
  }

  /** Anybody can say it in anybody's name: it makes a stranger news again, but not at once and again and again. */
  #bye(key: string): void {
    const told = this.#told.get(key);
    if (told === undefined) return;
    const { clock } = this.#options;
    this.#told.set(key, { ...told, at: Math.min(told.at, clock.monotonic() + this.#paces.bye - this.#paces.again) });
  }

  async #askAndWait(host: string): Promise<void> {
    // What it answers is heard as any answer is.
    await this.#discovery.ask(host, this.#stop.signal);
  }

  #consider(door: Door, said: Announced | null, how: FoundCamera['how']): void {
    const { host, port } = door;
    if (said !== null && this.#options.hear({ host, port, endpoint: said.endpoint, mac: said.mac })) {
      this.#count('ours');
      return;
    }
    this.#ask(`${host}:${port}`, () => this.#meet(door, said, how));
  }

  /** One thing at a time for one name, a few in all; whatever is too much comes again with the next round. */
  #ask(name: string, work: () => Promise<void>): void {
    if (this.#queued.has(name)) return;
    if (this.#queued.size >= mostWaiting) {
      this.#count('stranger-dropped');
      return;
    }
    this.#queued.add(name);
    const one = this.#turn(work).finally(() => {
      this.#queued.delete(name);
      this.#asking.delete(one);
    });
    this.#asking.add(one);
  }

  async #turn(work: () => Promise<void>): Promise<void> {
    if (this.#busy >= mostAsked) await new Promise<void>((resolve) => this.#turns.push(resolve));
    this.#busy += 1;
    try {
      if (!this.#stop.signal.aborted) await work();
    } catch (error) {
      // A bulkhead: core is away, or the stranger is strange. The next round meets it again.
      this.#count('offer-failed');
      this.#options.log.debug({ reason: messageOf(error) }, 'a camera that was found could not be offered');
    } finally {
      this.#busy -= 1;
      this.#turns.shift()?.();
    }
  }

  /** Makes sure that it speaks ONVIF, and learns what a person would want to know. No password is sent to anybody here. */
  async #meet(door: Door, said: Announced | null, how: FoundCamera['how']): Promise<void> {
    const { clock, hear, offer } = this.#options;
    const { signal } = this.#stop;
    const { host, port, path } = door;
    const who = said ?? (await this.#discovery.ask(host, signal, this.#paces.knock));
    const endpoint = who?.endpoint ?? '';
    if (said === null && hear({ host, port, endpoint, mac: who?.mac ?? '' })) return this.#count('ours');
    const key = `onvif/${endpoint === '' ? `${host}:${port}` : endpoint}`;
    const told = this.#told.get(key);
    const where = `${host}:${port}`;
    // The same camera answers by IPv4 and IPv6, and from several of our interfaces: the address that is easier to read stays.
    const easier = told?.where.includes(':', told.where.indexOf(':') + 1) === true && !host.includes(':');
    const isNews = told === undefined || easier || clock.monotonic() - told.at > this.#paces.again;
    if (!isNews) return;
    // Whoever invents cameras must not fill the list that people read.
    if (told === undefined && this.#toldOf(host) >= mostOfHost) return this.#count('stranger-dropped');
    const fingerprint = door.tls ? await certificateOf(host, port, signal) : null;
    const tls = fingerprint === null ? undefined : { fingerprint };
    if (door.tls && tls === undefined) return this.#count('stranger-refused');
    if (!(await knock({ host, port, tls }, { path, timeout: this.#paces.knock, signal }))) {
      return this.#count('stranger-refused');
    }
    await offer({ ...door, key, endpoint, maker: who?.maker ?? '', model: who?.model ?? '', fingerprint, how });
    this.#count('offered');
    this.#remember(key, where);
  }

  #toldOf(host: string): number {
    return [...this.#told.values()].filter(({ where }) => where.startsWith(`${host}:`)).length;
  }

  #remember(key: string, where: string): void {
    this.#told.delete(key);
    const [oldest] = this.#told.keys();
    if (this.#told.size >= mostStrangers && oldest !== undefined) this.#told.delete(oldest);
    this.#told.set(key, { at: this.#options.clock.monotonic(), where });
  }

  #count(outcome: string): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
  }
}
