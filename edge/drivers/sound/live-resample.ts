import { frameMs, type Rate } from './codecs.ts';

/** One frame of 20 ms in, one out, at another rate; remembers what it needs of the frame before. */
export type FrameResampler = (frame: Int16Array) => Int16Array;

/** What sound may come in at besides, Hz: whole samples in a frame too. */
export type LiveRate = Rate | 24_000 | 32_000;

/** Zero crossings of the sinc on each side; a delay of 2 ms at 8 kHz. */
const zeroCrossings = 12;
/** The corner, as a part of the lower Nyquist frequency. */
const corner = 0.92;

/**
 * A windowed-sinc low-pass for sound that never ends. 20 ms are whole samples at every rate, so the weights of a frame are
 * those of every frame.
 */
export function startFrameResampling(from: LiveRate, to: LiveRate): FrameResampler {
  if (from === to) return (frame) => frame;
  const [inputs = 0, outputs = 0] = [from, to].map((rate) => (rate * frameMs) / 1000);
  const half = Math.ceil(zeroCrossings * Math.max(1, from / to));
  const taps = 2 * half;
  const weights = design(from, to, outputs, half);
  // The last 2 * half samples of the frame before, then the frame.
  const held = new Float32Array(taps + inputs);

  return (frame) => {
    held.copyWithin(0, inputs, inputs + taps);
    for (let i = 0; i < inputs; i++) held[taps + i] = frame[i] ?? 0;
    const out = new Int16Array(outputs);
    for (let n = 0; n < outputs; n++) {
      // Output n is the input at n * from / to, half the filter ago.
      const start = Math.floor((n * from) / to) + 1;
      const row = n * taps;
      let sum = 0;
      for (let k = 0; k < taps; k++) sum += (held[start + k] ?? 0) * (weights[row + k] ?? 0);
      out[n] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
    }
    return out;
  };
}

function design(from: LiveRate, to: LiveRate, outputs: number, half: number): Float32Array {
  const taps = 2 * half;
  const cutoff = (corner * Math.min(from, to)) / from;
  const weights = new Float32Array(outputs * taps);
  for (let n = 0; n < outputs; n++) {
    const phase = ((n * from) / to) % 1;
    const row = weights.subarray(n * taps, (n + 1) * taps);
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      const distance = k - half + 1 - phase;
      const x = cutoff * distance;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
      // A Hann window.
      const weight = Math.abs(distance) >= half ? 0 : sinc * (0.5 + 0.5 * Math.cos((Math.PI * distance) / half));
      row[k] = weight;
      sum += weight;
    }
    for (let k = 0; k < taps; k++) row[k] = (row[k] ?? 0) / sum;
  }
  return weights;
}
