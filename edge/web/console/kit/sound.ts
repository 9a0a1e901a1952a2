import { useEffect, useSyncExternalStore } from 'react';
import { usePreference } from './preferences.ts';

/*
 * The alarm sound: three short tones, made by the browser. Browsers allow sound only after the first click or key on the page;
 * until then `isBlocked` says so, and the page must show it: an alarm that nobody hears is worse than none.
 */

const listeners = new Set<() => void>();
let audio: AudioContext | null = null;

function tell(): void {
  for (const listener of listeners) listener();
}

function unlock(): void {
  audio ??= new AudioContext();
  void audio.resume().then(tell);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

if (typeof addEventListener === 'function') {
  for (const gesture of ['pointerdown', 'keydown']) addEventListener(gesture, unlock, { once: true, capture: true });
}

/** Tones of one pattern: Hz and s. */
const pattern = [
  [880, 0],
  [880, 0.22],
  [1175, 0.44],
] as const;
const length = 0.16;
/** Pause between two patterns while something waits for a person, ms (ISA-18.2 asks that it can be silenced; muting does). */
const pause = 5_000;

/** Plays the pattern once; nothing when the browser does not allow it yet. */
export function beep(): void {
  if (audio === null || audio.state !== 'running') return;
  for (const [frequency, after] of pattern) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const start = audio.currentTime + after;
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.25, start + 0.015);
    volume.gain.linearRampToValueAtTime(0, start + length);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + length + 0.02);
  }
}

/** When the silence that a person asked for ends, ms of performance.now(); 0: there is none. */
let silentUntil = 0;
let endOfSilence: ReturnType<typeof setTimeout> | undefined;

/** Repeated beeps rest for so long, ms. Whoever hears of something new and grave ends it with `endSilence`. */
export function silence(ms: number): void {
  clearTimeout(endOfSilence);
  silentUntil = performance.now() + ms;
  endOfSilence = setTimeout(endSilence, ms);
  tell();
}

export function endSilence(): void {
  clearTimeout(endOfSilence);
  if (silentUntil === 0) return;
  silentUntil = 0;
  tell();
}

/** How much of the silence is left, ms; 0: there is none. */
export function silenceLeft(): number {
  return silentUntil === 0 ? 0 : Math.max(0, silentUntil - performance.now());
}

/** Whether somebody asked for silence and it is not over. */
export function useSilenced(): boolean {
  return useSyncExternalStore(subscribe, () => silentUntil !== 0);
}

export function useSound() {
  const isBlocked = useSyncExternalStore(subscribe, () => audio === null || audio.state !== 'running');
  const [choice, setChoice] = usePreference('sound', ['on', 'off']);
  return {
    isMuted: choice === 'off',
    isBlocked,
    setMuted: (isMuted: boolean) => setChoice(isMuted ? 'off' : 'on'),
    beep,
  };
}

/** Beeps while `isWanted`, until it is not or the person mutes or silences it. */
export function useRepeatedBeep(isWanted: boolean): void {
  const { isMuted, isBlocked } = useSound();
  const isSilenced = useSilenced();
  const plays = isWanted && !isMuted && !isBlocked && !isSilenced;
  useEffect(() => {
    if (!plays) return;
    beep();
    const timer = setInterval(beep, pause);
    return () => clearInterval(timer);
  }, [plays]);
}
