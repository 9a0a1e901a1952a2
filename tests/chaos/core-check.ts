import { join } from 'node:path';
import { toWire } from '#bridge/contract/bodies.ts';
import { type Lane, lanes } from '#bridge/contract/lanes.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { type HistorySample, openReader, type Reader } from '#edge/store/reader.ts';
import { query } from '../fixtures/bridge/city-check.ts';
import { type Promises, samplePoint } from './core-run.ts';

/** What a run did to the truth. Every list should be empty. */
export interface Findings {
  /** Promised, and not there. */
  readonly lost: readonly string[];
  /** There more often than once. */
  readonly doubled: readonly string[];
  /** There with other content, or out of order. */
  readonly wrong: readonly string[];
  /** There, and nobody said it. */
  readonly ghosts: readonly string[];
}

export interface Figures {
  readonly acknowledged: number;
  readonly stored: number;
  readonly events: number;
  readonly alarms: number;
  readonly requests: number;
  readonly city: number;
}

type Lists = { [K in keyof Findings]: string[] };
const page = 997;
const everything = 100_000;

/** Compares what was promised with the databases of the edge and of the city, both at rest. */
export function check(promises: Promises, data: string): { findings: Findings; figures: Figures } {
  const findings: Lists = { lost: [], doubled: [], wrong: [], ghosts: [] };
  using reader = openReader(data);
  const stored = promises.sensors.map((sensor) => checkSamples(sensor, promises.from, reader, findings));
  const events = checkEvents(promises, reader, findings);
  checkAlarms(promises, reader, findings);
  checkRequests(promises, reader, findings);
  const city = checkCity(promises, data, reader, findings);
  const figures = {
    acknowledged: promises.sensors.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0),
    stored: stored.reduce((sum, n) => sum + n, 0),
    events,
    alarms: promises.alarms.size,
    requests: promises.accepted.length,
    city,
  };
  return { findings, figures };
}

function checkSamples(
  { device, sent, acknowledged }: Promises['sensors'][number],
  from: number,
  reader: Reader,
  findings: Lists,
): number {
  const ref = `${device}/${samplePoint}`;
  // A value that was only kept (a restart, a silence) says nothing new.
  const fresh = readHistory(ref, from, reader).filter(
    ({ quality, reason }) => quality !== 'bad' && reason !== 'last-usable-value',
  );
  const byTime = new Map<number, number>();
  const values = new Set<unknown>();
  for (const { t, value } of fresh) {
    const name = `${ref} ${String(value)} at ${t}`;
    if (byTime.has(t) || values.has(value)) findings.doubled.push(name);
    if (sent.get(t)?.value !== value) findings.ghosts.push(name);
    byTime.set(t, Number(value));
    values.add(value);
  }
  for (const { t, value } of acknowledged) {
    const found = byTime.get(t);
    if (found === undefined) findings.lost.push(`${ref} ${value} at ${t}`);
    else if (found !== value) findings.wrong.push(`${ref} ${value} at ${t} is ${found}`);
  }
  return fresh.length;
}

function readHistory(ref: string, from: number, reader: Reader): HistorySample[] {
  const all: HistorySample[] = [];
  const to = systemClock.now() + 3_600_000;
  for (let next = from; ; ) {
    const history = reader.history(ref, next, to, 'raw', page);
    if (history === null) throw new Error(`the store does not know ${ref}`);
    all.push(...history.samples);
    if (!history.more) return all;
    next = (history.samples.at(-1)?.t ?? to) + 1;
  }
}

function checkEvents({ sensors }: Promises, reader: Reader, findings: Lists): number {
  const stored = new Map<string, number>();
  let after: string | null = null;
  for (;;) {
    const events = reader.events(after, page);
    for (const { id } of events) stored.set(id, (stored.get(id) ?? 0) + 1);
    after = events.at(-1)?.id ?? null;
    if (after === null) break;
  }
  once(
    'event',
    sensors.flatMap(({ acknowledgedEvents }) => acknowledgedEvents),
    stored,
    findings,
  );
  return stored.size;
}

function once(what: string, promised: readonly string[], stored: ReadonlyMap<string, number>, findings: Lists): void {
  for (const id of promised) if (!stored.has(id)) findings.lost.push(`${what} ${id}`);
  for (const [id, times] of stored) if (times > 1) findings.doubled.push(`${what} ${id}`);
}

