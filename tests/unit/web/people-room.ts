import { randomBytes, scryptSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { campusWideRoles, type Role } from '#edge/domain/access.ts';
import type { AuditLine } from '#edge/domain/audit.ts';
import { type Clock, ManualClock, systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openPki } from '#edge/runtime/pki.ts';
import { type RpcMethod, type RpcServer, startRpcServer } from '#edge/runtime/rpc.ts';
import { loadSite, type Site } from '#edge/runtime/site.ts';
import type { Batch } from '#edge/store/batch.ts';
import { type DocumentBody, documentKinds, documentSchemas } from '#edge/store/documents.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import { openStore } from '#edge/store/store.ts';
import type { Me } from '#edge/web/people-schemas.ts';
import type { CampusView } from '#edge/web/server.ts';
import { startWebRoom, type WebRoom } from './web-room.ts';

/* The web process with accounts: a real store behind a real RPC socket, browsers with cookies, a clock that is moved. */

export interface PeopleRoom extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly data: string;
  readonly reader: Reader;
  /** What the terminal showed after the first. */
  readonly codes: string[];
  readonly web: WebRoom;
  /** What core would have written. */
  append(batch: Batch): Promise<void>;
  url(): string;
  audit(): readonly AuditLine[];
  /** With a password that costs little to check. */
  addPerson(id: string, role: Role, options?: Partial<DocumentBody<'person'>>): Promise<void>;
  /** Already signed in, by a session in the store. */
  signedIn(id: string): Promise<Browser>;
  browser(): Browser;
  restartWeb(): Promise<void>;
  /** Nobody is here any more, and the audit begins anew: a store takes longer to open than to empty. */
  reset(): Promise<void>;
  stopCore(): Promise<void>;
  startCore(): Promise<void>;
}

export interface PeopleRoomOptions {
  readonly change?: (site: Site) => Site;
  readonly flows?: CampusView['flows'];
  /** HTTPS on loopback besides. */
  readonly isEncrypted?: boolean;
  /** A page to serve; default one of a few lines. */
  readonly consoleFolder?: string;
  /** Default: one that is moved by hand. */
  readonly clock?: Clock;
  /** What core answers besides. */
  readonly methods?: Readonly<Record<string, RpcMethod>>;
}

export const passwordOf = (id: string): string => `Lantern-7-${id}-orchard`;

/** In the form of runtime/password.ts, with a hundredth of its work. */
export function cheapHash(password: string): string {
  const salt = randomBytes(16);
  const key = scryptSync(password, salt, 32, { N: 1024, r: 8, p: 1 });
  return `scrypt$1024$8$1$${salt.toString('base64url')}$${key.toString('base64url')}`;
}

const putParams = z.strictObject({
  kind: z.enum(documentKinds),
  id: z.string(),
  body: z.record(z.string(), z.unknown()).nullable(),
  rev: z.int(),
  who: z.string().regex(/^(person|token):[a-z0-9_-]{1,63}$/),
  from: z.string().max(100),
  why: z.string().max(300),
  what: z.string().max(300).optional(),
});
const auditParams = z.strictObject({
  who: z.string().max(100),
  from: z.string().max(100),
  what: z.string().max(300),
  why: z.string().max(300),
  result: z.string().max(300),
});

/** What a site file has that says nothing of sessions. */
const withoutIdle = (site: Site): Site => ({ ...site, people: { ...site.people, idle: {} } });

