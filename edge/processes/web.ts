import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { healthTopic } from '#edge/bus/topics.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import { certificateInfo, type Pki } from '#edge/runtime/pki.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { databaseFile } from '#edge/store/database.ts';
import { openReader } from '#edge/store/reader.ts';
import { consoleFolder } from '#edge/web/console/build.ts';
import { followCampus } from '#edge/web/follow.ts';
import { LiveState } from '#edge/web/live.ts';
import { startWeb, type Web } from '#edge/web/server.ts';
import { loadAdminToken } from '#edge/web/token.ts';
import { describeCampus } from './campus.ts';
import { openCertificates } from './certificates.ts';
import { type EdgeInit, paths, profileFolder, type WebInit } from './context.ts';
import { flowsToken } from './flows-token.ts';
import { joinBus } from './link.ts';
import { forwardAudit } from './web/forward-audit.ts';
import { knownProfiles } from './web/known-profiles.ts';
import { createRunRehearsal } from './web/run-rehearsal.ts';
import { createTryProfile } from './web/try-profile.ts';

/** People on the campus. Also starts on a broken site file, to show what is wrong with it. */
export async function startWebProcess(init: WebInit, context: ChildContext): Promise<Running> {
  const { clock, log } = context;
  mkdirSync(init.data, { recursive: true, mode: 0o700 });
  const token = loadAdminToken(init.data);
  const live = new LiveState(clock);
  context.onProcesses((processes) => live.accept({ kind: 'processes', body: processes }));
  await using stack = new AsyncDisposableStack();
  if (init.siteError !== null) {
    const { host, port, siteError } = init;
    const web = stack.use(
      await startWeb({ host, port, consoleFolder: consoleFolder(), token, clock, log, live, campus: null, siteError }),
    );
    return runningAt(entrance(web.url, null), web, stack.move());
  }
  const ending = new AbortController();
  stack.defer(() => ending.abort());
  const pki =
    init.site.https === null ? null : await openCertificates({ site: init.site, data: init.data, clock, log });
  if (pki !== null) stack.use(pki);
  const view = await campusView(init, stack, clock, pki);
  const forward = await forwardAudit(init, view.reader, context);
  if (forward !== null) stack.use(forward);
  const campus = { ...view, auditForward: () => forward?.state() ?? null };
  const { host, port } = init.site.http;
  const https = pki === null || init.site.https === null ? null : { ...init.site.https, pki };
  const folder = consoleFolder();
  const line = { host, port, https, consoleFolder: folder };
  // Somebody may ask before we know the port that was taken for 0.
  let url = `http://${host}:${port}`;
  const onSetupCode = (code: string) => void process.stdout.write(`${entrance(url, code)}\n`);
  const web = stack.use(await startWeb({ ...line, token, clock, log, live, campus, siteError: null, onSetupCode }));
  url = web.url;
  const followed = follow(init, context, live, ending.signal);
  stack.defer(() => followed.then((bus) => bus?.[Symbol.asyncDispose]()));
  const code = await firstCode(web, init.data, ending.signal);
  return runningAt(entrance(web.url, code), web, stack.move(), encryptedLine(web.httpsUrl, pki));
}

/** For those who come over the network: where, and by what they know that it is this box. */
function encryptedLine(url: string | null, pki: Pki | null): string {
  return url === null || pki === null ? '' : `\n  加密 encrypted   ${url}\n  证书 SHA-256     ${pki.pages.fingerprint}`;
}

/** Where people go; with the code that makes the first administrator while there is none. */
function entrance(url: string, code: string | null): string {
  return `  校园 campus      ${url}${code === null ? '' : `/#/setup/${code}`}`;
}

/** How long core may take to bring an older database up to date before we speak, ms. */
const migrationTime = 10_000;

/** A campus without a database has no administrator; one whose database is not ready yet is waited for. */
async function firstCode(web: Web, data: string, signal: AbortSignal): Promise<string | null> {
  for (const started = performance.now(); !signal.aborted; await delay(100, signal)) {
    try {
      return web.setupCode();
    } catch (error) {
      if (codeOf(error) !== 'STORE_NOT_READY') throw error;
      const isNew = !existsSync(databaseFile(data));
      if (isNew || performance.now() - started > migrationTime) return web.newSetupCode();
    }
  }
  return null;
}

function runningAt(say: string, { url }: Web, owned: AsyncDisposableStack, more = ''): Running {
  return {
    info: { url, say: `${say}${more}` },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function campusView(init: EdgeInit, stack: AsyncDisposableStack, clock: ChildContext['clock'], pki: Pki | null) {
  const { site, data } = init;
  const { devices, broken } = await describeCampus(site);
  const calendar = createCalendar(site.openingHours, site.campus.timeZone);
  return {
    site,
    devices,
    broken,
    reader: stack.use(openReader(data, clock)),
    rpc: stack.use(connectRpc(paths.socket(data))),
    snapshotFolder: paths.snapshots(data),
    data,
    profiles: knownProfiles(await loadProfiles(profileFolder)),
    tryProfile: createTryProfile(),
    rehearse: createRunRehearsal({ data, site }),
    certificate: () => (pki === null ? null : certificateInfo(pki.pages)),
    isOpen: (time: number) => calendar.is('open', time),
    flows: site.flows.enabled ? flowsAddress(init) : null,
  };
}

function flowsAddress({ site, flowsSecret: secret }: EdgeInit) {
  return { port: site.flows.port, header: 'x-campus-token', secret, guestToken: flowsToken(secret) };
}

/** The page is there before core is, and stays when core goes. */
async function follow(init: EdgeInit, context: ChildContext, live: LiveState, signal: AbortSignal) {
  const instance = randomUUID();
  try {
    const bus = await joinBus('web', init, context, instance, signal);
    await followCampus(bus, live, context.log);
    const health = () => ({ process: 'web', state: 'ready', time: context.clock.now(), instance, devices: [] });
    bus.onConnect(() => void bus.publish(healthTopic('web'), health(), { retain: true }).catch(() => {}));
    void watchConnection(bus, live, signal);
    return bus;
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

async function watchConnection(
  bus: { readonly connected: boolean },
  live: LiveState,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    live.setConnected(bus.connected);
    await delay(250, signal);
  }
}

if (import.meta.main) runChild('web', startWebProcess);
