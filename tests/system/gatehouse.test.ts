import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { clipFactsTopic, resultTopic } from '#edge/bus/topics.ts';
import type { Role } from '#edge/domain/access.ts';
import { campusWideRoles } from '#edge/domain/access.ts';
import type { Case } from '#edge/domain/case.ts';
import type { Incident, IncidentBrief } from '#edge/domain/incident.ts';
import type { Command } from '#edge/domain/output.ts';
import { verifyCase } from '#edge/media/case-verify.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { followCampus } from '#edge/web/follow.ts';
import { Browser, cheapHash, passwordOf } from '../unit/web/people-room.ts';
import { startWebRoom, type WebRoom } from '../unit/web/web-room.ts';
import { connectBus } from './gatehouse-bus.ts';
import { type GatehouseCore, gate, playground, startGatehouse, withGatehouse } from './gatehouse-core.ts';
import { temporaryData, until } from './safety-core.ts';

/* The gatehouse through the HTTP API, by people with roles and zones: a real core behind a real web process's server. */

let data: ReturnType<typeof temporaryData>;
let at: GatehouseCore;
let web: WebRoom;
/** Of the whole campus; of the gate only; of the teaching building only; who may only see. */
let chief: Browser;
let guard: Browser;
let other: Browser;
let viewer: Browser;

beforeAll(async () => {
  data = temporaryData();
  at = await startGatehouse({ data: data.path });
  web = await startWebRoom({ data: data.path, store: false, methods: null, change: withGatehouse });
  chief = await signedIn('chief', 'administrator', 'all');
  guard = await signedIn('guard', 'security', ['gate']);
  other = await signedIn('other', 'security', ['teaching']);
  viewer = await signedIn('viewer', 'viewer', ['gate']);
  await at.line('normal');
}, 60_000);
afterAll(async () => {
  await web[Symbol.asyncDispose]();
  await at[Symbol.asyncDispose]();
  data[Symbol.dispose]();
});

async function signedIn(id: string, role: Role, zones: 'all' | readonly string[]): Promise<Browser> {
  const body = {
    ...{
      name: `Name of ${id}`,
      role,
      zones: campusWideRoles.includes(role) ? 'all' : zones,
      password: cheapHash(passwordOf(id)),
    },
    ...{ totp: null, recovery: [], oidc: null, disabled: false, expired: false },
    ...{ passwordTime: systemClock.now(), created: systemClock.now() },
  };
  await at.rpc.call('document.put', { kind: 'person', id, rev: 0, body, why: 'test', who: 'token:test', from: 'test' });
  const browser = new Browser(() => web.url);
  const answer = await browser.signIn(id);
  if (answer.status !== 200) throw new Error(await answer.text());
  return browser;
}

async function json<T>(asked: Promise<Response>, status = 200): Promise<T> {
  const response = await asked;
  const body = (await response.json()) as T;
  expect({ status: response.status, body }).toMatchObject({ status });
  return body;
}

type List = { incidents: (IncidentBrief & { note: string })[]; next: string | null };
const list = (browser: Browser, query = '') => json<List>(browser.get(`incidents${query}`));
const open = 'state=new&state=claimed&state=escalated';
const newest = async (browser = chief) => {
  const [incident] = (await list(browser, `?${open}&limit=1`)).incidents;
  if (incident === undefined) throw new Error('there is no incident');
  return incident;
};
const clear = async () => {
  for (const { id } of (await list(chief, `?${open}`)).incidents)
    await chief.post(`incidents/${id}/resolve`, { outcome: 'test' });
};

