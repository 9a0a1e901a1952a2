import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import type * as shapes from '#edge/web/broadcast-schemas.ts';
import { type RunningCampus, startCampus } from './campus.ts';

/* The broadcast desk on a whole campus: real processes, RTP to simulated loudspeakers, and what people are told. */

const soon = { timeout: 30_000, interval: 100 };
type Now = z.infer<typeof shapes.broadcastNow>;
type Played = z.infer<typeof shapes.played>;

let campus: RunningCampus;
beforeAll(async () => {
  campus = await startCampus({ only: ['core', 'broadcast', 'web'], city: false, onlyRules: {} });
  await vi.waitFor(async () => expect((await now()).rooms.every(({ online }) => online === true)).toBe(true), soon);
}, 60_000);
afterAll(() => campus[Symbol.asyncDispose]());

const now = () => campus.get<Now>('broadcast/now');
const room = async (device: string) => {
  const found = (await now()).rooms.find((one) => one.device === device);
  if (found === undefined) throw new Error(`there is no room ${device}`);
  return found;
};
const play = (body: object) => campus.post<Played>('broadcast/play', body);
const packets = async (name: string) => (await campus.heard()).find((one) => one.name === name)?.packets ?? 0;
async function grows(name: string, within = 10_000): Promise<void> {
  const before = await packets(name);
  await vi.waitFor(async () => expect(await packets(name)).toBeGreaterThan(before + 10), {
    timeout: within,
    interval: 50,
  });
}
async function falls(name: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const before = await packets(name);
      await new Promise((resolve) => setTimeout(resolve, 400));
      expect(await packets(name)).toBe(before);
    },
    { timeout: 20_000, interval: 50 },
  );
}

describe('broadcast on a campus', () => {
  test('plays a clip where it was asked for, says why, and stops it there alone', async () => {
    const answer = await play({
      clips: ['evacuation'],
      loop: true,
      zones: 'all',
      why: 'an exercise of the loudspeakers',
    });
    expect(answer).toMatchObject({ outcome: 'taken', message: '' });
    const { rooms } = await now();
    const names = (await campus.heard()).map(({ name }) => name);
    for (const name of names) await grows(name);
    expect(rooms.length).toBeGreaterThan(1);
    expect(rooms.map(({ playing }) => playing?.item)).toEqual(rooms.map(() => answer.item));
    expect(rooms[0]?.playing).toMatchObject({ class: 'page', why: 'an exercise of the loudspeakers' });
    const [first] = rooms;
    await campus.post(`broadcast/items/${answer.item}/stop`, { devices: [first?.device], why: 'too loud here' });
    await vi.waitFor(async () => expect((await room(first?.device ?? '')).reason).toBe('nothing-asked'), soon);
    expect((await now()).rooms.filter(({ playing }) => playing !== null)).toHaveLength(rooms.length - 1);
    await campus.post(`broadcast/items/${answer.item}/stop`, { why: 'enough' });
    await vi.waitFor(async () => expect((await now()).items).toEqual([]), soon);
    for (const name of names) await falls(name);
    const lines = await campus.get<{ lines: { what: string; why: string }[] }>('audit?limit=20').catch(() => null);
    if (lines !== null) expect(lines.lines.map(({ what }) => what).join()).toContain('broadcast.play page evacuation');
  }, 90_000);

  test('refuses what cannot be heard, with the reason', async () => {
    await expect(play({ clips: ['no-such-clip'], zones: 'all' })).rejects.toThrow(/there is no clip/);
    await expect(play({ clips: ['evacuation'], zones: ['no-such-zone'] })).rejects.toThrow(/there is no zone/);
  });

  test('lets a person’s hand and a stronger sound cut it, and goes on where it was', async () => {
    const page = await play({ clips: ['evacuation'], loop: true, zones: 'all', why: 'page' });
    const { rooms } = await now();
    const device = rooms[0]?.device ?? '';
    const danger = await play({ class: 'danger', clips: ['evacuation'], loop: true, devices: [device], why: 'danger' });
    await vi.waitFor(async () => expect((await room(device)).playing?.item).toBe(danger.item), soon);
    const cut = (await room(device)).waiting.find(({ item }) => item === page.item);
    expect(cut).toMatchObject({ state: 'cut', blocker: { kind: 'item', class: 'danger' } });
    await campus.post(`broadcast/items/${danger.item}/stop`, { why: 'over' });
    await vi.waitFor(async () => expect((await room(device)).playing?.item).toBe(page.item), soon);
    await campus.post(`broadcast/items/${page.item}/stop`, { why: 'over' });
    await vi.waitFor(async () => expect((await now()).items).toEqual([]), soon);
  }, 60_000);

  test('is not silenced by the end of core or of the loudspeakers’ process: the emergency goes on, and ends when it is said to', async () => {
    const { item } = await play({ class: 'danger', clips: ['evacuation'], loop: true, zones: 'all', why: 'lockdown' });
    const names = (await campus.heard()).map(({ name }) => name);
    for (const name of names) await grows(name);
    const before = campus.pid('core');
    process.kill(before, 'SIGKILL');
    // Nobody decides anything now, and it is heard all the same.
    for (const name of names) await grows(name, 2_000);
    await vi.waitFor(() => expect(campus.status('core')).toMatchObject({ state: 'ready' }), soon);
    await vi.waitFor(
      async () => expect((await now()).items.map(({ id, state }) => [id, state])).toEqual([[item, 'playing']]),
      soon,
    );
    for (const name of names) await grows(name);
    process.kill(campus.pid('broadcast'), 'SIGKILL');
    for (const name of names) await grows(name, 30_000);
    expect((await now()).items.map(({ id, state }) => [id, state])).toEqual([[item, 'playing']]);
    await campus.post(`broadcast/items/${item}/stop`, { why: 'all is well' });
    await vi.waitFor(async () => expect((await now()).items).toEqual([]), soon);
    for (const name of names) await falls(name);
  }, 120_000);

  test('keeps rooms quiet while a lesson is recorded, but for emergencies', async () => {
    const { rooms } = await now();
    const device = rooms[0]?.device ?? '';
    const { id } = await campus.post<{ id: string }>('broadcast/quiet', {
      ...{ kind: 'recording', devices: [device], until: Date.now() + 600_000, why: 'a lesson is recorded' },
    });
    const page = await play({ clips: ['evacuation'], loop: true, zones: 'all', why: 'page' });
    await vi.waitFor(async () => expect((await room(device)).reason).toBe('quiet'), soon);
    expect((await room(device)).quiet).toMatchObject({ kind: 'recording', reason: 'a lesson is recorded' });
    const danger = await play({ class: 'danger', clips: ['evacuation'], loop: true, devices: [device], why: 'danger' });
    await vi.waitFor(async () => expect((await room(device)).playing?.item).toBe(danger.item), soon);
    await campus.post(`broadcast/items/${danger.item}/stop`, { why: 'over' });
    const left = await fetch(`${campus.url}/api/v1/broadcast/quiet/${id}`, { method: 'DELETE', headers: headers() });
    expect(left.status).toBe(200);
    await vi.waitFor(async () => expect((await room(device)).playing?.item).toBe(page.item), soon);
    await campus.post(`broadcast/items/${page.item}/stop`, { why: 'over' });
  }, 60_000);
});

function headers(): Record<string, string> {
  return { authorization: `Bearer ${readFileSync(`${campus.data}/admin-token`, 'utf8').trim()}` };
}
