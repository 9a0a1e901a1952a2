import { halved, type Talk, type TalkFrame } from './talk.ts';

/*
 * What rooms answer to a live page, for whoever speaks it and asked to hear it. It goes nowhere else: it is neither kept nor recorded,
 * and of a room in which nobody's live page sounds not a frame gets on.
 */

export interface AnswerFrame {
  /** The device whose room is heard. */
  readonly device: string;
  /** 8 kHz, mono. */
  readonly pcm: Int16Array;
}
export const answerRate = 8_000;

/** Where several rooms speak at once the loudest is heard: another one must be so much louder, dB, or this one silent for so long, ms. */
const louder = 6;
const pause = 400;

interface Listener {
  readonly hear: (frame: AnswerFrame) => void;
  chosen: { device: string; level: number; at: number } | null;
}

export class Talkbacks {
  readonly #listeners = new Map<string, Listener>();

  /** Whoever speaks `session` hears the rooms, until this is disposed of. */
  listen(session: string, hear: (frame: AnswerFrame) => void): Disposable {
    const listener: Listener = { hear, chosen: null };
    this.#listeners.set(session, listener);
    return {
      [Symbol.dispose]: () => {
        if (this.#listeners.get(session) === listener) this.#listeners.delete(session);
      },
    };
  }

  /** Of one call, to its end. `session`: whose live page this room plays now; null: something else, or nothing. */
  async take(device: string, talk: Talk, session: () => string | null): Promise<void> {
    for await (const frame of talk) {
      const now = session();
      const listener = now === null ? undefined : this.#listeners.get(now);
      if (listener !== undefined) this.#offer(listener, device, frame);
    }
  }

  #offer(listener: Listener, device: string, { pcm, rate, level, at }: TalkFrame): void {
    const { chosen } = listener;
    const isMine = chosen === null || chosen.device === device;
    if (!isMine && level < chosen.level + louder && at - chosen.at < pause) return;
    // A level falls slowly: between two words of one room another does not come in.
    const kept = isMine ? Math.max(level, (chosen?.level ?? level) - 1) : level;
    listener.chosen = { device, level: kept, at };
    listener.hear({ device, pcm: rate === 16_000 ? halved(pcm) : pcm });
  }
}