describe('the review list', () => {
  test('shows what lies in one’s zones and nothing else, filtered, page by page', async () => {
    await at.happens(gate, 'person', { snapshot: '2026-11-22/019f0000-0000-7000-8000-000000000001.jpg' });
    await at.happens(playground, 'intrusion');
    const all = (await list(chief, `?${open}`)).incidents;
    expect(all.map(({ zone }) => zone).sort()).toEqual(['gate', 'playground']);
    expect((await list(guard)).incidents.map(({ zone }) => zone)).toEqual(['gate']);
    expect((await list(other)).incidents).toEqual([]);
    expect((await list(guard, '?zone=playground')).incidents).toEqual([]);
    const [own] = (await list(guard)).incidents;
    // The event whose picture it is, never a path of this box.
    expect(own?.picture).toBe('019f0000-0000-7000-8000-000000000001');
    expect(JSON.stringify(own)).not.toContain('.jpg');
    for (const [query, count] of [
      ['class=high', 1],
      ['class=high&class=medium', 2],
      ['camera=camera-gate', 1],
      ['type=intrusion', 1],
      ['type=noise', 0],
      ['seen=false', 2],
      ['seen=true', 0],
      [`q=${encodeURIComponent('操场摄像机')}`, 1],
      ['q=INTRUSION', 1],
      ['q=nothing', 0],
      [`to=${systemClock.now() - 3_600_000}`, 0],
    ] as const)
      expect((await list(chief, `?${open}&${query}`)).incidents, query).toHaveLength(count);
    const first = await list(chief, `?${open}&limit=1`);
    const second = await list(chief, `?${open}&limit=1&after=${first.next}`);
    expect([...first.incidents, ...second.incidents].map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    expect(await json(guard.get('incidents/counts'))).toMatchObject({
      open: { critical: 0, high: 0, medium: 1, low: 0 },
      unseen: { medium: 1 },
      byState: { new: 1, resolved: 0 },
    });
    for (const wrong of ['state=x', 'limit=0', 'after=1', 'class=', `q=${'x'.repeat(101)}`])
      expect((await chief.get(`incidents?${wrong}`)).status, wrong).toBe(400);
    await clear();
  });

  test('is nobody’s business who has nothing to do with it', async () => {
    await at.happens(gate, 'person');
    const { id } = await newest();
    expect((await viewer.get('incidents')).status).toBe(403);
    expect((await viewer.get(`incidents/${id}`)).status).toBe(403);
    // Of another zone: not there.
    expect((await other.get(`incidents/${id}`)).status).toBe(404);
    for (const act of [
      'seen',
      'claim',
      'release',
      'note',
      'escalate',
      'resolve',
      'reopen',
      'merge',
      'bookmark',
      'case',
    ]) {
      const body = { note: 'x', reason: 'x', outcome: 'test', part: id, camera: gate, from: 1, to: 2, why: 'x' };
      const own = {
        seen: {},
        claim: {},
        release: { note: 'x' },
        note: { note: 'x' },
        resolve: { outcome: 'test' },
        merge: { part: id },
      };
      const sent =
        act in own
          ? own[act as keyof typeof own]
          : act === 'bookmark'
            ? { camera: gate, from: 1, to: 2 }
            : act === 'case'
              ? { why: body.why }
              : { reason: 'x' };
      expect((await other.post(`incidents/${id}/${act}`, sent)).status, act).toBe(404);
      expect((await viewer.post(`incidents/${id}/${act}`, sent)).status, act).toBe(403);
    }
    expect(await json(other.post('incidents/seen', { ids: [id] }))).toEqual({ seen: 0 });
    expect(at.reader.incident(id)).toMatchObject({ state: 'new', seenBy: null });
    await clear();
  });
});

describe('what people do', () => {
  test('is done by name, told in the stream to those of the zone, and answered as it then is', async () => {
    await using bus = await follow();
    const [mine, theirs] = [listen(guard), listen(other)];
    await Promise.all([mine.opened, theirs.opened]);
    await at.happens(gate, 'person');
    const { id } = await newest(guard);
    await vi.waitFor(() => expect(mine.incidents()).toMatchObject([{ id, state: 'new' }]), { timeout: 20_000 });
    expect(await json(guard.post(`incidents/${id}/seen`))).toMatchObject({ seenBy: { name: 'Name of guard' } });
    expect(await json(guard.post(`incidents/${id}/claim`))).toMatchObject({
      state: 'claimed',
      claimedBy: { who: 'person:guard' },
    });
    expect(await json(chief.post(`incidents/${id}/claim`), 409)).toMatchObject({
      error: 'incident-refused',
      message: expect.stringContaining('Name of guard'),
    });
    await json(chief.post(`incidents/${id}/claim`, { take: true }));
    await json(chief.post(`incidents/${id}/note`, { note: '两人已离开' }));
    await json(chief.post(`incidents/${id}/release`, { note: '交班' }));
    const done = await json<Incident>(guard.post(`incidents/${id}/resolve`, { outcome: 'handled', note: '家长' }));
    expect(done).toMatchObject({ state: 'resolved', outcome: 'handled', note: '家长' });
    const page = await json<{ incident: Incident; events: { id: string }[]; clips: { camera: string }[] }>(
      guard.get(`incidents/${id}`),
    );
    expect(page).toMatchObject({
      incident: { id, rev: done.rev },
      events: [{ type: 'person' }],
      clips: [{ camera: gate }],
    });
    await vi.waitFor(() => expect(mine.incidents().at(-1)).toMatchObject({ id, state: 'resolved' }), {
      timeout: 20_000,
    });
    expect(mine.text()).not.toContain('两人已离开');
    expect(theirs.incidents()).toEqual([]);
    for (const stream of [mine, theirs]) stream.end();
    expect(bus).toBeDefined();
  });

  test('marks footage of one’s own cameras only, and lets it go with the right to', async () => {
    await at.happens(gate, 'person');
    const { id } = await newest();
    const wish = { camera: gate, from: 1_000, to: 20_000, note: 'the ladder' };
    const clip = await json<{ id: string }>(guard.post(`incidents/${id}/bookmark`, wish));
    expect(clip).toMatchObject({ camera: gate, why: 'person', isProtected: true, incident: id });
    expect((await guard.post(`incidents/${id}/bookmark`, { ...wish, camera: playground })).status).toBe(404);
    expect((await guard.post('clips', { ...wish, camera: playground })).status).toBe(404);
    await json(guard.post('clips', wish));
    const kept = await json<{ clips: { camera: string }[] }>(guard.get('clips?protected=true'));
    expect(new Set(kept.clips.map(({ camera }) => camera))).toEqual(new Set([gate]));
    expect((await json<{ clips: unknown[] }>(other.get('clips'))).clips).toEqual([]);
    expect((await other.post(`clips/${clip.id}/unprotect`, { reason: 'x' })).status).toBe(404);
    expect((await guard.post(`clips/${clip.id}/unprotect`, { reason: '' })).status).toBe(400);
    expect(await json(guard.post(`clips/${clip.id}/unprotect`, { reason: '无需保留' }))).toMatchObject({
      isProtected: false,
    });
    expect((await guard.post(`clips/${clip.id}/unprotect`, { reason: 'x' })).status).toBe(409);
    await clear();
  });
});

describe('a camera', () => {
  test('is turned by those of its zone with the right to, by name, a movement with one line of the audit', async () => {
    const turn = (browser: Browser, body: object, id = gate) => browser.post(`cameras/${id}/turn`, body);
    at.camera.mqtt.on('message', (_, payload) => {
      const { id, device, point, value } = JSON.parse(payload.toString()) as Command;
      const result = { id, device, point, outcome: value === 'nowhere' ? 'failed' : 'done', time: systemClock.now() };
      at.camera.mqtt.publish(resultTopic('camera'), JSON.stringify(result), { qos: 1 });
    });
    expect(await json(turn(guard, { preset: 'preset-1' }))).toEqual({ outcome: 'done' });
    expect(await json(turn(guard, { preset: 'nowhere' }))).toEqual({ outcome: 'failed' });
    expect(await json(turn(guard, { home: true }))).toEqual({ outcome: 'done' });
    for (const move of [
      [1, 0, 0],
      [1, 0.5, 0],
      [0, 0, 0],
    ])
      expect(await json(turn(guard, { move }))).toEqual({ outcome: 'done' });
    const told = at.camera.commands
      .filter(({ priority }) => priority === 8)
      .map(({ point, value }) => `${point} ${value}`);
    expect(told).toEqual([
      'ptz_preset preset-1',
      'ptz_preset nowhere',
      'ptz_home true',
      'ptz_move 1 0 0',
      'ptz_move 1 0.5 0',
      'ptz_move 0 0 0',
    ]);
    const lines = at.reader.newestAudit(100).filter(({ what }) => what.startsWith('camera.turn'));
    expect(lines.map(({ who, what }) => `${who} ${what}`).toReversed()).toEqual([
      'person:guard camera.turn camera-gate to preset preset-1',
      'person:guard camera.turn camera-gate to preset nowhere',
      'person:guard camera.turn camera-gate home',
      'person:guard camera.turn camera-gate by hand',
    ]);
    for (const wrong of [
      {},
      { move: [2, 0, 0] },
      { move: [0, 0] },
      { preset: '' },
      { home: false },
      { preset: '1', home: true },
    ])
      expect((await turn(guard, wrong)).status, JSON.stringify(wrong)).toBe(400);
    expect((await turn(other, { home: true })).status).toBe(404);
    expect((await turn(viewer, { home: true })).status).toBe(403);
  });
});

describe('the one-key alarm', () => {
  test('is seen in its zone and ended there by a person with a reason; not from elsewhere, not by token', async () => {
    expect(await json(guard.get('panic'))).toMatchObject([
      { id: 'gatehouse', state: 'ready', incident: null, cameras: [{ device: gate, preset: 'preset-1' }] },
    ]);
    expect(await json(other.get('panic'))).toEqual([]);
    await at.line('alarm');
    const [button] = await json<{ state: string; incident: string }[]>(guard.get('panic'));
    expect(button).toMatchObject({ state: 'pressed' });
    await at.line('normal');
    const reset = { reason: '已处置' };
    expect((await other.post('panic/gatehouse/reset', reset)).status).toBe(404);
    expect((await viewer.post('panic/gatehouse/reset', reset)).status).toBe(403);
    expect((await guard.post('panic/gatehouse/reset', {})).status).toBe(400);
    const body = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(reset) };
    expect((await web.ask('/api/v1/panic/gatehouse/reset', body)).status).toBe(403);
    expect((await guard.post(`incidents/${button?.incident}/resolve`, { outcome: 'handled' })).status).toBe(409);
    await vi.waitFor(
      async () => expect(await json(guard.post('panic/gatehouse/reset', reset))).toMatchObject({ reset: true }),
      { timeout: 20_000 },
    );
    expect(await json(guard.get(`incidents/${button?.incident}`))).toMatchObject({
      incident: { state: 'resolved', outcome: 'handled', note: '已处置' },
    });
  });
});

