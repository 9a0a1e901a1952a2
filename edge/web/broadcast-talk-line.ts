import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { keyHeader } from '#edge/media/socket.ts';
import { type TalkEnd, type TalkMessage, talkEnds } from './broadcast-schemas.ts';
import type { Talk, TalkDesk } from './broadcast-talk.ts';

/*
 * A voice between a browser and the process `broadcast`: web knows people, broadcast knows sound. What does not get on is left out, oldest
 * last: nobody wants to hear late what was said.
 */

const handshakeTime = 5_000;
const pingEvery = 5_000;
/** The socket of `broadcast` takes messages of 4,096 bytes; these are whole samples. */
const largestPiece = 3_840;
/** Bytes that wait for `broadcast`: half a second of 48 kHz. */
const full = 48_000;
/** Text frames of a browser: a format and an end, with room for what is sent by mistake. */
const mostText = 1_000;
/** Bytes of a room's answer that wait for the browser. */
const mostAnswering = 32_000;
const closedNormally = 1_000;

const heard = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('speak') }),
  z.object({ kind: z.literal('answers'), device: z.string().max(63) }),
  z.object({
    ...{ kind: z.literal('figures'), waiting: z.number(), underruns: z.number(), dropped: z.number() },
    ...{ recorded: z.number(), recordingProblem: z.string().nullable(), level: z.number() },
  }),
  z.object({ kind: z.literal('over'), reason: z.enum(talkEnds).catch('sound-away') }),
]);

/** Takes over a browser's socket until one of both ends. */
export class TalkLine {
  readonly #browser: WebSocket;
  readonly #talk: Talk;
  readonly #desk: TalkDesk;
  readonly #ping: NodeJS.Timeout;
  #sound: WebSocket | null = null;
  #isAlive = true;
  #isPcm = true;
  #isOver = false;
  #lost = 0;

  constructor(browser: WebSocket, talk: Talk, desk: TalkDesk, data: string) {
    this.#browser = browser;
    this.#talk = talk;
    this.#desk = desk;
    this.#ping = setInterval(() => this.#lookWhoIsThere(), pingEvery);
    // Nothing is read before there is somebody to hand it to.
    browser.pause();
    browser.on('pong', () => {
      this.#isAlive = true;
    });
    browser.on('error', () => browser.terminate()); // 'close' follows
    browser.once('close', () => this.#end('lost'));
    browser.on('message', (content: Buffer, isBinary) => {
      this.#isAlive = true;
      if (isBinary) this.#passSound(content);
      else this.#passText(content);
    });
    desk.open(talk, (reason) => this.#end(reason));
    void this.#connect(data);
  }

  async #connect(data: string): Promise<void> {
    let key: string;
    try {
      key = (await readFile(join(data, 'sound.key'), 'utf8')).trim();
    } catch {
      return this.#end('sound-away'); // it has not started yet
    }
    if (this.#isOver) return;
    const { session, item, class: soundClass, chime, listens } = this.#talk;
    const more = { ...(chime === null ? {} : { chime }), ...(listens ? { listen: '1' } : {}) };
    const query = new URLSearchParams({ item, class: soundClass, ...more });
    const sound = new WebSocket(`ws+unix:${join(data, 'sound.sock')}:/talk/${session}?${query}`, {
      headers: { [keyHeader]: key },
      handshakeTimeout: handshakeTime,
      perMessageDeflate: false,
      maxPayload: 65_536,
    });
    this.#sound = sound;
    sound.on('error', () => sound.terminate()); // 'close' follows
    sound.once('open', () => this.#browser.resume());
    sound.on('message', (content: Buffer, isBinary) => {
      if (isBinary) this.#passAnswer(content);
      else this.#hear(content.toString('utf8'));
    });
    sound.once('close', () => this.#end('sound-away'));
  }

  #passText(content: Buffer): void {
    const text = content.toString('utf8');
    // What it means is for `broadcast` to judge; here it only matters what may be cut into pieces.
    if (text.includes('"opus"')) this.#isPcm = false;
    if (content.length > mostText) this.#end('bad-sound');
    else this.#sound?.send(text);
  }

  #passSound(content: Buffer): void {
    const sound = this.#sound;
    if (sound === null || sound.readyState !== sound.OPEN) return;
    if (!this.#isPcm && content.length > largestPiece) this.#end('bad-sound');
    else if (sound.bufferedAmount > full) this.#lost += 1;
    else for (let at = 0; at < content.length; at += largestPiece) sound.send(content.subarray(at, at + largestPiece));
  }

  /** What a room says back; late is left out. */
  #passAnswer(content: Buffer): void {
    const browser = this.#browser;
    if (!this.#talk.listens || browser.readyState !== browser.OPEN || browser.bufferedAmount > mostAnswering) return;
    browser.send(content, { binary: true });
  }

  #hear(text: string): void {
    const parsed = heard.safeParse(JSON.parse(text));
    // What a newer `broadcast` says besides is nothing to this one.
    if (!parsed.success) return;
    const said = parsed.data;
    if (said.kind === 'over') this.#end(said.reason);
    else if (said.kind === 'speak' || said.kind === 'answers') this.#tell(said);
    else {
      const { recordingProblem, dropped, ...figures } = said;
      const { playing, outputs } = this.#talk;
      const recordingFailed = recordingProblem !== null;
      this.#tell({ ...figures, dropped: dropped + this.#lost, recordingFailed, playing, outputs });
    }
  }

  #tell(message: TalkMessage): void {
    if (this.#browser.readyState === this.#browser.OPEN) this.#browser.send(JSON.stringify(message));
  }

  #end(reason: TalkEnd | 'lost'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#ping);
    // The loudspeakers fall silent with this socket; core is told besides.
    this.#sound?.close();
    if (reason !== 'lost') this.#tell({ kind: 'over', reason });
    // A socket that is paused never hears that the other end has closed.
    this.#browser.resume();
    this.#browser.close(closedNormally, reason);
    this.#desk.close(this.#talk, reason);
  }

  #lookWhoIsThere(): void {
    if (this.#isAlive) this.#browser.ping();
    else this.#browser.terminate();
    this.#isAlive = false;
  }
}
