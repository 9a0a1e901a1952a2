import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { campusWideRoles, type Role } from '#edge/domain/access.ts';
import type { Case } from '#edge/domain/case.ts';
import type { IncidentBrief } from '#edge/domain/incident.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { Browser, cheapHash, passwordOf } from '../unit/web/people-room.ts';
import { startWebRoom, type WebRoom } from '../unit/web/web-room.ts';
import { type GatehouseCore, gate, playground, startGatehouse, withGatehouse } from './gatehouse-core.ts';
import { temporaryData } from './safety-core.ts';

/* People of one zone against incidents and cases that reach into another. */

let data: ReturnType<typeof temporaryData>;
let at: GatehouseCore;
let web: WebRoom;
let chief: Browser;
let guard: Browser;

beforeAll(async () => {
  data = temporaryData();
  at = await startGatehouse({ data: data.path });
  web = await startWebRoom({ data: data.path, store: false, methods: null, change: withGatehouse });
  chief = await signedIn('chief', 'administrator', 'all');
  guard = await signedIn('guard', 'security', ['gate']);
}, 60_000);
afterAll(async () => {
  await web[Symbol.asyncDispose]();
  await at[Symbol.asyncDispose]();
  data[Symbol.dispose]();
});

async function signedIn(id: string, role: Role, zones: 'all' | readonly string[]): Promise<Browser> {
  const body = {
    ...{ name: `Name of ${id}`, role, zones: campusWideRoles.includes(role) ? 'all' : zones },
    ...{ password: cheapHash(passwordOf(id)), totp: null, recovery: [], oidc: null, disabled: false, expired: false },
    ...{ passwordTime: systemClock.now(), created: systemClock.now() },
  };
  await at.rpc.call('document.put', { kind: 'person', id, rev: 0, body, why: 'test', who: 'token:test', from: 'test' });
  const browser = new Browser(() => web.url);
  expect((await browser.signIn(id)).status).toBe(200);
  return browser;
}

async function json<T>(asked: Promise<Response>, status = 200): Promise<T> {
  const response = await asked;
  const body = (await response.json()) as T;
  expect({ status: response.status, body }).toMatchObject({ status });
  return body;
}

async function snapshot(n: number): Promise<string> {
  const name = `019f0000-0000-7000-8000-00000000000${n}`;
  mkdirSync(join(data.path, 'snapshots', '2026-11-22'), { recursive: true });
  writeFileSync(join(data.path, 'snapshots', '2026-11-22', `${name}.jpg`), `picture ${n}`);
  return `2026-11-22/${name}.jpg`;
}

async function made(browser: Browser, incident: string, body: object): Promise<Case> {
  const { id } = await json<Case>(browser.post(`incidents/${incident}/case`, { why: 'x', ...body }), 202);
  return vi.waitFor(
    async () => {
      const one = await json<Case>(browser.get(`cases/${id}`));
      expect(one.state).toBe('ready');
      return one;
    },
    { timeout: 30_000, interval: 50 },
  );
}

async function zipOf(browser: Browser, id: string): Promise<Record<string, Uint8Array>> {
  const response = await browser.get(`cases/${id}/file`);
  expect(response.status).toBe(200);
  return unzipSync(new Uint8Array(await response.arrayBuffer()));
}

