import { useSyncExternalStore } from 'react';

/* One clock for the whole page: thousands of ages cost one timer, and only those whose words change are drawn again. */

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
/** What the server's clock is ahead of the browser's, ms. A gatehouse PC may be minutes off. */
let offset = 0;

export function setServerTime(serverNow: number): void {
  const measured = serverNow - Date.now();
  // Below a second it is the way here, not the clock.
  offset = Math.abs(measured) < 1_500 ? 0 : measured;
}

/** ms since epoch, by the clock of the box. */
export function now(): number {
  return Date.now() + offset;
}

function tick(): void {
  for (const listener of listeners) listener();
}

export function subscribeToTicks(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Something made of the time, worked out each second; draws again only when it changes. It must be a plain value. */
export function useTicking<T extends string | number | boolean | null>(make: (now: number) => T): T {
  return useSyncExternalStore(subscribeToTicks, () => make(now()));
}
