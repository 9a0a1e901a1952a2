import { TokenBucket } from '#edge/bus/admission.ts';
import type { AuditLine } from '#edge/domain/audit.ts';
import type { Hold, Request, RequestResult } from '#edge/domain/output.ts';
import { priorities } from '#edge/domain/output.ts';
import { arbitrate, barring, maxHolds } from '#edge/rules/priorities.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { checkRequest, type Refusal } from './check-request.ts';
import { forbidText, localOwner } from './describe.ts';
import { limitOf } from './limits.ts';
import type { Output } from './output.ts';
import { putHold } from './priority-array.ts';
import type { Recorder } from './recorder.ts';

const maxAnswers = 512;
const maxWaiting = 32;
/**
 * Requests being recorded at a time. The recorder has room for 64 records under way: a burst of guests must leave some to
 * interlocks, and must not look like a disk that does not answer.
 */
const maxRecording = 48;
const maxQueued = 512;
/** `flow:<tab>/<node>`, each of at most 60 characters. */
const maxOrigin = 128;
/** Each request is two lines on disk for good: so many at once from one client, then so many a second. */
const burst = 200;
const perSecond = 10;
/** Between two audit lines that say so, ms. */
const complainEvery = 60_000;

/** How much one client asks. Clients are named by the site file, so there are few. */
interface Appetite {
  readonly bucket: TokenBucket;
  turnedAway: number;
  complainedAt: number;
}

export interface RequestsOptions {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly grants: (client: string) => readonly string[];
  readonly outputOf: (ref: string) => Output | undefined;
  /** The holds of this output have changed. */
  readonly onChanged: (output: Output) => void;
  /** Takes holds away and writes down why; `onChanged` comes after it. */
  readonly drop: (output: Output, gone: readonly Hold[], why: string) => void;
}

export interface Requests {
  request(request: Request): Promise<RequestResult>;
  readonly counters: { readonly requests: number; readonly refused: number };
}

/** Turns requests into holds: one at a time for each output, each on disk before it is acted on and answered. */
export function createRequests(options: RequestsOptions): Requests {
  const { clock, recorder, grants, outputOf, onChanged, drop } = options;
  const answers = new Map<string, Promise<RequestResult>>();
  const queues = new Map<Output, { last: Promise<unknown>; waiting: number }>();
  const appetites = new Map<string, Appetite>();
  let count = 0;
  let refused = 0;

  const queued: (() => void)[] = [];
  let recording = 0;
  /** In this very turn while there is room. */
  const inRoom = async (work: () => Promise<RequestResult>): Promise<RequestResult> => {
    if (recording >= maxRecording) await new Promise<void>((resolve) => queued.push(resolve));
    recording++;
    try {
      return await work();
    } finally {
      recording--;
      queued.shift()?.();
    }
  };
  /** null when it may ask. One line a minute says how many were turned away. */
  const turnAway = (request: Request): RequestResult | null => {
    const { client, id } = request;
    const now = clock.monotonic();
    const fresh = () => ({
      bucket: new TokenBucket(perSecond, burst, clock),
      turnedAway: 0,
      complainedAt: -complainEvery,
    });
    const appetite = appetites.get(client) ?? fresh();
    appetites.set(client, appetite);
    if (appetite.bucket.available() >= 1 && queued.length < maxQueued) {
      appetite.bucket.spend(1);
      return null;
    }
    refused++;
    appetite.turnedAway++;
    const message = `client "${client}" asks too often: at most ${perSecond} requests a second are taken`;
    const result: RequestResult = { id, accepted: false, outcome: 'busy', message };
    if (now - appetite.complainedAt >= complainEvery) {
      recorder.audit({
        ...auditOf(request, result),
        result: `busy: ${appetite.turnedAway} turned away since the last such line`,
      });
      recorder.commit();
      appetite.complainedAt = now;
      appetite.turnedAway = 0;
    }
    return result;
  };

  const refuse = async (request: Request, refusal: Refusal): Promise<RequestResult> => {
    refused++;
    const result: RequestResult = { id: request.id, accepted: false, ...refusal };
    try {
      await recorder.commitRequest({ request, result }, auditOf(request, result));
    } catch (error) {
      // A refusal is one whether or not it could be written down; that it was not is the recorder's alarm.
      return { ...result, message: `${result.message} (not recorded: ${messageOf(error)})` };
    }
    return result;
  };
  const notRecorded = (request: Request, error: unknown): RequestResult => {
    refused++;
    answers.delete(keyOf(request));
    const message = `the request could not be recorded, so nothing was done: ${messageOf(error)}`;
    const result: RequestResult = { id: request.id, accepted: false, outcome: 'not-recorded', message };
    recorder.audit(auditOf(request, result));
    return result;
  };

  const hold = async (request: Request, output: Output, mine: Hold): Promise<RequestResult> => {
    const trial = putHold(output.holds, mine);
    if (!trial.accepted || trial.displaced !== null) {
      const message = `"${output.ref}" already has ${maxHolds} holds`;
      return refuse(request, { outcome: 'too-many-holds', message });
    }
    const result = foresee(request, output, trial.holds, mine, clock);
    output.staged = mine;
    recorder.holdsChanged(output.ref);
    try {
      await recorder.commitRequest({ request, result }, auditOf(request, result));
    } catch (error) {
      output.staged = null;
      return notRecorded(request, error);
    }
    // The wall clock may have been set meanwhile, and the hold with it.
    const settled = output.staged ?? mine;
    output.staged = null;
    overruleLocal(request, output);
    // Interlocks may have filled the array meanwhile; then the newest guest is the one too many.
    output.holds = putHold(output.holds, settled).holds;
    onChanged(output);
    recorder.commit();
    return result;
  };

  /** Whatever an operator says of an output is newer than the hand that turned its switch. */
  const overruleLocal = ({ priority, client }: Request, output: Output) => {
    if (priority !== priorities.operator) return false;
    const local = output.holds.filter(({ owner }) => owner === localOwner);
    if (local.length > 0) drop(output, local, `request:${client} says otherwise`);
    return local.length > 0;
  };
  /** Letting go acts first: a crash in between only asserts the hold again, which then expires. */
  const relinquish = async (request: Request, output: Output, owner: string): Promise<RequestResult> => {
    const had = output.holds.some((one) => one.owner === owner);
    output.holds = output.holds.filter((one) => one.owner !== owner);
    const hadLocal = overruleLocal(request, output);
    if (had || hadLocal) {
      recorder.holdsChanged(output.ref);
      onChanged(output);
    }
    const { winner } = arbitrate(output.holds, clock.now(), output.forbids);
    const then =
      winner === null ? 'nobody holds it now' : `${winner.owner} holds it at ${JSON.stringify(winner.value)}`;
    const message =
      had || hadLocal
        ? `"${output.ref}" is let go: ${then}`
        : `client "${request.client}" did not hold "${output.ref}"`;
    const result: RequestResult = { id: request.id, accepted: true, outcome: 'relinquished', message };
    try {
      await recorder.commitRequest({ request, result }, auditOf(request, result));
    } catch (error) {
      answers.delete(keyOf(request));
      return { ...result, message: `${message} (not recorded: ${messageOf(error)})` };
    }
    return result;
  };

  const decide = async (request: Request): Promise<RequestResult> => {
    const output = outputOf(request.ref);
    const refusal = checkRequest(request, output?.place.point, grants(request.client));
    if (refusal !== null || output === undefined) {
      return refuse(request, refusal ?? { outcome: 'not-writable', message: `"${request.ref}" is not an output` });
    }
    const owner = `request:${request.client}`;
    return inTurn(output, request, () => {
      const { ref, priority, value, reason, origin } = request;
      if (value === null) return relinquish(request, output, owner);
      const now = clock.now();
      return hold(request, output, {
        ref,
        priority,
        owner,
        value,
        reason,
        since: now,
        until: now + request.seconds * 1000,
        ...(origin === undefined ? {} : { origin: origin.slice(0, maxOrigin) }),
      });
    });
  };
  const inTurn = async (
    output: Output,
    request: Request,
    act: () => Promise<RequestResult>,
  ): Promise<RequestResult> => {
    const queue = queues.get(output) ?? { last: Promise.resolve(), waiting: 0 };
    queues.set(output, queue);
    if (queue.waiting >= maxWaiting) {
      queueMicrotask(() => answers.delete(keyOf(request)));
      return refuse(request, { outcome: 'busy', message: `${maxWaiting} requests for "${output.ref}" are waiting` });
    }
    queue.waiting++;
    // Alone in the queue it starts in this turn; `act` never rejects.
    const mine = queue.waiting === 1 ? act() : queue.last.then(act);
    queue.last = mine;
    try {
      return await mine;
    } finally {
      queue.waiting--;
    }
  };

  return {
    request: (request) => {
      const key = keyOf(request);
      const known = answers.get(key);
      if (known !== undefined) return known;
      count++;
      const turnedAway = turnAway(request);
      // Not remembered: asked again later, with the same id, it may be taken.
      if (turnedAway !== null) return Promise.resolve(turnedAway);
      const answer = inRoom(() => decide(request));
      answers.set(key, answer);
      for (const oldest of answers.keys()) {
        if (answers.size <= maxAnswers) break;
        answers.delete(oldest);
      }
      return answer;
    },
    get counters() {
      return { requests: count, refused };
    },
  };
}

