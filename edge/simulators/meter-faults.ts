/*
 * What goes wrong between a meter and whoever asks it. Seeded: the same seed breaks the same answers.
 * Nothing here makes a wrong frame with a right checksum: no driver could tell that from the truth.
 */

export type MeterFault =
  /** Answers so much later, and keeps the line meanwhile. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** The answer comes when the line has long gone on. */
  | { readonly kind: 'late'; readonly ms: number }
  | { readonly kind: 'doubled'; readonly ms: number }
  | { readonly kind: 'split'; readonly ms: number }
  | { readonly kind: 'silent' | 'garbage' | 'noise' | 'truncated' | 'checksum' }
  /** The right answer of another meter on the line (or of one that is not there). */
  | { readonly kind: 'stranger' }
  /** A second meter has the same address: both talk at once. */
  | { readonly kind: 'collision' }
  /** The connection is reset; is closed; stays open and is dead from now on. */
  | { readonly kind: 'reset' | 'close' | 'half-open' };

/** Decides for every request of a meter; `n` counts them from 1. */
export type MeterFaults = (n: number) => MeterFault | null;

export const meterFaultKinds = [
  'slow',
  'late',
  'doubled',
  'split',
  'silent',
  'garbage',
  'noise',
  'truncated',
  'checksum',
  'stranger',
  'collision',
  'reset',
  'close',
  'half-open',
] as const satisfies readonly MeterFault['kind'][];

/** mulberry32: 32 bits of state are plenty for weather, noise and broken frames. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface FaultMix {
  readonly seed: number;
  /** Share of requests that go wrong, 0 to 1. */
  readonly share: number;
  readonly kinds: readonly MeterFault['kind'][];
  /** How late, slow or apart at most, ms. */
  readonly ms: number;
}

/** All kinds mixed, each as likely as the next. */
export function faultMix({ seed, share, kinds, ms }: FaultMix): MeterFaults {
  const random = seededRandom(seed);
  return () => {
    if (random() >= share) return null;
    return faultOf(kinds[Math.floor(random() * kinds.length)] ?? 'silent', Math.round((0.1 + 0.9 * random()) * ms));
  };
}

export function faultOf(kind: MeterFault['kind'], ms: number): MeterFault {
  return kind === 'slow' || kind === 'late' || kind === 'doubled' || kind === 'split' ? { kind, ms } : { kind };
}

/** Pieces of what arrives in place of an answer, each so many ms after the time it was due. */
export type Pieces = readonly { readonly after: number; readonly bytes: Buffer }[];

export interface Spoiling {
  readonly answer: Buffer;
  readonly random: () => number;
  /** Makes any checksum of the protocol wrong that happens to be right. */
  readonly isWhole: (bytes: Buffer) => boolean;
  /** The answer as another meter would give it. */
  readonly stranger: () => Buffer;
}

/** What the wire carries in place of the answer. Empty: nothing. Faults of the connection carry nothing either. */
export function spoil(fault: MeterFault, { answer, random, isWhole, stranger }: Spoiling): Pieces {
  const one = (bytes: Buffer) => [{ after: 0, bytes }];
  switch (fault.kind) {
    case 'slow':
    case 'late':
      return one(answer);
    case 'doubled':
      return [
        { after: 0, bytes: answer },
        { after: fault.ms, bytes: answer },
      ];
    case 'split': {
      const half = Math.ceil(answer.length / 2);
      return [
        { after: 0, bytes: answer.subarray(0, half) },
        { after: fault.ms, bytes: answer.subarray(half) },
      ];
    }
    case 'garbage':
      return one(broken(Buffer.from(answer.map(() => Math.floor(random() * 256))), random, isWhole));
    case 'noise':
      // Half a frame of somebody else in front: a reader that trusts the first start byte is lost.
      return one(Buffer.concat([Buffer.from([0xff, 0x00, 0x68, Math.floor(random() * 256), 0x16]), answer]));
    case 'truncated':
      return one(answer.subarray(0, 1 + Math.floor(random() * (answer.length - 2))));
    case 'checksum': {
      const bytes = Buffer.from(answer);
      const at = answer.length - 2 - Math.floor(random() * Math.min(4, answer.length - 2));
      bytes[at] = (bytes[at] ?? 0) ^ (1 + Math.floor(random() * 255));
      return one(broken(bytes, random, isWhole));
    }
    case 'stranger':
      return one(stranger());
    case 'collision':
      return one(collide([answer, stranger()], random, isWhole));
    case 'silent':
    case 'reset':
    case 'close':
    case 'half-open':
      return [];
  }
}

/**
 * Several drivers on one pair at once. Where they agree a byte survives, elsewhere the stronger bits win and some are torn: about
 * what an oscilloscope shows on RS-485.
 */
export function collide(talkers: readonly Buffer[], random: () => number, isWhole: (bytes: Buffer) => boolean): Buffer {
  const length = Math.max(...talkers.map((bytes) => bytes.length));
  const mixed = Buffer.alloc(length);
  for (let i = 0; i < length; i++) {
    const bytes = talkers.map((talker) => talker[i]).filter((byte) => byte !== undefined);
    const all = bytes.reduce((and, byte) => and & byte, 0xff);
    const isAgreed = bytes.every((byte) => byte === bytes[0]) && bytes.length === talkers.length;
    mixed[i] = isAgreed ? all : all ^ (random() < 0.5 ? 1 << Math.floor(random() * 8) : 0);
  }
  return broken(mixed, random, isWhole);
}

/** A sum of 8 bits is right by chance once in 256: then one more bit falls over. */
function broken(bytes: Buffer, random: () => number, isWhole: (bytes: Buffer) => boolean): Buffer {
  for (let tries = 0; tries < 64 && isWhole(bytes); tries++) {
    const at = Math.floor(random() * bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  }
  return bytes;
}
