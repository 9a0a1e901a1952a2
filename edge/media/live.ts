import type { WebSocket } from 'ws';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Fragment, StreamHub, StreamInit, StreamState, StreamSubscriber } from './hub.ts';
import type { Recoded } from './transcode.ts';

/*
 * One viewer at a WebSocket. Text frames say what comes and how the stream is, binary frames are an init and then fragments (or JPEG files).
 * Somebody who cannot keep up misses pictures up to a key frame, and never makes others wait.
 */

/** Text frames. */
export type LiveMessage =
  | {
      readonly kind: 'stream';
      /** For MediaSource: `video/mp4; codecs="avc1.64001f"`; `image/jpeg`: each binary frame is a picture. */
      readonly mime: string;
      readonly codec: string;
      /** What the camera sends, where it is recoded for this viewer. */
      readonly original: string;
      readonly width: number;
      readonly height: number;
      readonly source: 'copy' | 'transcode' | 'pictures';
      /** Parts of it are covered for this viewer: never a copy then. */
      readonly isMasked: boolean;
      readonly generation: number;
    }
  | { readonly kind: 'state'; readonly state: StreamState['kind']; readonly reason: string; readonly message: string }
  | { readonly kind: 'skipped'; readonly pictures: number };

export interface ViewerOptions {
  readonly hub: StreamHub;
  /** Families of codecs that the browser shows: `avc1`, `hvc1`. */
  readonly codecs: ReadonlySet<string>;
  /** He must not see all of it: what the camera sends never reaches him as it is. */
  readonly isMasked: boolean;
  /** The stream as he may see it, and as every browser shows it; null: nothing can be made of it now. */
  readonly recoded: (hub: StreamHub) => Recoded | null;
  readonly clock: Clock;
  /** How often whoever has pictures is looked after for whether there is room for video, ms. */
  readonly lookEvery?: number;
}

/** Bytes that may wait for a viewer, beyond the key frame's group that he begins with; and for how long, ms. */
const mostWaiting = 4 * 1024 * 1024;
const longestWait = 3_000;
/** He may go on where little waits. */
const caughtUp = 256 * 1024;
/** Skips within this time, ms, after which he is told that it does not go. */
const skipsAllowed = 6;
const skipSpan = 60_000;
const pingEvery = 15_000;

/** Close codes of ours (RFC 6455, 7.4.2). */
export const closeCodes = { ended: 4000, tooSlow: 4001, codec: 4002, full: 4003 } as const;

/** Serves a viewer until he goes. */
export function serveViewer(socket: WebSocket, options: ViewerOptions): void {
  const viewer = new Viewer(socket, options);
  socket.on('close', () => viewer[Symbol.dispose]());
  socket.on('error', () => socket.terminate()); // 'close' follows
  viewer.begin();
}

class Viewer implements Disposable {
  readonly #socket: WebSocket;
  readonly #options: ViewerOptions;
  readonly #ping: NodeJS.Timeout;
  readonly #look: NodeJS.Timeout;
  #subscription: Disposable | null = null;
  #recoded: Disposable | null = null;
  #source: 'copy' | Recoded['kind'] | null = null;
  #allowance = mostWaiting;
  #skips = false;
  #skipped = 0;
  #skippedAt: number[] = [];
  /** When what waits longest was given to the socket, ms, oldest first. */
  #sent: number[] = [];
  #isAlive = true;

