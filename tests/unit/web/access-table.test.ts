import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Right, type Role, rights, rightsOf, roles } from '#edge/domain/access.ts';
import type { Access } from '#edge/web/access.ts';
import { type Browser, type PeopleRoom, startPeopleRoom } from './people-room.ts';

/*
 * Who may use which route. Every route that the server has must stand here, and each is tried by nobody, by every role,
 * and by a token of every single scope. A new route without a line fails, and so does a line without a route.
 */

const table: Readonly<Record<string, Access>> = {
  'GET /': 'open',
  'GET /index.html': 'open',
  'GET /icon.svg': 'open',
  'GET /assets/*': 'open',
  'GET /healthz': 'open',
  'GET /metrics': 'system',
  'GET /api/v1/openapi.json': 'signed-in',
  'GET /api/v1/stream': 'see',
  'GET /api/v1/now': 'signed-in',

  'GET /api/v1/me': 'open',
  'POST /api/v1/setup': 'open',
  'POST /api/v1/login': 'open',
  'GET /api/v1/oidc/start': 'open',
  'GET /api/v1/oidc/callback': 'open',
  'POST /api/v1/logout': 'signed-in',
  'POST /api/v1/me/password': 'signed-in',
  'POST /api/v1/me/totp': 'signed-in',
  'POST /api/v1/me/totp/confirm': 'signed-in',
  'POST /api/v1/me/totp/remove': 'signed-in',
  'GET /api/v1/sessions': 'signed-in',
  'DELETE /api/v1/sessions/:id': 'signed-in',
  'GET /api/v1/people': 'people',
  'POST /api/v1/people': 'people',
  'PATCH /api/v1/people/:id': 'people',
  'DELETE /api/v1/people/:id': 'people',
  'POST /api/v1/people/:id/unlock': 'people',
  'GET /api/v1/tokens': 'people',
  'POST /api/v1/tokens': 'people',
  'DELETE /api/v1/tokens/:id': 'people',

  'GET /api/v1/campus': 'see',
  'GET /api/v1/points': 'see',
  'GET /api/v1/points/:device/:point/history': 'see',
  'GET /api/v1/points/:device/:point/history.csv': 'export',
  'GET /api/v1/outputs': 'see',
  'GET /api/v1/outputs/:device/:point': 'see',
  'GET /api/v1/outputs/:device/:point/history': 'see',
  'GET /api/v1/devices': 'see',
  'GET /api/v1/energy/today': 'see',
  'GET /api/v1/energy/plan': 'see',
  'GET /api/v1/energy/now': 'see',
  'GET /api/v1/energy/findings': 'see',
  'GET /api/v1/energy/report': 'see',
  'GET /api/v1/energy/report.csv': 'export',
  'GET /api/v1/energy/report.pdf': 'export',
  'GET /api/v1/energy/meters/:id': 'see',
  'GET /api/v1/buses': 'see',
  'GET /api/v1/events': 'see',
  'GET /api/v1/events/:id/snapshot': 'pictures',
  'GET /api/v1/cameras': 'see',
  'GET /api/v1/cameras/:id/live': 'live',
  'GET /api/v1/cameras/:id/turn': 'live',
  'GET /api/v1/cameras/:id/footage': 'playback',
  'GET /api/v1/cameras/:id/footage/segments/:segment': 'playback',
  'GET /api/v1/cameras/:id/footage/picture': 'playback',
  'POST /api/v1/footage/exports': 'evidence',
  'GET /api/v1/footage/exports/:id': 'evidence',
  'GET /api/v1/footage/exports/:id/files/:index': 'evidence',
  'DELETE /api/v1/footage/exports/:id': 'evidence',
  'GET /api/v1/alarms': 'see',
  'GET /api/v1/alarms/report': 'see',
  'GET /api/v1/alarms/:id': 'see',
  'POST /api/v1/alarms/:id/acknowledge': 'acknowledge',
  'POST /api/v1/alarms/:id/shelve': 'acknowledge',
  'POST /api/v1/alarms/:id/unshelve': 'acknowledge',
  'POST /api/v1/requests': 'operate',
  'GET /api/v1/network': 'see',
  'GET /api/v1/counters': 'see',
  'GET /api/v1/counters/:device/:point/shown': 'see',
  'POST /api/v1/counters/:id/decide': 'devices',
  'POST /api/v1/counters/decide': 'devices',
  'GET /api/v1/repairs': 'see',
  'POST /api/v1/repairs/:device': 'operate',
  'POST /api/v1/interlocks/:id/reset': 'operate',

  'POST /api/v1/cameras/:id/turn': 'live',
  'GET /api/v1/incidents': 'incidents',
  'GET /api/v1/incidents/counts': 'incidents',
  'GET /api/v1/incidents/:id': 'incidents',
  'POST /api/v1/incidents/seen': 'incidents',
  'POST /api/v1/incidents/:id/seen': 'incidents',
  'POST /api/v1/incidents/:id/claim': 'incidents',
  'POST /api/v1/incidents/:id/release': 'incidents',
  'POST /api/v1/incidents/:id/note': 'incidents',
  'POST /api/v1/incidents/:id/escalate': 'incidents',
  'POST /api/v1/incidents/:id/resolve': 'incidents',
  'POST /api/v1/incidents/:id/reopen': 'incidents',
  'POST /api/v1/incidents/:id/merge': 'incidents',
  'POST /api/v1/incidents/:id/bookmark': 'incidents',
  'POST /api/v1/incidents/:id/case': 'evidence',
  'GET /api/v1/clips': 'playback',
  'POST /api/v1/clips': 'incidents',
  'POST /api/v1/clips/:id/unprotect': 'evidence',
  'GET /api/v1/panic': 'incidents',
  'POST /api/v1/panic/:id/reset': 'emergency',
  'GET /api/v1/patrols': 'incidents',
  'GET /api/v1/patrols/day': 'incidents',
  'POST /api/v1/patrols': 'incidents',
  'GET /api/v1/key-places': 'incidents',
  'GET /api/v1/key-places/:id/code.svg': 'incidents',
  'POST /api/v1/key-places/:id/renew': 'incidents',
  'GET /api/v1/cases': 'evidence',
  'GET /api/v1/cases/key': 'evidence',
  'GET /api/v1/cases/:id': 'evidence',
  'GET /api/v1/cases/:id/file': 'evidence',
  'POST /api/v1/cases/:id/release': 'evidence',

  'GET /api/v1/rules': 'see',
  'GET /api/v1/rules/:id': 'see',
  'GET /api/v1/rules/:id/why': 'see',
  'GET /api/v1/rules/:id/journal': 'see',
  'GET /api/v1/journal': 'see',
  'POST /api/v1/rules/check': 'rules',
  'POST /api/v1/rules/:id/versions': 'rules',
  'POST /api/v1/rules/:id/activate': 'rules',
  'POST /api/v1/rules/:id/shadow': 'rules',
  'POST /api/v1/rules/:id/approve': 'safety',
  'POST /api/v1/rules/:id/reject': 'safety',
  'POST /api/v1/rules/:id/remove': 'rules',
  'GET /api/v1/rules/templates': 'see',
  'POST /api/v1/rules/from-template': 'rules',
  'GET /api/v1/school/entries': 'see',
  'GET /api/v1/school/entries/:id': 'see',
  'PUT /api/v1/school/entries/:id': 'school',
  'DELETE /api/v1/school/entries/:id': 'school',
  'POST /api/v1/school/entries': 'school',
  'GET /api/v1/school/plan': 'see',
  'GET /api/v1/school/compare': 'see',
  'GET /api/v1/school/releases': 'see',
  'GET /api/v1/school/releases/:id': 'see',
  'POST /api/v1/school/releases': 'sign',
  'POST /api/v1/school/releases/:id/undo': 'sign',
  'GET /api/v1/school/overrides': 'see',
  'POST /api/v1/school/overrides': 'school',
  'POST /api/v1/school/overrides/:id/end': 'school',
  'GET /api/v1/school/ledger': 'see',
  'GET /api/v1/school/now': 'see',
  'GET /api/v1/school/power': 'see',
  'GET /api/v1/school/power/weeks': 'see',
  'POST /api/v1/school/power/weeks': 'school',
  'POST /api/v1/school/answers': 'school',
  'POST /api/v1/school/clock': 'system',
  'GET /api/v1/school/days.ics': 'export',
  'GET /api/v1/school/bells.ics': 'export',
  'GET /api/v1/school/bells.csv': 'export',
  'GET /api/v1/school/days.csv': 'export',
  'GET /api/v1/school/timetable.csv': 'export',
  'GET /api/v1/school/power.csv': 'export',
  'GET /api/v1/school/ledger.csv': 'export',
  'POST /api/v1/school/table-import': 'school',
  'POST /api/v1/school/calendar-import': 'school',
  'GET /api/v1/school/years': 'see',
  'POST /api/v1/school/years': 'system',
  'GET /api/v1/modes': 'see',
  'PUT /api/v1/modes/:id': 'operate',

  'GET /api/v1/emergencies': 'see',
  'GET /api/v1/emergencies/:id': 'see',
  'GET /api/v1/emergencies/:id/report.csv': 'export',
  'POST /api/v1/emergencies': 'emergency',
  'POST /api/v1/emergencies/:id/all-clear': 'emergency',
  'POST /api/v1/emergencies/:id/sounds': 'emergency',
  'POST /api/v1/emergencies/:id/roll': 'emergency',
  'POST /api/v1/emergencies/:id/steps/:index': 'emergency',
  'POST /api/v1/emergencies/:id/notes': 'emergency',
  'POST /api/v1/warnings': 'warn',
  'POST /api/v1/earthquake': 'warn',
  'GET /api/v1/broadcast/now': 'see',
  'GET /api/v1/broadcast/items': 'see',
  'GET /api/v1/broadcast/items/:id': 'see',
  'GET /api/v1/broadcast/report': 'see',
  'GET /api/v1/broadcast/report.csv': 'export',
  'GET /api/v1/broadcast/why/:device': 'see',
  'POST /api/v1/broadcast/play': 'broadcast',
  'POST /api/v1/broadcast/items/:id/stop': 'broadcast',
  'GET /api/v1/broadcast/levels': 'see',
  'PUT /api/v1/broadcast/levels': 'broadcast',
  'GET /api/v1/broadcast/quiet': 'see',
  'POST /api/v1/broadcast/quiet': 'broadcast',
  'DELETE /api/v1/broadcast/quiet/:id': 'broadcast',

  'POST /api/v1/broadcast/talk': 'broadcast',
  'GET /api/v1/broadcast/talk/:session': 'broadcast',
  'GET /api/v1/broadcast/items/:id/recording': 'broadcast',
  'GET /api/v1/broadcast/clips': 'see',
  'POST /api/v1/broadcast/clips': 'broadcast',
  'POST /api/v1/broadcast/clips/speak': 'broadcast',
  'POST /api/v1/broadcast/clips/preview': 'broadcast',
  'GET /api/v1/broadcast/clips/:id/sound': 'see',
  'DELETE /api/v1/broadcast/clips/:id': 'broadcast',
  'GET /api/v1/voices': 'see',
  'GET /api/v1/announcement-templates': 'see',
  'GET /api/v1/announcement-templates/:id': 'see',
  'PUT /api/v1/announcement-templates/:id': 'broadcast',
  'DELETE /api/v1/announcement-templates/:id': 'broadcast',

  'GET /api/v1/plans': 'see',
  'POST /api/v1/plans': 'devices',
  'PATCH /api/v1/plans/:id': 'devices',
  'DELETE /api/v1/plans/:id': 'devices',
  'GET /api/v1/plans/:id/image': 'see',
  'PUT /api/v1/plans/:id/image': 'devices',
  'PUT /api/v1/plans/:id/places/:device': 'devices',
  'DELETE /api/v1/plans/:id/places/:device': 'devices',
  'POST /api/v1/rehearsals': 'rules',
  'GET /api/v1/rehearsals/:id': 'rules',
  'DELETE /api/v1/rehearsals/:id': 'rules',
  'GET /api/v1/assets': 'see',
  'GET /api/v1/assets.csv': 'export',
  'POST /api/v1/assets.csv': 'assets',
  'PUT /api/v1/assets/:device': 'assets',
  'POST /api/v1/assets/:device/maintenance': 'assets',
  'GET /api/v1/assets/:device/label.svg': 'see',
  'GET /api/v1/assets/labels.html': 'see',
  'GET /api/v1/inbox': 'devices',
  'POST /api/v1/inbox/ignore': 'devices',
  'DELETE /api/v1/inbox': 'devices',
  'GET /api/v1/profiles': 'devices',
  'POST /api/v1/profiles/try': 'devices',
  'POST /api/v1/devices': 'devices',
  'DELETE /api/v1/devices/:id': 'devices',

  'GET /api/v1/notices': 'see',
  'GET /api/v1/notify': 'see',
  'POST /api/v1/notify/:channel/test': 'rules',

  'GET /api/v1/system': 'system',
  'GET /api/v1/logs': 'system',
  'GET /api/v1/backups': 'backup',
  'POST /api/v1/backups': 'backup',
  'GET /api/v1/backups/:name': 'backup',
  'GET /api/v1/audit': 'audit',
  'GET /api/v1/audit.csv': 'audit',
  'GET /api/v1/audit/verify': 'audit',
  'GET /api/v1/security': 'security',

  'GET /api/v1/flows': 'flows-view',
  'GET /api/v1/flows/:tab/versions/:version': 'flows-view',
  'GET /api/v1/flows/:tab/diff': 'flows-view',
  'POST /api/v1/flows/:tab/rollback': 'flows-edit',
  'POST /api/v1/flows/restart': 'flows-edit',

  ...Object.fromEntries(
    ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].flatMap((method) => [
      [`${method} /flows-editor`, 'flows-view' as const],
      [`${method} /flows-editor/*`, 'flows-view' as const],
    ]),
  ),
};