function checkAlarms({ alarms, seenAlarms }: Promises, reader: Reader, findings: Lists): void {
  const stored = new Map<string, Alarm>();
  for (const alarm of reader.alarms({ limit: everything })) {
    if (stored.has(alarm.id)) findings.doubled.push(`alarm ${alarm.id}`);
    stored.set(alarm.id, alarm);
  }
  for (const told of alarms.values()) {
    const kept = stored.get(told.id);
    const name = `alarm ${told.id} (${told.source}, ${told.state}, count ${told.count})`;
    if (kept === undefined) findings.lost.push(name);
    else if (kept.count < told.count || kept.raised !== told.raised) findings.wrong.push(`${name}: ${kept.count}`);
  }
  for (const id of seenAlarms) {
    const kept = stored.get(id);
    if (kept?.acknowledged === undefined) findings.lost.push(`acknowledgement of alarm ${id}, ${kept?.state}`);
  }
}

function checkRequests({ accepted, asked }: Promises, reader: Reader, findings: Lists): void {
  const count = (reasons: readonly string[]) => {
    const times = new Map<string, number>();
    for (const reason of reasons) times.set(reason, (times.get(reason) ?? 0) + 1);
    return times;
  };
  const mine = new Set(asked);
  const requests = reader.requests(everything).filter(({ result }) => result.accepted);
  once('request', accepted, count(requests.map(({ request }) => request.reason)), findings);
  const audit: string[] = [];
  for (let after = 0; ; ) {
    const lines = reader.audit(after, page);
    audit.push(...lines.filter(({ what }) => what.startsWith('request ')).map(({ why }) => why));
    if (lines.length === 0) break;
    after = lines.at(-1)?.seq ?? after;
  }
  once('audit line', accepted, count(audit), findings);
  for (const reason of audit) if (!mine.has(reason)) findings.ghosts.push(`audit line ${reason}`);
}

interface Received {
  readonly seq: number;
  readonly epoch: number;
  readonly body: string;
}

/** The city's log of frames, which has no unique key, and its tables, against the outbox that core filled. */
function checkCity({ heads, sensors }: Promises, data: string, reader: Reader, findings: Lists): number {
  const folder = join(data, 'city');
  const { epoch } = reader.meta();
  let total = 0;
  for (const lane of lanes) {
    const rows = query<Received>(folder, `SELECT seq, epoch, body FROM received WHERE lane = '${lane}' ORDER BY id`);
    total += rows.length;
    checkLane(lane, rows, epoch, heads[lane] ?? 0, reader, findings);
  }
  for (const gap of query<{ lane: string; first: number; reason: string }>(folder, 'SELECT * FROM gaps')) {
    findings.lost.push(`city gap in ${gap.lane} from ${gap.first}: ${gap.reason}`);
  }
  for (const { message } of query<{ message: string }>(folder, 'SELECT message FROM rejected')) {
    findings.wrong.push(`city rejected: ${message}`);
  }
  const held = new Set(query<{ id: string }>(folder, 'SELECT id FROM events').map(({ id }) => id));
  for (const id of sensors.flatMap(({ acknowledgedEvents }) => acknowledgedEvents)) {
    if (!held.has(id)) findings.lost.push(`city event ${id}`);
  }
  return total;
}

function checkLane(
  lane: Lane,
  rows: readonly Received[],
  epoch: number,
  head: number,
  reader: Reader,
  findings: Lists,
): void {
  const outbox = new Map(reader.outbox(lane, 0, everything).map(({ seq, body }) => [seq, body]));
  const seen = new Set<number>();
  let last = 0;
  for (const row of rows) {
    const name = `city ${lane} ${row.seq}`;
    const body = outbox.get(row.seq);
    if (seen.has(row.seq)) findings.doubled.push(name);
    else if (row.seq < last) findings.wrong.push(`${name} after ${last}`);
    if (row.epoch !== epoch) findings.wrong.push(`${name} of epoch ${row.epoch}`);
    if (body === undefined) findings.ghosts.push(name);
    else if (JSON.stringify(toWire(lane, body).content) !== row.body) findings.wrong.push(`${name}: ${row.body}`);
    seen.add(row.seq);
    last = Math.max(last, row.seq);
  }
  for (let seq = 1; seq <= head; seq++) if (!seen.has(seq)) findings.lost.push(`city ${lane} ${seq}`);
}