export async function startPeopleRoom(options: PeopleRoomOptions = {}): Promise<PeopleRoom> {
  await using stack = new AsyncDisposableStack();
  const data = mkdtempSync(join(tmpdir(), 'people-'));
  stack.defer(() => rmSync(data, { recursive: true, force: true }));
  const clock = new ManualClock(1_800_000_000_000);
  const site = await loadSite(join(import.meta.dirname, '../../../edge/simulators/demo-site.yaml'));
  const store = stack.use(await openStore({ folder: data, log: silentLog, retention: site.retention }));
  const reader = stack.use(openReader(data));
  const methods = {
    ...options.methods,
    'document.put': async (params: unknown) => {
      const { what, kind, body, ...put } = putParams.parse(params);
      const checked = body === null ? null : documentSchemas[kind].parse(body);
      const words = what === undefined ? {} : { what };
      await store.append({ documents: [{ ...put, ...words, kind, body: checked, time: clock.now() }] });
      return { rev: put.rev + 1 };
    },
    audit: async (params: unknown) => {
      await store.append({ audit: [{ ...auditParams.parse(params), time: clock.now() }] });
      return {};
    },
  };
  const state: { core: RpcServer | null; web: WebRoom | null } = { core: null, web: null };
  const startCore = async () => {
    state.core = await startRpcServer({ path: join(data, 'core.sock'), methods, log: silentLog });
  };
  const stopCore = async () => {
    await state.core?.[Symbol.asyncDispose]();
    state.core = null;
  };
  const codes: string[] = [];
  let auditFrom = 0;
  const pkis = stack.use(new DisposableStack());
  const stopWeb = async () => {
    await state.web?.[Symbol.asyncDispose]();
    state.web = null;
  };
  const startWeb = async () => {
    const { change = withoutIdle, flows, isEncrypted = false, consoleFolder } = options;
    const names = { names: [], own: null };
    const pki = isEncrypted ? await openPki({ data, ...names, clock: systemClock, log: silentLog }) : null;
    if (pki !== null) pkis.use(pki);
    state.web = await startWebRoom({
      data,
      store: false,
      methods: null,
      clock: options.clock ?? clock,
      ...(consoleFolder === undefined ? {} : { consoleFolder }),
      onSetupCode: (code) => codes.push(code),
      ...(pki === null ? {} : { https: { hosts: ['127.0.0.1'], port: 0, pki } }),
      change,
      ...(flows === undefined ? {} : { flows }),
    });
  };
  stack.defer(stopCore);
  await startCore();
  stack.defer(stopWeb);
  await startWeb();
  const web = (): WebRoom => {
    if (state.web === null) throw new Error('the web process is stopped');
    return state.web;
  };
  const url = () => web().url;
  const browser = () => new Browser(url);
  const addPerson = async (id: string, role: Role, more: Partial<DocumentBody<'person'>> = {}) => {
    const body: DocumentBody<'person'> = {
      name: `Name of ${id}`,
      role,
      zones: campusWideRoles.includes(role) ? 'all' : ['teaching'],
      password: cheapHash(passwordOf(id)),
      totp: null,
      recovery: [],
      oidc: null,
      disabled: false,
      expired: false,
      passwordTime: clock.now(),
      created: clock.now(),
      ...more,
    };
    const params = { kind: 'person', id, rev: reader.document('person', id)?.rev ?? 0, body, ...asTest };
    await methods['document.put'](params);
  };
  const owned = stack.move();
  return {
    clock,
    data,
    reader,
    append: async (batch) => {
      await store.append(batch);
    },
    codes,
    get web() {
      return web();
    },
    url,
    audit: () =>
      reader
        .newestAudit(1_000)
        .filter(({ seq }) => seq > auditFrom)
        .toReversed(),
    addPerson,
    browser,
    signedIn: async (id) => {
      const fresh = browser();
      const answer = await fresh.signIn(id);
      if (answer.status !== 200) throw new Error(`${id} cannot sign in: ${await answer.text()}`);
      return fresh;
    },
    restartWeb: async () => {
      await stopWeb();
      await startWeb();
    },
    reset: async () => {
      await stopWeb();
      for (const kind of ['person', 'session', 'token'] as const) {
        for (const { id, rev } of reader.documents(kind)) {
          await methods['document.put']({ kind, id, rev, body: null, ...asTest });
        }
      }
      rmSync(join(data, 'sign-in.json'), { force: true });
      codes.length = 0;
      auditFrom = reader.newestAudit(1)[0]?.seq ?? 0;
      await startWeb();
    },
    stopCore,
    startCore,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const asTest = { who: 'token:test', from: 'test', why: '' };

/** A browser with its cookies; it sends the CSRF value that `me` told it, as the page does. */
export class Browser {
  readonly cookies = new Map<string, string>();
  csrf = '';
  readonly #url: () => string;

  constructor(url: () => string) {
    this.#url = url;
  }

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  async ask(path: string, init: RequestInit = {}): Promise<Response> {
    const target = path.startsWith('http') ? path : `${this.#url()}${path}`;
    const response = await fetch(target, {
      redirect: 'manual',
      signal: AbortSignal.timeout(15_000),
      ...init,
      headers: { ...(this.cookies.size === 0 ? {} : { cookie: this.cookie }), ...init.headers },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /max-age=0/i.test(line) || /1970/.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.ask(`/api/v1/${path}`, { headers });
  }

  send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.ask(`/api/v1/${path}`, {
      method,
      headers: {
        'x-csrf-token': this.csrf,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  post(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Response> {
    return this.send('POST', path, body, headers);
  }

  /** Takes over what the answer says of who one is now. */
  async become(response: Response): Promise<Response> {
    if (response.status === 200) {
      const me = (await response.clone().json()) as Me;
      this.csrf = me.state === 'signed-in' ? me.csrf : '';
    }
    return response;
  }

  async signIn(id: string, password = passwordOf(id), totp?: string): Promise<Response> {
    return this.become(await this.post('login', { id, password, ...(totp === undefined ? {} : { totp }) }));
  }

  async me(): Promise<Me> {
    return (await (await this.become(await this.get('me'))).json()) as Me;
  }
}

export async function problemOf(response: Response): Promise<{ status: number; error: string; retryAfter?: number }> {
  const { error, retryAfter } = (await response.json()) as { error: string; retryAfter?: number };
  return { status: response.status, error, ...(retryAfter === undefined ? {} : { retryAfter }) };
}
