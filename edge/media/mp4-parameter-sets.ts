/* The sequence parameter set within a picture: where a camera changes size or profile while it sends, only this tells. */

/** Our muxer writes 4-byte lengths before NAL units. */
const lengthBytes = 4;
const mostNals = 16;

/** The SPS in a key fragment (moof + mdat) of H.264 or H.265; null: it is not in it. */
export function parameterSetOf(fragment: Buffer, codec: string): Buffer | null {
  const isH264 = codec.startsWith('avc');
  const moof = fragment.length < 8 ? 0 : fragment.readUInt32BE(0);
  let at = moof + 8;
  for (let count = 0; count < mostNals && at + lengthBytes < fragment.length; count++) {
    const length = fragment.readUInt32BE(at);
    const nal = fragment.subarray(at + lengthBytes, at + lengthBytes + length);
    const first = nal[0] ?? 0;
    if (isH264 ? (first & 0x1f) === 7 : ((first >> 1) & 0x3f) === 33) return nal;
    at += lengthBytes + length;
  }
  return null;
}

/** The SPS in an init (ftyp + moov) of H.264; null: it has none, or is of another codec. */
export function parameterSetOfInit(init: Buffer): Buffer | null {
  // ISO/IEC 14496-15, 5.3.3.1: version, profile, compatibility, level, length size, number of SPS, length of the first.
  const at = init.indexOf('avcC', 0, 'latin1') + 4;
  if (at === 3 || at + 8 > init.length || (init.readUInt8(at + 5) & 0x1f) === 0) return null;
  const length = init.readUInt16BE(at + 6);
  return length === 0 || at + 8 + length > init.length ? null : init.subarray(at + 8, at + 8 + length);
}
