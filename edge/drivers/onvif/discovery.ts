import { randomUUID } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { type Announced, probe, probeTypes, readAnnouncement } from './discovery-words.ts';

/** One address of this machine that cameras may be asked from. */
export interface Nic {
  readonly name: string;
  readonly family: 4 | 6;
  readonly address: string;
}

export interface DiscoveryOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly count: (outcome: string) => void;
  readonly onAnnounced: (found: Announced, sender: string) => void;
  /** Default: every address of every interface that leads out of this machine. */
  readonly nics?: () => readonly Nic[];
  /** Default 3702. */
  readonly port?: number;
  /** Between the three probes of a round, and until its answers are in, ms. */
  readonly pace?: number;
}

const groups = { 4: '239.255.255.250', 6: 'ff02::c' } as const;
const mostNics = 32;
/** A probe may be answered for so long, ms. WS-Discovery lets answers come up to 500 ms late; some cameras take seconds. */
const answerable = 15_000;
const mostProbes = 256;
const largest = 16_384;
/** Datagrams looked at in a second: a network of a thousand cameras answers with fewer. Of one sender: it may be a recorder. */
const perSecond = 400;
const ofSender = 40;
/** And the time they may cost in it, ms: whoever writes them may be no friend, and events of cameras are read by the same process. */
const timePerSecond = 100;
const timeOfSender = 20;

/** Addresses that lead out, link-local ones of IPv6 included: `ff02::c` is asked on each link by itself. */
export function ownNics(): readonly Nic[] {
  const found: Nic[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const { address, family, internal } of addresses ?? []) {
      if (internal) continue;
      if (family === 'IPv4') found.push({ name, family: 4, address });
      else if (address.startsWith('fe80:')) found.push({ name, family: 6, address: `${address}%${name}` });
    }
  }
  return found.slice(0, mostNics);
}

/**
 * Cameras that announce themselves: asked by probes from every interface, and heard when they come (Hello) and go (Bye). Answers
 * count only if they name a probe of ours. Nothing that is heard is dialled here.
 */
