import { useSyncExternalStore } from 'react';

/* What a person chose for this browser: language, theme, sound. Kept here, not on the server: it is about the screen, not the person. */

const listeners = new Set<() => void>();
const prefix = 'campus.';
/** Private windows may refuse storage: then it holds until the page is closed. */
const fallback = new Map<string, string>();

export function readPreference(key: string): string | null {
  try {
    return localStorage.getItem(prefix + key) ?? fallback.get(key) ?? null;
  } catch {
    return fallback.get(key) ?? null;
  }
}

export function writePreference(key: string, value: string): void {
  fallback.set(key, value);
  try {
    localStorage.setItem(prefix + key, value);
  } catch {
    // The fallback has it.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    removeEventListener('storage', listener);
  };
}

/** A preference that is one of `choices`; the first is the default. Follows other tabs. */
export function usePreference<const T extends string>(
  key: string,
  choices: readonly [T, ...T[]],
): [T, (value: T) => void] {
  const stored = useSyncExternalStore(subscribe, () => readPreference(key));
  const value = choices.find((choice) => choice === stored) ?? choices[0];
  return [value, (next) => writePreference(key, next)];
}
