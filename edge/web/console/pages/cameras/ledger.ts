/* What was listened to, from the history of a camera's point `listening`: only good and true counts. Pure. */

export interface LedgerBucket {
  /** Its start, ms since epoch. */
  readonly t: number;
  /** Of the good seconds: share in which it listened. */
  readonly mean: number | null;
  readonly goodSeconds: number;
}

/** `before`: the campus did not know this camera yet. */
export type LedgerKind = 'listened' | 'partly' | 'gap' | 'before';

export interface LedgerSpan {
  readonly kind: LedgerKind;
  readonly from: number;
  readonly to: number;
}

export interface Ledger {
  /** In order, touching each other, of different kinds. */
  readonly spans: readonly LedgerSpan[];
  /** 在线率: share of the time since it was known, 0 to 1; null: it is not known yet. */
  readonly share: number | null;
  readonly knownFrom: number | null;
}

/** More of a bucket than this is all of it: a reading may come some seconds after its minute began. */
const nearlyAll = 0.95;
const nearlyNothing = 0.05;

/** `buckets` are `step` ms long; `to` may lie within the last. */
export function ledgerOf(buckets: readonly LedgerBucket[], from: number, to: number, step: number): Ledger {
  const known = new Map(buckets.map((bucket) => [Math.floor(bucket.t / step), bucket]));
  const first = buckets.find(({ goodSeconds }) => goodSeconds > 0);
  const knownFrom = first === undefined ? null : Math.max(from, beginOf(first, step, to));
  const spans: LedgerSpan[] = [];
  let listened = 0;
  for (let index = Math.floor(from / step); index * step < to; index++) {
    const begin = Math.max(from, index * step);
    const end = Math.min(to, (index + 1) * step);
    if (knownFrom === null || end <= knownFrom) {
      push(spans, 'before', begin, end);
      continue;
    }
    const start = Math.max(begin, knownFrom);
    if (start > begin) push(spans, 'before', begin, start);
    const part = Math.min(1, listenedOf(known.get(index)) / (end - start));
    listened += part * (end - start);
    push(spans, part >= nearlyAll ? 'listened' : part <= nearlyNothing ? 'gap' : 'partly', start, end);
  }
  const share = knownFrom === null || to <= knownFrom ? null : listened / (to - knownFrom);
  return { spans, share, knownFrom };
}

/** ms of a bucket in which it listened. */
function listenedOf(bucket: LedgerBucket | undefined): number {
  return bucket === undefined ? 0 : (bucket.mean ?? 0) * bucket.goodSeconds * 1000;
}

/** Of the very first bucket only what was told counts: it is not known when in it that began, so it is taken to be at its end. */
function beginOf({ t, goodSeconds }: LedgerBucket, step: number, to: number): number {
  return Math.min(t + step, to) - goodSeconds * 1000;
}

function push(spans: LedgerSpan[], kind: LedgerKind, from: number, to: number): void {
  const last = spans.at(-1);
  if (last?.kind === kind) spans[spans.length - 1] = { kind, from: last.from, to };
  else spans.push({ kind, from, to });
}

/** Stretches in which something was missed, the longest first. Neighbours are one. */
export function gapsOf(spans: readonly LedgerSpan[]): { readonly from: number; readonly to: number }[] {
  const gaps: { from: number; to: number }[] = [];
  for (const { kind, from, to } of spans) {
    if (kind !== 'gap' && kind !== 'partly') continue;
    const last = gaps.at(-1);
    if (last?.to === from) last.to = to;
    else gaps.push({ from, to });
  }
  return gaps.sort((a, b) => b.to - b.from - (a.to - a.from));
}