const uuid = '01939d5e-0000-7000-8000-000000000000';
const inPath: Readonly<Record<string, string>> = {
  id: 'nobody-at-all',
  device: 'meter-main',
  point: 'power',
  tab: 'c0ffee0000000001',
  version: '1',
  name: 'nothing.tar.gz',
  channel: 'no-channel',
  '*': 'app-1a2b.js',
};

interface Route {
  readonly name: string;
  readonly method: string;
  readonly path: string;
}

let room: PeopleRoom;
let routes: readonly Route[];
const people = new Map<Role, Browser>();
const tokens = new Map<Right, string>();

beforeAll(async () => {
  room = await startPeopleRoom({
    flows: { port: 9, header: 'x-campus-token', secret: 'secret-of-the-proxy' },
    change: (site) => ({ ...site, people: { ...site.people, oidc } }),
  });
  routes = room.web.routes
    .filter(({ method }) => method !== 'HEAD')
    .map(({ method, path }) => ({ name: `${method} ${path}`, method, path: concrete(path) }));
  for (const role of roles) {
    await room.addPerson(role, role, { zones: 'all' });
    people.set(role, await room.signedIn(role));
  }
  for (const right of rights) {
    const made = await room.web.ask('/api/v1/tokens', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: `only-${right}`, name: right, scopes: [right] }),
    });
    tokens.set(right, ((await made.json()) as { secret: string }).secret);
  }
}, 60_000);
afterAll(async () => await room[Symbol.asyncDispose]());

