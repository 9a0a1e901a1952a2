import { Readable } from 'node:stream';
import fastifyCookie from '@fastify/cookie';
import fastifySwagger from '@fastify/swagger';
import { fastify } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Device } from '#edge/domain/device.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { Reader } from '#edge/store/reader.ts';
import { addAlarmReportRoute } from './alarm-report-route.ts';
import { addAlarmRoutes } from './alarm-routes.ts';
import { addAnnouncementRoutes } from './announcement-routes.ts';
import { addAssetRoutes } from './asset-routes.ts';
import type { AuditForwardState } from './audit-forward.ts';
import { addAuditRoutes } from './audit-routes.ts';
import { addAuthorityRoute } from './authority-route.ts';
import { addBroadcastRoutes } from './broadcast-routes.ts';
import { addTalkRoutes } from './broadcast-talk-routes.ts';
import { addBusRoutes } from './bus-routes.ts';
import { addCameraListRoute } from './camera-list.ts';
import { addCameraTurnRoute } from './camera-turn-route.ts';
import { CaseDesk } from './case-desk.ts';
import { addCaseRoutes } from './case-routes.ts';
import { ClipDesk } from './clip-desk.ts';
import { addClipLibraryRoutes } from './clip-routes.ts';
import { speakOnceBy } from './clip-speech.ts';
import { addConsoleFiles } from './console-files.ts';
import { addCounterRoutes } from './counter-routes.ts';
import { addDeviceRoutes } from './device-routes.ts';
import { addEmergencyRoutes } from './emergency-routes.ts';
import { addEnergyReportRoutes } from './energy-report-routes.ts';
import { addEnergyRoutes, createEnergy } from './energy-routes.ts';
import { addFlowsEditor, type FlowsAddress } from './flows-editor.ts';
import { addFlowsRoutes } from './flows-routes.ts';
import { addFootageExportRoutes } from './footage-export-routes.ts';
import { addFootageRoutes, createFootageDesk } from './footage-routes.ts';
import { createGuard, type GuardedRoute, refuseRoutesWithoutAccess } from './guard.ts';
import { Held } from './held.ts';
import { addHistoryRoutes } from './history-routes.ts';
import { addIncidentRoutes, createIncidentDesk } from './incident-routes.ts';
import type { KnownProfile } from './known-profile.ts';
import { type HttpsLine, type Lines, openLines } from './listeners.ts';
import type { LiveState } from './live.ts';
import { addLiveRoutes } from './live-routes.ts';
import { addLiveViewRoutes, routeUpgrades } from './live-view-routes.ts';
import { createBadPathHandler, createClientErrorHandler } from './malformed.ts';
import { addModeRoutes } from './mode-routes.ts';
import { addNotifyRoutes } from './notify-routes.ts';
import { addOverviewRoutes } from './overview-routes.ts';
import { addPanicRoutes } from './panic-routes.ts';
import { addPatrolRoutes } from './patrol-routes.ts';
import { People } from './people/people.ts';
import { addNobodyRoute, addPeopleRoutes } from './people/routes.ts';
import { identifyByToken } from './people/tokens.ts';
import type { TryView } from './place-schemas.ts';
import { addPlanRoutes } from './plan-routes.ts';
import { addErrorHandler } from './problems.ts';
import { addRehearsalRoutes } from './rehearsal-routes.ts';
import { Rehearsals, type RunRehearsal } from './rehearsals.ts';
import { addRepairRoutes } from './repair-routes.ts';
import { addRequestRoutes } from './request-routes.ts';
import { addClipRoutes } from './review-clip-routes.ts';
import { addRuleActRoutes } from './rule-act-routes.ts';
import { addRuleRoutes } from './rule-routes.ts';
import { addRuleTemplateRoutes } from './rule-template-routes.ts';
import { addSchoolRoutes } from './school-routes.ts';
import { addSecurityRoutes } from './security-routes.ts';
import { addStatusRoutes } from './status-routes.ts';
import { Streams } from './stream.ts';
import { addSystemRoutes } from './system-routes.ts';
import type { CertificateView } from './system-schemas.ts';
import { addWarningRoutes } from './warning-routes.ts';

