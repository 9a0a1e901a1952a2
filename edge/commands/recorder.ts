import type { AuditLine } from '#edge/domain/audit.ts';
import type { Hold } from '#edge/domain/output.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { Backoff, within } from '#edge/runtime/lifecycle.ts';
import type { Batch } from '#edge/store/batch.ts';
import { AuditGate } from './audit-gate.ts';

/** An append that has not settled by then counts as failed, ms. */
export const appendLimit = 10_000;
const maxOutstanding = 64;
/** Most lines of a kind that are owed; the oldest go first, and are counted. */
const maxOwed = 1_000;

/** Acts that happened and are not on disk. */
export interface Unrecorded {
  readonly error: string;
  /** What was done, as its audit lines say it; at most 8. */
  readonly what: readonly string[];
}

export interface RecorderOptions {
  readonly append: (batch: Batch) => Promise<void>;
  readonly clock: Clock;
  /** The complete array of an output as it now belongs on disk. */
  readonly holdsOf: (ref: string) => readonly Hold[];
  /** When an output moved, as it belongs on disk: name and body of a state; null: nothing is known. */
  readonly movementOf: (ref: string) => readonly [name: string, body: unknown] | null;
  readonly onUnrecorded: (failure: Unrecorded) => void;
  /** Everything that was owed is on disk. */
  readonly onRecorded: () => void;
}

type Command = NonNullable<Batch['commands']>[number];

/** What was done and is to be written down. */
interface Acts {
  readonly audit: AuditLine[];
  readonly commands: Command[];
  readonly refs: Set<string>;
  /** Outputs that have moved. */
  readonly moves: Set<string>;
}

/**
 * Writes down what was done, turn by turn. What fails is owed to the disk, not forgotten: it is tried again by itself,
 * apart from what comes after it, so that one bad line cannot stop the next.
 */
export interface Recorder {
  audit(line: AuditLine): void;
  command(entry: Command): void;
  /** The holds of this output belong on disk anew. */
  holdsChanged(ref: string): void;
  /** This output has moved, and for how long it stays so matters. */
  moved(ref: string): void;
  /** Appends what was noted since the last commit, if anything, in this very turn. Never throws. */
  commit(): void;
  /** The same together with a request; resolves when it is on disk, rejects when it is not (the request is not owed). */
  commitRequest(entry: NonNullable<Batch['requests']>[number], line: AuditLine): Promise<void>;
  /** Tries again what is owed, and notices appends that hang. */
  tick(): void;
  readonly counters: { readonly failed: number; readonly dropped: number; readonly owed: number };
}

export function createRecorder(options: RecorderOptions): Recorder {
  const { append, clock, onUnrecorded, onRecorded } = options;
  const backoff = new Backoff({ first: 1_000, cap: 60_000 });
  const outstanding = new Set<{ readonly since: number; readonly record: Acts; late: boolean }>();
  const gate = new AuditGate();
  let draft = newRecord();
  let owed: Acts | null = null;
  let retryAt = 0;
  let failing = false;
  let failed = 0;
  let dropped = 0;

  const take = (): Acts => {
    const record = draft;
    draft = newRecord();
    return record;
  };
  const isStuck = () => [...outstanding].some((entry) => entry.late);
  const fail = (record: Acts, error: string) => {
    failed++;
    failing = true;
    onUnrecorded({ error, what: record.audit.slice(0, 8).map((line) => `${line.who}: ${line.what}`) });
  };
  const owe = (record: Acts, error: unknown) => {
    const all = owed === null ? record : join(record, owed);
    dropped += Math.max(0, all.audit.length - maxOwed) + Math.max(0, all.commands.length - maxOwed);
    owed = { ...all, audit: all.audit.slice(-maxOwed), commands: all.commands.slice(-maxOwed) };
    retryAt = clock.monotonic() + backoff.next();
    fail(record, messageOf(error));
  };
  /** Calls append before it first waits. */
  const write = async (record: Acts, batch: Batch): Promise<void> => {
    if (outstanding.size >= maxOutstanding) {
      throw new CodedError('STORE_STUCK', `${outstanding.size} appends are unanswered`);
    }
    const entry = { since: clock.monotonic(), record, late: false };
    outstanding.add(entry);
    try {
      await append(batch);
    } finally {
      outstanding.delete(entry);
    }
    if (!failing || owed !== null || isStuck()) return;
    failing = false;
    onRecorded();
  };

  return {
    audit: (line) => {
      if (gate.admits(line)) draft.audit.push(line);
    },
    command: (entry) => void draft.commands.push(entry),
    holdsChanged: (ref) => void draft.refs.add(ref),
    moved: (ref) => void draft.moves.add(ref),
    commit: () => {
      const record = take();
      if (isEmpty(record)) return;
      void write(record, toBatch(record, options)).catch((error: unknown) => owe(record, error));
    },
    commitRequest: async (entry, line) => {
      const record = take();
      const batch = toBatch({ ...record, audit: [...record.audit, line] }, options);
      try {
        if (isStuck()) throw new CodedError('STORE_STUCK', 'the store does not answer');
        await within(appendLimit, 'the record of a request', write(record, { ...batch, requests: [entry] }));
      } catch (error) {
        owe(record, error);
        throw error;
      }
    },
    tick: () => {
      const now = clock.monotonic();
      const told = gate.settle(now);
      if (told.length > 0) {
        const record = { ...newRecord(), audit: [...told] };
        void write(record, toBatch(record, options)).catch((error: unknown) => owe(record, error));
      }
      for (const entry of outstanding) {
        if (entry.late || now - entry.since < appendLimit) continue;
        entry.late = true;
        fail(entry.record, `the store has not answered for ${appendLimit} ms`);
      }
      if (owed === null || now < retryAt || isStuck()) return;
      const record = owed;
      owed = null;
      void write(record, toBatch(record, options)).then(
        () => backoff.reset(),
        (error: unknown) => owe(record, error),
      );
    },
    get counters() {
      return { failed, dropped, owed: owed === null ? 0 : owed.audit.length + owed.commands.length + owed.refs.size };
    },
  };
}

function newRecord(): Acts {
  return { audit: [], commands: [], refs: new Set(), moves: new Set() };
}

function isEmpty({ audit, commands, refs, moves }: Acts): boolean {
  return audit.length === 0 && commands.length === 0 && refs.size === 0 && moves.size === 0;
}

/** Oldest first. */
function join(newer: Acts, older: Acts): Acts {
  return {
    audit: [...older.audit, ...newer.audit],
    commands: [...older.commands, ...newer.commands],
    refs: new Set([...older.refs, ...newer.refs]),
    moves: new Set([...older.moves, ...newer.moves]),
  };
}

/** Holds and state are looked up as they are now: a late record never brings old ones back. */
function toBatch({ audit, commands, refs, moves }: Acts, options: RecorderOptions): Batch {
  const { holdsOf, movementOf } = options;
  const movements = [...moves].map(movementOf).filter((entry) => entry !== null);
  const state = Object.fromEntries(movements);
  return {
    ...(audit.length > 0 ? { audit } : {}),
    ...(commands.length > 0 ? { commands } : {}),
    ...(refs.size > 0 ? { holds: [...refs].map((ref) => ({ ref, holds: holdsOf(ref) })) } : {}),
    ...(Object.keys(state).length > 0 ? { state } : {}),
  };
}