describe('patrols', () => {
  test('are checked in with the code on the wall, counted against what is required, and read by those of the zone', async () => {
    const label = await guard.get('key-places/main-gate/code.svg');
    expect([label.status, label.headers.get('content-type')]).toEqual([200, 'image/svg+xml; charset=utf-8']);
    expect(await label.text()).toContain('<svg');
    const { token } = (await at.rpc.call('patrol.code', { place: 'main-gate' })) as { token: string };
    expect(await json(guard.post('patrols', { place: 'main-gate', token, note: '正常' }))).toMatchObject({
      way: 'qr',
      who: 'person:guard',
      name: 'Name of guard',
    });
    expect(await json(guard.post('patrols', { place: 'main-gate', token: 'guessed' }), 409)).toMatchObject({
      error: 'patrol-code-wrong',
    });
    expect((await other.post('patrols', { place: 'main-gate', token })).status).toBe(404);
    expect((await viewer.post('patrols', { place: 'main-gate', token })).status).toBe(403);
    await json(guard.post('key-places/main-gate/renew', { reason: '换了新码' }));
    expect((await guard.post('patrols', { place: 'main-gate', token })).status).toBe(409);
    const day = await json<{ places: { id: string; required: number; done: number; checkIns: { way: string }[] }[] }>(
      guard.get('patrols/day'),
    );
    const [place] = day.places;
    expect(place).toMatchObject({ id: 'main-gate', required: 5, done: 1 });
    expect(place?.checkIns.filter(({ way }) => way === 'qr')).toHaveLength(1);
    expect(await json(guard.get('patrols/day?date=2026-01-05'))).toMatchObject({
      date: '2026-01-05',
      places: [{ done: 0 }],
    });
    expect((await json<{ places: unknown[] }>(other.get('patrols/day'))).places).toEqual([]);
    expect((await json<unknown[]>(other.get('patrols'))).length).toBe(0);
    expect((await json<unknown[]>(guard.get('patrols?place=main-gate&limit=1'))).length).toBe(1);
    expect(await json(guard.get('key-places'))).toMatchObject([
      { id: 'main-gate', cameras: [gate], panic: ['gatehouse'], faults: [] },
    ]);
  });
});

