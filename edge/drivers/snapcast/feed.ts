import { connect, type Socket } from 'node:net';
import { messageOf } from '#edge/runtime/errors.ts';
import { Backoff } from '#edge/runtime/lifecycle.ts';

export interface FeedOptions {
  readonly host: string;
  readonly port: number;
  readonly channels: 1 | 2;
  /** On transitions only; '': it is open. */
  readonly onState: (problem: string) => void;
  readonly onCount: (outcome: string) => void;
}

/** So much may wait for a server that does not take it; more is a server that hangs, ms of sound. */
const mostWaiting = 1_000;
const bytesPerMs = 48 * 2;
const connectPatience = 3_000;

/** Samples on their way into a stream of the server: 48 kHz, 16 bit, little-endian, as the server's file has it. */
export class Feed implements Disposable {
  readonly #options: FeedOptions;
  readonly #backoff = new Backoff({ first: 200, cap: 5_000 });
  #socket: Socket | null = null;
  #opening: Socket | null = null;
  #retry: NodeJS.Timeout | undefined;
  #problem: string | null = null;
  #isOver = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#connect();
  }

  /** Why nothing can be given; '': it can. */
  get problem(): string {
    return this.#socket === null ? (this.#problem ?? 'the stream is being opened') : '';
  }

  /** A frame of one channel as a codec made it: the byte that weighs most first. Must neither throw nor wait. */
  write(frame: Buffer): void {
    const socket = this.#socket;
    const { channels, onCount } = this.#options;
    if (socket === null) onCount('not-sent');
    else if (socket.writableLength > mostWaiting * bytesPerMs * channels) this.#lose(socket, 'it takes no more sound');
    else socket.write(turned(frame, channels));
  }

  #connect(): void {
    if (this.#isOver) return;
    const { host, port } = this.#options;
    const socket = connect({ host, port, timeout: connectPatience });
    this.#opening = socket;
    socket.setNoDelay(true);
    socket.once('connect', () => {
      socket.setTimeout(0);
      this.#socket = socket;
      this.#backoff.reset();
      this.#say('');
    });
    // It has nothing to say here.
    socket.on('data', () => {});
    socket.on('timeout', () => socket.destroy(new Error('no answer')));
    socket.on('error', (error) => this.#lose(socket, messageOf(error)));
    socket.on('close', () => this.#lose(socket, 'the server closed the stream'));
  }

  #lose(socket: Socket, why: string): void {
    if (this.#opening !== socket) return;
    this.#opening = null;
    this.#socket = null;
    socket.destroy();
    if (this.#isOver) return;
    this.#options.onCount('stream-lost');
    this.#say(why);
    this.#retry = setTimeout(() => this.#connect(), this.#backoff.next());
  }

  #say(problem: string): void {
    if (this.#problem === problem) return;
    this.#problem = problem;
    this.#options.onState(problem);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#retry);
    if (this.#opening !== null) this.#lose(this.#opening, 'it is over');
  }
}

/** Least byte first, the same on each channel. The frame is shared: a copy is turned. */
function turned(frame: Buffer, channels: 1 | 2): Buffer {
  if (channels === 1) return Buffer.from(frame).swap16();
  const both = Buffer.allocUnsafe(frame.length * 2);
  for (let at = 0; at < frame.length; at += 2) {
    const [high = 0, low = 0] = [frame[at], frame[at + 1]];
    both[at * 2] = low;
    both[at * 2 + 1] = high;
    both[at * 2 + 2] = low;
    both[at * 2 + 3] = high;
  }
  return both;
}