test('what was made one of two zones shows each of them its own, on the page and in a case', {
  timeout: 90_000,
}, async () => {
  await at.happens(gate, 'person', { snapshot: await snapshot(1) });
  await at.happens(playground, 'person', { snapshot: await snapshot(2) });
  const { incidents } = await json<{ incidents: IncidentBrief[] }>(chief.get('incidents?state=new'));
  const [here, there] = [incidents.find(({ zone }) => zone === 'gate'), incidents.find(({ zone }) => zone !== 'gate')];
  const id = here?.id ?? '';
  const mark = { camera: playground, from: systemClock.now() - 2_000, to: systemClock.now(), note: '从操场过来' };
  expect((await guard.post(`incidents/${id}/bookmark`, mark)).status).toBe(404);
  await json(chief.post(`incidents/${there?.id}/bookmark`, mark));
  await json(chief.post(`incidents/${id}/bookmark`, mark));
  await json(chief.post(`incidents/${id}/merge`, { part: there?.id }));

  const page = JSON.stringify(await json(guard.get(`incidents/${id}`)));
  expect(page).toContain('camera-gate');
  expect(page).not.toContain(playground);
  expect(JSON.stringify(await json(chief.get(`incidents/${id}`)))).toContain(playground);

  // He takes out what he sees, and it says that there was more.
  const own = await made(guard, id, {});
  expect(own.cameras).toEqual([gate]);
  const files = await zipOf(guard, own.id);
  const pictures = Object.keys(files).filter((name) => name.startsWith('pictures/'));
  expect(pictures.map((name) => strFromU8(files[name] ?? new Uint8Array()))).toEqual(['picture 1']);
  for (const [name, bytes] of Object.entries(files)) expect(strFromU8(bytes), name).not.toContain(playground);
  expect(strFromU8(files['manifest.json'] ?? new Uint8Array())).toContain('1 happened where whoever took it out');

  // What the chief takes out has both in it, so it is not for him.
  const both = await made(chief, id, {});
  expect(both.cameras.toSorted()).toEqual([gate, playground]);
  const narrow = await made(chief, id, { cameras: [gate] });
  expect(Object.keys(await zipOf(chief, narrow.id)).filter((name) => name.startsWith('pictures/'))).toHaveLength(2);
  for (const one of [both, narrow]) {
    expect((await guard.get(`cases/${one.id}`)).status).toBe(404);
    expect((await guard.get(`cases/${one.id}/file`)).status).toBe(404);
    expect((await guard.post(`cases/${one.id}/release`, { reason: 'x' })).status).toBe(404);
  }
  // His list is full, and tells nothing of the others.
  const list = await json<{ cases: Case[]; next: string | null }>(guard.get('cases?limit=1'));
  expect(list).toMatchObject({ cases: [{ id: own.id }] });
  expect(await json(guard.get(`cases?limit=1&after=${list.next}`))).toEqual({ cases: [], next: null });
});

test('words that no screen shows, that reverse the writing or that never end are refused; all others come back as they were', async () => {
  await at.happens(gate, 'person');
  const { incidents } = await json<{ incidents: IncidentBrief[] }>(guard.get('incidents?state=new&limit=1'));
  const id = incidents[0]?.id ?? '';
  const note = (text: string) => guard.post(`incidents/${id}/note`, { note: text });
  for (const wrong of ['a\u0000b', '\u001b[2J', 'txt.\u202egpj', 'a\u2066b', '\ud800', 'x'.repeat(2_001)])
    expect((await note(wrong)).status, JSON.stringify(wrong.slice(0, 20))).toBe(400);
  expect((await note('x'.repeat(1_100_000))).status).toBe(413);
  expect((await guard.post('incidents/seen', { ids: Array.from({ length: 2_001 }, () => id) })).status).toBe(400);
  const good = ['<script>alert(1)</script>', '=1+1', '两行\n\t第二行', '👨‍👩‍👧 ok', 'مرحبا'];
  for (const text of good) expect((await note(text)).status, text).toBe(200);
  const page = await json<{ incident: { course: { what: string; text: string }[] } }>(guard.get(`incidents/${id}`));
  expect(page.incident.course.flatMap(({ what, text }) => (what === 'noted' ? [text] : []))).toEqual(good);
  // In the page of a case nothing of it runs.
  const own = await made(guard, id, { why: '</style><script>1</script>' });
  const html = strFromU8((await zipOf(guard, own.id))['timeline.html'] ?? new Uint8Array());
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(html).not.toMatch(/<script/i);
}, 60_000);

test('two who claim at once: one has it, and the other is told who', async () => {
  await at.happens(gate, 'intrusion');
  const { incidents } = await json<{ incidents: IncidentBrief[] }>(chief.get('incidents?type=intrusion&limit=1'));
  const id = incidents[0]?.id ?? '';
  const answers = await Promise.all([chief.post(`incidents/${id}/claim`), guard.post(`incidents/${id}/claim`)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  const lost = answers.find(({ status }) => status === 409);
  expect(await lost?.json()).toMatchObject({ error: 'incident-refused', message: expect.stringContaining('Name of') });
});
