import type { ServerResponse } from 'node:http';
import type { Alarm } from '#edge/domain/alarm.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Reader } from '#edge/store/reader.ts';
import { EventTail, type Missed } from './event-tail.ts';
import { incidentFor } from './incident-views.ts';
import type { LiveMessage, LiveState } from './live.ts';
import { ownHeaders } from './policies.ts';
import { inFrames, type ReadingFrame } from './reading-frames.ts';
import type { Scope } from './scope.ts';

export const maxStreams = 200;
/** Windows of one person: a browser opens six connections to one host at most. A token may stand for many screens. */
export const maxStreamsEach = 8;
const maxStreamsOfToken = 64;
/** A browser that does not read is cut off here; it comes back and resumes by Last-Event-ID. */
const maxBuffered = 1_000_000;
/** Above it, readings wait: the latest of each point is sent once the socket takes it. */
const maxReadingsBuffered = 256_000;

export interface StreamsOptions {
  readonly live: LiveState;
  /** null: there is no store to resume from. */
  readonly events: Pick<Reader, 'newestEvents' | 'events' | 'event'> | null;
  readonly keepAliveMs?: number;
  /** At most one frame of readings in this time, ms. */
  readonly readingsEveryMs?: number;
}

/** Who listens, and what he may hear. */
export interface Listener {
  readonly who: string;
  /** null for a token. */
  readonly sessionId: string | null;
  readonly scope: Scope;
}

interface Stream {
  readonly listener: Listener;
  readonly response: ServerResponse;
  /** Sent when it resumed: the bus may bring them once more. */
  readonly resumed: Set<string>;
  /** Points whose latest reading it has not got, because its socket was full. */
  readonly owed: Set<string>;
}

/** Everybody who sees the same: what they are told is written once. */
interface Audience {
  readonly scope: Scope;
  readonly streams: Set<Stream>;
}

/**
 * Server-sent events. Each message is a change; the states before it are asked for with GET, after the stream is open,
 * so that nothing falls between. Happenings carry their id: a browser that comes back gets those it missed. Of readings
 * only the latest counts, so they are gathered, and nobody ever queues for them.
 */
export class Streams implements Disposable {
  readonly #live: LiveState;
  readonly #tail: EventTail | null;
  readonly #audiences = new Map<string, Audience>();
  readonly #keepAlive: NodeJS.Timeout;
  readonly #subscription: Disposable;
  readonly #readingsEveryMs: number;
  #changed = new Set<string>();
  #flushing: NodeJS.Timeout | null = null;
  #size = 0;
  dropped = 0;

