import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InboundMessage } from '#edge/bus/bus.ts';
import type { CounterStep } from '#edge/domain/counter.ts';
import type { CounterRule, Device, Point } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { createIngest, type Ingest } from '#edge/ingest/ingest.ts';
import { CounterDesk } from '#edge/processes/core/counters.ts';
import { Shelf } from '#edge/processes/core/shelf.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import type { Store } from '#edge/store/store.ts';
import { open } from '../../fixtures/store/site.ts';

/*
 * What core has for counters, put together as core does: ingest, the store with its real thread and file, and the desk at which
 * steps are decided. Without broker and rules, so that a month of reads takes seconds.
 */

export const meter = 'meter-1' as DeviceId;

export interface CounterRoom extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly ingest: Ingest;
  readonly desk: CounterDesk;
  readonly store: Store;
  readonly reader: Reader;
  readonly folder: string;
  /** Everything that was said of alarms, in order. */
  readonly said: AlarmDecision[];
  readonly published: Reading[];
  /** One message of the meter's driver, as core takes it; `t`: the driver's clock. */
  hear(values: Readonly<Record<string, number | string>>, t?: number): Promise<void>;
  decide(step: CounterStep, verdict: 'accept' | 'reject', between?: number | null): Promise<CounterStep>;
  /** Ends as a kill would, and begins again with what was on the disk. `meanwhile`: ms in which nobody listens. */
  kill(meanwhile?: number): Promise<void>;
  /** Rise of each day between boundaries, as history says it, and as the city was told last. */
  days(boundaries: readonly number[]): { readonly history: (number | null)[]; readonly city: number[] };
}

export interface RoomOptions {
  readonly start: number;
  readonly counter: CounterRule;
  readonly more?: readonly Partial<Point>[];
  /** ms; 0: for ever. */
  readonly staleAfter?: number;
}

function deviceOf({ counter, more = [], staleAfter = 900_000 }: RoomOptions): Device {
  const plain = {
    type: 'number' as const,
    unit: 'kW.h',
    poll: 'slow' as const,
    deadband: 0,
    staleAfter,
    address: {},
  };
  const point = (one: Partial<Point>): Point => {
    const name = one.name ?? ('energy' as PointName);
    return { ...plain, name, label: { zh: name, en: name }, ...one };
  };
  return {
    id: meter,
    name: { zh: '总表', en: 'Main meter' },
    profile: 'meter/test',
    protocol: 'modbus',
    zone: 'school' as ZoneId,
    points: [point({ counter }), ...more.map(point)],
    address: {},
  };
}

