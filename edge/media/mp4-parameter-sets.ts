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
