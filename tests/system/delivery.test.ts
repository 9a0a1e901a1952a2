import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import type { SiteDevice } from '#edge/runtime/site.ts';
import { type SipSpeaker, startSipSpeaker } from '#edge/simulators/sip-speaker.ts';
import type * as shapes from '#edge/web/broadcast-schemas.ts';
import { type RunningCampus, startCampus } from './campus.ts';

/* Proof of delivery on a whole campus: loudspeakers by SIP that are well, busy, unplugged or turned down, and by RTP. */

const soon = { timeout: 30_000, interval: 100 };
const host = '127.0.0.1';
type Played = z.infer<typeof shapes.played>;
type Story = z.infer<typeof shapes.itemStory>;
type Report = z.infer<typeof shapes.reportView>;
type AlarmRow = { readonly source: string; readonly active: boolean; readonly message: { readonly zh: string } };

let campus: RunningCampus;
const calls: Record<'well' | 'busy' | 'down', SipSpeaker | null> = { well: null, busy: null, down: null };

beforeAll(async () => {
  calls.well = await startSipSpeaker({ host, behaviour: { reports: 500 } });
  calls.busy = await startSipSpeaker({ host });
  calls.down = await startSipSpeaker({ host });
  const device = (id: string, zh: string, speaker: SipSpeaker | null) =>
    ({
      ...{ id: `sip-${id}`, name: { zh, en: id }, profile: 'speaker/sip-speaker', zone: 'teaching', tags: [] },
      address: { call: `sip:page@${host}:${speaker?.port}` },
    }) as unknown as SiteDevice;
  campus = await startCampus({
    ...{ only: ['core', 'broadcast', 'web'], city: false, onlyRules: {} },
    change: (site) => ({
      ...site,
      devices: [
        ...site.devices,
        device('well', '一年级 1 班音箱', calls.well),
        device('busy', '一年级 2 班音箱', calls.busy),
        device('down', '二年级 1 班音箱', calls.down),
      ],
    }),
  });
  await vi.waitFor(async () => {
    const { rooms } = await campus.get<z.infer<typeof shapes.broadcastNow>>('broadcast/now');
    expect(rooms.filter(({ online }) => online === true).length).toBeGreaterThan(5);
  }, soon);
}, 90_000);
afterAll(async () => {
  await campus?.[Symbol.asyncDispose]();
  for (const speaker of Object.values(calls)) await speaker?.[Symbol.asyncDispose]();
});

const play = (devices: readonly string[]) =>
  campus.post<Played>('broadcast/play', { clips: ['evacuation'], loop: true, devices, why: 'a test' });
const stop = (item: string | null) => campus.post(`broadcast/items/${item}/stop`, { why: 'enough' });
const story = (item: string | null) => campus.get<Story>(`broadcast/items/${item}`);
const stateOf = async (item: string | null, device: string) =>
  (await story(item)).deliveries.find((one) => one.device === device);
const alarms = async () => (await campus.get<AlarmRow[]>('alarms')).filter(({ active }) => active);

