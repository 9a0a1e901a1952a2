import type { WebSocket } from 'ws';
import { z } from 'zod';
import { type SoundClass, soundClasses } from '#edge/domain/broadcast.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { LiveWriter } from './live.ts';
import type { Studio } from './studio.ts';
import { playChime } from './talk-chime.ts';
import type { TalkRecorder } from './talk-recorder.ts';
import type { Recordings } from './talk-recordings.ts';
import { startTalkVoice, type TalkFormat, type TalkVoice, talkRates } from './talk-voice.ts';

/* Somebody speaks: what comes from web over one socket becomes a live session of the studio, and a recording. */

export interface TalkWish {
  /** Of the order: `live:<session>`. */
  readonly session: string;
  readonly item: string;
  readonly class: SoundClass;
  /** A clip; null: none. */
  readonly chime: string | null;
  /** Whoever speaks hears what the rooms answer. */
  readonly listens: boolean;
}

/** What rooms say back to whoever speaks. */
export interface RoomAnswers {
  listen(session: string, hear: (frame: { readonly device: string; readonly pcm: Int16Array }) => void): Disposable;
}

export interface TalkOptions {
  readonly studio: Pick<Studio, 'live' | 'library' | 'pacer'>;
  readonly recordings: Pick<Recordings, 'begin' | 'end'>;
  /** Absent: no loudspeaker here has a microphone. */
  readonly answers?: RoomAnswers | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Why a talk is over. `ended`: as it was asked. `lost`: the line to whoever speaks broke. `silent`: nothing came for 10 s. `too-long`: 30 min.
 * `too-fast`: much more sound than time. `bad-sound`: what came is none. `taken`: somebody speaks here already. `full`. `stopping`: this
 * process ends.
 */
export type TalkEnd = 'ended' | 'lost' | 'silent' | 'too-long' | 'too-fast' | 'bad-sound' | 'taken' | 'full';

/** Text frames to web; it adds what only core knows and hands them to the browser. */
export type TalkWord =
  | { readonly kind: 'speak' }
  /** What comes from now on as binary frames (16-bit little-endian mono at 8 kHz) is the room of this device. */
  | { readonly kind: 'answers'; readonly device: string }
  | {
      readonly kind: 'figures';
      /** Frames of 20 ms. */
      readonly waiting: number;
      readonly underruns: number;
      readonly dropped: number;
      /** ms on disk. */
      readonly recorded: number;
      /** null: it is recorded. */
      readonly recordingProblem: string | null;
      /** Root mean square since the last, 0 to 1. */
      readonly level: number;
    }
  | { readonly kind: 'over'; readonly reason: TalkEnd };

const word = z.discriminatedUnion('kind', [
  z
    .strictObject({ kind: z.literal('format'), codec: z.enum(['pcm', 'opus']), rate: z.literal(talkRates) })
    .refine(({ codec, rate }) => codec === 'pcm' || rate === 48_000, 'Opus is told as 48000'),
  z.strictObject({ kind: z.literal('end') }),
]);

const figuresEvery = 1_000;
/** Nothing comes: he is gone, ms. A microphone in a quiet room sends silence. */
const patience = 10_000;
const longest = 30 * 60_000;
/** Twice real time, and a second at once, ms of sound; what is more is thrown away, and who sends 20 s of it is no microphone. */
const fastest = 2;
const burst = 1_000;
const mostTooFast = 20_000;
/** Messages in a row that are no sound. */
const mostBad = 50;
/** ms of a frame. */
const frameMs = 20;
const closedNormally = 1_000;
/** Bytes of a room's answer that wait for web: nobody wants to hear it late. */
const mostAnswering = 16_000;

/** Takes over a socket of web. */
export function serveTalk(socket: WebSocket, wish: TalkWish, options: TalkOptions): void {
  const { studio, log } = options;
  let writer: LiveWriter;
  try {
    writer = studio.live.open(wish.session, 48_000);
  } catch (error) {
    const reason: TalkEnd = codeOf(error) === 'LIVE_FULL' ? 'full' : 'taken';
    log.warn({ session: wish.session, problem: messageOf(error) }, 'nobody can speak here');
    socket.send(JSON.stringify({ kind: 'over', reason } satisfies TalkWord));
    socket.close(closedNormally, reason);
    return;
  }
  new TalkSession(socket, wish, options, writer);
}

class TalkSession {
  readonly #socket: WebSocket;
  readonly #wish: TalkWish;
  readonly #options: TalkOptions;
  readonly #writer: LiveWriter;
  readonly #recorder: TalkRecorder;
  readonly #timer: NodeJS.Timeout;
  readonly #ending = new AbortController();
  readonly #begun: number;
  #voice: TalkVoice | null = null;
  #isSpeaking = false;
  #isOver = false;
  #lastSound: number;
  /** ms of sound that came since `speak`, and since when. */
  #came = 0;
  #since = 0;
  #tooFast = 0;
  #bad = 0;
  #dropped = 0;
  #squares = 0;
  #samples = 0;
  #answering: Disposable | null = null;
  #room = '';

