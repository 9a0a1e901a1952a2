import { within } from '#edge/runtime/lifecycle.ts';
import { silenceAt } from './clips.ts';
import type { Studio } from './studio.ts';

/** A chime is there at once or is left out, ms: somebody waits to speak. */
const loadPatience = 1_500;
/** ms; of a longer clip the beginning. */
const longest = 8_000;
const frameMs = 20;
/** Frames ahead of the pacer: what a live session collects before it is heard. */
const ahead = 4;
/** Frames made up for after a stall. */
const mostAtOnce = 10;

/**
 * Pushes a clip frame by frame in real time, a little ahead. Resolves when its last frame is pushed, and at once when `signal` is aborted.
 * Throws CLIP_UNKNOWN, CLIP_UNUSABLE, TIMEOUT.
 */
export async function playChime(
  name: string,
  { library, pacer }: Pick<Studio, 'library' | 'pacer'>,
  push: (frame: Int16Array) => void,
  signal: AbortSignal,
): Promise<void> {
  const clip =
    library.ready(name, 48_000) ?? (await within(loadPatience, `reading "${name}"`, library.load(name, 48_000)));
  if (signal.aborted) return;
  const frames = Math.min(clip.frames, longest / frameMs);
  const start = pacer.tick() - ahead;
  let next = 0;
  await new Promise<void>((resolve) => {
    const stream = {
      onTick(tick: number) {
        for (let i = 0; i < mostAtOnce && next < frames && next <= tick - start; i++) {
          push(clip.frame(48_000, next) ?? silenceAt(48_000));
          next += 1;
        }
        if (next >= frames) done();
      },
    };
    const done = () => {
      pacer.remove(stream);
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done, { once: true });
    pacer.add(stream);
  });
}