export async function openCounterRoom(options: RoomOptions): Promise<CounterRoom> {
  const root = await mkdtemp(join(tmpdir(), 'counter-room-'));
  const clock = new ManualClock(options.start);
  const device = deviceOf(options);
  const said: AlarmDecision[] = [];
  const published: Reading[] = [];
  const tuning = { foldRows: 1, foldAfter: 0 };
  let turn = 0;

  const begin = async (folder: string) => {
    const store = await open(folder, tuning, { clock });
    const restored = await store.restore();
    const shelf = new Shelf(store);
    const ingest = createIngest({ devices: [device], clock, log: silentLog, timeZone: 'Asia/Shanghai' });
    shelf.register(ingest.registry.devices());
    ingest.restore(restored.latest, { good: restored.good, steps: restored.counterSteps });
    const reader = openReader(folder, clock);
    const pending: Promise<void>[] = [];
    const desk = new CounterDesk({
      ...{ ingest, reader, clock },
      stored: restored.counterSteps,
      append: (batch) => shelf.append(batch),
      tell: async (readings, decisions) => {
        published.push(...readings);
        said.push(...decisions);
      },
      commit: (batch) => void pending.push(shelf.append(batch)),
    });
    said.push(...desk.begin());
    return { folder, store, shelf, ingest, reader, desk, pending };
  };
  const first = join(root, '0');
  await mkdir(first);
  let now = await begin(first);

  const end = async (old: typeof now) => {
    old.reader[Symbol.dispose]();
    await old.store[Symbol.asyncDispose]();
    await rm(old.folder, { recursive: true, force: true });
  };
  return {
    clock,
    said,
    published,
    get ingest() {
      return now.ingest;
    },
    get desk() {
      return now.desk;
    },
    get store() {
      return now.store;
    },
    get folder() {
      return now.folder;
    },
    get reader() {
      return now.reader;
    },
    async hear(values, t) {
      const body = { ...(t === undefined ? {} : { t }), s: Object.entries(values) };
      const { readings, late, raw, steps, events } = now.ingest.accept(message(body));
      said.push(...now.desk.hear(steps));
      published.push(...readings);
      const counters = steps.length === 0 ? {} : { counters: steps.map(({ step }) => step) };
      await now.shelf.append({ readings: [...late, ...raw, ...readings], events, ...counters });
    },
    async decide(step, verdict, between = null) {
      const by = { note: 'looked at it', who: 'person:zhou', from: '127.0.0.1' };
      const [decided] = await now.desk.decide({ steps: [{ id: step.id, between }], verdict, ...by });
      if (decided === undefined) throw new Error('nothing was decided');
      return decided;
    },
    async kill(meanwhile = 0) {
      const old = now;
      turn++;
      const folder = join(root, String(turn));
      await mkdir(folder);
      // A group that is committed is in these two files; what is not is lost, as with SIGKILL.
      for (const name of ['campus.db', 'campus.db-wal']) await copyFile(join(old.folder, name), join(folder, name));
      for (const name of ['audit-head', 'campus.epoch']) {
        await copyFile(join(old.folder, name), join(folder, name)).catch(() => {});
      }
      await mkdir(join(folder, 'keys'));
      await copyFile(join(old.folder, 'keys/audit.key'), join(folder, 'keys/audit.key'));
      await end(old);
      clock.advance(meanwhile);
      now = await begin(folder);
    },
    days(boundaries) {
      const [from = 0] = boundaries;
      const to = boundaries.at(-1) ?? 0;
      const { reader } = now;
      const buckets = reader.history(`${meter}/energy`, from, to, '1d', 1_000, { boundaries })?.buckets ?? [];
      const byDay = new Map(buckets.map(({ t, delta }) => [t, delta]));
      const minutes = cityMinutes(reader);
      const starts = boundaries.slice(0, -1);
      return {
        history: starts.map((t) => byDay.get(t) ?? null),
        city: starts.map((t, i) => {
          const until = boundaries[i + 1] ?? 0;
          return [...minutes].reduce((sum, [at, rise]) => (at >= t && at < until ? sum + rise : sum), 0);
        }),
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(now.pending);
      await end(now);
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** What a city that took every frame has: of each minute the row with the largest `rev`, of two the later. */
export function cityMinutes(reader: Reader, ref = `${meter}/energy`): Map<number, number> {
  const told = new Map<number, { rev: number; delta: number }>();
  for (let after = 0; ; ) {
    const rows = reader.outbox('agg1m', after, 5_000);
    for (const { body } of rows) {
      const { t, points } = body as {
        t: number;
        points: { ref: string; delta: number | null; rev?: number }[];
      };
      for (const { ref: of, delta, rev = 0 } of points) {
        if (of.endsWith('~raw')) throw new Error("raw courses are nobody's business but ours");
        if (of === ref && rev >= (told.get(t)?.rev ?? 0)) told.set(t, { rev, delta: delta ?? 0 });
      }
    }
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.seq;
  }
  return new Map([...told].map(([t, { delta }]) => [t, delta]));
}

function message(body: object): InboundMessage {
  return {
    client: 'fieldbus',
    topic: `v1/in/${meter}/samples`,
    payload: Buffer.from(JSON.stringify(body)),
    qos: 0,
    retain: false,
  };
}