/** An id is only unique within its client: another client's must not find the answer. */
function keyOf(request: Request): string {
  return `${request.client} ${request.id}`;
}

/** `holds` with mine among them; an operator's request ends what a hand on the device stands for. */
function foresee(request: Request, output: Output, all: readonly Hold[], mine: Hold, clock: Clock): RequestResult {
  const { id, seconds, priority } = request;
  const holds = priority === priorities.operator ? all.filter(({ owner }) => owner !== localOwner) : all;
  const what = `"${mine.ref}" = ${JSON.stringify(mine.value)} for ${seconds} s at priority ${priority}`;
  const waits = (why: string) => ({ id, accepted: true, outcome: 'waiting', message: `${what} waits: ${why}` });
  const forbid = barring(output.forbids, mine.value, priority);
  if (forbid !== null) return waits(forbidText(forbid));
  const { winner } = arbitrate(holds, clock.now(), output.forbids);
  if (winner !== null && winner.owner !== mine.owner) {
    const { owner, value, reason } = winner;
    return waits(`${owner} holds it at ${JSON.stringify(value)}, priority ${winner.priority} (${reason})`);
  }
  const now = clock.monotonic();
  const limit = limitOf(output, mine, now);
  const later = limit === null ? '' : `; not yet: ${limit.for}${secondsUntil(limit.until, now)}`;
  return { id, accepted: true, outcome: 'holding', message: what + later };
}

function secondsUntil(due: number | null, now: number): string {
  return due === null ? '' : `, ${Math.ceil((due - now) / 1000)} s more`;
}

function auditOf(request: Request, result: RequestResult): AuditLine {
  const { client, who = `client:${client}`, origin, value, ref, priority, seconds, reason, time } = request;
  const from = request.from ?? origin?.slice(0, maxOrigin) ?? client;
  const what =
    value === null ? `relinquish ${ref}` : `request ${ref}=${JSON.stringify(value)} at ${priority} for ${seconds} s`;
  return {
    time,
    who,
    from,
    what,
    why: reason,
    result: `${result.outcome}: ${result.message}`,
  };
}