const oidc = {
  issuer: 'http://127.0.0.1:9',
  clientId: 'campus',
  name: { zh: '统一认证', en: 'City' },
  redirect: 'http://127.0.0.1:8080/api/v1/oidc/callback',
  scope: 'openid',
  claim: 'sub',
};

function concrete(path: string): string {
  const filled = path.replaceAll(/:(\w+)|\*/g, (_, name: string | undefined) => inPath[name ?? '*'] ?? '');
  return /alarms|events/.test(path) ? filled.replace('nobody-at-all', uuid) : filled;
}

/** What a route says to somebody; answers that never end are let go. */
async function tryRoute({ method, path }: Route, headers: Record<string, string>): Promise<number> {
  const hasBody = !['GET', 'DELETE', 'OPTIONS'].includes(method);
  const answer = await fetch(`${room.url()}${path}`, {
    method,
    redirect: 'manual',
    headers: { ...headers, ...(hasBody ? { 'content-type': 'application/json' } : {}) },
    ...(hasBody ? { body: '{}' } : {}),
    signal: AbortSignal.timeout(20_000),
  });
  await answer.body?.cancel();
  return answer.status;
}

test('every route of the server stands in the table with what it says itself, and every line has its route', () => {
  const registered = room.web.routes.filter(({ method }) => method !== 'HEAD');
  const said = Object.fromEntries(registered.map(({ method, path, access }) => [`${method} ${path}`, access]));
  expect(said).toEqual(table);
  expect(registered.length).toBeGreaterThan(60);
  for (const head of room.web.routes.filter(({ method }) => method === 'HEAD')) {
    const get = registered.find(({ method, path }) => method === 'GET' && path === head.path);
    expect(head.access, head.path).toBe(get?.access ?? 'flows-view');
  }
});

