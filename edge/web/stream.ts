import type { ServerResponse } from 'node:http';
import type { CampusEvent } from '#edge/domain/event.ts';
import { uuidPattern } from '#edge/domain/ids.ts';
import type { Reader } from '#edge/store/reader.ts';
import type { LiveMessage, LiveState } from './live.ts';

export const maxStreams = 200;
/** A browser that does not read is cut off here; it comes back and resumes by Last-Event-ID. */
const maxBuffered = 1_000_000;
/** What a browser that was away gets at most; beyond it is told that there was more. */
export const maxMissed = 500;

export interface StreamsOptions {
  readonly live: LiveState;
  /** null: there is no store to resume from. */
  readonly events: Pick<Reader, 'newestEvents'> | null;
  readonly keepAliveMs?: number;
}

/** What happened while a browser was away, oldest first. */
export interface Missed {
  readonly events: readonly CampusEvent[];
  /** There was more, or the event it saw last is not known any more: it should ask for everything anew. */
  readonly more: boolean;
}

/**
 * Server-sent events. Each message is a change; the states before it are asked for with GET, after the stream is open,
 * so that nothing falls between. Happenings carry their id: a browser that comes back gets those it missed.
 */
export class Streams implements Disposable {
  readonly #live: LiveState;
  readonly #events: StreamsOptions['events'];
  readonly #open = new Set<ServerResponse>();
  readonly #keepAlive: NodeJS.Timeout;
  readonly #subscription: Disposable;
  dropped = 0;

  constructor({ live, events, keepAliveMs = 15_000 }: StreamsOptions) {
    this.#live = live;
    this.#events = events;
    this.#subscription = live.listen((message) => this.#send(frame(message)));
    this.#keepAlive = setInterval(() => this.#send(': still here\n\n'), keepAliveMs);
  }

  get size(): number {
    return this.#open.size;
  }

  get isFull(): boolean {
    return this.#open.size >= maxStreams;
  }

  /** Throws what the reader throws (STORE_NOT_READY), so ask before the answer is begun. */
  missedSince(lastEventId: string | undefined): Missed {
    if (lastEventId === undefined || this.#events === null) return { events: [], more: false };
    const newest = this.#events.newestEvents(maxMissed + 1);
    const seen = uuidPattern.test(lastEventId) ? newest.findIndex(({ id }) => id === lastEventId) : -1;
    if (seen >= 0) return { events: newest.slice(0, seen).reverse(), more: false };
    return { events: newest.slice(0, maxMissed).reverse(), more: true };
  }

  /** Takes over a response and begins with what was missed. */
  open(response: ServerResponse, missed: Missed): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    response.write('retry: 2000\n\n');
    response.write(frame({ kind: 'core', body: { connected: this.#live.connected } }));
    response.write(frame({ kind: 'processes', body: this.#live.processes }));
    if (missed.more) response.write('event: missed\ndata: {"more":true}\n\n');
    for (const event of missed.events) response.write(frame({ kind: 'event', body: event }));
    this.#open.add(response);
    response.on('close', () => this.#open.delete(response));
    response.on('error', () => this.#open.delete(response));
  }

  #send(text: string): void {
    for (const response of this.#open) {
      if (response.writableLength > maxBuffered) {
        this.dropped++;
        this.#open.delete(response);
        response.destroy();
      } else {
        response.write(text);
      }
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#keepAlive);
    this.#subscription[Symbol.dispose]();
    for (const response of this.#open) response.end();
    this.#open.clear();
  }
}

function frame(message: LiveMessage): string {
  const id = message.kind === 'event' ? `id: ${message.body.id}\n` : '';
  return `${id}event: ${message.kind}\ndata: ${JSON.stringify(message.body)}\n\n`;
}
