import { connect, type Socket } from 'node:net';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { Backoff, Ticker } from '#edge/runtime/lifecycle.ts';
import { readStatus, type SnapStatus } from './status.ts';

export interface ControlOptions {
  readonly host: string;
  readonly port: number;
  /** Pause between two looks where the server says nothing by itself, ms. */
  readonly probeEvery: number;
  /** null: there is no word from it, and why. */
  readonly onStatus: (status: SnapStatus | null, why: string) => void;
  readonly onCount: (outcome: string) => void;
}

/** A status of 1,000 clients has some 600 kB. */
const longestLine = 2_000_000;
const answerPatience = 3_000;
const connectPatience = 3_000;
/** Many notices come at once when somebody turns a knob, ms. */
const gather = 40;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** The JSON-RPC of a Snapcast server over TCP, a line each: asked for its status at the start, after each notice, and now and then. */
export class SnapControl implements Disposable {
  readonly #options: ControlOptions;
  readonly #backoff = new Backoff({ first: 300, cap: 5_000 });
  readonly #waiting = new Map<number, Waiting>();
  readonly #ticker: Ticker;
  #opening: Socket | null = null;
  /** Once it is connected. */
  #socket: Socket | null = null;
  #retry: NodeJS.Timeout | undefined;
  #notice: NodeJS.Timeout | undefined;
  #rest = '';
  #last = 0;
  #isAsking = false;
  #isOver = false;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#ticker = new Ticker(options.probeEvery, () => void this.#look());
    this.#connect();
  }

  /** Throws SNAPCAST_SILENT, SNAPCAST_NO. */
  ask(method: string, params: object = {}): Promise<unknown> {
    const socket = this.#socket;
    if (socket === null) return Promise.reject(new CodedError('SNAPCAST_SILENT', 'not connected'));
    const id = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => {
      this.#waiting.delete(id);
      reject(new CodedError('SNAPCAST_SILENT', `no answer to ${method} within ${answerPatience} ms`));
    }, answerPatience);
    this.#waiting.set(id, { resolve, reject, timer });
    socket.write(`${JSON.stringify({ id, jsonrpc: '2.0', method, params })}\r\n`);
    return promise;
  }

  #connect(): void {
    if (this.#isOver) return;
    const { host, port } = this.#options;
    const socket = connect({ host, port, timeout: connectPatience });
    this.#opening = socket;
    socket.setNoDelay(true);
    socket.setEncoding('utf8');
    socket.once('connect', () => {
      socket.setTimeout(0);
      this.#socket = socket;
      this.#rest = '';
      void this.#look();
    });
    socket.on('timeout', () => socket.destroy(new Error('no answer')));
    socket.on('data', (data) => this.#take(socket, String(data)));
    socket.on('error', (error) => this.#lose(socket, messageOf(error)));
    socket.on('close', () => this.#lose(socket, 'the server closed the connection'));
  }

  #lose(socket: Socket, why: string): void {
    if (this.#opening !== socket) return;
    this.#opening = null;
    this.#socket = null;
    socket.destroy();
    clearTimeout(this.#notice);
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new CodedError('SNAPCAST_SILENT', why));
    }
    this.#waiting.clear();
    if (this.#isOver) return;
    this.#options.onStatus(null, why);
    this.#options.onCount('reconnect');
    this.#retry = setTimeout(() => this.#connect(), this.#backoff.next());
  }

  #take(socket: Socket, data: string): void {
    const lines = (this.#rest + data).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > longestLine) {
      this.#lose(socket, 'it sends lines without an end');
      return;
    }
    for (const line of lines) if (line.trim() !== '') this.#hear(line);
  }

  #hear(line: string): void {
    const { id, method, error, result } = readLine(line);
    if (typeof method === 'string') {
      this.#noticed();
      return;
    }
    const waiting = typeof id === 'number' ? this.#waiting.get(id) : undefined;
    if (waiting === undefined || typeof id !== 'number') {
      this.#options.onCount('not-understood');
      return;
    }
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (error === undefined) waiting.resolve(result);
    else waiting.reject(new CodedError('SNAPCAST_NO', JSON.stringify(error).slice(0, 200)));
  }

  #noticed(): void {
    clearTimeout(this.#notice);
    this.#notice = setTimeout(() => void this.#look(), gather);
  }

  async #look(): Promise<void> {
    const socket = this.#socket;
    if (socket === null || this.#isAsking) return;
    this.#isAsking = true;
    try {
      const status = readStatus(await this.ask('Server.GetStatus'));
      if (status === null) throw new CodedError('SNAPCAST_NO', 'what it says is no status of a Snapcast server');
      this.#backoff.reset();
      this.#options.onStatus(status, '');
    } catch (error) {
      if (this.#socket === socket) this.#lose(socket, messageOf(error));
    } finally {
      this.#isAsking = false;
    }
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#ticker[Symbol.dispose]();
    clearTimeout(this.#retry);
    if (this.#opening !== null) this.#lose(this.#opening, 'it is over');
  }
}

interface Line {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

function readLine(line: string): Line {
  try {
    const said: unknown = JSON.parse(line);
    return typeof said === 'object' && said !== null ? said : {};
  } catch {
    return {};
  }
}