test('nobody gets anything but what is open', async () => {
  for (const route of routes) {
    const status = await tryRoute(route, {});
    if (table[route.name] === 'open') expect(status, route.name).not.toBe(401);
    else expect(status, route.name).toBe(401);
  }
});

describe('a person', () => {
  test.each(roles)('of the role %s may use what his rights say, and nothing else', async (role) => {
    for (const route of routes.filter(({ path }) => !path.endsWith('/logout'))) {
      const browser = people.get(role);
      const headers = {
        cookie: browser?.cookie ?? '',
        'x-csrf-token': browser?.csrf ?? '',
        origin: room.url(),
      };
      const status = await tryRoute(route, headers);
      expectStatus(status, route.name, (right) => rightsOf[role].includes(right), role);
    }
  });

  test.each(roles)('of the role %s changes nothing without the CSRF value of his own session', async (role) => {
    const writing = routes.filter(
      ({ name, method }) => method !== 'GET' && method !== 'OPTIONS' && table[name] !== 'open',
    );
    const cookie = people.get(role)?.cookie ?? '';
    for (const route of writing) {
      expect(await tryRoute(route, { cookie }), route.name).toBe(403);
      expect(await tryRoute(route, { cookie, origin: 'http://evil.test' }), route.name).toBe(403);
    }
  });
});

describe('a token', () => {
  test.each(rights)('of the scope %s alone opens what needs it, and nothing else', async (scope) => {
    for (const route of routes) {
      const status = await tryRoute(route, { authorization: `Bearer ${tokens.get(scope)}` });
      const isOwnAccount = /\/me\/|\/logout$/.test(route.path);
      if (isOwnAccount) expect([204, 400, 403], `${scope}: ${route.name}`).toContain(status);
      else expectStatus(status, route.name, (right) => right === scope, scope);
    }
  });
});

function expectStatus(status: number, name: string, has: (right: Right) => boolean, who: string): void {
  const access = table[name] ?? 'open';
  const may = access === 'open' || access === 'signed-in' || has(access);
  const what = `${who}: ${name} answered ${status}`;
  if (!may) expect(status, what).toBe(403);
  else if (!name.endsWith('/setup')) expect([401, 403], what).not.toContain(status);
}
