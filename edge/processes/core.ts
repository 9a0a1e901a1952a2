import { mkdirSync } from 'node:fs';
import { createAccess } from '#edge/bus/access.ts';
import { startBroker } from '#edge/bus/broker.ts';
import type { InboundMessage } from '#edge/bus/bus.ts';
import { findBrokenGrants, grantsFor } from '#edge/bus/grants.ts';
import { calendarTopic, emergencyTopic, healthTopic, soundTopic } from '#edge/bus/topics.ts';
import { createCommands } from '#edge/commands/commands.ts';
import type { Device } from '#edge/domain/device.ts';
import type { ProcessStatus } from '#edge/domain/health.ts';
import { pointRef } from '#edge/domain/ids.ts';
import { energyPlanOf } from '#edge/energy/plan.ts';
import { createIngest } from '#edge/ingest/ingest.ts';
import { createAge } from '#edge/media/retention-age.ts';
import { toldTopics } from '#edge/profiles/phrases-address.ts';
import { asSourcesSee } from '#edge/rules/alarm-chatter.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { createClockSync } from '#edge/runtime/clock-sync.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import { startRpcServer } from '#edge/runtime/rpc.ts';
import type { Site } from '#edge/runtime/site.ts';
import { readWarningCertificates } from '#edge/runtime/warning-certificates.ts';
import { siteFacts } from '#edge/school/site-facts.ts';
import type { Batch } from '#edge/store/batch.ts';
import { openReader } from '#edge/store/reader.ts';
import { type Campus, describeCampus, driverProcesses } from './campus.ts';
import { brokerTls } from './certificates.ts';
import { type EdgeInit, paths } from './context.ts';
import { adoptionMistakes, createAdoption } from './core/adoption.ts';
import { AmplifierDesk } from './core/amplifier-desk.ts';
import { amplifierMistakes, amplifierMistakesSource, amplifierPlans, nextPlanned } from './core/amplifier-plans.ts';
import { ClipBook } from './core/broadcast-clips.ts';
import { BroadcastDesk } from './core/broadcast-desk.ts';
import { createHint } from './core/broadcast-hint.ts';
import { createBroadcastMethods } from './core/broadcast-methods.ts';
import { BroadcastSettings } from './core/broadcast-settings.ts';
import { CounterDesk, createCounterMethods, isHeldSource } from './core/counters.ts';
import { DeliveryDesk } from './core/delivery-desk.ts';
import { DemandDesk } from './core/demand-desk.ts';
import { demandSource } from './core/demand-desk-words.ts';
import { BoundedAudit } from './core/emergency-audit.ts';
import { Countdown, countClipsOf } from './core/emergency-countdown.ts';
import { EmergencyDesk } from './core/emergency-desk.ts';
import { Earthquakes, earthquakesState } from './core/emergency-earthquake.ts';
import { createEmergencyMethods } from './core/emergency-methods.ts';
import { FirePanels } from './core/emergency-panel.ts';
import { roomsOf, watchRules } from './core/emergency-rules.ts';
import { Warnings, warningsState } from './core/emergency-warnings.ts';
import { EnergyWatch } from './core/energy-watch.ts';
import { energyWatchState, isFindingSource } from './core/energy-watch-memory.ts';
import { energyMistakes, energyMistakesSource } from './core/energy-watch-words.ts';
import { Escalation, recentNotices } from './core/escalation.ts';
import { createFoundMethods } from './core/found-methods.ts';
import { Gatehouse } from './core/gatehouse.ts';
import { startHousekeeping } from './core/housekeeping.ts';
import { Inbound, recordFault } from './core/inbound.ts';
import { Judgement } from './core/judgement.ts';
import { Modes } from './core/modes.ts';
import { createNoticeMethods } from './core/notices.ts';
import { openStoreOrNone, watchForStore } from './core/open-store.ts';
import { buttonMistakes, panicRules, panicSiteSource } from './core/panic-rules.ts';
import { Repairs } from './core/repair.ts';
import { createRepairMethods } from './core/repair-methods.ts';
import { startRestored } from './core/restored.ts';
import { createRpcMethods } from './core/rpc-methods.ts';
import { openRuleDesk } from './core/rule-desk.ts';
import { createRuleMethods } from './core/rule-methods.ts';
import { createSchoolActs } from './core/school-acts.ts';
import { SchoolBook } from './core/school-book.ts';
import { createSchoolCalendar } from './core/school-calendar.ts';
import { SchoolClockWatch, schoolClockState } from './core/school-clock.ts';
import { SchoolDesk } from './core/school-desk.ts';
import { createSchoolMethods } from './core/school-methods.ts';
import { PowerDesk, schoolPowerState } from './core/school-power.ts';
import { Shelf } from './core/shelf.ts';
import { Together } from './core/together.ts';
import { Watch } from './core/watch.ts';
import { mistakesSource, ruleTroubles, siteMistakes, troublesSource } from './core/watch-alarms.ts';
import { createWays } from './core/ways.ts';