describe('proof of delivery', () => {
  test('a loudspeaker that takes the call and reports back has heard it, and the day says so', async () => {
    const { item } = await play(['sip-well', 'speaker-gate']);
    await vi.waitFor(async () => {
      expect(await stateOf(item, 'sip-well')).toMatchObject({ state: 'playing', proof: 'heard' });
      expect(await stateOf(item, 'speaker-gate')).toMatchObject({ state: 'playing', proof: 'sent' });
    }, soon);
    // Long enough for its count to be more than its first report.
    await vi.waitFor(() => expect(calls.well?.heard().packets).toBeGreaterThan(200), soon);
    await stop(item);
    await vi.waitFor(async () => expect((await story(item)).item.over).not.toBeNull(), soon);
    const told = await stateOf(item, 'sip-well');
    expect(told).toMatchObject({ state: 'played', proof: 'heard', reason: '' });
    expect(told?.heard).toBeGreaterThan(0);
    expect(told?.counted).toBeGreaterThan(0);
    expect(calls.well?.heard().calls).toBe(1);
    expect(calls.well?.heard().packets).toBeGreaterThan(0);
  }, 60_000);

  test.each([
    ['busy', '一年级 2 班音箱', () => calls.busy?.behave({ answer: 486 })],
    ['unplugged', '二年级 1 班音箱', () => calls.down?.behave({ answer: 'silent' })],
  ])(
    'one that is %s is named within seconds, while the others play',
    async (what, name, breakIt) => {
      const device = what === 'busy' ? 'sip-busy' : 'sip-down';
      breakIt();
      const began = performance.now();
      const { item } = await play([device, 'speaker-gate']);
      await vi.waitFor(
        async () => expect((await alarms()).map(({ source }) => source)).toContain(`delivery:${device}`),
        {
          ...{ timeout: 20_000, interval: 50 },
        },
      );
      const took = performance.now() - began;
      const alarm = (await alarms()).find(({ source }) => source === `delivery:${device}`);
      expect(alarm?.message.zh).toContain(name);
      // The promise is 5 s after it was told; a busy machine gets some more.
      expect(took).toBeLessThan(12_000);
      console.info(`delivery: ${what} was told by name after ${Math.round(took)} ms`);
      // The alarm goes first; what came of it is on disk a moment later.
      await vi.waitFor(async () => expect(await stateOf(item, device)).toMatchObject({ state: 'missed' }), soon);
      expect((await stateOf(item, device))?.reason).not.toBe('');
      await vi.waitFor(async () => expect((await stateOf(item, 'speaker-gate'))?.state).toBe('playing'), soon);
      await stop(item);
    },
    60_000,
  );

  test('one that is turned down to nothing is not said to have played', async () => {
    await fetch(`${campus.url}/api/v1/broadcast/levels`, {
      method: 'PUT',
      headers: { ...owner(), 'content-type': 'application/json' },
      body: JSON.stringify({ rev: 0, body: { devices: { 'speaker-playground': 0 } }, why: 'a test' }),
    });
    const { item } = await play(['speaker-playground']);
    await vi.waitFor(async () => {
      expect((await alarms()).map(({ source }) => source)).toContain('delivery:speaker-playground');
    }, soon);
    expect(await stateOf(item, 'speaker-playground')).toMatchObject({ state: 'missed', reason: 'it is muted' });
    await stop(item);
  }, 60_000);

  test('the day’s report agrees with what the loudspeakers counted themselves', async () => {
    const today = new Intl.DateTimeFormat('en-CA', { timeZone: campus.site.campus.timeZone }).format(Date.now());
    await vi.waitFor(async () => {
      const report = await campus.get<Report>(`broadcast/report?date=${today}`);
      const of = (device: string) => report.devices.find((one) => one.device === device)?.counts ?? {};
      expect(of('sip-well')).toEqual({ played: calls.well?.heard().calls });
      expect(of('sip-busy')).toEqual({ missed: 1 });
      expect(of('sip-down')).toEqual({ missed: 1 });
      expect(of('speaker-playground')).toEqual({ missed: 1 });
      expect(report.missed.map(({ device }) => device).toSorted()).toEqual([
        'sip-busy',
        'sip-down',
        'speaker-playground',
      ]);
    }, soon);
    expect(calls.busy?.heard().calls).toBe(0);
    const { devices } = await campus.get<Report>(`broadcast/report?date=${today}`);
    const counterOf = (device: string) => devices.find((one) => one.device === device)?.counter;
    // Frames of 20 ms, as the loudspeaker's own program saw them; its last report came up to half a second before the end.
    const received = (calls.well?.heard().packets ?? 0) * 20;
    const counter = counterOf('sip-well');
    expect(counter).toMatchObject({ what: 'rtcp', agrees: true });
    expect(counter?.value).toBeGreaterThan(received - 1_500);
    expect(counter?.value).toBeLessThanOrEqual(received + 20);
    expect(Math.abs((counter?.value ?? 0) - (counter?.ours ?? 0))).toBeLessThan(3_000);
    console.info(`delivery: it got ${received} ms, says ${counter?.value} ms, our ledger has ${counter?.ours} ms`);
    // What only gets packets counts nothing, and is not said to.
    expect(counterOf('speaker-gate')).toBeNull();
    const csv = await fetch(`${campus.url}/api/v1/broadcast/report.csv?date=${today}`, { headers: owner() });
    expect(await csv.text()).toContain('一年级 2 班音箱');
  }, 60_000);
});

function owner(): Record<string, string> {
  return { authorization: `Bearer ${readFileSync(`${campus.data}/admin-token`, 'utf8').trim()}` };
}
