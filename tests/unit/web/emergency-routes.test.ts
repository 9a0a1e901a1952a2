import Database from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import type { Emergency } from '#edge/domain/emergency.ts';
import { createEmergencyMethods } from '#edge/processes/core/emergency-methods.ts';
import { emergencySection } from '#edge/runtime/site-emergency.ts';
import { databaseFile } from '#edge/store/database.ts';
import type * as shapes from '#edge/web/emergency-schemas.ts';
import { EmergencyRoom, zones } from '../core/emergency-room.ts';
import { type Browser, type PeopleRoom, startPeopleRoom } from './people-room.ts';

/* The routes of emergencies with the real desk behind a real socket: whose zones, whose hands, and what is left without a disk. */

type List = z.infer<typeof shapes.emergenciesView>;
type Story = z.infer<typeof shapes.emergencyView>;
const [teaching, gate] = zones;

let people: PeopleRoom;
let room: EmergencyRoom;
let chief: Browser;
let porter: Browser;

beforeAll(async () => {
  const warnings = { shown: () => [] } as never;
  const methods = ['list', 'begin', 'clear', 'sounds', 'roll', 'step', 'note'].map((name) => [
    `crisis.${name}`,
    (params: unknown) => {
      const { desk, clock } = room;
      const all = createEmergencyMethods({ desk, warnings, earthquakes: null as never, clock });
      const method = all[`crisis.${name}`];
      if (method === undefined) throw new Error(`there is no crisis.${name}`);
      return method(params);
    },
  ]);
  people = await startPeopleRoom({
    methods: Object.fromEntries(methods),
    change: (site) => ({
      ...site,
      people: { ...site.people, idle: {} },
      emergency: emergencySection.parse({ plans: { intrusion: { zones: [gate] } } }),
    }),
  });
  await people.addPerson('chief', 'security', { zones: 'all' });
  await people.addPerson('porter', 'security', { zones: [gate, teaching] });
  chief = await people.signedIn('chief');
  porter = await people.signedIn('porter');
}, 60_000);
afterAll(() => people[Symbol.asyncDispose]());
beforeEach(() => {
  room = new EmergencyRoom({ intrusion: { clips: ['siren'], zones: [gate] } });
});
afterEach(() => room[Symbol.dispose]());

async function begin(who: Browser, body: object): Promise<{ status: number; id: string }> {
  const answer = await who.post('emergencies', { kind: 'fire', drill: false, confirm: 'begin', ...body });
  return { status: answer.status, id: ((await answer.json()) as { id: string }).id };
}
const list = async (who: Browser) => (await (await who.get('emergencies')).json()) as List;
const story = async (who: Browser, id: string) => (await (await who.get(`emergencies/${id}`)).json()) as Story;
const word = (name: string) => ({ room: `space:${name}`, state: 'all', present: 40 });

describe('where it begins', () => {
  test('is where the plan says, for everybody who says nothing, and never less than he asks for', async () => {
    expect(room.one((await begin(chief, { kind: 'intrusion' })).id).zones).toEqual([gate]);
    expect(room.one((await begin(chief, { kind: 'intrusion', zones: 'all' })).id).zones).toHaveLength(3);
    expect(room.one((await begin(chief, {})).id).zones).toHaveLength(3);
  });

  test('is in his own zones for whoever is limited to some, in those of the plan first', async () => {
    expect(room.one((await begin(porter, { kind: 'intrusion' })).id).zones).toEqual([gate]);
    expect([...room.one((await begin(porter, {})).id).zones].toSorted()).toEqual([gate, teaching]);
    expect((await begin(porter, { zones: ['canteen'] })).status).toBe(404);
  });
});

