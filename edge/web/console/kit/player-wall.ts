import { useEffect, useRef, useState } from 'react';

/* Smart streaming: a wall costs a browser a decoder for each tile, so tiles where nothing happens show a picture a minute. */

/** A tile stays live so long after the last thing that happened there, ms. */
const calmAfter = 30_000;
const lookEvery = 2_000;

export interface WallOptions {
  /** Tiles in the order of the wall. */
  readonly cameras: readonly string[];
  /** `smart`: live only where something happens. */
  readonly mode: 'all' | 'smart';
  /** Cameras at which something happens now (motion is on, an incident is open). */
  readonly active: ReadonlySet<string>;
  /** Live at the same time at most; those with something happening come first. Default 16. */
  readonly most?: number;
}

/** Which tiles are live: `mode` of `<CameraPlayer>` for each camera. */
export function useWall({ cameras, mode, active, most = 16 }: WallOptions): (camera: string) => 'live' | 'still' {
  const seenAt = useRef(new Map<string, number>());
  const [lively, setLively] = useState<ReadonlySet<string>>(active);
  useEffect(() => {
    const look = (): void => {
      const now = performance.now();
      for (const camera of active) seenAt.current.set(camera, now);
      const next = new Set([...seenAt.current].filter(([, at]) => now - at < calmAfter).map(([camera]) => camera));
      for (const camera of seenAt.current.keys()) if (!next.has(camera)) seenAt.current.delete(camera);
      setLively((before) => (isSame(before, next) ? before : next));
    };
    look();
    const timer = setInterval(look, lookEvery);
    return () => clearInterval(timer);
  }, [active]);
  const live = liveTiles(cameras, mode, lively, most);
  return (camera) => (live.has(camera) ? 'live' : 'still');
}

/** At most so many; those where something happens first, then in the order of the wall. */
export function liveTiles(
  cameras: readonly string[],
  mode: 'all' | 'smart',
  lively: ReadonlySet<string>,
  most: number,
): ReadonlySet<string> {
  const first = cameras.filter((camera) => lively.has(camera));
  const rest = mode === 'all' ? cameras.filter((camera) => !lively.has(camera)) : [];
  return new Set([...first, ...rest].slice(0, most));
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((each) => b.has(each));
}
