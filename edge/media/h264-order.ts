/*
 * Whether pictures of H.264 may come in another order than they are shown in (B-frames). Only the sequence parameter set knows it before the
 * pictures are there (ITU-T H.264, 7.3.2.1.1 and E.1.1).
 */

/** Profiles whose parameter set says more of colours. */
const rich = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const noneOf255 = 255;

/** false only where the set says for certain that the order is the same: an SPS as a NAL unit, without a start code. */
export function mayReorder(sps: Buffer): boolean {
  try {
    return readsReorder(new Bits(withoutEmulation(sps.subarray(1))));
  } catch (error) {
    if (error instanceof RangeError) return true;
    throw error;
  }
}

function readsReorder(bits: Bits): boolean {
  const profile = bits.u(8);
  bits.u(16);
  bits.ue();
  if (rich.has(profile)) skipColours(bits);
  bits.ue(); // log2_max_frame_num_minus4
  const order = bits.ue();
  // 8.2.1.3: with type 2 pictures are shown in the order they come in.
  if (order === 2) return false;
  if (order === 0) bits.ue();
  else {
    bits.u(1);
    bits.ue();
    bits.ue();
    for (let left = bits.count(255); left > 0; left--) bits.ue();
  }
  bits.ue(); // max_num_ref_frames
  bits.u(1);
  bits.ue();
  bits.ue();
  if (bits.u(1) === 0) bits.u(1); // frame_mbs_only_flag, mb_adaptive_frame_field_flag
  bits.u(1);
  if (bits.u(1) === 1) for (let side = 0; side < 4; side++) bits.ue();
  if (bits.u(1) === 0) return true; // nothing is said of it
  return readsReorderOfUse(bits);
}

function skipColours(bits: Bits): void {
  const chroma = bits.ue();
  if (chroma === 3) bits.u(1);
  bits.ue();
  bits.ue();
  bits.u(1);
  if (bits.u(1) === 0) return;
  for (let list = 0; list < (chroma === 3 ? 12 : 8); list++) if (bits.u(1) === 1) skipScaling(bits, list < 6 ? 16 : 64);
}

/** 7.3.2.1.1.1. */
function skipScaling(bits: Bits, size: number): void {
  let [last, next] = [8, 8];
  for (let index = 0; index < size && next !== 0; index++) {
    next = (last + bits.se() + 256) % 256;
    if (next !== 0) last = next;
  }
}

/** E.1.1, video usability information. */
function readsReorderOfUse(bits: Bits): boolean {
  if (bits.u(1) === 1 && bits.u(8) === noneOf255) bits.u(32); // aspect ratio
  if (bits.u(1) === 1) bits.u(1); // overscan
  if (bits.u(1) === 1) {
    bits.u(4);
    if (bits.u(1) === 1) bits.u(24);
  }
  if (bits.u(1) === 1) {
    bits.ue();
    bits.ue();
  }
  if (bits.u(1) === 1) {
    bits.u(32);
    bits.u(32);
    bits.u(1);
  }
  const hasNal = skipBuffering(bits);
  const hasVcl = skipBuffering(bits);
  if (hasNal || hasVcl) bits.u(1);
  bits.u(1);
  if (bits.u(1) === 0) return true;
  bits.u(1);
  for (let field = 0; field < 4; field++) bits.ue();
  return bits.ue() !== 0; // max_num_reorder_frames
}

/** E.1.2; whether there was any. */
function skipBuffering(bits: Bits): boolean {
  if (bits.u(1) === 0) return false;
  const count = bits.count(31) + 1;
  bits.u(8);
  for (let index = 0; index < count; index++) {
    bits.ue();
    bits.ue();
    bits.u(1);
  }
  bits.u(20);
  return true;
}

/** 7.4.1: a 3 after two zeroes was put in by the coder. */
function withoutEmulation(bytes: Buffer): Buffer {
  return Buffer.from(bytes.filter((byte, at) => byte !== 3 || at < 2 || bytes[at - 1] !== 0 || bytes[at - 2] !== 0));
}

/** Throws RangeError past the end, and for numbers that cannot be. */
class Bits {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  u(count: number): number {
    let value = 0;
    for (let left = count; left > 0; left--) {
      const byte = this.#bytes.readUInt8(this.#at >> 3);
      value = value * 2 + ((byte >> (7 - (this.#at & 7))) & 1);
      this.#at += 1;
    }
    return value;
  }

  ue(): number {
    let zeroes = 0;
    while (this.u(1) === 0) {
      zeroes += 1;
      if (zeroes > 32) throw new RangeError('no number is so long');
    }
    return 2 ** zeroes - 1 + this.u(zeroes);
  }

  se(): number {
    const value = this.ue();
    return value % 2 === 1 ? (value + 1) / 2 : -value / 2;
  }

  count(most: number): number {
    const value = this.ue();
    if (value > most) throw new RangeError('no count is so high');
    return value;
  }
}
