import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { HappeningId } from '#edge/domain/ids.ts';
import { describeCampus } from '#edge/processes/campus.ts';
import { profileFolder } from '#edge/processes/context.ts';
import { knownProfiles } from '#edge/processes/web/known-profiles.ts';
import { createRunRehearsal } from '#edge/processes/web/run-rehearsal.ts';
import { createTryProfile } from '#edge/processes/web/try-profile.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { type Clock, systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { connectRpc, type RpcMethod, startRpcServer } from '#edge/runtime/rpc.ts';
import { loadSite, type Site } from '#edge/runtime/site.ts';
import { openReader } from '#edge/store/reader.ts';
import { openStore, type Store } from '#edge/store/store.ts';
import type { HttpsLine } from '#edge/web/listeners.ts';
import { LiveState } from '#edge/web/live.ts';
import { type CampusView, startWeb, type Web } from '#edge/web/server.ts';
import { loadAdminToken } from '#edge/web/token.ts';

/* The web process's own parts with a real store, a real reader and a real RPC socket, without the rest of the campus. */

export interface WebRoom extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  readonly data: string;
  readonly live: LiveState;
  /** null when none was wanted: core has not made its database yet. */
  readonly store: Store | null;
  readonly httpsUrl: string | null;
  readonly routes: Web['routes'];
  setupCode(): string | null;
  /** With the token. */
  ask(path: string, init?: RequestInit): Promise<Response>;
}

export interface WebRoomOptions {
  readonly host?: string;
  readonly store?: boolean;
  /** null: core is away. */
  readonly methods?: Readonly<Record<string, RpcMethod>> | null;
  readonly flows?: CampusView['flows'];
  readonly siteError?: string;
  /** Default: a page of a few lines. */
  readonly consoleFolder?: string | null;
  readonly tryProfile?: CampusView['tryProfile'];
  readonly rehearse?: CampusView['rehearse'];
  /** Kept as it is; default a new folder that is removed at the end. */
  readonly data?: string;
  readonly clock?: Clock;
  readonly change?: (site: Site) => Site;
  readonly onSetupCode?: (code: string) => void;
  readonly https?: HttpsLine;
}

export async function startWebRoom(options: WebRoomOptions = {}): Promise<WebRoom> {
  const { host = '127.0.0.1', methods = {}, clock = systemClock, change = (site: Site) => site } = options;
  await using stack = new AsyncDisposableStack();
  const data = options.data ?? mkdtempSync(join(tmpdir(), 'web-'));
  if (options.data === undefined) stack.defer(() => rmSync(data, { recursive: true, force: true }));
  mkdirSync(join(data, 'snapshots'), { recursive: true });
  const token = loadAdminToken(data);
  const live = new LiveState(clock);
  const { site: demo, profiles, devices, broken } = await demoCampus();
  const site = change(demo);
  const store =
    options.store === false
      ? null
      : stack.use(await openStore({ folder: data, log: silentLog, retention: site.retention }));
  const socket = join(data, 'core.sock');
  if (methods !== null) stack.use(await startRpcServer({ path: socket, methods, log: silentLog }));
  const calendar = createCalendar(site.openingHours, site.campus.timeZone);
  const campus: CampusView = {
    site,
    devices,
    broken,
    reader: stack.use(openReader(data)),
    rpc: stack.use(connectRpc(socket)),
    snapshotFolder: join(data, 'snapshots'),
    data,
    profiles,
    tryProfile: options.tryProfile ?? createTryProfile(),
    rehearse: options.rehearse ?? createRunRehearsal({ data, site }),
    certificate: () => null,
    isOpen: (time: number) => calendar.is('open', time),
    flows: options.flows ?? null,
  };
  const { siteError = null } = options;
  const web = stack.use(
    await startWeb({
      host,
      port: 0,
      token,
      clock,
      log: silentLog,
      live,
      campus: siteError === null ? campus : null,
      siteError,
      ...(options.https === undefined ? {} : { https: options.https }),
      ...(options.onSetupCode === undefined ? {} : { onSetupCode: options.onSetupCode }),
      consoleFolder: options.consoleFolder === undefined ? makeConsole(join(data, 'console')) : options.consoleFolder,
    }),
  );
  const owned = stack.move();
  return {
    url: web.url,
    port: Number(new URL(web.url).port),
    token,
    data,
    live,
    store,
    httpsUrl: web.httpsUrl,
    routes: web.routes,
    setupCode: () => web.setupCode(),
    ask: (path, init = {}) =>
      fetch(`${web.url}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, ...init.headers },
        signal: init.signal ?? AbortSignal.timeout(10_000),
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Read once for all rooms of a file: `change` may touch no devices. */
let read: ReturnType<typeof readDemo> | null = null;
function demoCampus(): ReturnType<typeof readDemo> {
  read ??= readDemo();
  return read;
}

async function readDemo() {
  const site = await loadSite(join(import.meta.dirname, '../../../edge/simulators/demo-site.yaml'));
  return { site, profiles: knownProfiles(await loadProfiles(profileFolder)), ...(await describeCampus(site)) };
}

/** What the build makes of the console, in small. */
function makeConsole(folder: string): string {
  mkdirSync(join(folder, 'assets'), { recursive: true });
  const page = '<!doctype html><meta name="csp-nonce" content="__CSP_NONCE__"><title>Campus Edge</title>';
  const script = `console.log(${JSON.stringify('x'.repeat(2_000))});\n`;
  writeFileSync(join(folder, 'index.html'), page);
  writeFileSync(join(folder, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(join(folder, 'assets', 'app-1a2b.js'), script);
  writeFileSync(join(folder, 'assets', 'app-1a2b.js.gz'), gzipSync(script));
  writeFileSync(join(folder, 'assets', 'app-1a2b.js.br'), brotliCompressSync(script));
  return folder;
}

/** Sends a path exactly as written (fetch would tidy it up first) and any Host. */
export function rawRequest(
  room: Pick<WebRoom, 'port'>,
  path: string,
  { method = 'GET', headers = {}, hostname = '127.0.0.1' } = {},
): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port: room.port, path, method, headers, agent: false, timeout: 10_000 },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

export const newId = (): HappeningId => newHappeningId(systemClock);