export interface WebOptions {
  readonly host: string;
  readonly port: number;
  /** Default: only from this machine. */
  readonly https?: HttpsLine | null;
  readonly token: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly live: LiveState;
  /** null when the site file is broken: then only the error is shown. */
  readonly campus: CampusView | null;
  readonly siteError: string | null;
  /** What `console/build.ts` made; null: there is no page, only the API. */
  readonly consoleFolder?: string | null;
  /** A new code for the first administrator is to be told to whoever reads the terminal: the earlier one is void. */
  readonly onSetupCode?: (code: string) => void;
}

/** What the routes of a working campus need. */
export interface CampusView {
  readonly site: Site;
  readonly devices: readonly Device[];
  /** Devices whose profile or address is broken, and why. */
  readonly broken: readonly { readonly device: string; readonly message: string }[];
  readonly reader: Reader;
  readonly rpc: RpcClient;
  readonly snapshotFolder: string;
  /** The data folder. */
  readonly data: string;
  /** By id. */
  readonly profiles: readonly KnownProfile[];
  /** One reading of a device by its real driver, in a process of its own; up to 20 s. Throws TOO_MANY_REQUESTS. */
  tryProfile(profile: string, address: object, signal: AbortSignal): Promise<TryView>;
  /** Plays a rule on the stored past, in a process of its own. */
  readonly rehearse: RunRehearsal;
  /** What pages are served with; null while there is only plain HTTP on this machine. */
  certificate(): CertificateView | null;
  /** How far the audit has got to its syslog server; null or absent: it is sent to none. */
  readonly auditForward?: () => AuditForwardState | null;
  /** Whether it is within the opening hours, by the same reckoning as the interlocks'. */
  readonly isOpen: (time: number) => boolean;
  /** Node-RED's loopback address; null when flows are off. */
  readonly flows: FlowsAddress | null;
}

export type App = ReturnType<typeof createApp>;

export interface Web extends AsyncDisposable, Lines {
  /** Every route there is, and who may use it. */
  readonly routes: readonly GuardedRoute[];
  /**
   * The code that makes the first administrator; null when there is an administrator, or no campus. Throws what the
   * reader throws (STORE_NOT_READY: core has not made its database yet).
   */
  setupCode(): string | null;
  /** The code before anybody can know whether there is an administrator; worth nothing if there is. */
  newSetupCode(): string | null;
}