describe('a case', () => {
  test('without media has all but its footage, and says so; it is fetched and let go by those of its zone, each time in the audit', async () => {
    const picture = '019f0000-0000-7000-8000-0000000000aa';
    mkdirSync(join(data.path, 'snapshots', '2026-11-22'), { recursive: true });
    writeFileSync(join(data.path, 'snapshots', '2026-11-22', `${picture}.jpg`), 'a picture');
    await at.happens(gate, 'person', { snapshot: `2026-11-22/${picture}.jpg` });
    const { id } = await newest();
    await json(guard.post(`incidents/${id}/note`, { note: '<b>两人</b>' }));
    expect((await guard.post(`incidents/${id}/case`, {})).status).toBe(400);
    expect((await guard.post(`incidents/${id}/case`, { why: 'x', unmasked: true })).status).toBe(403);
    expect((await guard.post(`incidents/${id}/case`, { why: 'x', cameras: [playground] })).status).toBe(404);
    expect((await guard.post(`incidents/${id}/case`, { why: 'x', from: 9, to: 8 })).status).toBe(400);
    const asked = await json<Case>(guard.post(`incidents/${id}/case`, { why: '派出所调取' }), 202);
    const made = await vi.waitFor(
      async () => {
        const one = await json<Case>(guard.get(`cases/${asked.id}`));
        expect(one.state).toBe('ready');
        return one;
      },
      { timeout: 30_000, interval: 50 },
    );
    expect(made).toMatchObject({
      who: 'person:guard',
      name: 'Name of guard',
      why: '派出所调取',
      message: expect.stringContaining('missing'),
    });
    expect((await other.get(`cases/${made.id}`)).status).toBe(404);
    expect((await json<{ cases: unknown[] }>(other.get('cases'))).cases).toEqual([]);
    expect((await json<{ cases: Case[] }>(guard.get('cases'))).cases.map((one) => one.id)).toEqual([made.id]);
    const response = await guard.get(`cases/${made.id}/file`);
    expect(response.headers.get('content-type')).toBe('application/zip');
    const file = join(data.path, 'fetched.zip');
    writeFileSync(file, Buffer.from(await response.arrayBuffer()));
    const { fingerprint } = await json<{ fingerprint: string }>(guard.get('cases/key'));
    const verdict = await verifyCase(file, fingerprint);
    expect(verdict).toMatchObject({
      ok: true,
      sha256: made.sha256,
      manifest: { made: { name: 'Name of guard', why: '派出所调取' } },
    });
    expect(verdict.manifest?.files.map(({ path }) => path.split('/')[0])).toEqual([
      'pictures',
      'timeline.json',
      'audit.json',
      'timeline.html',
      'README.txt',
    ]);
    expect(verdict.manifest?.missing).toEqual([{ what: 'footage', why: expect.stringContaining('not there') }]);
    const { ranges } = (await at.rpc.call('footage.protected', {})) as {
      ranges: { camera: string; kind: string; from: number; to: number }[];
    };
    expect(
      ranges.some(
        (range) => range.camera === gate && range.kind === 'kept' && range.from <= made.from && range.to >= made.to,
      ),
    ).toBe(true);
    expect((await guard.post(`cases/${made.id}/release`, { reason: '' })).status).toBe(400);
    expect(await json(guard.post(`cases/${made.id}/release`, { reason: '已移交' }))).toMatchObject({
      state: 'released',
    });
    expect((await guard.get(`cases/${made.id}/file`)).status).toBe(409);
    const acts = at.reader.newestAudit(200).filter(({ what }) => what.includes(made.id));
    expect(new Set(acts.map(({ who, what }) => `${who} ${what.split(' ')[0]}`))).toEqual(
      new Set([
        'person:guard case.export',
        'person:guard case.made',
        'person:guard case.fetch',
        'person:guard case.release',
      ]),
    );
    await clear();
  });

  test('that was being made when web ended is said to be none, and its rest is removed', async () => {
    await at.happens(gate, 'person');
    const { id } = await newest();
    const person = { who: 'person:guard', name: 'Guard', from: '192.0.2.9' };
    const wish = { incident: id, cameras: [gate], begin: 1, end: 2, masked: true, reason: 'x', ...person };
    const begun = (await at.rpc.call('case.begin', wish)) as Case;
    mkdirSync(join(data.path, 'cases'), { recursive: true });
    writeFileSync(join(data.path, 'cases', `${begun.id}.zip.part`), 'half');
    await web[Symbol.asyncDispose]();
    web = await startWebRoom({ data: data.path, store: false, methods: null, change: withGatehouse });
    const { cases } = await json<{ cases: Case[] }>(chief.get('cases'));
    expect(cases.find((one) => one.id === begun.id)).toMatchObject({
      state: 'failed',
      message: expect.stringContaining('ended'),
    });
    await clear();
  });
});

