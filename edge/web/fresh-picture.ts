import { access, type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '#edge/runtime/clock.ts';

/** A camera needs 50 ms to a second for a picture, and the desk has heard of its event by then, ms. */
const young = 4_000;
/** As long as a browser may hold one of its few connections for it: after that it asks again, ms. */
const patience = 900;
const lookEvery = 20;
/** Pictures that are waited for at once, whoever waits. */
const mostWaiting = 64;

/** Opens pictures of events; one that is just being taken is waited for. */
export class FreshPictures {
  readonly #clock: Clock;
  /** By path: all who want the same look once. */
  readonly #waiting = new Map<string, Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `event`: id of the event, which says when it was. null: there is none (yet). */
  async open(path: string, event: string): Promise<FileHandle | null> {
    const found = await openIfThere(path);
    if (found !== null || !this.#isYoung(event)) return found;
    const waiting = this.#waiting.get(path) ?? this.#wait(path);
    await waiting;
    return openIfThere(path);
  }

  #isYoung(event: string): boolean {
    const time = Number.parseInt(event.replace('-', '').slice(0, 12), 16);
    const age = this.#clock.now() - time;
    return age > -young && age < young;
  }

  #wait(path: string): Promise<void> {
    if (this.#waiting.size >= mostWaiting) return Promise.resolve();
    const waiting = this.#look(path).finally(() => this.#waiting.delete(path));
    this.#waiting.set(path, waiting);
    return waiting;
  }

  async #look(path: string): Promise<void> {
    for (let looks = patience / lookEvery; looks > 0; looks--) {
      await delay(lookEvery);
      if (await isThere(path)) return;
    }
  }
}

/** What cannot be opened for another reason is no picture either. */
async function openIfThere(path: string): Promise<FileHandle | null> {
  return await open(path).catch(() => null);
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
