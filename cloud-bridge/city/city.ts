import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { maxFrameBytes } from '#bridge/contract/frame.ts';
import { campusFilters, shardOf, willTopic } from '#bridge/contract/topics.ts';
import { createAccess } from '#edge/bus/access.ts';
import { type Broker, startBroker } from '#edge/bus/broker.ts';
import type { Bus } from '#edge/bus/bus.ts';
import type { Grant } from '#edge/bus/grants.ts';
import type { BrokerLimits } from '#edge/bus/limits.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { type CampusEntry, createApi } from './api.ts';
import { Ingest, type IngestCounters, type IngestLimits } from './ingest.ts';
import { type ReadMethods, type StoreThreadData, startStoreThread, type WriteMethods } from './store-port.ts';

/** A campus and, where it is not in `<folder>/credentials.json`, its MQTT password. */
export interface CampusAccount extends CampusEntry {
  readonly password?: string | undefined;
}

export interface CityOptions {
  /** Holds `city.db`, `credentials.json` (scrypt hashes, as on a campus) and `admin-token`. */
  readonly folder: string;
  readonly mqtt: { readonly hosts: readonly string[]; readonly port: number };
  readonly http: { readonly host: string; readonly port: number };
  readonly campuses: readonly CampusAccount[];
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<IngestLimits>;
  /** Summaries, events and ended alarms are kept this long, ms. */
  readonly keep?: number;
  /** For chaos tests only. */
  readonly test?: {
    readonly logReceived?: boolean;
    /** The negative control: acknowledge, wait so many ms, then commit. */
    readonly acknowledgeBeforeCommit?: number;
  };
}

export interface City extends AsyncDisposable {
  readonly ports: { readonly mqtt: number; readonly http: number };
  /** Bearer token of the API. */
  readonly token: string;
  counters(): IngestCounters;
}

const day = 24 * 3_600_000;
const defaultKeep = 400 * day;
/** 1,200 campuses may come back in the same second, some of them behind one address. */
const brokerLimits: Partial<BrokerLimits> = {
  packetBytes: maxFrameBytes + 4_096,
  connectionsPerAddress: 2_048,
  connectBurst: 2_048,
  connectsPerSecond: 200,
};

/**
 * Starts the city: broker, ingest, store threads, API. Throws BROKER_PORT_TAKEN or CITY_PORT_TAKEN naming the address,
 * CITY_CAMPUS_TWICE, CITY_TOKEN.
 */
export async function startCity(options: CityOptions): Promise<City> {
  const { folder, campuses, clock, log } = options;
  await using stack = new AsyncDisposableStack();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const token = await ensureToken(folder);
  const { writer, reader } = await openStore(options, stack);

  const bus = lateBus();
  const ingest = new Ingest({ store: writer, bus, clock, log, ...(options.limits ? { limits: options.limits } : {}) });
  stack.use(ingest);
  const broker = stack.use(await openBroker(options, ingest));
  bus.set(broker.bus);

  const app = await createApi({ campuses, store: reader, ingest, token, clock, log });
  stack.defer(() => app.close());
  const httpPort = await listen(app, options.http);
  const prune = async (): Promise<void> => {
    try {
      await writer.prune(clock.now() - (options.keep ?? defaultKeep), 5_000);
    } catch (error) {
      // Bulkhead: ingest says what is wrong with the disk; the next minute tries again.
      log.error({ error }, 'old rows could not be deleted');
    }
  };
  stack.use(new Ticker(60_000, prune));
  log.info({ mqtt: broker.ports.mqtt, http: httpPort, campuses: campuses.length }, 'the city is ready');
  const owned = stack.move();
  return {
    ports: { mqtt: broker.ports.mqtt, http: httpPort },
    token,
    counters: () => ingest.counters,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function openStore(options: CityOptions, stack: AsyncDisposableStack) {
  const data: StoreThreadData = {
    mode: 'write',
    file: join(options.folder, 'city.db'),
    logReceived: options.test?.logReceived ?? false,
    acknowledgeBeforeCommit: options.test?.acknowledgeBeforeCommit ?? null,
  };
  const writer = stack.use(startStoreThread<WriteMethods>(data));
  // The reader opens what the writer has made.
  await writer.call.ready();
  const reader = stack.use(startStoreThread<ReadMethods>({ ...data, mode: 'read' }));
  await reader.call.ready();
  return { writer: writer.call, reader: reader.call };
}

/** The broker needs the ingest and the ingest needs the broker: nothing is told before the broker listens. */
function lateBus(): Pick<Bus, 'publish'> & { set(bus: Bus): void } {
  let bus: Bus | null = null;
  return {
    set: (ready) => {
      bus = ready;
    },
    publish: (...message) =>
      bus === null ? Promise.reject(new CodedError('BUS_AWAY', 'the broker is not up yet')) : bus.publish(...message),
  };
}

function openBroker({ folder, mqtt, campuses, clock, log }: CityOptions, ingest: Ingest): Promise<Broker> {
  const passwords = new Map<string, string>();
  const grants = new Map<string, Grant>();
  for (const { id, password } of campuses) {
    if (grants.has(id)) throw new CodedError('CITY_CAMPUS_TWICE', `campus ${id} is listed twice`);
    const address = { shard: shardOf(id), campus: id };
    grants.set(id, { ...campusFilters(address), willTopic: willTopic(address) });
    if (password !== undefined) passwords.set(id, password);
  }
  const access = createAccess({
    dataFolder: folder,
    internal: passwords,
    grants: (campus) => grants.get(campus) ?? null,
    clock,
    log,
  });
  return startBroker({
    hosts: mqtt.hosts,
    port: mqtt.port,
    websocketPort: null,
    access,
    limits: brokerLimits,
    clock,
    log,
    onPublish: (message) => ingest.take(message),
  });
}

async function listen(
  app: Awaited<ReturnType<typeof createApi>>,
  { host, port }: CityOptions['http'],
): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    throw new CodedError('CITY_PORT_TAKEN', `port ${port} of ${host} is taken; give another with --http-port`, {
      cause: error,
    });
  }
  const [address] = app.addresses();
  return typeof address === 'object' ? address.port : port;
}

/** Reads the token, or makes one at the first start (0600). */
async function ensureToken(folder: string): Promise<string> {
  const file = join(folder, 'admin-token');
  try {
    await using handle = await open(file, 'wx', 0o600);
    const token = randomBytes(24).toString('base64url');
    await handle.writeFile(`${token}\n`);
    await handle.sync();
    return token;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST')
      throw new CodedError('CITY_TOKEN', `cannot write ${file}: ${messageOf(error)}`, { cause: error });
  }
  const token = (await readFile(file, 'utf8')).trim();
  if (token.length < 16) throw new CodedError('CITY_TOKEN', `${file} holds no token; delete it to get a new one`);
  return token;
}
