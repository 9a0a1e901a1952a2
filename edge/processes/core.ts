import { mkdirSync } from 'node:fs';
import { createAccess } from '#edge/bus/access.ts';
import { startBroker } from '#edge/bus/broker.ts';
import type { InboundMessage } from '#edge/bus/bus.ts';
import { findBrokenGrants, grantsFor } from '#edge/bus/grants.ts';
import { healthTopic } from '#edge/bus/topics.ts';
import { createCommands } from '#edge/commands/commands.ts';
import type { Device } from '#edge/domain/device.ts';
import type { ProcessStatus } from '#edge/domain/health.ts';
import { pointRef } from '#edge/domain/ids.ts';
import { createIngest } from '#edge/ingest/ingest.ts';
import { checkInterlocks } from '#edge/rules/check-interlocks.ts';
import { compileInterlocks } from '#edge/rules/compile.ts';
import { standingHolds } from '#edge/rules/interlock-state.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { startRpcServer } from '#edge/runtime/rpc.ts';
import type { Site } from '#edge/runtime/site.ts';
import { openReader } from '#edge/store/reader.ts';
import { type Campus, describeCampus, driverProcesses } from './campus.ts';
import { brokerTls } from './certificates.ts';
import { type EdgeInit, paths } from './context.ts';
import { adoptionMistakes, createAdoption } from './core/adoption.ts';
import { startHousekeeping } from './core/housekeeping.ts';
import { Inbound, recordFault } from './core/inbound.ts';
import { Judgement } from './core/judgement.ts';
import { createNoticeMethods } from './core/notices.ts';
import { openStoreOrNone, watchForStore } from './core/open-store.ts';
import { startRestored } from './core/restored.ts';
import { createRpcMethods } from './core/rpc-methods.ts';
import { Shelf } from './core/shelf.ts';
import { Watch } from './core/watch.ts';
import { siteMistakes } from './core/watch-alarms.ts';

