import { type Box, BoxContent, boxesIn } from './mp4-boxes.ts';

/**
 * A fragment whose decode times count from the first one of its file instead of from the camera's start: each file begins at 0 and
 * plays anywhere. `ticks` is in the stream's timescale. The head is a copy, the pictures are the same memory: others hold it too.
 */
export function rebased(fragment: Buffer, ticks: number): Buffer[] {
  const moof = boxesIn(fragment).find(({ type }) => type === 'moof');
  if (moof === undefined || ticks === 0) return [fragment];
  const head = Buffer.from(fragment.subarray(0, moof.end));
  for (const traf of boxesIn(head, moof.body, moof.end).filter(({ type }) => type === 'traf')) {
    const tfdt = boxesIn(head, traf.body, traf.end).find(({ type }) => type === 'tfdt');
    if (tfdt !== undefined) takeFrom(head, tfdt, ticks);
  }
  return [head, fragment.subarray(moof.end)];
}

function takeFrom(bytes: Buffer, tfdt: Box, ticks: number): void {
  const content = new BoxContent(bytes, tfdt);
  if (content.full().version === 1) bytes.writeBigUInt64BE(BigInt(Math.max(0, content.u64() - ticks)), tfdt.body + 4);
  else bytes.writeUInt32BE(Math.max(0, content.u32() - ticks), tfdt.body + 4);
}
