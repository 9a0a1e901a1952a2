import { setImmediate as nextTurn } from 'node:timers/promises';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { Backoff } from '#edge/runtime/lifecycle.ts';
import { storeError } from './database.ts';
import type { MaintenanceReport } from './report.ts';
import type { Call, Calls, FromThread, Method, ThreadOptions } from './wire.ts';
import { unsyncedAtMost, Writer } from './writer.ts';

/** The anchor of the audit follows its newest line within this, and is written no more often, ms. */
const anchorAfter = 1_000;

/*
 * The store's thread: one Writer behind a message port. Calls are answered in order, except that maintenance is cut into
 * turns and lets other calls pass between them. What is not an error of SQLite or of the disk is a bug: it ends the thread,
 * and the store starts a new one.
 */
function serve(port: MessagePort, options: ThreadOptions): void {
  const say = (message: FromThread) => port.postMessage(message);
  const writer = open(options, say);
  if (writer === null) return;
  let maintenance: Promise<MaintenanceReport> | null = null;
  let flushTimer: NodeJS.Timeout | null = null;
  let anchorTimer: NodeJS.Timeout | null = null;
  /** null: not tried yet; a thread before this one may have failed. */
  let isAnchorFailing: boolean | null = null;
  const anchorBackoff = new Backoff({ first: 2_000, cap: 60_000 });
  let copying: Promise<Calls['copy']['result']> | null = null;
  const closed = new AbortController();
  let closing = false;

  const anchor = () => {
    anchorTimer = null;
    try {
      writer.anchor();
      if (isAnchorFailing !== false) say({ kind: 'fault', code: 'STORE_ANCHOR', message: '', active: false });
      isAnchorFailing = false;
      anchorBackoff.reset();
    } catch (error) {
      if (isAnchorFailing !== true)
        say({ kind: 'fault', code: 'STORE_ANCHOR', message: messageOf(error), active: true });
      isAnchorFailing = true;
      anchorTimer = setTimeout(anchor, anchorBackoff.next());
    }
  };

  const flush = () => {
    flushTimer = null;
    try {
      writer.flush();
    } catch (error) {
      const { code, message } = storeError(error, 'cannot sync');
      say({ kind: 'fault', code, message, active: true });
    }
  };

  const maintain = async (now: number): Promise<MaintenanceReport> => {
    const work = writer.maintain(now);
    for (;;) {
      const step = work.next();
      if (step.done) return step.value;
      await nextTurn();
      if (closing) throw new CodedError('STORE_CLOSED', 'the store was closed during maintenance');
    }
  };

  const handlers: { [M in Method]: (params: Calls[M]['params']) => Calls[M]['result'] | Promise<Calls[M]['result']> } =
    {
      commit: (group) => writer.commit(group),
      register: (points) => writer.register(points),
      restore: () => writer.restore(),
      acknowledge: (params) => writer.acknowledge(params),
      summarise: ({ upTo }) => writer.summarise(upTo),
      preview: ({ now }) => writer.preview(now),
      maintain: ({ now }) => {
        maintenance ??= maintain(now).finally(() => {
          maintenance = null;
        });
        return maintenance;
      },
      copy: ({ file }) => {
        if (copying !== null) throw new CodedError('STORE_COPY', 'a copy of the database is being made already');
        copying = writer.copy(file, closed.signal).finally(() => {
          copying = null;
        });
        return copying;
      },
      probe: ({ now }) => writer.probe(now),
      // The caller adds what only it knows.
      stats: () => ({
        ...writer.stats(),
        batches: { committed: 0, overloaded: 0, failed: 0 },
        queued: { rows: 0, bytes: 0 },
        restarts: 0,
      }),
      close: () => {
        closing = true;
        closed.abort();
        for (const timer of [flushTimer, anchorTimer]) if (timer !== null) clearTimeout(timer);
        using _closed = writer;
        writer.flush();
        writer.anchor();
        return null;
      },
    };

  const schedule = () => {
    if (writer.unsynced) flushTimer ??= setTimeout(flush, unsyncedAtMost);
    if (writer.isUnanchored) anchorTimer ??= setTimeout(anchor, anchorAfter);
  };

  const answer = async <M extends Method>({ id, method, params }: Call<M>) => {
    try {
      const handle = handlers[method];
      const answered = handle(params);
      // A commit is answered in this very turn: the next group waits for it.
      const result = answered instanceof Promise ? await answered : answered;
      say({ kind: 'answer', id, result });
    } catch (error) {
      const { code, message } = storeError(error, method);
      say({ kind: 'failed', id, error: { code, message } });
    }
    if (method === 'close') port.close();
    else if (!closing) schedule();
  };

  port.on('message', (call: Call) => void answer(call));
  schedule();
  say({ kind: 'opened', epoch: writer.epoch, movedAside: writer.movedAside });
}

function open(options: ThreadOptions, say: (message: FromThread) => void): Writer | null {
  try {
    return new Writer(options);
  } catch (error) {
    const { code, message } = storeError(error, `cannot open the store in ${options.folder}`);
    say({ kind: 'refused', error: { code, message } });
    return null;
  }
}

if (parentPort !== null) serve(parentPort, workerData as ThreadOptions);