/** Broker, ingest, rules, commands, and the store's writer. */
export async function startCore(init: EdgeInit, context: ChildContext): Promise<Running> {
  const { site, data } = init;
  const { clock, log } = context;
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const campus = await describeCampus(site);
  const { plan: energy, problems: energyProblems } = energyPlanOf(site.energy, campus.devices);
  const senders = readWarningCertificates(site, clock.now()).problems;
  for (const problem of [...problemsOf(site, campus, energyProblems), ...senders])
    log.error({ problem }, 'the site has a mistake; the rest goes on');

  await using stack = new AsyncDisposableStack();
  const retention = { ...site.retention, incidents: site.incidents.keep };
  const storeOptions = { folder: data, clock, log, retention, tuning: { ...init.tuning } };
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
  const latest = ingest.restore(restored.latest, { good: restored.good, steps: restored.counterSteps });

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
        grants: grantsFor(site, owned, { fieldbus: toldTopics(campus.devicesOfProcess('fieldbus')) }),
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
  const reader = stack.use(openReader(data, clock));
  const append = (batch: Batch) => shelf.append(batch);
  const book = new SchoolBook({
    timeZone: site.campus.timeZone,
    zones: site.zones.map(({ id }) => id),
    site: siteFacts(
      campus.devices,
      { has: (name) => clips.clip(name) !== undefined },
      site.modes.map(({ id }) => id),
    ),
    ...{ reader, append, clock },
  });
  const calendar = createSchoolCalendar(site.openingHours, site.campus.timeZone, () => book);
  const standsOrNot = (source: string, raise: AlarmDecision | null) =>
    inbound?.takeReadingsUnasked([], [raise ?? { kind: 'return', source, reason: 'it is mended' }]);
  const buttons = panicRules(site, campus.devices);
  const desk = await openRuleDesk({
    generated: buttons.rules,
    ...{ site, campus, calendar, reader, append, stored: restored.state, clock, log },
    onTroubles: (troubles) => standsOrNot(troublesSource, troubles.length === 0 ? null : ruleTroubles(troubles)),
    onFaulty: (problems) => standsOrNot(mistakesSource, problems.length === 0 ? null : siteMistakes(problems)),
  });
  const modes = new Modes({
    known: site.modes.map(({ id }) => id),
    ...{ calendar, reader, append, clock, log },
    onChange: () => inbound?.commitUnasked(judgement.take([], [])),
    tell: (now) => void bus.publish(calendarTopic, now, { retain: true }).catch(() => {}),
  });
  let heardOutputs: BroadcastDesk | null = null;
  let school: SchoolDesk | null = null;
  let crisis: EmergencyDesk | null = null;
  let publicWarnings: Warnings | null = null;
  let quakes: Earthquakes | null = null;
  let panels: FirePanels | null = null;
  let delivered: DeliveryDesk | null = null;
  const commands = createCommands({
    points: outputPoints(campus),
    bus,
    // What rules remember goes into the transaction of the holds that it explains: holds without the trip behind them would be
    // taken for orphans at the next start, and an evacuation would fall silent.
    append: (batch) =>
      append(batch.holds === undefined ? batch : { ...batch, state: { ...batch.state, ...judgement.fresh } }),
    clock,
    log,
    restored,
    requestGrants: (client) => grantsOf(site, client),
    onAlarms: (decisions) => inbound?.takeReadingsUnasked([], decisions),
    onUnrecorded: () => {}, // its alarm comes through onAlarms, its log line from commands
    onOutput: (ref) => {
      heardOutputs?.onOutput(ref);
      amplifiers.onOutput(ref);
    },
  });
  const plannedAmplifiers = amplifierPlans(site.amplifiers, campus.devices);
  const amplifiers = stack.use(
    new AmplifierDesk({
      ...{ amplifiers: plannedAmplifiers.amplifiers, commands: () => commands, latest: () => ingest.latest(), clock },
      planned: (zones) => nextPlanned(book, clock.now(), zones),
      decide: (decisions) => inbound?.takeReadingsUnasked([], decisions),
    }),
  );
  const gatehouse: Gatehouse = stack.use(
    new Gatehouse({
      ...{ site, campus, data, calendar, reader, clock, log },
      modes: () => modes.on,
      stored: restored.state,
      storedAlarms: restored.alarms,
      latest: ingest.latest,
      commands: () => commands,
      judgement: (): Judgement => judgement,
      commit: (batch) => standing.promise.then((ready) => ready.commit(batch)),
      decide: (decisions) => inbound?.takeReadingsUnasked([], decisions),
    }),
  );
  const clips = new ClipBook({ clips: site.clips, reader, bus, log });
  const soundHint = createHint((time) => bus.publish(soundTopic, { time }, { retain: true }), clock);
  stack.use(soundHint);
  let openCrises = 0;
  const crisisHints = createHint(
    (time) => bus.publish(emergencyTopic, { time, open: openCrises }, { retain: true }),
    clock,
  );
  stack.use(crisisHints);
  const crisisHint = {
    tell: (open: number) => {
      openCrises = open;
      crisisHints.tell();
    },
  };
  const broadcast = stack.use(
    new BroadcastDesk({
      ...{ devices: campus.devices, commands: () => commands, stored: () => reader.sounds(), append, clock, log },
      ...{ drillWord: site.broadcast.drillWord, sirens: site.broadcast.sirens, clip: (name) => clips.clip(name) },
      onChange: () => soundHint.tell(),
      isUnsure: () => school?.isPaused !== false,
      gate: amplifiers,
    }),
  );
  heardOutputs = broadcast;
  const watchedRules = watchRules({
    ...{ broadcast, log },
    reset: (rule, why) => {
      const { outcome, verdict } = judgement.reset(rule, why);
      inbound?.commitUnasked(verdict);
      return outcome.reset ? null : outcome.message;
    },
  });
  let escalation: Escalation | null = null;
  let repairs: Repairs | null = null;
  const judgement = stack.use(
    new Judgement({
      engine: desk.engine,
      shadow: desk.shadow,
      active: desk.active,
      stale: desk.stale,
      modes: () => modes.on,
      storedAlarms: restored.alarms,
      latest: ingest.latest,
      ...createWays(site, campus),
      sourceExists: (source) =>
        desk.isSource(source) ||
        isHeldSource(source, ingest.counters.held()) ||
        isFindingSource(source, restored.state[energyWatchState], energy) ||
        (source === energyMistakesSource && energyProblems.length > 0) ||
        (source === panicSiteSource && buttons.problems.length > 0) ||
        (source === amplifierMistakesSource && plannedAmplifiers.problems.length > 0) ||
        amplifiers.isSource(source) ||
        gatehouse.isSource(source) ||
        (crisis === null ? source.startsWith('emergency:') : crisis.isSource(source)) ||
        // What was silent before the start is looked at when it is next told.
        (delivered === null ? source.startsWith('delivery:') : delivered.isSource(source)) ||
        sourceExists(source, site, campus),
      act: (changes) => commands.setInterlockHolds(changes),
      once: (decision) => {
        if (decision.kind === 'notify') escalation?.notify(decision);
        else void commands.pulse(decision.camera, 'snapshot', decision.owner, decision.reason).catch(() => {});
      },
      commit: (verdict) => inbound?.commitUnasked(verdict),
      clock,
    }),
  );
  const counters = new CounterDesk({
    ...{ ingest, reader, append, clock },
    stored: restored.counterSteps,
    tell: (readings, decisions) => inbound?.tellStored(readings, decisions) ?? Promise.resolve(),
    commit: (batch) => inbound?.commitUnasked(batch),
  });
  inbound = new Inbound({
    ingest,
    judgement,
    commands,
    watch,
    bus,
    append,
    devicesOf: (process) => owned[process] ?? [],
    ...(site.notify === undefined ? {} : { notify: (decision) => escalation?.notify(decision) }),
    onSteps: (steps) => counters.hear(steps),
    onEvents: (events) => panels?.hear(events),
    onClipFacts: (topic, payload) => void clips.hear(topic, payload),
    onNetwork: (process, rows) => repairs?.hearNetwork(process, rows),
    enrich: (batch) => gatehouse.enrich(batch),
    onMedia: (health) => gatehouse.hearMedia(health),
    clock,
    log,
  });
  const core = inbound;
  commands.start({ isMemoryWhole: fault === null });
  core.publishAll(latest, gatehouse.open);
  core.commitUnasked(judgement.begin());
  commands.adoptInterlockHolds(desk.engine.standing());
  clips.tell();
  const settings = new BroadcastSettings({ desk: broadcast, book, reader, clock, log });
  amplifiers.begin(
    broadcast,
    restored.alarms.flatMap(({ source, active }) => (active && source.startsWith('amplifier:') ? [source] : [])),
  );
  broadcast.begin(() => settings.tick());
  core.takeReadingsUnasked([], counters.begin());
  const commit = (batch: Batch) => core.commit(batch);
  const repair = stack.use(
    new Repairs({
      ...{ site, campus, watch, commands, clock },
      stored: restored.state.repair,
      latest: ingest.latest,
      urgent: () => judgement.urgent(),
      decide: (decisions) => core.takeReadingsUnasked([], decisions),
      commit: (batch) => core.commitUnasked(batch),
      reload: context.reload,
    }),
  );
  repairs = repair;
  const demand = stack.use(
    new DemandDesk({
      ...{ plan: energy, devices: campus.devices, commands, clock },
      latest: ingest.latest,
      stored: restored.state,
      decide: (decisions) => core.takeReadingsUnasked([], decisions),
      commit: (batch) => core.commitUnasked(batch),
    }),
  );
  const energyWatch = stack.use(
    new EnergyWatch({
      ...{ plan: energy, devices: campus.devices, data, openingHours: site.openingHours, clock, log },
      timeZone: site.campus.timeZone,
      stored: restored.state[energyWatchState],
      modes: () => modes.on,
      healths: () => watch.healths(),
      decide: (decisions) => core.takeReadingsUnasked([], decisions),
      commit: (batch) => core.commitUnasked(batch),
    }),
  );
  escalation = stack.use(
    new Escalation({
      notify: site.notify,
      ...{ calendar, judgement, commit, bus, clock, log },
      recent: fault === null ? recentNotices((limit) => reader.notices({ limit }), clock.now()) : [],
    }),
  );
  desk.book.begin({
    put: (version) => core.commitUnasked(judgement.put(version)),
    remove: (rule) => core.commitUnasked(judgement.remove(rule)),
    watch: (version) => core.commitUnasked(judgement.watch(version)),
    unwatch: (rule) => core.commitUnasked(judgement.unwatch(rule)),
  });
  const clockWatch = new SchoolClockWatch({
    stored: restored.state[schoolClockState],
    ask: createClockSync({ clock, keepMs: 1_000 }),
    ...{ commit, clock },
  });
  const circuits = new PowerDesk({
    ...{ commands, latest: ingest.latest, clock },
    stored: restored.state[schoolPowerState],
    commit: (batch) => core.commitUnasked(batch),
  });
  const schoolDay = stack.use(
    new SchoolDesk({
      powerTick: (moment) => circuits.tick(moment),
      acts: createSchoolActs({
        ...{ devices: campus.devices, commands, modes, clock },
        clips: { has: (name) => clips.clip(name) !== undefined },
        modeNow: (mode) => reader.document('mode', mode)?.body ?? null,
        sound: broadcast,
      }),
      ...{ book, clockWatch, reader, append, clock, log },
      stored: restored.state,
      decide: (decisions) => core.takeReadingsUnasked([], decisions),
      onChange: () => {
        calendar.forget();
        core.commitUnasked(judgement.take([], []));
        modes.tick();
        settings.tick();
      },
    }),
  );
  school = schoolDay;
  const deliveries = stack.use(
    new DeliveryDesk({
      ...{ desk: broadcast, commands: () => commands, latest: () => ingest.latest(), reader, clock, log },
      ...{ troubleOf: (ref) => amplifiers.troubleOf(ref), listening: site.broadcast.listening },
      commit: (batch) => core.commitUnasked(batch),
      decide: (decisions) => core.takeReadingsUnasked([], decisions),
      onChange: () => soundHint.tell(),
    }),
  );
  delivered = deliveries;
  deliveries.begin(
    restored.alarms.flatMap(({ source, active }) => (active && source.startsWith('delivery:') ? [source] : [])),
  );
  const together = new Together((batch) => core.commitUnasked(batch));
  const crises = stack.use(
    new EmergencyDesk({
      ...{ site: site.emergency, zones: site.zones.map(({ id }) => id), rooms: roomsOf(site), sound: broadcast },
      ...{ drillWord: site.broadcast.drillWord, clock, log },
      stored: fault === null ? reader.emergencies({ open: true, limit: 50 }) : [],
      commit: together.commit,
      decide: (decisions) => core.takeReadingsUnasked([], decisions),
      ...watchedRules.desk,
      onChange: (open) => crisisHint.tell(open),
      onEnd: (one) => {
        publicWarnings?.ended(one);
        quakes?.ended(one);
      },
    }),
  );
  crisis = crises;
  crises.restored(
    restored.alarms.flatMap(({ source, active }) => (active && source.startsWith('emergency:') ? [source] : [])),
  );
  stack.use(watchedRules.begin(crises));
  const { panel } = site.emergency;
  panels = new FirePanels({ devices: campus.devices, site: panel, emergencies: crises, log });
  const machines = new BoundedAudit();
  const warnings = stack.use(
    new Warnings({
      ...{ site: site.emergency.warnings, emergencies: crises, stored: restored.state[warningsState] },
      ...{ audit: machines, together, clock, log },
      onChange: () => crisisHint.tell(crises.open.filter(({ drill }) => !drill).length),
    }),
  );
  publicWarnings = warnings;
  const countdown = stack.use(
    new Countdown({
      clips: countClipsOf(site.emergency.earthquake.countdown),
      ...{ sound: broadcast, emergencies: crises, clock, log },
    }),
  );
  const earthquakes = new Earthquakes({
    ...{ from: site.emergency.earthquake.from, emergencies: crises, stored: restored.state[earthquakesState] },
    count: (emergency, arrival) => countdown.hear(emergency, arrival),
    ...{ audit: machines, together, clock },
  });
  quakes = earthquakes;
  stack.use(new Ticker(60_000, () => settings.tick()));
  modes.tick();
  stack.use(new Ticker(1_000, () => modes.tick()));
  stack.use(new Ticker(30_000, () => desk.book.tick()));
  stack.use(new Ticker(60_000, () => core.takeReadingsUnasked([], counters.tick())));
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
  if (site.adoptionProblems.length > 0) core.takeReadingsUnasked([], [adoptionMistakes(site.adoptionProblems)]);
  if (energyProblems.length > 0) core.takeReadingsUnasked([], [energyMistakes(energyProblems)]);
  if (plannedAmplifiers.problems.length > 0)
    core.takeReadingsUnasked([], [amplifierMistakes(plannedAmplifiers.problems)]);
  if (buttons.problems.length > 0) core.takeReadingsUnasked([], [buttonMistakes(buttons.problems)]);
  noteRestored?.((batch) => core.commit(batch));
  standing.resolve(core);
  gatehouse.begin();
  context.onProcesses((processes) => hearProcesses(processes, { watch, core, bus, clock }));
  context.onProcesses((processes) => repair.hearProcesses(processes));
  const adoption = stack.use(
    createAdoption({
      site,
      data,
      commit,
      urgent: () => judgement.urgent(),
      reload: context.reload,
      clock,
      log,
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
          append,
          data,
          onDocument: (kind) => {
            if (kind !== 'clip') return;
            clips.tell();
            book.siteChanged();
          },
          clock,
        }),
        ...adoption.methods,
        ...createFoundMethods({ commit, clock }),
        ...createRepairMethods(repair),
        ...createCounterMethods(counters),
        ...gatehouse.methods,
        ...createSchoolMethods({ book, desk: schoolDay, clockWatch }),
        ...createBroadcastMethods({
          ...{ desk: broadcast, settings, append, commit, clock },
          latest: (ref) => ingest.latest().get(ref),
          revOf: (kind, id) => reader.document(kind, id)?.rev ?? 0,
        }),
        ...createEmergencyMethods({ desk: crises, warnings, earthquakes, settled: () => core.commit({}), clock }),
        'school.power': async () => ({ circuits: circuits.now() }),
        'energy.now': async () => ({
          ...{ demand: demand.now(), findings: energyWatch.findings(), holidays: energyWatch.holidays() },
        }),
        ...createRuleMethods({
          ...{ book: desk.book, modes, judgement, placesOf: desk.placesOf },
        }),
        ...(site.notify === undefined
          ? {}
          : createNoticeMethods({
              notify: site.notify,
              reader,
              commit,
              decide: (decisions) => core.takeReadingsUnasked([], decisions),
              isActive: (source) => asSourcesSee(judgement.openAlarms).get(source)?.active === true,
              clock,
            })),
      },
      log,
    }),
  );
  const age = createAge({ file: paths.age(data, 'core'), clock, log });
  stack.use(
    startHousekeeping({ campus, ingest, commands, inbound: core, judgement, watch, store, bus, age, clock, log }),
  );
  if (fault !== null) {
    stack.use(
      watchForStore(storeOptions, {
        isCalm: () => judgement.isCalm(),
        restart: () => process.kill(process.pid, 'SIGTERM'),
      }),
    );
  }
  const all = stack.move();
  return {
    info: { mqtt: broker.ports.mqtt, ...(broker.ports.tls === null ? {} : { mqtts: broker.ports.tls }) },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function problemsOf(site: Site, campus: Campus, energy: readonly string[]): string[] {
  return [
    ...campus.broken.map(({ device, message }) => `device ${device}: ${message}`),
    ...findBrokenGrants(site),
    ...site.adoptionProblems,
    ...energy,
  ];
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
  if (kind === 'device' || kind === 'repair') return site.devices.some(({ id }) => id === name);
  if (kind === 'output')
    return campus.devices.some(({ id, points }) => points.some((point) => pointRef(id, point.name) === name));
  // Ended by its flow, or when none has confirmed it for a day (guest-asks.ts).
  if (kind === 'flow') return true;
  // Judged anew by its desk in its first look.
  if (kind === 'school') return true;
  if (kind === 'demand') return site.energy?.demand.some(({ meter }) => demandSource(meter) === source) ?? false;
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
