import { fromHere } from './download.tsx';

/*
 * A camera's live stream as it comes over a WebSocket (`GET /api/v1/cameras/:id/live`), opened again and again with growing pauses.
 * Knows nothing of pictures: what comes is handed on.
 */

/** What the server says in text frames. */
export interface StreamFacts {
  readonly mime: string;
  readonly codec: string;
  /** What the camera sends, where it is recoded. */
  readonly original: string;
  readonly width: number;
  readonly height: number;
  readonly source: 'copy' | 'transcode' | 'pictures';
  /** Parts of it are covered in what comes. */
  readonly isMasked?: boolean;
  readonly generation: number;
}

/**
 * `opening`: asked. `running`: pictures come. `waiting`: they do not come now, and it is tried again. `refused`: somebody must do something.
 * `paused`: nobody looks.
 */
export type LineStateKind = 'opening' | 'running' | 'waiting' | 'refused' | 'paused';

export interface LineState {
  readonly kind: LineStateKind;
  /** As the server says it (`password`, `missing`, `busy`, `no-ffmpeg`, ...), or `lost`, `signed-out`, `forbidden`, `unknown`, `too-many`, `too-slow`, `media`; '' = none. */
  readonly reason: string;
}

export interface LineListener {
  stream(facts: StreamFacts): void;
  bytes(content: ArrayBuffer): void;
  state(state: LineState): void;
}

export interface LineOptions {
  readonly camera: string;
  readonly role: 'main' | 'sub';
  /** What this browser can show: `avc1`, `hvc1`. */
  readonly codecs: readonly string[];
  readonly listener: LineListener;
}

const firstPause = 500;
const longestPause = 15_000;
/** A socket on which nothing moves for so long is dead, ms: where there is no picture, the server says each 15 s how it is. */
const silence = 35_000;
/** Lived so long, it was well. */
const healthy = 10_000;
const closedTooSlow = 4001;
const closedNoCodec = 4002;
const closedFull = 4003;
const closedUnknown = 4004;

export class LiveLine implements Disposable {
  readonly #options: LineOptions;
  readonly #path: string;
  #socket: WebSocket | null = null;
  #pause = firstPause;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #openedAt = 0;
  #isOver = false;
  #state: LineState = { kind: 'opening', reason: '' };

  constructor(options: LineOptions) {
    this.#options = options;
    const { camera, role, codecs } = options;
    const path = `api/v1/cameras/${encodeURIComponent(camera)}/live`;
    this.#path = `${fromHere(path)}?role=${role}&codecs=${codecs.join(',')}`;
    this.#open();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    this.#socket?.close();
  }

  #open(): void {
    this.#tell({ kind: 'opening', reason: this.#state.reason });
    const url = new URL(this.#path, document.baseURI);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    let hasOpened = false;
    socket.onopen = () => {
      hasOpened = true;
      this.#openedAt = performance.now();
      this.#watch();
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (this.#isOver || socket !== this.#socket) return;
      this.#watch();
      if (data instanceof ArrayBuffer) this.#options.listener.bytes(data);
      else if (typeof data === 'string') this.#hear(data);
    };
    socket.onclose = ({ code }) => {
      if (this.#isOver || socket !== this.#socket) return;
      clearTimeout(this.#watchdog);
      void this.#closed(code, hasOpened);
    };
    this.#watch();
  }

  /** Reads what comes, and believes no more of it than it checks: an old page may meet a new server. */
  #hear(text: string): void {
    const message: unknown = JSON.parse(text);
    if (typeof message !== 'object' || message === null || !('kind' in message)) return;
    if (message.kind === 'stream' && isStreamFacts(message)) this.#options.listener.stream(message);
    if (message.kind !== 'state' || !('state' in message) || !('reason' in message)) return;
    const reason = String(message.reason);
    if (message.state === 'running') this.#tell({ kind: 'running', reason: '' });
    else if (message.state === 'refused') this.#tell({ kind: 'refused', reason });
    else if (message.state === 'waiting' || message.state === 'stalled') this.#tell({ kind: 'waiting', reason });
    else if (this.#state.kind !== 'refused' && this.#state.kind !== 'waiting')
      this.#tell({ kind: 'opening', reason: '' });
  }

  async #closed(code: number, hasOpened: boolean): Promise<void> {
    if (hasOpened && performance.now() - this.#openedAt > healthy) this.#pause = firstPause;
    if (code === closedNoCodec) this.#tell({ kind: 'refused', reason: 'codec' });
    else if (code === closedFull) this.#tell({ kind: 'refused', reason: 'full' });
    else if (code === closedUnknown) this.#tell({ kind: 'refused', reason: 'unknown' });
    else if (code === closedTooSlow) this.#tell({ kind: 'waiting', reason: 'too-slow' });
    else if (hasOpened) this.#tell({ kind: 'waiting', reason: this.#state.reason === 'media' ? 'media' : 'lost' });
    else this.#tell(await askWhy(this.#path));
    if (this.#isOver) return;
    const pause = this.#pause * (0.75 + Math.random() / 2);
    this.#pause = Math.min(this.#pause * 2, longestPause);
    this.#timer = setTimeout(() => this.#open(), pause);
  }

  #watch(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#socket?.close(), silence);
  }

  #tell(state: LineState): void {
    if (this.#isOver || (state.kind === this.#state.kind && state.reason === this.#state.reason)) return;
    this.#state = state;
    this.#options.listener.state(state);
  }
}

/** A browser does not say why a socket was refused: a plain request to the same address does. */
async function askWhy(path: string): Promise<LineState> {
  try {
    const headers = { 'x-campus-background': '1' };
    const { status } = await fetch(path, { headers, cache: 'no-store', signal: AbortSignal.timeout(8_000) });
    if (status === 401) return { kind: 'refused', reason: 'signed-out' };
    if (status === 403) return { kind: 'refused', reason: 'forbidden' };
    if (status === 404) return { kind: 'refused', reason: 'unknown' };
    if (status === 503) return { kind: 'refused', reason: 'too-many' };
    return { kind: 'waiting', reason: 'lost' };
  } catch {
    return { kind: 'waiting', reason: 'lost' };
  }
}

function isStreamFacts(message: object): message is StreamFacts {
  return (
    'mime' in message &&
    typeof message.mime === 'string' &&
    'codec' in message &&
    typeof message.codec === 'string' &&
    'source' in message &&
    (message.source === 'copy' || message.source === 'transcode' || message.source === 'pictures') &&
    'generation' in message &&
    typeof message.generation === 'number'
  );
}
