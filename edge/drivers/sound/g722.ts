/*
 * G.722 at 64 kbit/s (ITU-T G.722, 1988): 16 kHz sound as two bands of ADPCM, 6 bits below 4 kHz and 2 above. The block names
 * in the comments are the Recommendation's (clause 6), the tables its own. Bit-exact with ffmpeg's decoder in
 * tests/unit/broadcast/codecs.test.ts.
 */

/** Quadrature mirror filter, one half of the 24 symmetric taps (table 11). */
const qmf = Int32Array.of(3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11);
/** Decision levels of the lower band (table 14), and which code each step has below and above zero (table 17). */
const q6 = Int32Array.of(
  ...[0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714],
  ...[786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919],
);
const lowNegative = Int32Array.of(0, 63, 62, ...Array.from({ length: 28 }, (_, i) => 31 - i));
const lowPositive = Int32Array.of(0, ...Array.from({ length: 30 }, (_, i) => 61 - i));
/** What the codes stand for, with 2, 4 and 6 bits (tables 16 to 19). */
const high2 = Int32Array.of(-7408, -1616, 7408, 1616);
const low4 = Int32Array.of(
  ...[0, -20456, -12896, -8968, -6288, -4240, -2584, -1200],
  ...[20456, 12896, 8968, 6288, 4240, 2584, 1200, 0],
);
const upper6 = [
  ...[24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576],
  ...[6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728],
];
const low6 = Int32Array.of(-136, -136, -136, -136, ...upper6.map((v) => -v), ...upper6, 432, 136, -432, -136);
/** Logarithmic scale factors: how far a code moves them, and their antilogarithm (tables 20 to 22). */
const lowStep = Int32Array.of(...[0, 3042, 1198, 538, 334, 172, 58, -30], ...[3042, 1198, 538, 334, 172, 58, -30, -60]);
const highStep = Int32Array.of(798, -214, 798, -214);
const antilog = Int32Array.of(
  ...[2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834],
  ...[2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008],
);

const at = (table: Int32Array, i: number): number => table[i] ?? 0;
const saturate = (x: number): number => (x > 32_767 ? 32_767 : x < -32_768 ? -32_768 : x);
const clamp = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x);

/** The adaptive predictor and quantiser of one band. */
class Band {
  /** Prediction; its part from the zeros; logarithmic and linear scale factor. */
  prediction = 0;
  #zeros = 0;
  #scale = 0;
  step: number;
  /** 8 and 10: how far the antilogarithm is shifted (SCALEL, SCALEH). */
  readonly #shift: number;
  readonly #highest: number;
  readonly #differences = new Int32Array(7);
  readonly #zeroWeights = new Int32Array(7);
  #r1 = 0;
  #r2 = 0;
  #p1 = 0;
  #p2 = 0;
  #a1 = 0;
  #a2 = 0;

  constructor(step: number, shift: number, highest: number) {
    this.step = step;
    this.#shift = shift;
    this.#highest = highest;
  }

