import { useCallback, useEffect, useState } from 'react';

/* When a picture is worth a stream: while somebody can see it, and of a still one once a minute. */

/** Looking at another tab for a moment costs no new beginning, ms. */
const hiddenPatience = 5_000;
const stillEvery = 60_000;
/** A camera that gives no picture for a still one is left alone until the next minute, ms. */
const stillPatience = 15_000;

/** Whether the page has been out of sight for some seconds. */
export function useOutOfSight(): boolean {
  const [isHidden, setHidden] = useState(document.visibilityState === 'hidden');
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      clearTimeout(timer);
      if (document.visibilityState === 'visible') setHidden(false);
      else timer = setTimeout(() => setHidden(true), hiddenPatience);
    };
    document.addEventListener('visibilitychange', look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);
  return isHidden;
}

export interface Wanted {
  readonly isWanted: boolean;
  readonly isHidden: boolean;
  /** A picture is on the screen: of a still one that is enough for now. */
  readonly onPicture: () => void;
}

export function useWanted(mode: 'live' | 'still'): Wanted {
  const isHidden = useOutOfSight();
  const [hasStill, setHasStill] = useState(false);
  useEffect(() => {
    if (mode === 'live') return;
    setHasStill(false);
    let patience = setTimeout(() => setHasStill(true), stillPatience);
    const timer = setInterval(() => {
      setHasStill(false);
      clearTimeout(patience);
      patience = setTimeout(() => setHasStill(true), stillPatience);
    }, stillEvery);
    return () => {
      clearInterval(timer);
      clearTimeout(patience);
    };
  }, [mode]);
  const onPicture = useCallback(() => setHasStill(true), []);
  return { isWanted: !isHidden && (mode === 'live' || !hasStill), isHidden, onPicture };
}
