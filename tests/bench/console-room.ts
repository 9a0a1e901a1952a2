import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceId, PointName } from '#edge/domain/ids.ts';
import { pointRef } from '#edge/domain/ids.ts';
import { describeCampus } from '#edge/processes/campus.ts';
import { profileFolder } from '#edge/processes/context.ts';
import { knownProfiles } from '#edge/processes/web/known-profiles.ts';
import { createTryProfile } from '#edge/processes/web/try-profile.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { ManualClock, systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { connectRpc, startRpcServer } from '#edge/runtime/rpc.ts';
import { loadSite } from '#edge/runtime/site.ts';
import { documentKinds, documentSchemas } from '#edge/store/documents.ts';
import { openReader } from '#edge/store/reader.ts';
import type { Store } from '#edge/store/store.ts';
import { LiveState } from '#edge/web/live.ts';
import { startWeb } from '#edge/web/server.ts';
import { loadAdminToken } from '#edge/web/token.ts';
import { Browser, cheapHash } from '../unit/web/people-room.ts';
import { largeSchool, tellHealth, tellReading, tellState } from './console-school.ts';
import { fillIncidents } from './gatehouse-incidents.ts';
import { serveOrders } from './rig.ts';
import { day, hour, openBenchStore } from './store-folder.ts';

/*
 * The web process's own parts in a process of their own: a real store with a real account, a real socket to what stands
 * in for core, and a live state that changes as often as it is told to. One order, one room; it ends with the process.
 */

const orderSchema = z.strictObject({
  folder: z.string(),
  consoleFolder: z.string(),
  /** Meters of a large school, all of whose points change every second; 0: the demo's campus, which stands still. */
  meters: z.int(),
  /** Points of meter-main with a sample every so many ms for 30 days. */
  month: z.nullable(z.strictObject({ points: z.int(), every: z.int() })),
  /** So many of the last year, for the security desk. */
  incidents: z.int().default(0),
});
type Order = z.infer<typeof orderSchema>;

const account = { id: 'bench', password: 'Lantern-7-bench-orchard' };
const demo = join(import.meta.dirname, '../../edge/simulators/demo-site.yaml');
const begun = new AsyncDisposableStack();

serveOrders(async (message) => {
  const order = orderSchema.parse(message);
  const { folder, meters, month, consoleFolder } = order;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const end = hour * Math.floor(systemClock.now() / hour) - 2 * hour;
  if (month !== null) await fillMonth(folder, month, end);
  const store = begun.use(await openBenchStore(folder, systemClock));
  if (order.incidents > 0) await fillIncidents(store, order.incidents, end);
  const socket = join(folder, 'core.sock');
  begun.use(await startRpcServer({ path: socket, methods: coreMethods(store), log: silentLog }));
  await addAccount(store);
  const site = meters === 0 ? await loadSite(demo) : largeSchool(meters, folder);
  const { devices, broken } = await describeCampus(site);
  const live = new LiveState(systemClock);
  tellState(live, devices, systemClock);
  if (meters > 0) keepTelling(live, devices);
  const calendar = createCalendar(site.openingHours, site.campus.timeZone);
  const campus = {
    site,
    devices,
    broken,
    reader: begun.use(openReader(folder)),
    rpc: begun.use(connectRpc(socket)),
    snapshotFolder: join(folder, 'snapshots'),
    data: folder,
    profiles: knownProfiles(await loadProfiles(profileFolder)),
    tryProfile: createTryProfile(),
    rehearse: () => Promise.reject(new Error('nobody rehearses here')),
    certificate: () => null,
    isOpen: (time: number) => calendar.is('open', time),
    flows: null,
  };
  const shared = { token: loadAdminToken(folder), clock: systemClock, log: silentLog, live, siteError: null };
  const web = begun.use(await startWeb({ host: '127.0.0.1', port: 0, ...shared, campus, consoleFolder }));
  const points = devices.reduce((total, device) => total + device.points.length, 0);
  return { url: web.url, cookie: await signIn(web.url), points, from: end - 30 * day, to: end };
});

