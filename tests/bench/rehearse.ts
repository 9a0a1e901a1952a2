import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Device } from '#edge/domain/device.ts';
import { type DeviceId, type PointName, pointRef, type ZoneId } from '#edge/domain/ids.ts';
import type { Condition, Rule } from '#edge/domain/rule.ts';
import { rehearse } from '#edge/processes/rehearsal/rehearse.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { toColumns } from '#edge/store/blocks.ts';
import { decodeColumns, encodeBlock } from '#edge/store/codec.ts';
import { databaseFile } from '#edge/store/database.ts';
import { blockKey } from '#edge/store/points.ts';
import { measure } from '#edge/store/rollup.ts';
import { type StoredSample, sampleCode, toRollup } from '#edge/store/sample.ts';
import type { BenchLine, BenchOptions } from './bench-line.ts';
import { day, hour, openBenchStore, start } from './store-folder.ts';

/* 30 days of 2,000 points through a rule that looks at all of them: what a person waits for who rehearses. */

const both = (text: string) => ({ zh: text, en: text });
const name = (point: number) => `room-${point}`;
const refOf = (point: number) => pointRef(name(point) as DeviceId, 'temperature' as PointName);
/** Points whose weeks are alike: encoding 86 million samples would take longer than reading them. */
const patterns = 50;

interface Past {
  readonly folder: string;
  readonly points: number;
  readonly days: number;
  /** ms between two samples of a point. */
  readonly every: number;
}

export async function run({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-rehearse-'));
  const past: Past = { folder, points: quick ? 400 : 2_000, days: quick ? 3 : 30, every: 60_000 };
  try {
    const began = performance.now();
    await fill(past);
    say(`filled in ${seconds(performance.now() - began)} s`);
    const samples = (past.points * past.days * day) / past.every;
    const decode = timed(() => decodeAll(past));
    const what = `${past.days} days of ${past.points} points, a sample a minute each (${Math.round(samples / 1e6)} million)`;
    return Object.entries(rules).map(([kind, rule]): BenchLine => {
      let fired = 0;
      const ms = timed(() => {
        const { draft, samples: seen } = play(past, rule);
        fired = draft.fired;
        if (seen < samples * 0.99) throw new Error(`only ${seen} of ${samples} samples were seen`);
      });
      return {
        bench: 'rehearse',
        what: `${what}: ${kind}`,
        ours: { value: seconds(ms), unit: 's' },
        other: { value: seconds(decode), unit: 's', name: 'only decoding the same blocks' },
        goal: { of: 'figure', atMost: quick ? 6 : 60 },
        note: `it fired ${fired} times; decoding alone takes ${seconds(decode)} s`,
      };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const warm = (more: object): Condition =>
  ({
    kind: 'point',
    points: { of: '*/temperature', ...more },
    needs: 'any',
    test: { above: 30, hysteresis: 1 },
    for: 300_000,
    onBad: 'hold',
  }) as Condition;

const rules: Readonly<Record<string, Rule>> = {
  'one rule over all of them': ruleOf({ when: warm({}) }),
  'one instance for each device': ruleOf({
    each: { place: 'device', of: { of: '*/temperature' } },
    when: warm({ here: true }),
    while: [{ kind: 'calendar', is: 'open' }],
  }),
};

function ruleOf(more: Pick<Rule, 'when'> & Partial<Rule>): Rule {
  return {
    id: 'warm',
    name: both('warm'),
    about: null,
    kind: 'comfort',
    priority: 12,
    each: null,
    while: [],
    then: [{ kind: 'alarm', class: 'low', message: both('{device}: {value}'), next: both('open a window') }],
    latch: false,
    clearAfter: 0,
    coolDown: 0,
    tests: [],
    ...more,
  };
}

function play({ folder, points, days }: Past, rule: Rule) {
  const devices = Array.from(
    { length: points },
    (_, i): Device => ({
      id: name(i) as DeviceId,
      name: both(name(i)),
      profile: 'bench/room',
      protocol: 'mqtt',
      zone: 'teaching' as ZoneId,
      points: [
        {
          name: 'temperature' as PointName,
          label: both('temperature'),
          type: 'number',
          unit: 'Cel',
          poll: 'watch',
          deadband: 0,
          staleAfter: 600_000,
          address: {},
        },
      ],
      address: {},
    }),
  );
  const campus = { devices, zones: [{ id: 'teaching' as ZoneId, name: both('teaching'), spaces: [] }], spaces: [] };
  const calendar = createCalendar(
    { weekly: [{ days: [1, 2, 3, 4, 5], from: 420, to: 1_110 }], exceptions: [] },
    'Asia/Shanghai',
  );
  return rehearse({
    folder,
    campus,
    calendar,
    draft: { rule, version: 1 },
    live: null,
    from: start,
    to: start + days * day,
  });
}

/** A day's curve with noise in tenths of a degree; warm afternoons go over the threshold. */
function samplesOf(pattern: number, from: number, every: number): StoredSample[] {
  const code = sampleCode('number', 'good', undefined);
  return Array.from({ length: hour / every }, (_, i) => {
    const t = from + i * every;
    const share = (t % day) / day;
    const noise = Math.sin(t / 47_000 + pattern) + Math.sin(t / 613_000 + 3 * pattern);
    const value = 24 + (3 + (pattern % 7) / 2) * Math.sin((share - 0.2) * 2 * Math.PI) + 0.3 * noise;
    return { t, d: 0, code, value: Math.round(value * 10) / 10 };
  });
}

/** Sealed blocks, as the store would make them: it makes them well, but not 86 million samples in a minute. */
async function fill({ folder, points, days, every }: Past): Promise<void> {
  const store = await openBenchStore(folder, new ManualClock(start));
  await store.registerPoints(
    Array.from({ length: points }, (_, i) => ({
      ref: refOf(i),
      type: 'number' as const,
      unit: 'Cel',
      staleAfter: 600_000,
      counter: false,
    })),
  );
  await store[Symbol.asyncDispose]();
  const db = new Database(databaseFile(folder));
  try {
    const ids = new Map(
      db
        .prepare<[], { id: number; ref: string }>('SELECT id, ref FROM point')
        .all()
        .map(({ id, ref }) => [ref, id]),
    );
    const block = db.prepare('INSERT INTO block VALUES (?, ?)');
    const header = db.prepare(`INSERT INTO hour VALUES (${Array(13).fill('?').join()})`);
    for (let at = start / hour; at < (start + days * day) / hour; at++) {
      db.transaction(() => {
        for (let pattern = 0; pattern < Math.min(patterns, points); pattern++) {
          const samples = samplesOf(pattern, at * hour, every);
          const data = encodeBlock(samples);
          const part = measure(samples.map(toRollup), (at + 1) * hour, { staleAfter: 600_000, counter: false });
          const last = samples.at(-1);
          if (last === undefined) continue;
          for (let point = pattern; point < points; point += patterns) {
            const key = blockKey(at, ids.get(refOf(point)) ?? 0);
            block.run(key, data);
            header.run(key, ...toColumns(part, last));
          }
        }
      })();
    }
  } finally {
    db.close();
  }
}

function decodeAll({ folder }: Past): void {
  const db = new Database(databaseFile(folder), { readonly: true });
  try {
    let count = 0;
    for (const data of db.prepare<[], Uint8Array>('SELECT data FROM block ORDER BY id').pluck().iterate()) {
      count += decodeColumns(data).count;
    }
    if (count === 0) throw new Error('nothing was decoded');
  } finally {
    db.close();
  }
}

function timed(work: () => void): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

function seconds(ms: number): number {
  return Math.round(ms / 10) / 100;
}
