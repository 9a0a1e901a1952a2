import type { Paced, Pacer } from '#edge/drivers/sound/pacer.ts';
import type { Voice } from '#edge/drivers/sound/studio.ts';

/** Later than this many frames, it skips instead of bursting: receivers' buffers are 60 to 200 ms. */
const mostCatchUp = 3;

export interface PlayerOptions {
  readonly voice: Voice;
  readonly pacer: Pacer;
  readonly send: (payload: Buffer, tick: number) => void;
  readonly onSkipped: (frames: number) => void;
  /** It is over by itself. Not called when the player is disposed. */
  readonly onEnd: () => void;
}

/** Sends a voice frame by frame on the pacer's grid; the first leaves before this returns. */
export function startPlayer({ voice, pacer, send, onSkipped, onEnd }: PlayerOptions): Disposable {
  let next = pacer.tick();
  let isOver = false;

  function stop(): void {
    if (isOver) return;
    isOver = true;
    pacer.remove(paced);
    voice[Symbol.dispose]();
  }

  const paced: Paced = {
    onTick(tick) {
      const due = tick - next + 1;
      if (due > mostCatchUp) {
        onSkipped(due - 1);
        next = tick;
      }
      for (; next <= tick && !isOver; next++) {
        const payload = voice.payload(next);
        if (payload !== null) send(payload, next);
        else {
          stop();
          return onEnd();
        }
      }
    },
  };

  pacer.add(paced);
  paced.onTick(next);
  return { [Symbol.dispose]: stop };
}