/** What the web process asks core for while it is measured. */
function coreMethods(store: Store) {
  const put = z.object({
    kind: z.enum(documentKinds),
    id: z.string(),
    body: z.record(z.string(), z.unknown()).nullable(),
    rev: z.int(),
    who: z.string(),
    from: z.string(),
    why: z.string(),
  });
  const line = z.object({ who: z.string(), from: z.string(), what: z.string(), why: z.string(), result: z.string() });
  return {
    'document.put': async (params: unknown) => {
      const { kind, body, ...rest } = put.parse(params);
      const checked = body === null ? null : documentSchemas[kind].parse(body);
      await store.append({ documents: [{ ...rest, kind, body: checked, time: systemClock.now() }] });
      return { rev: rest.rev + 1 };
    },
    audit: async (params: unknown) => {
      await store.append({ audit: [{ ...line.parse(params), time: systemClock.now() }] });
      return {};
    },
  };
}

async function addAccount(store: Store): Promise<void> {
  const time = systemClock.now();
  const body = {
    name: '何立',
    role: 'administrator',
    zones: 'all',
    // Nothing here measures the sign-in itself.
    password: cheapHash(account.password),
    totp: null,
    recovery: [],
    oidc: null,
    disabled: false,
    expired: false,
    passwordTime: time,
    created: time,
  };
  const checked = documentSchemas.person.parse(body);
  const about = { who: 'token:bench', from: 'bench', why: '', time };
  await store.append({ documents: [{ kind: 'person', id: account.id, rev: 0, body: checked, ...about }] });
}

async function signIn(url: string): Promise<string> {
  const browser = new Browser(() => url);
  const answer = await browser.signIn(account.id, account.password);
  if (answer.status !== 200) throw new Error(`nobody can sign in: ${await answer.text()}`);
  return browser.cookie;
}

/** Every point once a second, a tenth of them every 100 ms, as polls come in; what drivers say of devices every 5 s. */
function keepTelling(live: LiveState, devices: readonly Device[]): void {
  const all = devices.flatMap((device) => device.points.map((point): [Device, Point] => [device, point]));
  const parts = 10;
  const every = 100;
  const began = performance.now();
  let told = 0;
  const timer = setInterval(() => {
    // A timer that comes late makes up for it.
    for (; told * every < performance.now() - began; told++) {
      const t = systemClock.now();
      const round = Math.floor(told / parts);
      for (let i = told % parts; i < all.length; i += parts) {
        const [device, point] = all[i] ?? [];
        if (device !== undefined && point !== undefined) tellReading(live, device, point, round, t);
      }
      if (told % (5 * parts) === 0) tellHealth(live, devices, systemClock);
    }
  }, every);
  begun.defer(() => clearInterval(timer));
}

/** As core does it: appended as it comes, folded into blocks, minutes closed and taken by the city. */
async function fillMonth(folder: string, { points, every }: NonNullable<Order['month']>, end: number): Promise<void> {
  const start = end - 30 * day;
  const clock = new ManualClock(start);
  await using store = await openBenchStore(folder, clock, { foldAfter: 30 * 60_000, foldRows: 20_000 });
  const device = 'meter-main' as DeviceId;
  const names = ['power', ...Array.from({ length: points - 1 }, (_, n) => `power_l${n + 1}`)].map(
    (name) => name as PointName,
  );
  const head = { type: 'number' as const, unit: 'W', staleAfter: 6 * every, counter: false };
  await store.registerPoints(names.map((name) => ({ ref: pointRef(device, name), ...head })));
  for (let t = start; t < end; t += 6 * hour) {
    const times = Array.from({ length: (6 * hour) / every }, (_, i) => t + i * every);
    const readings = times.flatMap((at) =>
      names.map((point, n) => ({
        ref: pointRef(device, point),
        device,
        point,
        value: Math.round(4_000 + 2_000 * Math.sin(at / 4e6 + n) + 60 * Math.sin(at / 7_300)),
        unit: 'W',
        quality: 'good' as const,
        sourceTime: at,
        receivedTime: at + 12,
      })),
    );
    await store.append({ readings });
    clock.advance(6 * hour);
    await settle(store, clock);
  }
  clock.advance(hour);
  await settle(store, clock);
}

async function settle(store: Store, clock: ManualClock): Promise<void> {
  while ((await store.summarise(clock.now() - 5_000)) > 0) {}
  const { lanes } = await store.stats();
  for (const { lane, head } of lanes) if (head > 0) await store.outboxAcknowledge(lane, store.epoch, head);
  while ((await store.maintain(clock.now())).folded.rows > 0) {}
}
