/** Takes input chunk by chunk and writes 16-bit samples into the array it was started with. */
export interface Resampler {
  push(chunk: Float32Array): void;
  /** Writes what still waits for samples behind it (silence is assumed there). */
  finish(): void;
}

/** Zero crossings of the sinc on each side: with the Kaiser window below, 60 dB down 10 % above the corner. */
const zeroCrossings = 16;
const kaiserBeta = 6;
/** The corner, as a part of the lower Nyquist frequency: 3,680 Hz when 8 kHz come out. */
const corner = 0.92;
/** More phases than this are rounded to the nearest: an error of -60 dB, only for rates such as 44,101 Hz. */
const mostPhases = 1024;

interface Kernel {
  /** Input samples on each side of the output instant. */
  readonly half: number;
  readonly phases: number;
  /** `phases` rows of 2 * half weights; each row sums to 1. */
  readonly weights: Float32Array;
}

/**
 * Starts resampling from one rate to another (Hz) by a windowed-sinc low-pass with no delay: output n is the input at
 * n / to seconds. `output` must hold ceil(input samples * to / from); what is pushed beyond it is dropped.
 */
export function startResampling(from: number, to: number, output: Int16Array): Resampler {
  const divisor = greatestCommonDivisor(from, to);
  const up = to / divisor;
  const down = from / divisor;
  const kernel = designKernel(from, to, up);
  const { half, phases, weights } = kernel;
  const taps = 2 * half;
  // `held[0]` is the input sample number `first`; half - 1 samples of silence come before the clip.
  let held = new Float32Array(half - 1);
  let first = -(half - 1);
  let written = 0;

  function drain(): void {
    for (; written < output.length; written++) {
      const exact = written * down;
      const rounded = Math.round(((exact % up) * phases) / up);
      const centre = Math.floor(exact / up) + (rounded === phases ? 1 : 0);
      const row = (rounded % phases) * taps;
      const start = centre - half + 1 - first;
      if (start + taps > held.length) return;
      let sum = 0;
      for (let k = 0; k < taps; k++) sum += (held[start + k] ?? 0) * (weights[row + k] ?? 0);
      output[written] = Math.max(-32_768, Math.min(32_767, Math.round(sum * 32_767)));
    }
  }

  function push(chunk: Float32Array): void {
    const needed = Math.max(0, Math.floor((written * down) / up) - half + 1 - first);
    const kept = held.subarray(Math.min(needed, held.length));
    const joined = new Float32Array(kept.length + chunk.length);
    joined.set(kept);
    joined.set(chunk, kept.length);
    first += held.length - kept.length;
    held = joined;
    drain();
  }

  return { push, finish: () => push(new Float32Array(half + 1)) };
}

function designKernel(from: number, to: number, up: number): Kernel {
  // Equal rates need no filter: a single weight of 1 (half = 1 looks at samples 0 and +1).
  if (from === to) return { half: 1, phases: 1, weights: Float32Array.of(1, 0) };
  const phases = Math.min(up, mostPhases);
  const half = Math.ceil(zeroCrossings * Math.max(1, from / to));
  const cutoff = (corner * Math.min(from, to)) / 2 / from;
  const weights = new Float32Array(phases * 2 * half);
  for (let phase = 0; phase < phases; phase++) {
    const row = weights.subarray(phase * 2 * half, (phase + 1) * 2 * half);
    let sum = 0;
    for (let j = 0; j < row.length; j++) {
      const distance = phase / phases - (j - half + 1);
      const weight = sinc(2 * cutoff * distance) * kaiser(distance / half);
      row[j] = weight;
      sum += weight;
    }
    for (let j = 0; j < row.length; j++) row[j] = (row[j] ?? 0) / sum;
  }
  return { half, phases, weights };
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  if (Math.abs(x) >= 1) return 0;
  return besselI0(kaiserBeta * Math.sqrt(1 - x * x)) / besselI0(kaiserBeta);
}

/** Modified Bessel function of order 0, by its power series. */
function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; k < 50 && term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
