import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Holder } from './held.ts';

/*
 * Live video between a browser and the process `media`: web knows people, media knows streams. What media sends is passed on as it is;
 * a browser that does not read holds up its own socket to media, which then leaves pictures out.
 */

export interface LiveQuestion {
  readonly camera: string;
  readonly role: string;
  /** `avc1,hvc1`: what the browser can show. */
  readonly codecs: string;
  /** He has the right to see what masks cover. */
  readonly isUnmasked: boolean;
  readonly holder: Holder;
}

/** Tiles of two walls in one window, or of two windows; an API token may stand for a video wall. */
const mostOfSession = 32;
const mostOfToken = 64;
const mostInAll = 400;
/** Waiting bytes at which media is not read any more, and at which it is read again. */
const full = 1024 * 1024;
const roomy = 256 * 1024;
const handshakeTime = 5_000;
const pingEvery = 20_000;

/** RFC 6455: 1013 "try again later" is registered with IANA; 4000 to 4999 are ours, as media chose them. */
const tryLater = 1013;

export class LiveViews implements Disposable {
  readonly #data: string;
  readonly #open = new Map<WebSocket, Holder>();
  readonly #alive = new WeakSet<WebSocket>();
  readonly #ping: NodeJS.Timeout;

  constructor(data: string) {
    this.#data = data;
    this.#ping = setInterval(() => this.#lookWhoIsThere(), pingEvery);
  }

  get size(): number {
    return this.#open.size;
  }

  /** Throws STREAMS_FULL when one more would be too many, for everybody or for this session. */
  admit({ who, sessionId }: Holder): void {
    if (this.#open.size >= mostInAll)
      throw new CodedError('STREAMS_FULL', `${mostInAll} live pictures are open already`);
    const isSame = (other: Holder) => (sessionId === null ? other.who === who : other.sessionId === sessionId);
    const own = [...this.#open.values()].filter(isSame).length;
    const most = sessionId === null ? mostOfToken : mostOfSession;
    if (own >= most)
      throw new CodedError('STREAMS_FULL', `${most} live pictures of yours are open already: close some`);
  }

  /** Takes over a browser's socket. */
  serve(browser: WebSocket, question: LiveQuestion): void {
    this.#open.set(browser, question.holder);
    this.#alive.add(browser);
    browser.on('pong', () => this.#alive.add(browser));
    browser.on('error', () => browser.terminate()); // 'close' follows
    browser.once('close', () => this.#open.delete(browser));
    void this.#connect(browser, question);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#ping);
    for (const browser of this.#open.keys()) browser.terminate();
  }

  async #connect(browser: WebSocket, { camera, role, codecs, isUnmasked }: LiveQuestion): Promise<void> {
    let key: string;
    try {
      key = (await readFile(join(this.#data, 'media.key'), 'utf8')).trim();
    } catch {
      return away(browser); // media has not started yet
    }
    if (browser.readyState !== browser.OPEN) return;
    // Media covers what is to be covered unless it is told otherwise.
    const path = `/live/${camera}/${role}?codecs=${encodeURIComponent(codecs)}${isUnmasked ? '&unmasked=1' : ''}`;
    const media = new WebSocket(`ws+unix:${join(this.#data, 'media.sock')}:${path}`, {
      headers: { 'x-media-key': key },
      handshakeTimeout: handshakeTime,
      perMessageDeflate: false,
      maxPayload: 64 * 1024 * 1024,
    });
    media.on('error', () => media.terminate()); // 'close' follows
    media.on('message', (content: Buffer, isBinary) => passOn(browser, media, content, isBinary));
    media.once('close', (code, reason) => {
      if (code >= 4000) browser.close(code, reason.toString());
      else away(browser);
    });
    browser.once('close', () => media.terminate());
  }

  #lookWhoIsThere(): void {
    for (const browser of this.#open.keys()) {
      if (this.#alive.has(browser)) {
        this.#alive.delete(browser);
        browser.ping();
      } else browser.terminate();
    }
  }
}

function passOn(browser: WebSocket, media: WebSocket, content: Buffer, isBinary: boolean): void {
  if (browser.readyState !== browser.OPEN) return;
  browser.send(content, { binary: isBinary }, () => {
    if (media.isPaused && browser.bufferedAmount < roomy) media.resume();
  });
  if (browser.bufferedAmount > full) media.pause();
}

/** media is started again by the supervisor within seconds; the player comes back by itself. */
function away(browser: WebSocket): void {
  if (browser.readyState !== browser.OPEN) return;
  const message = 'video is being started on this box';
  browser.send(JSON.stringify({ kind: 'state', state: 'waiting', reason: 'media', message }));
  browser.close(tryLater, message);
}