  constructor(socket: WebSocket, options: ViewerOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('pong', () => {
      this.#isAlive = true;
    });
    this.#ping = setInterval(() => {
      if (!this.#isAlive) return socket.terminate();
      this.#isAlive = false;
      socket.ping();
      // A browser's script does not see pings: this is how it knows that the line lives while there is no picture.
      this.#sayState(options.hub.state);
    }, pingEvery);
    this.#look = setInterval(() => this.#lookForVideo(), options.lookEvery ?? pingEvery);
  }

  begin(): void {
    const { hub } = this.#options;
    const { isMasked } = this.#options;
    let isCopied = false;
    const subscriber: StreamSubscriber = {
      init: (init) => {
        isCopied = !isMasked && this.#isShown(init.codec);
        this.#recoded?.[Symbol.dispose]();
        this.#recoded = null;
        if (isCopied) this.#announce(init, 'copy', init.codec);
        else this.#recode(init.codec);
      },
      fragment: (fragment) => isCopied && this.#give(fragment),
      state: (state) => this.#sayState(state),
      ended: (reason) => this.#socket.close(closeCodes.ended, reason.slice(0, 120)),
    };
    this.#subscription = hub.subscribe(subscriber, { fromKeyFrame: true, isViewer: true });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#ping);
    clearInterval(this.#look);
    this.#subscription?.[Symbol.dispose]();
    this.#recoded?.[Symbol.dispose]();
  }

  #isShown(codec: string): boolean {
    const family = codec.split('.')[0] ?? '';
    return this.#options.codecs.has(family === 'avc3' ? 'avc1' : family);
  }

  #recode(original: string): void {
    const { hub, isMasked, recoded } = this.#options;
    const made = recoded(hub);
    if (made === null) {
      const why = isMasked ? 'parts of this picture must be covered' : 'this browser cannot show H.265';
      const message = `${why}, and as many streams are recoded already as this box may`;
      this.#say({ kind: 'state', state: 'refused', reason: 'full', message });
      this.#socket.close(closeCodes.full, 'as many streams are recoded as may be');
      return;
    }
    const subscriber: StreamSubscriber = {
      init: (init) => this.#announce(init, made.kind, original),
      fragment: (fragment) => this.#give(fragment),
      ended: () => {},
    };
    this.#source = made.kind;
    this.#recoded = made.hub.subscribe(subscriber, { fromKeyFrame: true, isViewer: true });
  }

  /** Whoever has a picture a second gets video when somebody else's place is free. */
  #lookForVideo(): void {
    const { hub, recoded } = this.#options;
    if (this.#source !== 'pictures' || hub.init === null || recoded(hub)?.kind !== 'transcode') return;
    this.#recoded?.[Symbol.dispose]();
    this.#recode(hub.init.codec);
  }

  #announce(init: StreamInit, source: 'copy' | Recoded['kind'], original: string): void {
    const { isMasked } = this.#options;
    this.#source = source;
    const { codec, width, height, generation } = init;
    const mime = source === 'pictures' ? 'image/jpeg' : `video/mp4; codecs="${codec}"`;
    this.#say({ kind: 'stream', mime, codec, original, width, height, source, isMasked, generation });
    if (init.bytes.length > 0) this.#send(init.bytes);
    this.#skips = false;
    const first = this.#options.hub.recent.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.#allowance = mostWaiting + first;
  }

  #give(fragment: Fragment): void {
    const { clock } = this.#options;
    if (this.#skips && !(fragment.isKey && this.#socket.bufferedAmount <= caughtUp)) {
      this.#skipped += 1;
      return;
    }
    if (this.#skips) this.#goOn();
    const waits = this.#sent[0] === undefined ? 0 : clock.monotonic() - this.#sent[0];
    if (
      this.#socket.bufferedAmount > this.#allowance ||
      (waits > longestWait && this.#socket.bufferedAmount > caughtUp)
    ) {
      this.#skip();
      return;
    }
    this.#send(fragment.bytes);
  }

  #skip(): void {
    const now = this.#options.clock.monotonic();
    this.#skips = true;
    this.#skipped = 1;
    this.#skippedAt = [...this.#skippedAt.filter((at) => now - at < skipSpan), now];
    if (this.#skippedAt.length > skipsAllowed) {
      this.#socket.close(closeCodes.tooSlow, 'this line is too slow for this stream');
    }
  }

  #goOn(): void {
    this.#skips = false;
    this.#allowance = mostWaiting;
    this.#say({ kind: 'skipped', pictures: this.#skipped });
  }

  #sayState({ kind, reason, message }: StreamState): void {
    this.#say({ kind: 'state', state: kind, reason, message });
  }

  #say(message: LiveMessage): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #send(bytes: Buffer): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#sent.push(this.#options.clock.monotonic());
    this.#socket.send(bytes, { binary: true }, () => void this.#sent.shift());
  }
}
