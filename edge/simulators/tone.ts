/** Root mean square in dB below full scale; -Infinity for digital silence. */
export function levelOf(pcm: Int16Array): number {
  let sum = 0;
  for (const value of pcm) sum += (value / 32_768) ** 2;
  return sum === 0 ? Number.NEGATIVE_INFINITY : 10 * Math.log10(sum / pcm.length);
}

const lowest = 150;
const highest = 3600;
/** The main lobe of 200 ms under a Hann window is 20 Hz wide: no tone falls between two steps. */
const coarseStep = 10;
const fineStep = 5;

/**
 * The strongest tone between 150 and 3,600 Hz, to 5 Hz; null when no frequency stands out (it must hold a tenth of the
 * power) or fewer than 50 ms of sound are given. Goertzel over a Hann window.
 */
export function dominantTone(pcm: Int16Array, sampleRate: number): number | null {
  if (pcm.length < sampleRate / 20) return null;
  const windowed = Float64Array.from(pcm, (value, i) => value * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / pcm.length)));
  const total = windowed.reduce((sum, value) => sum + value * value, 0);
  let best = 0;
  let tone: number | null = null;
  const search = (from: number, to: number, step: number) => {
    for (let hertz = from; hertz <= to; hertz += step) {
      const power = goertzel(windowed, hertz / sampleRate);
      if (power > best) [best, tone] = [power, hertz];
    }
  };
  search(lowest, highest, coarseStep);
  if (tone !== null) search(tone - coarseStep + fineStep, tone + coarseStep - fineStep, fineStep);
  // A pure tone under a Hann window has power n/3 times the windowed energy.
  return best > (0.1 * total * pcm.length) / 3 ? tone : null;
}

/** Squared magnitude at a frequency, given in cycles per sample. */
function goertzel(samples: Float64Array, frequency: number): number {
  const factor = 2 * Math.cos(2 * Math.PI * frequency);
  let before = 0;
  let last = 0;
  for (let i = 0; i < samples.length; i++) {
    const next = (samples[i] ?? 0) + factor * last - before;
    before = last;
    last = next;
  }
  return last * last + before * before - factor * last * before;
}
