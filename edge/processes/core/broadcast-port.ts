import type { Interruption, SoundClass, SoundSource } from '#edge/domain/broadcast.ts';
import type { HappeningId, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type {
  ItemAnswer,
  OutputAnswer,
  OutsideClaim,
  PutAnswer,
  Said,
  SoundHappening,
  StopAnswer,
} from '#edge/rules/sound.ts';

/*
 * What the other desks of core (school day, emergencies, RPC) ask of the broadcast desk, and hear from it.
 */

/** What somebody wants to be heard. What is left out follows the habits of its class (rules/sound-habits.ts). */
export interface SoundWish {
  readonly class: SoundClass;
  readonly name: Name;
  readonly source: SoundSource;
  /** `all`: every loudspeaker of the campus. */
  readonly zones: 'all' | readonly ZoneId[];
  /** Besides those of the zones. */
  readonly outputs?: readonly PointRef[];
  /** ms; absent: as long as its clips are, as far as that is known; live and looping: until it is stopped. */
  readonly length?: number | null;
  readonly patience?: number | null;
  readonly until?: number | null;
  readonly interruption?: Interruption;
  /** Percent. */
  readonly level?: number;
  readonly drill?: boolean;
  /** ms; somebody must say again (`renew`) that he is still there, or it ends: a live voice. */
  readonly lease?: number;
  readonly by: string;
  readonly why: string;
}

export interface BroadcastDeskPort {
  /** In this turn; it does not wait for the disk. Throws SOUND_NO_SPEAKER (nothing there to hear it), CLIP_UNKNOWN. */
  play(wish: SoundWish): PutAnswer;
  stop(item: HappeningId, said: Said & { readonly outputs?: readonly PointRef[] }): StopAnswer;
  /** Answers false when it is over. */
  renew(item: HappeningId): boolean;
  /** Ends every emergency that sounds by the arbiter, whoever asked for it. */
  allClear(said: Said): readonly HappeningId[];
  why(output: PointRef): OutputAnswer;
  whyItem(item: HappeningId): ItemAnswer | null;
  /** What happened, as it happens, before it is on disk. */
  onHappening(listener: (happenings: readonly SoundHappening[]) => void): Disposable;
  /** ms; null: unknown or endless. */
  lengthOf(clip: string): number | null;
  hasClip(clip: string): boolean;
}

/** Keeps loudspeakers from sounding before what carries their sound is ready (amplifiers). */
export interface SoundGate {
  /** On the loudspeakers that are kept back now; nothing is stronger. */
  claims(): readonly OutsideClaim[];
  /** What the arbiter wants may be another. */
  afterTurn(): void;
}
