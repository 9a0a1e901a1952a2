import type { ServerResponse } from 'node:http';
import type { Reader } from '#edge/store/reader.ts';
import type { LiveMessage, LiveState } from './live.ts';

const maxStreams = 200;
/** A browser that does not read is cut off here; it comes back and resumes by Last-Event-ID. */
const maxBuffered = 1_000_000;

/**
 * Server-sent events. Happenings carry their id, so that a browser that was away gets those it missed (at most 500)
 * by Last-Event-ID; everything else is a state, sent whole at the start and on each change.
 */
export class Streams implements Disposable {
  readonly #live: LiveState;
  readonly #events: Pick<Reader, 'events'> | null;
  readonly #open = new Set<ServerResponse>();
  readonly #keepAlive: NodeJS.Timeout;
  readonly #subscription: Disposable;
  dropped = 0;

  constructor(live: LiveState, events: Pick<Reader, 'events'> | null) {
    this.#live = live;
    this.#events = events;
    this.#subscription = live.listen((message) => this.#send(frame(message)));
    this.#keepAlive = setInterval(() => this.#send(': still here\n\n'), 15_000);
  }

  get size(): number {
    return this.#open.size;
  }

  /** Takes over a response; false when too many browsers listen already. */
  open(response: ServerResponse, lastEventId: string | undefined): boolean {
    if (this.#open.size >= maxStreams) return false;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    response.write('retry: 2000\n\n');
    response.write(frame({ kind: 'core', body: { connected: this.#live.connected } }));
    response.write(frame({ kind: 'processes', body: this.#live.processes }));
    if (lastEventId !== undefined && this.#events !== null) {
      for (const event of this.#events.events(lastEventId, 500)) response.write(frame({ kind: 'event', body: event }));
    }
    this.#open.add(response);
    response.on('close', () => this.#open.delete(response));
    response.on('error', () => this.#open.delete(response));
    return true;
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
  }
}

function frame(message: LiveMessage): string {
  const id = message.kind === 'event' ? `id: ${message.body.id}\n` : '';
  return `${id}event: ${message.kind}\ndata: ${JSON.stringify(message.body)}\n\n`;
}
