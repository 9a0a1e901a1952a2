import type { ProcessName } from '#edge/domain/health.ts';
import { processNames } from '#edge/domain/health.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import {
  answerTopic,
  camerasTopic,
  checkFilter,
  checkTopic,
  clipFactsTopic,
  clipsTopic,
  commandTopic,
  coversFilter,
  deviceFilter,
  filters,
  healthTopic,
  isForeignFilter,
  matchesFilter,
  networkTopic,
  requestTopic,
  resultTopic,
} from './topics.ts';

/** What one client may do, as MQTT filters. What is not here is refused: there is no "deny". */
export interface Grant {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** Where its last will may go; without it, wherever it may publish. */
  readonly willTopic?: string;
  /** One of our own processes: no session is kept for it, and it is not slowed down. */
  readonly internal?: boolean;
}

/** The part of a site file that grants something. */
export interface GrantingSite {
  readonly clients: readonly {
    readonly id: string;
    readonly publish: readonly string[];
    readonly subscribe: readonly string[];
    readonly devices: readonly DeviceId[];
    readonly requests: readonly string[];
  }[];
}

/** Which devices each driver process speaks for. */
export type ProcessDevices = { readonly [name in ProcessName]?: readonly DeviceId[] };
/** Exact foreign topics on which a driver process tells devices something. */
export type ToldTopics = { readonly [name in ProcessName]?: readonly string[] };

/** Names that no client of the site file can take. */
const reserved: ReadonlySet<string> = new Set<string>([...processNames, 'supervisor']);
const drivers: readonly ProcessName[] = ['fieldbus', 'camera', 'broadcast'];
const guests: readonly ProcessName[] = ['flows', 'web', 'uplink'];
/** They only hear: what they do leads out of the campus. */
const listeners: readonly ProcessName[] = ['notify'];

/**
 * The access list of a campus: client id -> grant, null for a client nobody knows. Nobody is ever granted
 * `v1/command` or `v1/out` beyond its own health: those come from core, which publishes in process.
 * A filter of the site file that would reach further than allowed is left out; `findBrokenGrants` names it.
 */
export function grantsFor(
  site: GrantingSite,
  processDevices: ProcessDevices,
  told: ToldTopics = {},
): (client: string) => Grant | null {
  const grants = new Map<string, Grant>();
  for (const name of drivers) grants.set(name, driverGrant(name, processDevices[name] ?? [], told[name] ?? []));
  for (const name of guests) grants.set(name, guestGrant(name));
  for (const name of listeners) grants.set(name, listenerGrant(name));
  grants.set('media', mediaGrant());
  for (const client of site.clients) {
    if (!reserved.has(client.id)) grants.set(client.id, clientGrant(client));
  }
  return (client) => grants.get(client) ?? null;
}

/** One line per mistake, e.g. `clients[2].publish[0]: "#" must start with a literal level that is not v1 or $...`. */
export function findBrokenGrants(site: GrantingSite): string[] {
  return site.clients.flatMap((client, i) => [
    ...(reserved.has(client.id) ? [`clients[${i}].id: "${client.id}" is the name of a process of ours`] : []),
    ...client.publish.flatMap((filter, j) => {
      const wrong = checkPublishGrant(filter);
      return wrong === null ? [] : [`clients[${i}].publish[${j}]: "${filter}" ${wrong}`];
    }),
    ...client.subscribe.flatMap((filter, j) => {
      const wrong = checkSubscribeGrant(filter);
      return wrong === null ? [] : [`clients[${i}].subscribe[${j}]: "${filter}" ${wrong}`];
    }),
  ]);
}

function driverGrant(name: ProcessName, devices: readonly DeviceId[], told: readonly string[]): Grant {
  return {
    publish: [
      ...devices.map(deviceFilter),
      // Whatever a device's profile says: no topic of ours.
      ...told.filter((topic) => checkTopic(topic) === null && isForeignFilter(topic)),
      resultTopic(name),
      healthTopic(name),
      // The network is looked at by one process.
      ...(name === 'fieldbus' ? [networkTopic(name)] : []),
      ...(name === 'camera' ? [camerasTopic(name)] : []),
      ...(name === 'broadcast' ? [clipFactsTopic(name)] : []),
    ],
    subscribe: [commandTopic(name), ...(name === 'broadcast' ? [clipsTopic(name)] : [])],
    willTopic: healthTopic(name),
    internal: true,
  };
}

function guestGrant(name: ProcessName): Grant {
  return {
    publish: [requestTopic(name), healthTopic(name)],
    // Web shows what became of clips.
    subscribe: [filters.out, answerTopic(name), ...(name === 'web' ? [clipFactsTopic('broadcast')] : [])],
    willTopic: healthTopic(name),
    internal: true,
  };
}

function listenerGrant(name: ProcessName): Grant {
  return { publish: [healthTopic(name)], subscribe: [filters.out], willTopic: healthTopic(name), internal: true };
}

/** It speaks for no device: it looks at streams, and says how that goes. */
function mediaGrant(): Grant {
  const { subscribe, ...rest } = listenerGrant('media');
  return { ...rest, subscribe: [...subscribe, camerasTopic('camera')] };
}

function clientGrant(client: GrantingSite['clients'][number]): Grant {
  return {
    publish: [
      ...client.devices.map(deviceFilter),
      ...client.publish.filter((filter) => checkPublishGrant(filter) === null),
      ...(client.requests.length > 0 ? [requestTopic(client.id)] : []),
    ],
    subscribe: [answerTopic(client.id), ...client.subscribe.filter((filter) => checkSubscribeGrant(filter) === null)],
  };
}

function checkPublishGrant(filter: string): string | null {
  const wrong = checkFilter(filter);
  if (wrong !== null) return wrong;
  return isForeignFilter(filter)
    ? null
    : 'must start with a literal level that is not v1 or $...: list `devices` or `requests` instead';
}

function checkSubscribeGrant(filter: string): string | null {
  const wrong = checkFilter(filter);
  if (wrong !== null) return wrong;
  return isForeignFilter(filter) || coversFilter(filters.out, filter)
    ? null
    : `must be ${filters.out}, a part of it, or start with a literal level that is not v1 or $...`;
}

/** A grant's filters, made quick to ask: a driver process has hundreds of devices, and every message asks. */
export class TopicSet {
  readonly #exact = new Set<string>();
  /** `a/b` for `a/b/#`. */
  readonly #trees = new Set<string>();
  readonly #patterns: string[] = [];
  readonly #filters: readonly string[];

  constructor(list: readonly string[]) {
    this.#filters = list;
    for (const filter of list) {
      const tree = filter.endsWith('/#') ? filter.slice(0, -2) : null;
      if (tree !== null && !/[+#]/.test(tree)) this.#trees.add(tree);
      else if (/[+#]/.test(filter)) this.#patterns.push(filter);
      else this.#exact.add(filter);
    }
  }

  /** May this topic be used? */
  has(topic: string): boolean {
    if (this.#exact.has(topic)) return true;
    for (let end = topic.length; end > 0; end = topic.lastIndexOf('/', end - 1)) {
      if (this.#trees.has(topic.slice(0, end))) return true;
    }
    return this.#patterns.some((filter) => matchesFilter(filter, topic));
  }

  /** May everything that this filter matches be used? */
  covers(filter: string): boolean {
    return this.#filters.some((outer) => coversFilter(outer, filter));
  }
}