/** Broker, ingest, rules, commands, and the store's writer. */
export async function startCore(init: EdgeInit, context: ChildContext): Promise<Running> {
  const { site, data } = init;
  const { clock, log } = context;
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const campus = await describeCampus(site);
  for (const problem of problemsOf(site, campus)) log.error({ problem }, 'the site has a mistake; the rest goes on');

  await using stack = new AsyncDisposableStack();
  const storeOptions = { folder: data, clock, log, retention: site.retention, tuning: { ...init.tuning } };
  const noteRestored = startRestored(data, context);
  const { store, restored, fault } = await openStoreOrNone(storeOptions);
  stack.use(store);
  const shelf = new Shelf(store);
  const ingest = createIngest({
    devices: campus.devices,
    clock,
    log,
    timeZone: site.campus.timeZone,
    onDeviceChanged: (device) => shelf.register([device]),
  });
  ingest.restoreDiscovery(restored.state.discovery);
  shelf.register(ingest.registry.devices());
  const latest = ingest.restore(restored.latest);

  const owned = devicesByProcess(campus);
  // The broker needs the rooms and they need its bus: what arrives before they stand waits for them.
  const standing = Promise.withResolvers<Inbound>();
  let inbound: Inbound | null = null;
  const broker = stack.use(
    await startBroker({
      ...site.mqtt,
      tls: await brokerTls({ site, data, clock, log }, stack),
      access: createAccess({
        dataFolder: data,
        internal: new Map(Object.entries(init.tokens)),
        grants: grantsFor(site, owned),
        clock,
        log,
      }),
      clock,
      log,
      onPublish: (message: InboundMessage) =>
        inbound === null ? standing.promise.then((ready) => ready.take(message)) : inbound.take(message),
    }),
  );
  const { bus } = broker;
  const watch = new Watch({
    campus,
    places: site.devices,
    unusable: [...campus.broken, ...ingest.broken],
    alarmed: restored.alarms.flatMap(({ source, active }) => (active ? [source] : [])),
    clock,
  });
  const commands = createCommands({
    points: outputPoints(campus),
    bus,
    append: (batch) => shelf.append(batch),
    clock,
    log,
    restored,
    interlockState: () => judgement.state,
    requestGrants: (client) => grantsOf(site, client),
    onAlarms: (decisions) => inbound?.takeReadingsUnasked([], decisions),
    onUnrecorded: () => {}, // its alarm comes through onAlarms, its log line from commands
  });
  const compiled = compileInterlocks(site.interlocks, {
    devices: campus.devices,
    openingHours: site.openingHours,
    timeZone: site.campus.timeZone,
  });
  const judgement = stack.use(
    new Judgement({
      compiled,
      storedState: restored.state.interlocks,
      storedAlarms: restored.alarms,
      latest: ingest.latest,
      processOf: (device) => campus.devices.find(({ id }) => id === device) && campus.processOf(device as Device['id']),
      sourceExists: (source) => sourceExists(source, site, campus),
      act: (changes) => commands.setInterlockHolds(changes),
      commit: (verdict) => inbound?.commitUnasked(verdict),
      clock,
    }),
  );
  inbound = new Inbound({
    ingest,
    judgement,
    commands,
    watch,
    bus,
    append: (batch) => shelf.append(batch),
    devicesOf: (process) => owned[process] ?? [],
    clock,
    log,
  });
  const core = inbound;
  commands.start({ isMemoryWhole: fault === null });
  core.publishAll(latest);
  core.commitUnasked(judgement.begin());
  commands.adoptInterlockHolds(standingHolds(judgement.state));
  // After the first look, which ends the alarms of a store of before the start.
  stack.defer(
    store.onFault((fault) => {
      const message = `${fault.code}: ${fault.message}`;
      const source = `store:${fault.code.replace(/^STORE_/, '').toLowerCase()}`;
      const decision = fault.active
        ? { ...recordFault(message), source }
        : { kind: 'return' as const, source, reason: message };
      core.takeReadingsUnasked([], [decision]);
    }),
  );
  const mistakes = interlockMistakes(site, campus);
  if (mistakes.length > 0) core.takeReadingsUnasked([], [siteMistakes(mistakes)]);
  if (site.adoptionProblems.length > 0) core.takeReadingsUnasked([], [adoptionMistakes(site.adoptionProblems)]);
  noteRestored?.((batch) => core.commit(batch));
  standing.resolve(core);
  context.onProcesses((processes) => hearProcesses(processes, { watch, core, bus, clock }));
  const adoption = stack.use(
    createAdoption({
      site,
      data,
      commit: (batch) => core.commit(batch),
      tripped: () => Object.entries(judgement.state.interlocks).flatMap(([id, { tripped }]) => (tripped ? [id] : [])),
      reload: context.reload,
      clock,
    }),
  );
  stack.use(
    await startRpcServer({
      path: paths.socket(data),
      methods: {
        ...createRpcMethods({
          commands,
          judgement,
          inbound: core,
          store,
          append: (batch) => shelf.append(batch),
          data,
          clock,
        }),
        ...adoption.methods,
        ...(site.notify === undefined
          ? {}
          : createNoticeMethods({
              notify: site.notify,
              reader: stack.use(openReader(data, clock)),
              commit: (batch) => core.commit(batch),
              decide: (decisions) => core.takeReadingsUnasked([], decisions),
              isActive: (source) => [...judgement.openAlarms.values()].some((a) => a.source === source && a.active),
              clock,
            })),
      },
      log,
    }),
  );
  stack.use(startHousekeeping({ campus, ingest, commands, inbound: core, judgement, watch, store, bus, clock, log }));
  if (fault !== null) {
    const isCalm = () => Object.values(judgement.state.interlocks).every(({ tripped }) => !tripped);
    stack.use(watchForStore(storeOptions, { isCalm, restart: () => process.kill(process.pid, 'SIGTERM') }));
  }
  const all = stack.move();
  return {
    info: { mqtt: broker.ports.mqtt, ...(broker.ports.tls === null ? {} : { mqtts: broker.ports.tls }) },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function problemsOf(site: Site, campus: Campus): string[] {
  return [
    ...campus.broken.map(({ device, message }) => `device ${device}: ${message}`),
    ...findBrokenGrants(site),
    ...site.adoptionProblems,
    ...interlockMistakes(site, campus),
  ];
}

function interlockMistakes(site: Site, campus: Campus): readonly string[] {
  const { openingHours, interlocks } = site;
  return checkInterlocks(interlocks, { devices: campus.devices, openingHours, timeZone: site.campus.timeZone });
}

function devicesByProcess(campus: Campus): Readonly<Record<string, readonly Device['id'][]>> {
  return Object.fromEntries(driverProcesses.map((name) => [name, campus.devicesOfProcess(name).map(({ id }) => id)]));
}

function outputPoints(campus: Campus) {
  return driverProcesses.flatMap((process) =>
    campus.devicesOfProcess(process).flatMap((device) => device.points.map((point) => ({ device, point, process }))),
  );
}

/** Points a client may request: people everything, flows and foreign clients what the site file grants them. */
function grantsOf(site: Site, client: string): readonly string[] {
  if (client === 'web') return ['*/*'];
  if (client === 'flows') return site.flowRequests;
  return site.clients.find(({ id }) => id === client)?.requests ?? [];
}

function sourceExists(source: string, site: Site, campus: Campus): boolean {
  const [kind, name = ''] = [source.slice(0, source.indexOf(':')), source.slice(source.indexOf(':') + 1)];
  if (kind === 'interlock' || kind === 'blind') return site.interlocks.some(({ id }) => id === name);
  if (kind === 'device') return site.devices.some(({ id }) => id === name);
  if (kind === 'output')
    return campus.devices.some(({ id, points }) => points.some((point) => pointRef(id, point.name) === name));
  // Ended by its flow, or when none has confirmed it for a day (guest-asks.ts).
  if (kind === 'flow') return true;
  if (kind === 'notify') return site.notify?.channels.some(({ id }) => id === name) ?? false;
  if (kind === 'bridge') return campus.devices.some(({ protocol }) => protocol === 'mqtt');
  // Processes and the store are looked at anew: what still ails them is raised again at once.
  return false;
}

interface Told {
  readonly watch: Watch;
  readonly core: Inbound;
  readonly bus: Awaited<ReturnType<typeof startBroker>>['bus'];
  readonly clock: ChildContext['clock'];
}

/** The supervisor's table: a dead driver process turns its points bad in the same turn, and is one alarm. */
function hearProcesses(processes: readonly ProcessStatus[], { watch, core, bus, clock }: Told): void {
  const { gone, decisions } = watch.hearProcesses(processes);
  core.leave(gone, decisions);
  bus.publish(healthTopic('supervisor'), { time: clock.now(), processes }, { retain: true }).catch(() => {});
}

if (import.meta.main) runChild('core', startCore);
