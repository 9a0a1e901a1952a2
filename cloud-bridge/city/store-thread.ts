import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { CityStore } from './store.ts';
import type { ReadMethods, StoreThreadData, ThreadCall, ThreadReply, WriteMethods } from './store-port.ts';
import { CityReader } from './store-queries.ts';

/*
 * The body of a store thread: database work away from the broker's loop. One thread writes, one reads; each answers its
 * calls in the order they came. A failed call is an answer; anything else that throws ends the thread, and with it the
 * process (the supervisor starts it again).
 */

type Call = (...params: readonly never[]) => unknown;

function serve(port: MessagePort, methods: object): void {
  const table = methods as Readonly<Record<string, Call>>;
  port.on('message', ({ id, method, params }: ThreadCall) => {
    current = id;
    const reply = (answer: ThreadReply) => port.postMessage(answer);
    try {
      const result = table[method]?.(...(params as readonly never[]));
      // Already answered, before the commit: see `applyThenAcknowledge`.
      if (result !== answered) reply({ id, result });
    } catch (error) {
      reply({ id, error: { code: codeOf(error), message: messageOf(error) } });
    }
  });
}

const answered = Symbol('answered');
/** The call being served. */
let current = 0;

function writeMethods(data: StoreThreadData, port: MessagePort): WriteMethods {
  const store = new CityStore({ file: data.file, logReceived: data.logReceived });
  const delay = data.acknowledgeBeforeCommit;
  const methods: WriteMethods = {
    ready: () => {},
    apply: (arrivals) => store.apply(arrivals),
    hello: (campus, hello, time) => store.hello(campus, hello, time),
    prune: (before, limit) => store.prune(before, limit),
    close: () => store[Symbol.dispose](),
  };
  if (delay === null) return methods;
  // The negative control of the chaos tests: it answers, then sleeps, then commits. A checker that does not see the
  // loss this makes on kill -9 is no checker.
  const applyThenAcknowledge = (arrivals: Parameters<WriteMethods['apply']>[0]) => {
    store.apply(arrivals, (verdicts) => {
      port.postMessage({ id: current, result: verdicts } satisfies ThreadReply);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delay);
    });
    return answered as never;
  };
  return { ...methods, apply: applyThenAcknowledge };
}

function readMethods(data: StoreThreadData): ReadMethods {
  const reader = new CityReader(data.file);
  return {
    ready: () => {},
    campuses: (ids) => reader.campuses(ids),
    summaries: (query) => reader.summaries(query),
    alarms: (campus) => reader.alarms(campus),
    events: (campus, before) => reader.events(campus, before),
    gaps: (campus) => reader.gaps(campus),
    health: (campus) => reader.health(campus),
    close: () => reader[Symbol.dispose](),
  };
}

if (parentPort !== null) {
  const data: StoreThreadData = workerData;
  serve(parentPort, data.mode === 'write' ? writeMethods(data, parentPort) : readMethods(data));
}