  copy(): Band {
    const other = new Band(this.step, this.#shift, this.#highest);
    other.prediction = this.prediction;
    other.#zeros = this.#zeros;
    other.#scale = this.#scale;
    other.#differences.set(this.#differences);
    other.#zeroWeights.set(this.#zeroWeights);
    [other.#r1, other.#r2, other.#p1, other.#p2] = [this.#r1, this.#r2, this.#p1, this.#p2];
    [other.#a1, other.#a2] = [this.#a1, this.#a2];
    return other;
  }

  /** LOGSCL/LOGSCH and SCALEL/SCALEH, then everything of BLOCK4. */
  adapt(difference: number, move: number): void {
    this.#scale = clamp(((this.#scale * 127) >> 7) + move, 0, this.#highest);
    const shift = this.#shift - (this.#scale >> 11);
    const value = at(antilog, (this.#scale >> 6) & 31);
    this.step = (shift < 0 ? value << -shift : value >> shift) << 2;
    this.#predict(difference);
  }

  #predict(difference: number): void {
    const d = this.#differences;
    const b = this.#zeroWeights;
    // RECONS, PARREC.
    const r0 = saturate(this.prediction + difference);
    const p0 = saturate(this.#zeros + difference);
    this.#moveAway(p0);
    // UPZERO, with the delay line of the differences moved on in the same pass; FILTEZ.
    const wake = difference === 0 ? 0 : 128;
    const sign = difference >> 15;
    let zeros = 0;
    for (let i = 6; i > 0; i--) {
      const pull = at(d, i) >> 15 === sign ? wake : -wake;
      b[i] = saturate(pull + ((at(b, i) * 32_640) >> 15));
    }
    d[0] = difference;
    for (let i = 6; i > 0; i--) {
      d[i] = at(d, i - 1);
      zeros += (at(b, i) * saturate(2 * at(d, i))) >> 15;
    }
    this.#zeros = saturate(zeros);
    // FILTEP, PREDIC.
    this.#r2 = this.#r1;
    this.#r1 = r0;
    const poles = ((this.#a1 * saturate(2 * this.#r1)) >> 15) + ((this.#a2 * saturate(2 * this.#r2)) >> 15);
    this.prediction = saturate(saturate(poles) + this.#zeros);
  }

  /** UPPOL2, UPPOL1. */
  #moveAway(p0: number): void {
    const [s0, s1, s2] = [p0 >> 15, this.#p1 >> 15, this.#p2 >> 15];
    const four = saturate(this.#a1 * 4);
    const pull = Math.min(s0 === s1 ? -four : four, 32_767);
    const a2 = clamp((s0 === s2 ? 128 : -128) + (pull >> 7) + ((this.#a2 * 32_512) >> 15), -12_288, 12_288);
    const limit = saturate(15_360 - a2);
    const a1 = saturate((s0 === s1 ? 192 : -192) + ((this.#a1 * 32_640) >> 15));
    this.#a1 = clamp(a1, -limit, limit);
    this.#a2 = a2;
    this.#p2 = this.#p1;
    this.#p1 = p0;
  }
}

const lowBand = () => new Band(32, 8, 18_432);
const highBand = () => new Band(8, 10, 22_528);

export class G722Encoder {
  #low = lowBand();
  #high = highBand();
  readonly #past = new Int32Array(24);

  /** Another one in the same state, for a stream that parts from this one. */
  copy(): G722Encoder {
    const other = new G722Encoder();
    other.#low = this.#low.copy();
    other.#high = this.#high.copy();
    other.#past.set(this.#past);
    return other;
  }

  /** Mono at 16 kHz, an even number of samples -> half as many bytes. */
  encode(pcm: Int16Array): Buffer {
    const codes = Buffer.allocUnsafe(pcm.length >> 1);
    const x = this.#past;
    for (let n = 0; n < codes.length; n++) {
      x.copyWithin(0, 2);
      x[22] = pcm[2 * n] ?? 0;
      x[23] = pcm[2 * n + 1] ?? 0;
      let odd = 0;
      let even = 0;
      for (let i = 0; i < 12; i++) {
        odd += at(x, 2 * i) * at(qmf, i);
        even += at(x, 2 * i + 1) * at(qmf, 11 - i);
      }
      codes[n] = (this.#encodeHigh((even - odd) >> 14) << 6) | this.#encodeLow((even + odd) >> 14);
    }
    return codes;
  }

  #encodeLow(sample: number): number {
    const band = this.#low;
    const error = saturate(sample - band.prediction);
    const size = error >= 0 ? error : -(error + 1);
    let i = 1;
    while (i < 30 && size >= (at(q6, i) * band.step) >> 12) i++;
    const code = at(error < 0 ? lowNegative : lowPositive, i);
    const coarse = code >> 2;
    band.adapt((band.step * at(low4, coarse)) >> 15, at(lowStep, coarse));
    return code;
  }

  #encodeHigh(sample: number): number {
    const band = this.#high;
    const error = saturate(sample - band.prediction);
    const size = error >= 0 ? error : -(error + 1);
    const isLarge = size >= (564 * band.step) >> 12;
    const code = error < 0 ? (isLarge ? 0 : 1) : isLarge ? 2 : 3;
    band.adapt((band.step * at(high2, code)) >> 15, at(highStep, code));
    return code;
  }
}

export class G722Decoder {
  readonly #low = lowBand();
  readonly #high = highBand();
  readonly #past = new Int32Array(24);

  /** Twice as many samples as bytes, mono at 16 kHz. */
  decode(codes: Uint8Array): Int16Array {
    const pcm = new Int16Array(codes.length * 2);
    const x = this.#past;
    for (let n = 0; n < codes.length; n++) {
      const code = codes[n] ?? 0;
      const low = this.#decodeLow(code & 63);
      const high = this.#decodeHigh(code >> 6);
      x.copyWithin(0, 2);
      x[22] = low + high;
      x[23] = low - high;
      let first = 0;
      let second = 0;
      for (let i = 0; i < 12; i++) {
        second += at(x, 2 * i) * at(qmf, i);
        first += at(x, 2 * i + 1) * at(qmf, 11 - i);
      }
      pcm[2 * n] = saturate(first >> 11);
      pcm[2 * n + 1] = saturate(second >> 11);
    }
    return pcm;
  }

  #decodeLow(code: number): number {
    const band = this.#low;
    const value = clamp(band.prediction + ((band.step * at(low6, code)) >> 15), -16_384, 16_383);
    band.adapt((band.step * at(low4, code >> 2)) >> 15, at(lowStep, code >> 2));
    return value;
  }

  #decodeHigh(code: number): number {
    const band = this.#high;
    const difference = (band.step * at(high2, code)) >> 15;
    const value = clamp(difference + band.prediction, -16_384, 16_383);
    band.adapt(difference, at(highStep, code));
    return value;
  }
}
