import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import type { broadcastNow } from '#edge/web/broadcast-schemas.ts';
import type * as shapes from '#edge/web/emergency-schemas.ts';
import { type Storm, storm } from '../unit/warnings/messages.ts';
import { type RunningCampus, startCampus } from './campus.ts';
import { newPerson, newToken, type SignedInBrowser } from './people-client.ts';

/* Emergencies on a whole campus: real processes, loudspeakers over RTP, a person who signed in, machines with tokens. */

const soon = { timeout: 30_000, interval: 100 };
const centre = '51041141600000';
type List = z.infer<typeof shapes.emergenciesView>;
type Story = z.infer<typeof shapes.emergencyView>;

let campus: RunningCampus;
let guard: SignedInBrowser;
let machine: Record<string, string>;
beforeAll(async () => {
  campus = await startCampus({
    ...{ only: ['core', 'broadcast', 'web'], city: false, onlyRules: {} },
    change: (site) => ({
      ...site,
      broadcast: { ...site.broadcast, drillWord: { clip: 'bell', length: 2_000 }, sirens: [] },
      emergency: {
        ...site.emergency,
        allClear: null,
        plans: { ...site.emergency.plans, storm: { clips: ['evacuation'], zones: 'all' } },
        warnings: { ...site.emergency.warnings, senders: [{ sender: centre, certificates: [], mustSign: false }] },
      },
    }),
  });
  await vi.waitFor(async () => expect((await list()).plans.length).toBe(5), soon);
  guard = await newPerson(campus, 'guard', 'security');
  machine = await newToken(campus, 'early-warning', ['warn']);
}, 90_000);
afterAll(() => campus[Symbol.asyncDispose]());

const list = () => campus.get<List>('emergencies');
const story = (id: string) => campus.get<Story>(`emergencies/${id}`);

