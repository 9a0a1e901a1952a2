import type { WhyWords } from './why-words.ts';

/* From a quality's reason to a sentence and a next step. Pure. */

export interface Why {
  readonly why: string;
  readonly what: string;
}

/** Sensors that report by themselves fail in another way than devices that are asked. */
function keyOf(reason: string, protocol: string, words: WhyWords): string {
  const special = `${reason}:${protocol}`;
  if (`why:${special}` in words) return special;
  return `why:${reason}` in words ? reason : 'unknown';
}

function sentence(words: WhyWords, key: string): string {
  const found = (words as Readonly<Record<string, unknown>>)[key];
  return typeof found === 'string' ? found : '';
}

/** Why a value is not good, and what to do; `reason` null where only the quality is known. */
export function explain(reason: string | null, protocol: string, words: WhyWords): Why {
  const key = keyOf(reason ?? 'unknown', protocol, words);
  return { why: sentence(words, `why:${key}`), what: sentence(words, `do:${key}`) };
}

export interface Complaint {
  readonly quality: 'uncertain' | 'bad';
  readonly reason: string | null;
  /** Refs of the values that have it. */
  readonly refs: readonly string[];
}

export interface Judged {
  readonly ref: string;
  readonly quality: 'good' | 'uncertain' | 'bad';
  readonly reason: string | null;
}

/** What is wrong with the values of a device, said once for all values that share it: the worst first, then the most frequent. */
export function complaintsOf(values: readonly Judged[]): readonly Complaint[] {
  const found = new Map<string, { quality: 'uncertain' | 'bad'; reason: string | null; refs: string[] }>();
  for (const { ref, quality, reason } of values) {
    if (quality === 'good') continue;
    const key = `${quality} ${reason}`;
    const complaint = found.get(key) ?? { quality, reason, refs: [] };
    found.set(key, complaint);
    complaint.refs.push(ref);
  }
  const rank = { bad: 0, uncertain: 1 } as const;
  return [...found.values()].sort((a, b) => rank[a.quality] - rank[b.quality] || b.refs.length - a.refs.length);
}

const ranks = { bad: 0, uncertain: 1, good: 2 } as const;

/** The worst first; among equals the order of the profile stays. */
export function worstFirst<T extends { readonly quality: 'good' | 'uncertain' | 'bad' }>(values: readonly T[]): T[] {
  return values.toSorted((a, b) => ranks[a.quality] - ranks[b.quality]);
}
