import type { z } from 'zod';
import type { TalkEnd, TalkMessage, talkBody, talking } from '../broadcast-schemas.ts';
import { ApiError, api } from './api.ts';
import { fromHere } from './kit/download.tsx';
import { noteSomebody } from './kit/presence.ts';
import { openEars, type TalkEars } from './talk-ears.ts';
import { type Microphone, MicrophoneError, type MicrophoneProblem, openMicrophone } from './talk-microphone.ts';
import type { TalkFrame } from './talk-worklet.ts';

/*
 * A live page, from the microphone of this browser to rooms. No loudspeaker is taken before there is a microphone; what cannot be sent in
 * time is left out, oldest first.
 */

export { microphoneProblem } from './talk-microphone.ts';
export type TalkBody = z.input<typeof talkBody>;
export type TalkAnswer = z.infer<typeof talking>;
export type TalkFigures = Extract<TalkMessage, { kind: 'figures' }>;

/** `lost`: the line to the server broke. The others as the server says them. */
export type TalkOver = TalkEnd | 'lost';
/** `refused`: core did not take it (`message`). Else the code of the API: `talk-open`, `forbidden`, `unreachable`, `streams-full` ... */
export type TalkFailure = MicrophoneProblem | 'refused' | (string & {});

/**
 * `asking`: for the microphone, then for the rooms. `chime`: the rooms hear it, one waits. `speaking`: they hear whoever speaks; `since` is
 * performance.now(). `ending`: what was said is heard to its end.
 */
export type TalkState =
  | { readonly kind: 'asking' }
  | { readonly kind: 'chime' }
  | { readonly kind: 'speaking'; readonly since: number }
  | { readonly kind: 'ending' }
  | { readonly kind: 'over'; readonly reason: TalkOver }
  | { readonly kind: 'failed'; readonly reason: TalkFailure; readonly message: string };

export interface TalkListener {
  state(state: TalkState): void;
  /** Each 20 ms, also before `speaking`: how loud the microphone is, 0 to 1. */
  meter?(level: { readonly peak: number; readonly rms: number }): void;
  /** Each second while the line is open. */
  figures?(figures: TalkFigures): void;
  /** From now on this loudspeaker's room is heard. */
  answers?(device: string): void;
  /** Where it will be heard; once, before `chime`. */
  answer?(answer: TalkAnswer): void;
}

/** Frames that wait while the line is busy: 300 ms. Who speaks is not heard later than that. */
const mostWaiting = 15;
/** Bytes that the browser has not sent yet: more than 150 ms of 48 kHz, and the line is busy. */
const busy = 14_400;
/** A line that does not open, or does not end, is given up, ms. */
const openPatience = 8_000;
const endPatience = 3_000;
/** Who speaks keeps his session, though he touches nothing: so often, ms, while he was as loud as this at least once (root mean square). */
const presenceEvery = 45_000;
const audible = 0.01;

/** Begins at once, and so from a click or a key. `end()` ends it from every state; disposing it does too, and is not told any more. */
export class LiveTalk implements Disposable {
  readonly #listener: TalkListener;
  /** Undone at the end, the last first. Browsers of 2023 know no DisposableStack. */
  readonly #undo: (() => void)[] = [];
  readonly #waiting: ArrayBuffer[] = [];
  #state: TalkState = { kind: 'asking' };
  #socket: WebSocket | null = null;
  #item: string | null = null;
  #ears: TalkEars | null = null;
  #isGone = false;
  #hasSpoken = false;
  /** Frames left out here because the line was busy. */
  dropped = 0;

  constructor(body: TalkBody, listener: TalkListener) {
    this.#listener = listener;
    listener.state(this.#state);
    void this.#begin(body);
  }

  get state(): TalkState {
    return this.#state;
  }

  end(): void {
    const { kind } = this.#state;
    if (kind === 'over' || kind === 'failed' || kind === 'ending') return;
    const socket = this.#socket;
    const over = () => this.#finish({ kind: 'over', reason: 'ended' });
    if (socket?.readyState === WebSocket.OPEN) {
      this.#tell({ kind: 'ending' });
      socket.send(JSON.stringify({ kind: 'end' }));
      this.#after(endPatience, over);
    } else over();
  }

  [Symbol.dispose](): void {
    this.#isGone = true;
    this.#finish({ kind: 'over', reason: 'ended' });
  }

  get #isOver(): boolean {
    return this.#state.kind === 'over' || this.#state.kind === 'failed';
  }