async function say<T>(path: string, body: object): Promise<T> {
  const headers = { 'content-type': 'application/json', cookie: guard.cookie, 'x-csrf-token': guard.csrf };
  const answer = await fetch(`${campus.url}/api/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

async function warn(change: Storm): Promise<{ act: string; reason: string; emergency: string | null }> {
  const answer = await fetch(`${campus.url}/api/v1/warnings`, {
    ...{ method: 'POST', headers: { ...machine, 'content-type': 'application/cap+xml' }, body: storm(change) },
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { act: string; reason: string; emergency: string | null };
}

async function playing(): Promise<string[]> {
  const { rooms } = await campus.get<z.infer<typeof broadcastNow>>('broadcast/now');
  return rooms.flatMap(({ playing: part }) => (part === null ? [] : [`${part.class}${part.drill ? ' drill' : ''}`]));
}

describe('an emergency', () => {
  test('goes from the button to the all clear, with its sound, its steps, its roll-call, and every word of it kept', async () => {
    const begun = await say<{ id: string; joined: boolean }>('emergencies', {
      ...{ kind: 'fire', drill: false, why: 'smoke on the second floor', confirm: 'begin' },
    });
    expect(begun.joined).toBe(false);
    await vi.waitFor(async () => expect(new Set(await playing())).toEqual(new Set(['fire'])), soon);
    const [open] = (await list()).open;
    expect(open).toMatchObject({
      id: begun.id,
      kind: 'fire',
      drill: false,
      origin: { kind: 'person' },
      by: 'guard',
    });
    const alarms = await campus.get<{ source: string; class: string }[]>('alarms');
    expect(alarms.map(({ source }) => source)).toContain(`emergency:${begun.id}`);
    const [first, second] = open?.roll ?? [];
    await say(`emergencies/${begun.id}/roll`, {
      rooms: [
        { room: first?.room, state: 'all', present: 42 },
        { room: second?.room, state: 'missing', missing: 1, note: 'one is in the sick room' },
      ],
    });
    await say(`emergencies/${begun.id}/steps/0`, { done: true });
    await say(`emergencies/${begun.id}/notes`, { text: 'the fire brigade is on its way' });
    const again = await say<{ id: string; joined: boolean }>('emergencies', {
      ...{ kind: 'fire', drill: false, why: 'a second report', confirm: 'begin' },
    });
    expect(again).toMatchObject({ id: begun.id, joined: true });
    await say(`emergencies/${begun.id}/sounds`, { on: false, why: 'listening' });
    await vi.waitFor(async () => expect(await playing()).toEqual([]), soon);
    await say(`emergencies/${begun.id}/sounds`, { on: true, why: 'go on' });
    await vi.waitFor(async () => expect((await playing()).length).toBeGreaterThan(1), soon);
    const before = campus.pid('core');
    process.kill(before, 'SIGKILL');
    await vi.waitFor(() => expect(campus.status('core')).toMatchObject({ state: 'ready' }), soon);
    await vi.waitFor(async () => expect((await list()).open.map(({ id }) => id)).toEqual([begun.id]), soon);
    await vi.waitFor(async () => expect(new Set(await playing())).toEqual(new Set(['fire'])), soon);
    const clear = await say<{ cleared: boolean }>(`emergencies/${begun.id}/all-clear`, {
      ...{ why: 'burnt toast', confirm: 'all-clear' },
    });
    expect(clear.cleared).toBe(true);
    await vi.waitFor(async () => expect(await playing()).toEqual([]), soon);
    const told = await story(begun.id);
    expect(told.timeline.map(({ act }) => act)).toEqual([
      ...['began', 'sound', 'roll', 'step', 'note', 'update', 'sounds-stopped', 'sound', 'cleared'],
    ]);
    expect(told.roll.find(({ room }) => room === second?.room)).toMatchObject({
      state: 'missing',
      missing: 1,
      by: 'guard',
    });
    expect(told.cleared).not.toBeNull();
    expect((await list()).past.map(({ id }) => id)).toContain(begun.id);
    const csv = await fetch(`${campus.url}/api/v1/emergencies/${begun.id}/report.csv`, { headers: owner() });
    expect(await csv.text()).toContain('burnt toast');
  }, 120_000);

  test('in an exercise says in every message that it is one, and gives way to a real one at once', async () => {
    const drill = await say<{ id: string }>('emergencies', { kind: 'intrusion', drill: true, confirm: 'begin' });
    await vi.waitFor(async () => expect(new Set(await playing())).toEqual(new Set(['danger drill'])), soon);
    const alarms = await campus.get<{ source: string }[]>('alarms');
    expect(alarms.map(({ source }) => source)).not.toContain(`emergency:${drill.id}`);
    const real = await say<{ id: string }>('emergencies', { kind: 'fire', drill: false, confirm: 'begin' });
    await vi.waitFor(async () => expect(new Set(await playing())).toEqual(new Set(['fire'])), soon);
    expect((await story(drill.id)).timeline.at(-1)).toMatchObject({ act: 'sounds-stopped', who: 'core' });
    for (const { id } of [real, drill]) await say(`emergencies/${id}/all-clear`, { why: 'over', confirm: 'all-clear' });
    await vi.waitFor(async () => expect(await playing()).toEqual([]), soon);
  }, 60_000);

  test('is begun and ended by persons only, within what they may do', async () => {
    const body = { kind: 'fire', drill: false, confirm: 'begin' };
    await expect(campus.post('emergencies', body)).rejects.toThrow(/person/);
    await expect(say('emergencies', { ...body, confirm: 'yes' })).rejects.toThrow(/400/);
    await expect(say('emergencies', { ...body, zones: ['nowhere'] })).rejects.toThrow(/404/);
    expect((await list()).open).toEqual([]);
  });
});

describe('a public warning', () => {
  const now = () => new Date().toISOString().replace(/\.\d+Z$/, '+00:00');
  const later = (ms: number) => new Date(Date.now() + ms).toISOString().replace(/\.\d+Z$/, '+00:00');
  const fresh = (more: Storm = {}): Storm => ({ sent: now(), expires: later(3_600_000), ...more });

  test('that is an exercise, a test, expired, a stranger’s, malformed, or a bomb never sounds', async () => {
    for (const change of [
      { status: 'Exercise', identifier: 'a' },
      { status: 'Test', identifier: 'b' },
      { expires: later(-1_000), identifier: 'c' },
      { sender: 'evil', identifier: 'd' },
    ]) {
      expect((await warn(fresh(change))).act).toBe('none');
    }
    const bomb = `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]>${storm(fresh()).replace(/^<\?xml[^>]*>/, '')}`;
    for (const body of [bomb, '<alert', storm(fresh()).replace('</alert>', ''), `<a>${'x'.repeat(300_000)}</a>`]) {
      const headers = { ...machine, 'content-type': 'application/cap+xml' };
      const answer = await fetch(`${campus.url}/api/v1/warnings`, { method: 'POST', headers, body });
      expect([400, 413]).toContain(answer.status);
    }
    expect((await list()).open).toEqual([]);
    expect(await playing()).toEqual([]);
  });

  test('sounds once, is replaced by its update, and ends with its cancel', async () => {
    const identifier = 'storm-1';
    const first = fresh({ identifier });
    expect(await warn(first)).toMatchObject({ act: 'sound', reason: 'new' });
    await vi.waitFor(async () => expect(new Set(await playing())).toEqual(new Set(['warning'])), soon);
    expect(await warn(first)).toMatchObject({ act: 'none', reason: 'duplicate' });
    expect((await list()).open).toHaveLength(1);
    const reference = `${centre},${identifier},${first.sent}`;
    const update = fresh({ identifier: 'storm-2', type: 'Update', references: reference });
    expect(await warn(update)).toMatchObject({ act: 'sound', reason: 'update' });
    await vi.waitFor(async () => expect((await list()).open).toHaveLength(1), soon);
    expect((await list()).warnings.map(({ key }) => key)).toEqual([`${centre} storm-2`]);
    const cancel = fresh({ identifier: 'storm-3', type: 'Cancel', references: `${centre},storm-2,${update.sent}` });
    expect(await warn(cancel)).toMatchObject({ act: 'end', reason: 'cancel' });
    await vi.waitFor(async () => expect(await playing()).toEqual([]), soon);
    expect((await list()).open).toEqual([]);
    expect((await list()).warnings).toEqual([]);
  }, 60_000);
});

test('an earthquake terminal is heard as it counts down, and taken back', async () => {
  const quake = async (body: object) => {
    const headers = { ...machine, 'content-type': 'application/json' };
    const answer = await fetch(`${campus.url}/api/v1/earthquake`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return (await answer.json()) as { act: string; emergency: string | null };
  };
  expect(await quake({ event: 'q1', intensity: 8, seconds: 20, test: true })).toMatchObject({ act: 'test' });
  expect(await quake({ event: 'q1', intensity: 2, seconds: 20 })).toMatchObject({ act: 'below-threshold' });
  const said = await quake({
    event: 'q1',
    update: 1,
    intensity: 6.5,
    magnitude: 6.8,
    seconds: 20,
    place: '攀枝花附近',
  });
  expect(said.act).toBe('sound');
  const sooner = await quake({ event: 'q1', update: 2, intensity: 7, seconds: 8 });
  expect(sooner).toMatchObject({ act: 'sound', emergency: said.emergency });
  expect((await story(said.emergency ?? '')).origin).toMatchObject({ kind: 'terminal', intensity: 7 });
  expect(await quake({ event: 'q1', update: 1, intensity: 6.5, seconds: 20 })).toMatchObject({ act: 'older' });
  expect(await quake({ event: 'q1', cancel: true, intensity: 0 })).toMatchObject({ act: 'end' });
  expect((await list()).open).toEqual([]);
});

function owner(): Record<string, string> {
  return { authorization: `Bearer ${readFileSync(`${campus.data}/admin-token`, 'utf8').trim()}` };
}
