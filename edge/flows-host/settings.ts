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
/** Set by the web process after its own check, `<secret>:<edit|view>:<user>`; it strips what a browser sends under this name. */
export const tokenHeader = 'x-campus-token';

export interface SettingsOptions {
  readonly stateFolder: string;
  readonly storage: FlowStorage;
  readonly credentialSecret: string;
  readonly readToken: (token: string | undefined) => EditorUser | null;
  /** From registerDoor. */
  readonly doorToken: object;
  readonly log: Log;
  readonly clock: Clock;
  readonly safeMode: boolean;
  /** Seconds after which a function node that does not return is stopped; 0 = never. */
  readonly functionTimeout: number;
}

/** Looking on. */
const viewing = [
  'flows.read',
  'nodes.read',
  'settings.read',
  'plugins.read',
  'context.read',
  'library.read',
  'status.read',
  'debug.read',
];
/** Everything but installing nodes and writing the library. */
const editing = [
  ...viewing,
  'flows.write',
  'settings.write',
  'context.write',
  'credentials.read',
  'inject.write',
  'debug.write',
];

/** A person's id, or `token:<id>`. */
const userPattern = /^(?:token:)?[\p{L}\p{N}_.@-]{1,64}$/u;

export interface EditorUser {
  readonly user: string;
  readonly mayEdit: boolean;
}

/** Reads `<secret>:<edit|view>:<user>`, or null. Compares hashes, so that neither time nor length tells anything. */
export function tokenReader(secret: string): (token: string | undefined) => EditorUser | null {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(secret);
  return (token) => {
    const [, given = '', mode, user = ''] = /^([^:]+):(edit|view):(.+)$/s.exec(token ?? '') ?? [];
    if (!timingSafeEqual(digest(given), expected)) return null;
    return userPattern.test(user) ? { user, mayEdit: mode === 'edit' } : null;
  };
}

/** Node-RED's settings, hardened. */
export function nodeRedSettings(options: SettingsOptions): object {
  const { stateFolder, readToken } = options;
  const userOf = ({ user, mayEdit }: EditorUser) => ({ username: user, permissions: mayEdit ? editing : viewing });
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
      // Whoever Node-RED remembers by name alone (it keeps no logins of ours) may look on.
      users: async (username: string) => userOf({ user: username, mayEdit: false }),
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
    [settingsKey]: options.doorToken,
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