describe('whoever is limited to zones', () => {
  test('reads no room, no number and no line of elsewhere, neither on the page nor in the table', async () => {
    const { id } = await begin(chief, { why: 'smoke' });
    expect((await chief.post(`emergencies/${id}/roll`, { rooms: [word('gate'), word('field')] })).status).toBe(200);
    // Of a version that did not say whose rooms a line names.
    const old = { ...room.one(id).timeline[0], act: 'roll', text: 'field complete' };
    room.disk.set(id, { ...room.one(id), timeline: [...room.one(id).timeline, old] } as Emergency);
    room.restart();
    const seen = await story(porter, id);
    expect(seen.zones.toSorted()).toEqual([gate, teaching]);
    expect(seen.roll.map((each) => each.zone).toSorted()).toEqual([gate, teaching]);
    expect(JSON.stringify([seen, await list(porter)])).not.toContain('field');
    expect(JSON.stringify(await story(chief, id))).toContain('field complete');
  });

  test('calls no roll elsewhere, and neither silences nor ends what is elsewhere, too', async () => {
    const { id } = await begin(chief, {});
    expect((await porter.post(`emergencies/${id}/roll`, { rooms: [word('gate')] })).status).toBe(200);
    expect((await porter.post(`emergencies/${id}/roll`, { rooms: [word('field')] })).status).toBe(404);
    expect((await porter.post(`emergencies/${id}/sounds`, { on: false, why: 'listening' })).status).toBe(403);
    const clear = { why: 'over', confirm: 'all-clear' };
    expect((await porter.post(`emergencies/${id}/all-clear`, clear)).status).toBe(403);
    expect(room.isOpen(id)).toBe(true);
    const own = await begin(porter, { kind: 'intrusion' });
    expect((await porter.post(`emergencies/${own.id}/all-clear`, clear)).status).toBe(200);
    expect(room.isOpen(own.id)).toBe(false);
  });
});

test('what is said and done is in the audit by its person', async () => {
  const { id } = await begin(chief, {});
  await chief.post(`emergencies/${id}/roll`, { rooms: [word('gate')] });
  await chief.post(`emergencies/${id}/steps/0`, { done: true });
  await chief.post(`emergencies/${id}/notes`, { text: 'the brigade is here' });
  await chief.post(`emergencies/${id}/sounds`, { on: false, why: 'listening' });
  expect(room.audit).toEqual([
    ...['crisis.begin fire', `crisis.roll ${id}`, `crisis.step ${id} 0 done`],
    ...[`crisis.note ${id}`, `crisis.sounds ${id} off`],
  ]);
});

test('what a rule holds is not silenced here: 409, and why', async () => {
  const origin = { kind: 'rule', rule: 'fire-a' } as const;
  const { id } = room.begin({ origin, by: 'rule:fire-a', sounds: false });
  room.standing.set('fire-a', 'its rule holds the loudspeakers');
  const answer = await chief.post(`emergencies/${id}/sounds`, { on: false, why: 'listening' });
  expect(answer.status).toBe(409);
  expect(await answer.json()).toMatchObject({
    ...{ error: 'emergency-held', message: expect.stringContaining('its rule holds the loudspeakers') },
  });
  const refused = await chief.post(`emergencies/${id}/all-clear`, { why: 'over', confirm: 'all-clear' });
  expect(await refused.json()).toEqual({ cleared: false, message: 'its rule holds the loudspeakers' });
});

test('what goes on is shown and ends though what is over cannot be read', async () => {
  const { id } = await begin(chief, {});
  const disk = new Database(databaseFile(people.data));
  disk.exec('ALTER TABLE emergency RENAME TO elsewhere');
  try {
    const told = await list(chief);
    expect(told).toMatchObject({ open: [{ id }], past: [] });
    expect(told.pastProblem).toMatch(/no such table/);
    const answer = await chief.post(`emergencies/${id}/all-clear`, { why: 'over', confirm: 'all-clear' });
    expect(await answer.json()).toEqual({ cleared: true, message: '' });
  } finally {
    disk.exec('ALTER TABLE elsewhere RENAME TO emergency');
    disk.close();
  }
  expect(room.isOpen(id)).toBe(false);
});