  async #begin(body: TalkBody): Promise<void> {
    try {
      const lost = (problem: MicrophoneProblem) => this.#finish({ kind: 'failed', reason: problem, message: '' });
      const microphone = await openMicrophone((frame) => this.#take(frame), lost);
      if (this.#isOver) return microphone[Symbol.dispose]();
      this.#undo.push(() => microphone[Symbol.dispose]());
      const answer = await api.post<TalkAnswer>('broadcast/talk', body);
      this.#item = answer.item;
      if (this.#isOver) return this.#giveBack();
      this.#listener.answer?.(answer);
      if (answer.listens) {
        const ears = openEars();
        this.#ears = ears;
        this.#undo.push(() => ears[Symbol.dispose]());
      }
      if (answer.session === null) this.#finish({ kind: 'failed', reason: 'refused', message: answer.message });
      else this.#open(answer.session, microphone);
    } catch (error) {
      this.#finish({ kind: 'failed', ...failureOf(error) });
    }
  }

  #open(session: string, { rate }: Microphone): void {
    const url = new URL(fromHere(`api/v1/broadcast/talk/${session}`));
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.onopen = () => {
      socket.send(JSON.stringify({ kind: 'format', codec: 'pcm', rate }));
      this.#tell({ kind: 'chime' });
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === 'string') this.#hear(data);
      else if (data instanceof ArrayBuffer) this.#ears?.take(data);
    };
    socket.onclose = () => this.#finish({ kind: 'over', reason: this.#state.kind === 'ending' ? 'ended' : 'lost' });
    this.#after(openPatience, () => {
      if (socket.readyState === WebSocket.CONNECTING) this.#finish({ kind: 'over', reason: 'lost' });
    });
  }

  /** An old page may meet a new server: what it does not know it leaves. */
  #hear(text: string): void {
    if (this.#isOver) return;
    const message = JSON.parse(text) as TalkMessage;
    if (message.kind === 'speak') this.#speak();
    else if (message.kind === 'figures') this.#listener.figures?.(message);
    else if (message.kind === 'answers') this.#listener.answers?.(message.device);
    else if (message.kind === 'over') this.#finish({ kind: 'over', reason: message.reason });
  }

  #speak(): void {
    this.#tell({ kind: 'speaking', since: performance.now() });
    const timer = setInterval(() => {
      if (!this.#hasSpoken) return;
      this.#hasSpoken = false;
      noteSomebody();
      // Who is signed out is told by this as by any other answer.
      api.get('me').catch(() => {});
    }, presenceEvery);
    this.#undo.push(() => clearInterval(timer));
  }

  #take({ pcm, peak, rms }: TalkFrame): void {
    if (this.#isOver) return;
    this.#listener.meter?.({ peak, rms });
    const socket = this.#socket;
    if (this.#state.kind !== 'speaking' || socket === null) return;
    if (rms > audible) this.#hasSpoken = true;
    this.#waiting.push(pcm);
    while (socket.bufferedAmount < busy) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      socket.send(next);
    }
    if (this.#waiting.length <= mostWaiting) return;
    this.#waiting.shift();
    this.dropped += 1;
  }

  /** Taken by core while nobody wants it any more: the rooms must not wait for a voice until its lease is over. */
  #giveBack(): void {
    if (this.#item === null) return;
    // It ends by itself within seconds as well.
    api.post(`broadcast/items/${this.#item}/stop`, { why: 'not begun' }).catch(() => {});
  }

  #finish(state: TalkState): void {
    if (this.#isOver) return;
    const socket = this.#socket;
    this.#tell(state);
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) undo();
    if (socket !== null) {
      socket.onclose = null;
      socket.close();
    } else this.#giveBack();
  }

  #tell(state: TalkState): void {
    this.#state = state;
    if (!this.#isGone) this.#listener.state(state);
  }

  #after(ms: number, then: () => void): void {
    const timer = setTimeout(then, ms);
    this.#undo.push(() => clearTimeout(timer));
  }
}

function failureOf(error: unknown): { readonly reason: TalkFailure; readonly message: string } {
  if (error instanceof MicrophoneError) return { reason: error.problem, message: error.message };
  if (error instanceof ApiError) return { reason: error.code, message: error.message };
  return { reason: 'unsupported', message: String(error) };
}