  constructor(socket: WebSocket, wish: TalkWish, options: TalkOptions, writer: LiveWriter) {
    const { clock, recordings } = options;
    this.#socket = socket;
    this.#wish = wish;
    this.#options = options;
    this.#writer = writer;
    this.#begun = clock.monotonic();
    this.#lastSound = this.#begun;
    this.#recorder = recordings.begin(wish.item, { class: wish.class, begin: clock.now() });
    this.#timer = setInterval(() => this.#look(), figuresEvery);
    socket.on('message', (content: Buffer, isBinary) => {
      if (this.#isOver) return;
      if (isBinary) this.#hear(content);
      else this.#obey(content.toString('utf8'));
    });
    socket.once('close', () => this.#end('lost'));
  }

  #obey(text: string): void {
    const parsed = word.safeParse(readJson(text));
    const said = parsed.success ? parsed.data : null;
    if (said?.kind === 'format' && this.#voice === null) this.#begin(said);
    else this.#end(said?.kind === 'end' ? 'ended' : 'bad-sound');
  }

  #begin(format: TalkFormat): void {
    try {
      this.#voice = startTalkVoice(format);
    } catch (error) {
      // A decoder that finds no memory is this talk's end, not that of all loudspeakers.
      this.#options.log.error({ error, ...format }, 'a voice cannot be decoded');
      this.#end('bad-sound');
    }
    if (!this.#isOver) void this.#chime();
  }

  /** Whoever has asked for a chime speaks after it; one that cannot be played keeps nobody from speaking. */
  async #chime(): Promise<void> {
    const { studio, log } = this.#options;
    const { chime } = this.#wish;
    if (chime !== null) {
      try {
        await playChime(chime, studio, (frame) => this.#push(frame), this.#ending.signal);
      } catch (error) {
        if (!this.#isOver) log.warn({ chime, problem: messageOf(error) }, 'a live page begins without its chime');
      }
    }
    if (this.#isOver) return;
    this.#isSpeaking = true;
    this.#since = this.#options.clock.monotonic();
    this.#tell({ kind: 'speak' });
    const { session, listens } = this.#wish;
    if (listens) this.#answering = this.#options.answers?.listen(session, (frame) => this.#answer(frame)) ?? null;
  }

  /** To whoever speaks, and to nothing else: the recording has his voice alone. */
  #answer({ device, pcm }: { readonly device: string; readonly pcm: Int16Array }): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN || socket.bufferedAmount > mostAnswering) return;
    if (device !== this.#room) this.#tell({ kind: 'answers', device });
    this.#room = device;
    socket.send(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength), { binary: true });
  }

  #hear(content: Buffer): void {
    this.#lastSound = this.#options.clock.monotonic();
    // Before `speak` it is the room that is heard, over the chime.
    for (const frame of this.#decode(content)) if (this.#isSpeaking) this.#say(frame);
  }

  #decode(content: Buffer): readonly Int16Array[] {
    try {
      const frames = this.#voice?.take(content) ?? null;
      if (frames === null) this.#end('bad-sound');
      this.#bad = 0;
      return frames ?? [];
    } catch {
      this.#dropped += 1;
      this.#bad += 1;
      if (this.#bad >= mostBad) this.#end('bad-sound');
      return [];
    }
  }

  #say(frame: Int16Array): void {
    this.#came += frameMs;
    const allowed = (this.#lastSound - this.#since) * fastest + burst;
    if (this.#came > allowed) {
      this.#came -= frameMs;
      this.#dropped += 1;
      this.#tooFast += frameMs;
      if (this.#tooFast > mostTooFast) this.#end('too-fast');
      return;
    }
    for (const sample of frame) this.#squares += (sample / 32_768) ** 2;
    this.#samples += frame.length;
    this.#push(frame);
  }

  #push(frame: Int16Array): void {
    if (this.#isOver) return;
    this.#writer.push(frame);
    this.#recorder.take(frame);
  }

  #look(): void {
    const now = this.#options.clock.monotonic();
    const { waiting, underruns, dropped } = this.#writer.figures();
    const level = this.#samples === 0 ? 0 : Math.min(1, Math.sqrt(this.#squares / this.#samples));
    this.#squares = 0;
    this.#samples = 0;
    const { recorded, problem } = this.#recorder;
    this.#tell({
      ...{ kind: 'figures', waiting, underruns, dropped: dropped + this.#dropped, recorded, level },
      recordingProblem: problem,
    });
    if (now - this.#begun > longest) this.#end('too-long');
    // While the chime sounds nobody needs to send anything.
    else if (this.#voice !== null && !this.#isSpeaking) this.#lastSound = now;
    else if (now - this.#lastSound > patience) this.#end('silent');
  }

  #tell(said: TalkWord): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(said));
  }

  /** What was said is heard to its end; then the loudspeakers fall silent. */
  #end(reason: TalkEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#ending.abort();
    this.#answering?.[Symbol.dispose]();
    this.#writer.end();
    this.#voice?.[Symbol.dispose]();
    const { item } = this.#wish;
    const { recordings, log } = this.#options;
    recordings.end(item).catch((error: unknown) => log.error({ error, item }, 'a recording cannot be closed'));
    this.#tell({ kind: 'over', reason });
    this.#socket.close(closedNormally, reason);
    log.info({ item, session: this.#wish.session, reason, ...this.#writer.figures() }, 'a live page is over');
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const wishQuery = z.object({
  item: z.uuid(),
  class: z.enum(soundClasses),
  chime: z.string().max(63).optional(),
  listen: z.literal('1').optional(),
});

/** `/talk/<session>?item=<id>&class=page&chime=<clip>&listen=1`; null: not that. */
export function talkWishOf(path: readonly string[], query: URLSearchParams): TalkWish | null {
  const [area, session = '', ...more] = path;
  if (area !== 'talk' || more.length > 0 || !/^[a-zA-Z0-9-]{1,63}$/.test(session)) return null;
  const parsed = wishQuery.safeParse(Object.fromEntries(query));
  if (!parsed.success) return null;
  const { item, class: soundClass, chime = null, listen } = parsed.data;
  return { session, item, class: soundClass, chime, listens: listen === '1' };
}
