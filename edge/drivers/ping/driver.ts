import type { Device, Point } from '#edge/domain/device.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Driver, Session, Sink } from '../driver.ts';
import { type PingConfig, parsePingConfig } from './config.ts';
import type { Probed, Probes } from './probes.ts';
import { bare } from './targets.ts';

export interface PingDriverOptions {
  readonly clock: Clock;
  /** The driver ends it. */
  readonly probes: Probes;
}

/** A result is good for so long: the network monitor has probed the host just now, ms. */
const freshFor = 20_000;

/** A host that need only be there: whether it answers, how fast, and how much is lost. */
export function createPingDriver({ clock, probes }: PingDriverOptions): Driver<PingConfig> {
  return {
    protocol: 'ping',
    config: { parse: parsePingConfig },
    async open(device, { host, port }, sink) {
      return createSession(device, { host: bare(host), port }, sink, probes, clock);
    },
    [Symbol.asyncDispose]: () => probes[Symbol.asyncDispose](),
  };
}

function createSession(device: Device, target: PingConfig, sink: Sink, probes: Probes, clock: Clock): Session {
  const at = new Map(device.points.map(({ name, address }) => [name, wordOf(address)]));
  let said = '';
  const say = ({ reachable, way }: Probed) => {
    const state = reachable ? 'online' : 'offline';
    if (said === state) return;
    said = state;
    const how = way === 'icmp' ? 'ping' : `a connection to port ${target.port}`;
    sink.health(state, reachable ? `answers ${how}` : `${target.host} does not answer ${how}`);
  };
  return {
    async read(points: readonly Point[]): Promise<readonly Sample[]> {
      if (points.length === 0) return [];
      const latest = probes.latest(target);
      const isFresh = latest !== null && clock.now() - latest.at < freshFor;
      const probed = isFresh ? latest : await probes.probe(target);
      sink.count(probed.reachable ? 'answer' : 'silence');
      say(probed);
      return points.map(({ name }) => ({ point: name, ...meantBy(at.get(name), probed) }));
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** That a host does not answer is itself a good value; what it would have taken is not known then. */
function meantBy(word: string | undefined, probed: Probed): Pick<Sample, 'value' | 'quality' | 'reason'> {
  if (word === 'reachable') return { value: probed.reachable, quality: 'good' };
  if (word === 'loss') return { value: Math.round(probed.loss * 100), quality: 'good' };
  if (word !== 'latency') return { value: null, quality: 'bad', reason: 'configuration-error' };
  return probed.latency === null
    ? { value: null, quality: 'bad', reason: 'no-communication' }
    : { value: probed.latency, quality: 'good' };
}

function wordOf(address: unknown): string | undefined {
  return typeof address === 'object' && address !== null && 'at' in address && typeof address.at === 'string'
    ? address.at
    : undefined;
}
