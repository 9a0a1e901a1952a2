import { type BroadcastItem, isEmergency } from '#edge/domain/broadcast.ts';
import type { PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { AmplifierWish } from './amplifier.ts';
import type { OutputAnswer, OutsideClaim, PartAnswer } from './sound.ts';
import { classStrength } from './sound-habits.ts';

/*
 * One amplifier is one line: whatever loudspeaker outputs hang on it, one sound at a time is on it, and its zone relays say who hears that. Pure:
 * what each output wants -> what the line is to carry, and which outputs have it.
 */

const ownerWord = 'amplifier:';

/** Owner of its relays' holds, and of what it keeps back. */
export function amplifierOwner(id: string): string {
  return `${ownerWord}${id}`;
}

/** It only keeps a sound back until the amplifier is ready; nobody else has the loudspeaker. */
export function isAmplifierOwner(owner: string): boolean {
  return owner.startsWith(ownerWord);
}

/** Stronger than whatever wants to be heard: nothing is heard of an amplifier without power. */
export const keepsBack = -1;

/** A loudspeaker output that hangs on the line. */
export interface LineOutput {
  readonly ref: PointRef;
  readonly zone: ZoneId;
}

/** What one output would play, if the line were its own. */
interface Candidate extends LineOutput {
  /** The same for all who want the same sound. */
  readonly key: string;
  /** As `classStrength`: lower is stronger. */
  readonly strength: number;
  readonly isUrgent: boolean;
  readonly isPlaying: boolean;
  readonly name: BroadcastItem['name'] | null;
}

export interface LineWish {
  /** null: nothing. */
  readonly wish: AmplifierWish | null;
  /** What it is, in words; null: somebody else's hold, or nothing. */
  readonly name: BroadcastItem['name'] | null;
  /** Outputs that have what is on the line. */
  readonly heard: ReadonlySet<PointRef>;
  /** Those of them that play it already. */
  readonly playing: ReadonlySet<PointRef>;
}

/** `why`: what the arbiter says of an output; `claims`: what others hold on loudspeakers. */
export function lineWish(
  outputs: readonly LineOutput[],
  why: (ref: PointRef) => Pick<OutputAnswer, 'playing' | 'waiting'>,
  claims: readonly OutsideClaim[],
): LineWish {
  const all = outputs.flatMap((output) => candidateOf(output, why(output.ref), strongestOn(output.ref, claims)) ?? []);
  const leader = all.reduce<Candidate | null>((best, one) => (best === null || isBefore(one, best) ? one : best), null);
  if (leader === null) return { wish: null, name: null, heard: new Set(), playing: new Set() };
  const same = all.filter(({ key }) => key === leader.key);
  return {
    wish: {
      zones: [...new Set(same.map(({ zone }) => zone))],
      strength: leader.isUrgent ? 'emergency' : 'ordinary',
    },
    name: leader.name,
    heard: new Set(same.map(({ ref }) => ref)),
    playing: new Set(same.filter(({ isPlaying }) => isPlaying).map(({ ref }) => ref)),
  };
}

/** Of equals what plays keeps the line, then what was asked for first (ids are in the order of time). */
function isBefore(a: Candidate, b: Candidate): boolean {
  if (a.strength !== b.strength) return a.strength < b.strength;
  if (a.isPlaying !== b.isPlaying) return a.isPlaying;
  return a.key < b.key;
}

function candidateOf(
  output: LineOutput,
  { playing, waiting }: Pick<OutputAnswer, 'playing' | 'waiting'>,
  claim: OutsideClaim | null,
): Candidate | null {
  const part = playing ?? waiting.find(isKeptBackOnly) ?? null;
  const claimStrength = claim === null ? Number.POSITIVE_INFINITY : strengthOf(claim);
  if (part !== null && (playing !== null || classStrength(part.class) < claimStrength)) {
    return {
      ...output,
      ...{ key: part.item, strength: classStrength(part.class), isUrgent: isEmergency(part.class) },
      ...{ isPlaying: playing !== null, name: part.name },
    };
  }
  if (claim === null || claim.isSilence === true) return null;
  // Holds of others have no item: what is as strong is taken for the same, so that no room is left out.
  const strength = strengthOf(claim);
  return {
    ...output,
    ...{ key: `held ${strength}`, strength, isUrgent: isEmergency(claim.class ?? 'fire'), isPlaying: true, name: null },
  };
}

/** It would have the word, but for the amplifier. */
function isKeptBackOnly({ blocker }: PartAnswer): boolean {
  return blocker === null || (blocker.kind === 'outside' && isAmplifierOwner(blocker.owner));
}

function strengthOf({ strength, class: soundClass = 'fire' }: OutsideClaim): number {
  return strength ?? classStrength(soundClass);
}

function strongestOn(ref: PointRef, claims: readonly OutsideClaim[]): OutsideClaim | null {
  let best: OutsideClaim | null = null;
  for (const claim of claims) {
    if (claim.output !== ref) continue;
    if (best === null || strengthOf(claim) < strengthOf(best)) best = claim;
  }
  return best;
}
