/* How loud: percent as a person means it -> what samples are multiplied by. */

/**
 * 0 to 100 percent -> 0 to 1. Half as loud is 10 dB less (the sone of ISO 532): 50 % is -10 dB, 25 % is -20 dB; a plain factor of one
 * half would hardly be heard.
 */
export function gainOf(level: number): number {
  const part = Math.min(100, Math.max(0, level)) / 100;
  return part === 0 ? 0 : 10 ** (Math.log2(part) / 2);
}

/** A change takes this many frames of 20 ms: quick for an ear, slow enough not to click. */
export const rampFrames = 3;

/** A gain that moves from one to another. */
export interface Envelope {
  readonly from: number;
  readonly to: number;
  /** The tick at which it begins to move. */
  readonly at: number;
}

export function gainAt({ from, to, at }: Envelope, tick: number): number {
  const done = Math.min(1, Math.max(0, (tick - at) / rampFrames));
  return from + (to - from) * done;
}

/** The frame of this tick at its gain; the same array where nothing changes. */
export function scaled(pcm: Int16Array, envelope: Envelope, tick: number): Int16Array {
  const start = gainAt(envelope, tick);
  const end = gainAt(envelope, tick + 1);
  if (start === 1 && end === 1) return pcm;
  const out = new Int16Array(pcm.length);
  const step = (end - start) / pcm.length;
  for (let i = 0; i < pcm.length; i++) out[i] = Math.round((pcm[i] ?? 0) * (start + step * i));
  return out;
}