/** The bus of the real core, as the web process hears it. */
async function follow(): Promise<AsyncDisposable> {
  const mqtt = await at.core.join('uplink');
  const bus = connectBus(mqtt);
  // Of clips only web itself may hear.
  const subscribe: typeof bus.subscribe = async (filter, handler) =>
    filter === clipFactsTopic('broadcast') ? { [Symbol.asyncDispose]: async () => {} } : bus.subscribe(filter, handler);
  await followCampus({ ...bus, subscribe }, web.live, silentLog);
  web.live.setConnected(true);
  return { [Symbol.asyncDispose]: async () => void mqtt.end(true) };
}

interface Listening {
  readonly opened: Promise<void>;
  incidents(): readonly IncidentBrief[];
  text(): string;
  end(): void;
}

function listen(browser: Browser): Listening {
  const ending = new AbortController();
  const opened = Promise.withResolvers<void>();
  let text = '';
  void (async () => {
    const response = await browser.ask('/api/v1/stream', { signal: ending.signal });
    opened.resolve();
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  })().catch((error: unknown) => {
    if (!ending.signal.aborted) opened.reject(error);
  });
  return {
    opened: opened.promise,
    incidents: () =>
      [...text.matchAll(/^event: incident\ndata: (.*)$/gm)].map(([, body = '{}']) => JSON.parse(body) as IncidentBrief),
    text: () => text,
    end: () => ending.abort(),
  };
}

test('the list of incidents stays empty of what was tried', async () => {
  await until(() => expect(at.incidents.size).toBe(0));
});
