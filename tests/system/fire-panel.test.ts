import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import { type FirePrinter, startFirePrinter } from '#edge/simulators/fire-printer.ts';
import type { broadcastNow } from '#edge/web/broadcast-schemas.ts';
import type * as shapes from '#edge/web/emergency-schemas.ts';
import { type RunningCampus, startCampus } from './campus.ts';
import { newPerson, type SignedInBrowser } from './people-client.ts';

/* A fire panel that prints, through its driver and a whole core, over a real line. */

const soon = { timeout: 30_000, interval: 100 };
type Story = z.infer<typeof shapes.emergencyView>;

let printer: FirePrinter;
let campus: RunningCampus;
let guard: SignedInBrowser;
beforeAll(async () => {
  printer = await startFirePrinter({ host: '127.0.0.1', port: 0 });
  const panel = {
    ...{ id: 'fire-printer', profile: 'sensor/fire-panel-text', zone: 'gate' },
    name: { zh: '消防主机打印口', en: 'Fire panel printer' },
    address: { tcp: { host: '127.0.0.1', port: printer.port } },
  };
  campus = await startCampus({
    ...{ only: ['core', 'fieldbus', 'broadcast', 'web'], simulators: false, city: false, onlyRules: {} },
    change: (site) => ({
      ...site,
      devices: [...site.devices.filter(({ id }) => id.startsWith('speaker-')), panel as never],
      emergency: {
        ...site.emergency,
        panel: { sounds: true, places: [{ text: '裙楼', zone: 'teaching' as never }] },
      },
    }),
  });
  await vi.waitFor(async () => expect((await list()).plans.length).toBe(5), { timeout: 80_000, interval: 200 });
  guard = await newPerson(campus, 'guard', 'security');
  await vi.waitFor(() => expect(printer.listeners).toBe(1), soon);
}, 90_000);
afterAll(async () => {
  await campus?.[Symbol.asyncDispose]();
  await printer?.[Symbol.asyncDispose]();
});

const list = () => campus.get<z.infer<typeof shapes.emergenciesView>>('emergencies');
const story = (id: string) => campus.get<Story>(`emergencies/${id}`);

async function sounding(): Promise<string[]> {
  const { rooms } = await campus.get<z.infer<typeof broadcastNow>>('broadcast/now');
  return rooms.flatMap(({ zone, playing }) => (playing === null ? [] : [`${zone} ${playing.class}`]));
}

async function allClear(id: string): Promise<void> {
  const headers = { 'content-type': 'application/json', cookie: guard.cookie, 'x-csrf-token': guard.csrf };
  const body = JSON.stringify({ why: 'burnt toast', confirm: 'all-clear' });
  const answer = await fetch(`${campus.url}/api/v1/emergencies/${id}/all-clear`, { method: 'POST', headers, body });
  expect(await answer.json()).toMatchObject({ cleared: true });
}

test('faults, disabled parts, tests and noise of a panel begin nothing', async () => {
  printer.print({ part: '002-011', lines: ['故障', '食堂二层', '感温探测器'] });
  printer.print({ part: '002-011', lines: ['故障恢复', '食堂二层'] });
  printer.print({ part: '003-001', lines: ['屏蔽', '宿舍一层'] });
  printer.print({ lines: ['监管', '消防水箱液位低'] });
  printer.print({ lines: ['自检测试', '模拟火警'] });
  printer.raw(Buffer.from([0xff, 0x80, 0x00, 0x0a, 0x0a]));
  const events = async () => (await campus.get<{ data: { what?: string } }[]>('events?type=fire_panel')).length;
  await vi.waitFor(async () => expect(await events()).toBeGreaterThanOrEqual(5), soon);
  expect((await list()).open).toEqual([]);
  expect(await sounding()).toEqual([]);
}, 60_000);

test('a fire sounds where its detector is, outlives the reset of the panel and a kill -9, and ends by a person alone', async () => {
  printer.fire('裙楼一层上空');
  await vi.waitFor(async () => expect((await list()).open).toHaveLength(1), soon);
  const [open] = (await list()).open;
  const id = open?.id ?? '';
  expect(open).toMatchObject({
    ...{ kind: 'fire', drill: false, zones: ['teaching'], by: 'device:fire-printer' },
    origin: { kind: 'panel', device: 'fire-printer' },
  });
  expect(open?.why).toContain('裙楼一层上空');
  await vi.waitFor(async () => expect(await sounding()).toEqual(['teaching fire']), soon);
  printer.reset();
  await vi.waitFor(async () => expect((await story(id)).timeline.at(-1)?.text).toContain('系统复位'), soon);
  const before = campus.pid('core');
  process.kill(before, 'SIGKILL');
  await vi.waitFor(() => expect(campus.status('core').pid).not.toBe(before), soon);
  await vi.waitFor(async () => expect((await list()).open.map((one) => one.id)).toEqual([id]), soon);
  await vi.waitFor(async () => expect(await sounding()).toEqual(['teaching fire']), soon);
  await allClear(id);
  await vi.waitFor(async () => expect(await sounding()).not.toContain('teaching fire'), soon);
  expect((await list()).open).toEqual([]);
}, 90_000);