  constructor({ live, events, keepAliveMs = 15_000, readingsEveryMs = 500 }: StreamsOptions) {
    this.#live = live;
    this.#tail = events === null ? null : new EventTail(events);
    this.#readingsEveryMs = readingsEveryMs;
    this.#subscription = live.listen((message) => this.#hear(message));
    this.#keepAlive = setInterval(() => {
      for (const audience of this.#audiences.values()) this.#send(audience, ': still here\n\n');
      this.#catchUp();
    }, keepAliveMs);
  }

  get size(): number {
    return this.#size;
  }

  /** Throws STREAMS_FULL when one more would be too many, for everybody or for this person. */
  admit(who: string): void {
    if (this.#size >= maxStreams) throw new CodedError('STREAMS_FULL', `${maxStreams} browsers listen already`);
    const own = this.#all().filter(({ listener }) => listener.who === who).length;
    const most = who.startsWith('token:') ? maxStreamsOfToken : maxStreamsEach;
    if (own < most) return;
    throw new CodedError('STREAMS_FULL', `${most} windows of yours listen already: close one of them`);
  }

  /** Throws what the reader throws (STORE_NOT_READY), so ask before the answer is begun. */
  missedSince(lastEventId: string | undefined, scope: Scope): Missed {
    if (lastEventId === undefined || this.#tail === null) return { events: [], more: false };
    return this.#tail.missedSince(lastEventId, scope);
  }

  /** Takes over a response and begins with what was missed, asked for in this same turn. */
  open(response: ServerResponse, listener: Listener, missed: Missed): void {
    if (this.#size === 0) this.#tail?.begin();
    const { scope } = listener;
    response.writeHead(200, {
      ...ownHeaders,
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
    });
    const last = missed.events.at(-1)?.id ?? this.#tail?.newest(scope) ?? null;
    // A browser that hears of no event at all must still know from where to resume.
    response.write(`retry: 2000\n${missed.events.length > 0 || last === null ? '' : `id: ${last}\n`}\n`);
    for (const message of this.#beginning()) {
      const body = bodyFor(scope, message, this.#live);
      if (body !== null) response.write(frame(message.kind, body));
    }
    if (missed.more) response.write('event: missed\ndata: {"more":true}\n\n');
    for (const event of missed.events) response.write(frame('event', scope.event(event), event.id));
    const resumed = new Set(missed.events.map(({ id }) => id as string));
    this.#add({ listener, response, resumed, owed: new Set() });
  }

  /** Ends the streams of a session or person that may not listen any more; returns how many. */
  endSessions(predicate: (listener: Pick<Listener, 'who' | 'sessionId'>) => boolean): number {
    const ended = this.#all().filter(({ listener }) => predicate(listener));
    for (const stream of ended) {
      this.#remove(stream);
      stream.response.end();
    }
    return ended.length;
  }

  #all(): Stream[] {
    return [...this.#audiences.values()].flatMap(({ streams }) => [...streams]);
  }

  #beginning(): readonly LiveMessage[] {
    return [
      { kind: 'core', body: { connected: this.#live.connected } },
      { kind: 'processes', body: this.#live.processes },
    ];
  }

  #add(stream: Stream): void {
    const { scope } = stream.listener;
    const audience = this.#audiences.get(scope.key) ?? { scope, streams: new Set() };
    audience.streams.add(stream);
    this.#audiences.set(scope.key, audience);
    this.#size++;
    stream.response.on('close', () => this.#remove(stream));
    stream.response.on('error', () => this.#remove(stream));
  }

  #remove(stream: Stream): void {
    const { key } = stream.listener.scope;
    const audience = this.#audiences.get(key);
    if (audience?.streams.delete(stream) !== true) return;
    this.#size--;
    if (audience.streams.size === 0) this.#audiences.delete(key);
  }

  #hear(message: LiveMessage): void {
    if (this.#size === 0) return;
    switch (message.kind) {
      case 'reading':
        this.#changed.add(message.body.ref);
        this.#flushing ??= setTimeout(() => this.#flush(), this.#readingsEveryMs);
        return;
      case 'event':
        if (this.#tail?.hear(message.body) !== false) this.#tell(message, message.body.id);
        if (this.#tail?.isCrowded === true) this.#catchUp();
        return;
      case 'core':
        this.#tell(message);
        if (message.body.connected) this.#catchUp();
        return;
      default:
        this.#tell(message);
    }
  }

  #catchUp(): void {
    if (this.#size === 0 || this.#tail === null) return;
    const { events, more } = this.#tail.catchUp();
    for (const body of events) this.#tell({ kind: 'event', body }, body.id);
    if (!more) return;
    for (const audience of this.#audiences.values()) this.#send(audience, 'event: missed\ndata: {"more":true}\n\n');
  }

  #tell(message: LiveMessage, event?: string): void {
    for (const audience of this.#audiences.values()) {
      const body = bodyFor(audience.scope, message, this.#live);
      if (body !== null) this.#send(audience, frame(message.kind, body, event), event);
    }
  }

  #send({ streams }: Audience, text: string, event?: string): void {
    for (const stream of streams) {
      if (event !== undefined && stream.resumed.delete(event)) continue;
      if (stream.response.writableLength > maxBuffered) {
        this.dropped++;
        this.#remove(stream);
        stream.response.destroy();
      } else {
        stream.response.write(text);
      }
    }
  }

  #flush(): void {
    this.#flushing = null;
    const changed = this.#changed;
    this.#changed = new Set();
    const rows = new Map<string, string>();
    let isOwed = false;
    for (const { scope, streams } of this.#audiences.values()) {
      const frames = inFrames([...changed].filter(scope.seesRef), this.#live.readings, rows);
      for (const stream of streams) {
        const owed = [...stream.owed].filter((ref) => !changed.has(ref));
        stream.owed.clear();
        this.#give(stream, owed.length === 0 ? frames : [...inFrames(owed, this.#live.readings, rows), ...frames]);
        isOwed ||= stream.owed.size > 0;
      }
    }
    if (isOwed) this.#flushing ??= setTimeout(() => this.#flush(), this.#readingsEveryMs);
  }

  #give({ response, owed }: Stream, frames: readonly ReadingFrame[]): void {
    for (const { refs, bytes } of frames) {
      if (response.writableLength <= maxReadingsBuffered) response.write(bytes);
      else for (const ref of refs) owed.add(ref);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#keepAlive);
    if (this.#flushing !== null) clearTimeout(this.#flushing);
    this.#subscription[Symbol.dispose]();
    this.endSessions(() => true);
  }
}

/** What a message says to those of a scope; null: nothing. */
function bodyFor(scope: Scope, message: LiveMessage, live: LiveState): object | null {
  switch (message.kind) {
    case 'event':
      return scope.seesEvent(message.body) ? scope.event(message.body) : null;
    case 'alarm':
      return alarmFor(scope, message.body, live.alarms.get(message.body.id));
    case 'incident':
      return scope.seesIncident(message.body) ? incidentFor(scope, message.body) : null;
    case 'output':
      return scope.seesRef(message.body.ref) ? scope.output(message.body) : null;
    case 'health':
      return scope.health(message.body);
    case 'processes':
      return scope.isWhole ? message.body : null;
    // Readings are gathered and go another way.
    case 'reading':
      return null;
    case 'sound':
    case 'emergency':
    case 'core':
      return message.body;
  }
}

/** One that was his and is gone, or has come again elsewhere, is over for him. */
function alarmFor(
  scope: Scope,
  alarm: Extract<LiveMessage, { kind: 'alarm' }>['body'],
  before: Alarm | undefined,
): object | null {
  if ('source' in alarm && scope.seesAlarm(alarm)) return scope.alarm(alarm);
  const wasHis = before === undefined ? scope.isWhole : scope.seesAlarm(before);
  return wasHis ? { id: alarm.id, state: 'normal' } : null;
}

function frame(kind: LiveMessage['kind'], body: object, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${kind}\ndata: ${JSON.stringify(body)}\n\n`;
}
