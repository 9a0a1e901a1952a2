import { createHash, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { TokenBucket } from '#edge/bus/admission.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Log } from '#edge/runtime/log.ts';
import { excludedFiles } from './palette.ts';
import { settingsKey } from './registry.ts';
import type { FlowStorage } from './storage.ts';

/** Where the web process proxies the editor; nothing else is served. */
export const editorRoot = '/flows-editor';
/** Set by the web process after its own check, `<secret>:<user>`; it strips what a browser sends under this name. */
export const tokenHeader = 'x-campus-token';

export interface SettingsOptions {
  readonly stateFolder: string;
  readonly storage: FlowStorage;
  readonly credentialSecret: string;
  readonly readToken: (token: string | undefined) => string | null;
  /** From registerGuest. */
  readonly guestToken: object;
  readonly log: Log;
  readonly clock: Clock;
  readonly safeMode: boolean;
  /** Seconds after which a function node that does not return is stopped; 0 = never. */
  readonly functionTimeout: number;
}

/** Everything but installing nodes and writing the library. */
const permissions = [
  'flows.read',
  'flows.write',
  'nodes.read',
  'settings.read',
  'settings.write',
  'plugins.read',
  'context.read',
  'context.write',
  'library.read',
  'credentials.read',
  'status.read',
  'inject.write',
  'debug.read',
  'debug.write',
];

const userPattern = /^[\p{L}\p{N}_.@-]{1,64}$/u;

/** Reads `<secret>:<user>`: the user, or null. Compares hashes, so that neither time nor length tells anything. */
export function tokenReader(secret: string): (token: string | undefined) => string | null {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(secret);
  return (token) => {
    const cut = token?.indexOf(':') ?? -1;
    if (token === undefined || cut < 1) return null;
    if (!timingSafeEqual(digest(token.slice(0, cut)), expected)) return null;
    const user = token.slice(cut + 1);
    return userPattern.test(user) ? user : null;
  };
}

/** Node-RED's settings, hardened. */
export function nodeRedSettings(options: SettingsOptions): object {
  const { stateFolder, readToken } = options;
  const userOf = (username: string) => ({ username, permissions });
  return {
    userDir: stateFolder,
    nodesDir: [join(import.meta.dirname, 'nodes')],
    storageModule: options.storage,
    credentialSecret: options.credentialSecret,
    httpAdminRoot: editorRoot,
    httpNodeRoot: false,
    httpStatic: [],
    disableEditor: false,
    lang: 'zh-CN',
    safeMode: options.safeMode,
    adminAuth: {
      type: 'credentials',
      tokenHeader,
      tokens: async (token: string) => {
        const user = readToken(token);
        return user === null ? null : userOf(user);
      },
      users: async (username: string) => userOf(username),
      // Nobody logs in here: people log in at the web process.
      authenticate: async () => null,
      default: async () => null,
    },
    apiMaxLength: '5mb',
    nodesExcludes: excludedFiles,
    functionExternalModules: false,
    functionTimeout: 0,
    globalFunctionTimeout: options.functionTimeout,
    functionGlobalContext: {},
    exportGlobalContextKeys: false,
    externalModules: {
      autoInstall: false,
      palette: {
        allowInstall: false,
        allowUpdate: false,
        allowUpload: false,
        denyList: ['*'],
        allowList: ['@campus/*'],
      },
      modules: { allowInstall: false, denyList: ['*'], allowList: [] },
    },
    contextStorage: {
      default: { module: 'memory' },
      disk: { module: 'localfilesystem', config: { dir: stateFolder, flushInterval: 30 } },
    },
    telemetry: { enabled: false, updateNotification: false },
    diagnostics: { enabled: false, ui: false },
    runtimeState: { enabled: false, ui: false },
    editorTheme: {
      tours: false,
      page: { title: 'Campus Edge' },
      header: { title: 'Campus Edge' },
      palette: { categories: ['campus', 'common', 'function', 'network', 'sequence', 'parser'] },
      projects: { enabled: false },
      multiplayer: { enabled: true },
    },
    logging: {
      console: { level: 'off' },
      campus: { level: 'info', metrics: false, audit: false, handler: logHandler(options.log, options.clock) },
    },
    [settingsKey]: options.guestToken,
  };
}

/** What a flow may write into our log: so many lines at once, then so many a second; the rest is counted. */
const burst = 100;
const perSecond = 5;

/** Node-RED's log levels are 10 fatal, 20 error, 30 warn, 40 info. */
export function logHandler(log: Log, clock: Clock) {
  const bucket = new TokenBucket(perSecond, burst, clock);
  let untold = 0;
  return () => (entry: { level: number; msg: unknown; type?: string; id?: string; name?: string }) => {
    if (bucket.available() < 1) {
      untold++;
      return;
    }
    bucket.spend(1);
    const missing = untold === 0 ? {} : { notLogged: untold };
    untold = 0;
    const said = { text: String(entry.msg).slice(0, 2000), node: entry.id, type: entry.type, name: entry.name };
    const fields = { ...said, ...missing };
    if (entry.level <= 20) log.error(fields, 'node-red says');
    else if (entry.level === 30) log.warn(fields, 'node-red says');
    else log.debug(fields, 'node-red says');
  };
}