export class Discovery implements AsyncDisposable {
  readonly #options: DiscoveryOptions;
  /** Monotonic time until which a probe may be answered. */
  readonly #asked = new Map<string, number>();
  readonly #waiting = new Set<(found: Announced, sender: string) => void>();
  readonly #listeners = new Map<4 | 6, Socket>();
  readonly #sockets = new Set<Socket>();
  #second = 0;
  #inSecond = { count: 0, time: 0 };
  readonly #ofSenders = new Map<string, { count: number; time: number }>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** Hears Hello and Bye from now on, as far as the port lets (another program may have it for itself). */
  async listen(): Promise<void> {
    for (const family of [4, 6] as const) {
      if (this.#listeners.has(family)) continue;
      const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', reuseAddr: true, ipv6Only: family === 6 });
      if (await this.#bind(socket, this.#port)) this.#listeners.set(family, socket);
    }
    for (const { family, address, name } of this.#nics()) {
      try {
        this.#listeners.get(family)?.addMembership(groups[family], family === 4 ? address : `::%${name}`);
      } catch (error) {
        // Already a member, or the interface has just gone: the next round tries again.
        if (codeOf(error) !== 'EADDRINUSE') this.#options.count('not-a-member');
      }
    }
  }

  /** One round: three probes from every interface. Resolves when the answers that come soon are in. */
  async probeAll(signal: AbortSignal): Promise<void> {
    const { pace = 700 } = this.#options;
    const open = await Promise.all(this.#nics().map((nic) => this.#probeFrom(nic)));
    for (let round = 0; round < 3 && !signal.aborted; round++) {
      for (const send of open) send?.ask(probeTypes[round % probeTypes.length] ?? probeTypes[0]);
      await delay(pace * (round + 1), signal);
    }
    for (const { socket } of open.filter((found) => found !== null)) this.#close(socket);
  }

  /** Probes one host alone, and believes only what comes from it; null when it does not answer in `timeout` ms. */
  async ask(host: string, signal: AbortSignal, timeout = 2_000): Promise<Announced | null> {
    const family = isIP(host.replace(/%.*$/, ''));
    if (family !== 4 && family !== 6) return null;
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6' });
    if (!(await this.#bind(socket, 0))) return null;
    const answered = new AbortController();
    let found: Announced | null = null;
    const hear = (announced: Announced, sender: string) => {
      if (announced.kind !== 'match' || !isSameHost(sender, host)) return;
      found = announced;
      answered.abort();
    };
    this.#waiting.add(hear);
    for (let round = 0; round < 2 && found === null && !signal.aborted; round++) {
      this.#send(socket, this.#newProbe(probeTypes[round] ?? probeTypes[0]), host);
      await delay(timeout / 2, AbortSignal.any([signal, answered.signal]));
    }
    this.#waiting.delete(hear);
    this.#close(socket);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [...this.#sockets]) this.#close(socket);
  }

  get #port(): number {
    return this.#options.port ?? 3702;
  }

  #nics(): readonly Nic[] {
    return (this.#options.nics ?? ownNics)().slice(0, mostNics);
  }

  async #probeFrom({ family, address, name }: Nic) {
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6' });
    if (!(await this.#bind(socket, 0, address))) return null;
    try {
      socket.setMulticastInterface(family === 4 ? address : `::%${name}`);
      socket.setMulticastTTL(1);
    } catch {
      this.#close(socket); // the interface has just gone
      return null;
    }
    const to = family === 4 ? groups[4] : `${groups[6]}%${name}`;
    return { socket, ask: (types: (typeof probeTypes)[number]) => this.#send(socket, this.#newProbe(types), to) };
  }

  #newProbe(types: (typeof probeTypes)[number]): string {
    const now = this.#options.clock.monotonic();
    for (const [id, until] of this.#asked) if (until < now || this.#asked.size >= mostProbes) this.#asked.delete(id);
    const id = randomUUID();
    this.#asked.set(id, now + answerable);
    return probe(id, types);
  }

  /** A bulkhead: a network that is down is no news here. */
  #send(socket: Socket, message: string, host: string): void {
    socket.send(message, this.#port, host, (error) => {
      this.#options.count(error === null ? 'probe' : 'probe-not-sent');
    });
  }

  /** False when the address or port cannot be had. */
  async #bind(socket: Socket, port: number, address?: string): Promise<boolean> {
    const { log, count } = this.#options;
    this.#sockets.add(socket);
    socket.on('message', (message, sender) => this.#hear(message, sender));
    const { promise, resolve } = Promise.withResolvers<boolean>();
    // Later errors of a UDP socket are of single datagrams (ICMP): nothing to do about them.
    socket.on('error', (error) => {
      if (port !== 0) log.info({ port, reason: error.message }, 'announcements of cameras are not heard');
      count('socket-failed');
      resolve(false);
    });
    socket.bind({ port, ...(address === undefined ? {} : { address }) }, () => resolve(true));
    const bound = await promise;
    if (!bound) this.#close(socket);
    return bound;
  }

  #close(socket: Socket): void {
    if (this.#sockets.delete(socket)) socket.close();
  }

  #hear(message: Buffer, { address }: RemoteInfo): void {
    const { clock, count, onAnnounced } = this.#options;
    const started = clock.monotonic();
    const spent = this.#spentFor(address, started);
    if (message.length > largest || spent === null) {
      count('datagram-dropped');
      return;
    }
    const found = readAnnouncement(message);
    const time = clock.monotonic() - started;
    for (const one of [spent, this.#inSecond]) {
      one.count += 1;
      one.time += time;
    }
    for (const announced of found) {
      if (announced.kind === 'match' && (this.#asked.get(announced.relatesTo) ?? 0) < clock.monotonic()) {
        count('answer-to-nobody');
        continue;
      }
      count(announced.kind);
      for (const hear of this.#waiting) hear(announced, address);
      onAnnounced(announced, address);
    }
  }

  /** What this sender has had of the running second; null: enough. One that talks without end does not silence the others. */
  #spentFor(sender: string, now: number): { count: number; time: number } | null {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#inSecond = { count: 0, time: 0 };
      this.#ofSenders.clear();
    }
    const all = this.#inSecond;
    if (all.count >= perSecond || all.time >= timePerSecond) return null;
    const own = this.#ofSenders.get(sender) ?? { count: 0, time: 0 };
    if (own.count >= ofSender || own.time >= timeOfSender) return null;
    this.#ofSenders.set(sender, own);
    return own;
  }
}

function isSameHost(a: string, b: string): boolean {
  return a === b || (a.includes(':') && a.replace(/%.*$/, '') === b.replace(/%.*$/, ''));
}