function createApp(onMalformed: (from: string, why: string) => void = () => {}) {
  return fastify({
    bodyLimit: 64_000,
    clientErrorHandler: createClientErrorHandler(onMalformed),
    frameworkErrors: createBadPathHandler(onMalformed),
    // A whole request within 30 s; a socket on which nothing moves for 60 s (a reader that stopped) is closed.
    requestTimeout: 30_000,
    connectionTimeout: 60_000,
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>();
}

/** Serves people on the campus. Throws HTTP(S)_PORT_TAKEN or HTTP(S)_ADDRESS naming the address and what to set. */
export async function startWeb(options: WebOptions): Promise<Web> {
  const { host, token, campus, https = null } = options;
  let people: People | null = null;
  const app = createApp((from, why) => people?.noteMalformed(from, why));
  await using cleanup = new AsyncDisposableStack();
  const streams = cleanup.use(new Streams({ live: options.live, events: campus?.reader ?? null }));
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  addErrorHandler(app, options.log, (request, problem) => people?.noteProblem(request, problem));
  await app.register(fastifySwagger, { openapi, transform: jsonSchemaTransform });
  const guarded = refuseRoutesWithoutAccess(app);
  app.decorateRequest('principal', null).decorateRequest('sessionId', null);
  await app.register(fastifyCookie);
  const held = new Held();
  if (campus !== null) people = cleanup.use(createPeople(options, campus, streams, held));
  const known = people;
  const guard = createGuard({
    host,
    identify: known === null ? identifyByToken(token) : (request) => known.identify(request),
    onRefused: (...refusal) => known?.noteRefusal(...refusal),
  });
  app.addHook('onRequest', guard);
  app.addHook('onSend', async ({ principal, sessionId }, reply, payload) => {
    if (principal !== null && payload instanceof Readable) held.hold({ who: principal.who, sessionId }, reply.raw);
  });
  await app.register(async (scope) => {
    const routes = scope.withTypeProvider<ZodTypeProvider>();
    addStatusRoutes(routes, options, streams);
    if (campus === null || known === null) return void addNobodyRoute(routes);
    const rehearsals = cleanup.use(new Rehearsals(campus.rehearse, options.clock));
    addPeopleRoutes(routes, known);
    addLiveRoutes(routes, campus, options.live);
    addAlarmRoutes(routes, campus);
    addAlarmReportRoute(routes, campus, options.clock);
    const footage = createFootageDesk(campus, options.clock);
    addHistoryRoutes(routes, campus, footage, options.clock);
    addFootageRoutes(routes, footage, options.clock);
    addFootageExportRoutes(routes, footage, options.clock);
    addCameraTurnRoute(routes, campus, footage, options.clock);
    const incidents = createIncidentDesk(campus);
    addIncidentRoutes(routes, campus, incidents);
    addClipRoutes(routes, campus, incidents);
    addPanicRoutes(routes, campus, incidents);
    addEmergencyRoutes(routes, campus);
    addWarningRoutes(routes, campus, options.clock);
    addPatrolRoutes(routes, campus, incidents, options.clock);
    const cases = cleanup.use(new CaseDesk(campus, footage, options.clock, options.log));
    addCaseRoutes(routes, campus, { incidents, footage, cases });
    addRequestRoutes(routes, campus);
    addRepairRoutes(routes, campus);
    addCounterRoutes(routes, campus);
    const energy = createEnergy(routes, campus, options.live, options.clock);
    addEnergyRoutes(routes, energy);
    addEnergyReportRoutes(routes, campus, energy);
    addBusRoutes(routes, campus, options.live);
    addRuleRoutes(routes, campus, options.clock);
    addRuleActRoutes(routes, campus);
    addRuleTemplateRoutes(routes, campus);
    addModeRoutes(routes, campus, options.clock);
    await addSchoolRoutes(routes, campus, options.clock);
    addOverviewRoutes(routes, campus, options.clock);
    await addPlanRoutes(routes, campus);
    await addAssetRoutes(routes, campus, options.clock);
    addDeviceRoutes(routes, campus, options.clock);
    addSystemRoutes(routes, campus, options.live, options.clock);
    addAuditRoutes(routes, campus);
    addNotifyRoutes(routes, campus, options.live);
    addSecurityRoutes(routes, campus, options.clock);
    addFlowsRoutes(routes, campus);
    addRehearsalRoutes(routes, campus, rehearsals);
    addCameraListRoute(routes, campus, options.live, options.clock);
    cleanup.use(addLiveViewRoutes(routes, campus, held, options));
    cleanup.use(addTalkRoutes(routes, campus, { ...options, held }));
    const clips = cleanup.use(new ClipDesk({ ...options, campus, facts: () => options.live.clipFacts }));
    await addClipLibraryRoutes(routes, campus, clips);
    addAnnouncementRoutes(routes, campus);
    const speakOnce = speakOnceBy(clips);
    cleanup.use(addBroadcastRoutes(routes, campus, options.live, { clock: options.clock, speakOnce }));
  });
  if (campus?.flows) await addFlowsEditor(app, campus.flows, held, campus.rpc);
  routeUpgrades(app);
  await app.register((scope) => addConsoleFiles(scope, options.consoleFolder ?? null));
  if (https !== null) addAuthorityRoute(app, https.pki);
  const lines = await openLines(app, { ...options, https });
  const owned = cleanup.move();
  return {
    ...lines,
    routes: guarded,
    setupCode: () => (known === null || known.records.hasAdministrator() ? null : known.setup.said()),
    newSetupCode: () => known?.setup.said() ?? null,
    async [Symbol.asyncDispose]() {
      streams[Symbol.dispose]();
      await app.close();
      await owned.disposeAsync();
    },
  };
}

function createPeople(
  { token, clock, log, onSetupCode = () => {} }: WebOptions,
  { site, data, reader, rpc, flows }: CampusView,
  streams: Streams,
  held: Held,
): People {
  return new People({
    site,
    data,
    reader,
    rpc,
    clock,
    log,
    token,
    flowsToken: flows?.guestToken ?? null,
    saySetup: onSetupCode,
    onEnd: (isOver) => {
      streams.endSessions(isOver);
      held.end(isOver);
    },
  });
}

const openapi = {
  info: {
    title: 'Campus Edge',
    version: '1',
    description:
      'One campus. Times are ms since epoch UTC; units are UCUM codes; a point is `<device>/<point>`. ' +
      'Every error is `{error, message}`. 503 means that core or its store is away: ask again.',
  },
  components: { securitySchemes: { token: { type: 'http' as const, scheme: 'bearer' } } },
  security: [{ token: [] }],
};
