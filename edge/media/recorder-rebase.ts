import { type Box, BoxContent, boxesIn } from './mp4-boxes.ts';

/**
 * A fragment whose decode times count from the first one of its file instead of from the camera's start: each file begins at 0 and
 * plays anywhere. `ticks` is in the stream's timescale. The head is a copy, the pictures are the same memory: others hold it too.
 */
export function rebased(fragment: Buffer, ticks: number): Buffer[] {
  return ticks === 0 ? [fragment] : withTime(fragment, (time) => Math.max(0, time - ticks));
}

/** The fragment with its decode times beginning at `ticks`. */
export function placedAt(fragment: Buffer, ticks: number): Buffer[] {
  return withTime(fragment, () => Math.max(0, ticks));
}

function withTime(fragment: Buffer, change: (time: number) => number): Buffer[] {
  const moof = boxesIn(fragment).find(({ type }) => type === 'moof');
  if (moof === undefined) return [fragment];
  const head = Buffer.from(fragment.subarray(0, moof.end));
  for (const traf of boxesIn(head, moof.body, moof.end).filter(({ type }) => type === 'traf')) {
    const tfdt = boxesIn(head, traf.body, traf.end).find(({ type }) => type === 'tfdt');
    if (tfdt !== undefined) setTime(head, tfdt, change);
  }
  return [head, fragment.subarray(moof.end)];
}

function setTime(bytes: Buffer, tfdt: Box, change: (time: number) => number): void {
  const content = new BoxContent(bytes, tfdt);
  if (content.full().version === 1) bytes.writeBigUInt64BE(BigInt(change(content.u64())), tfdt.body + 4);
  else bytes.writeUInt32BE(change(content.u32()), tfdt.body + 4);
}
