import { type BroadcastItem, type Interruption, isEmergency, rankOf, type SoundClass } from '#edge/domain/broadcast.ts';
import type { Hold, Priority } from '#edge/domain/output.ts';
import type { OutsideClaim } from './sound.ts';

/** How a class behaves. */
export interface SoundHabit {
  /** Of the hold that carries it. Falls with the rank, or the arbiter and the priority array would not agree. */
  readonly priority: Priority;
  /** What whoever makes an item gives it, unless he knows better. */
  readonly interruption: Interruption;
  /**
   * All rooms are at the same place and one that comes back joins them there (neighbours hear each other, and all end before the lesson).
   * Otherwise each room hears it for itself, whole: a message or an examination's listening text that began in its middle is useless.
   * What loops or is live is always in step.
   */
  readonly isInStep: boolean;
  /** Cut for longer than this in all, it is not taken up again, ms. */
  readonly mostLost: number | null;
  /** How late it may begin, ms, unless whoever makes it knows better. null: as late as its turn comes. */
  readonly patience: number | null;
}

const minute = 60_000;

export const soundHabits: Readonly<Record<SoundClass, SoundHabit>> = {
  fire: { priority: 1, interruption: 'resume', isInStep: false, mostLost: null, patience: null },
  danger: { priority: 1, interruption: 'resume', isInStep: false, mostLost: null, patience: null },
  microphone: { priority: 1, interruption: 'resume', isInStep: true, mostLost: null, patience: null },
  warning: { priority: 5, interruption: 'restart', isInStep: false, mostLost: null, patience: null },
  page: { priority: 8, interruption: 'restart', isInStep: false, mostLost: null, patience: 10 * minute },
  exam: { priority: 8, interruption: 'resume', isInStep: false, mostLost: null, patience: minute },
  // A bell that is late is a wrong bell.
  bell: { priority: 15, interruption: 'drop', isInStep: false, mostLost: null, patience: 10_000 },
  // Broadcast exercises count to music: after a minute the class stands around, and the next lesson does not wait.
  exercise: { priority: 15, interruption: 'resume', isInStep: true, mostLost: minute, patience: minute },
  programme: { priority: 15, interruption: 'resume', isInStep: true, mostLost: null, patience: 10 * minute },
  background: { priority: 15, interruption: 'resume', isInStep: true, mostLost: null, patience: null },
};

/** Whether all rooms of an item are at the same place. */
export function isInStep({ source, class: soundClass }: Pick<BroadcastItem, 'source' | 'class'>): boolean {
  return source.kind === 'live' || source.loop || soundHabits[soundClass].isInStep;
}

/** An emergency is never dropped, whatever its item says; and a live voice cannot begin anew. */
export function interruptionOf({ class: soundClass, interruption, source }: BroadcastItem): Interruption {
  if (source.kind === 'live' && interruption === 'restart') return 'resume';
  return isEmergency(soundClass) && interruption === 'drop' ? 'resume' : interruption;
}

/**
 * What a hold without a rank counts as: the strongest class of its priority. A safety rule is as strong as fire, a rule of priority 5 as a
 * warning, a person's request as a page, a schedule that holds a loudspeaker past the arbiter as a bell. Flows (12) have no class of their
 * own; they are stronger than all that is scheduled.
 */
export const impliedRank: Readonly<Record<Priority, number>> = {
  1: rankOf('fire'),
  5: rankOf('warning'),
  8: rankOf('page'),
  12: rankOf('bell'),
  15: rankOf('bell'),
};

const ranks = 16;

/** Lower is stronger: by priority, then by rank, as `compareStrength` has it. Of priority 1 a loudspeaker's silence is the weakest. */
export function strengthOf({ priority, rank, value }: Pick<Hold, 'priority' | 'rank' | 'value'>): number {
  if (priority === 1 && value === '') return ranks + (ranks - 1);
  return priority * ranks + (rank ?? impliedRank[priority]);
}

export function classStrength(soundClass: SoundClass): number {
  return soundHabits[soundClass].priority * ranks + rankOf(soundClass);
}

const claimed: Readonly<Record<Priority, SoundClass>> = { 1: 'fire', 5: 'warning', 8: 'page', 12: 'bell', 15: 'bell' };

/**
 * What somebody else's hold on a loudspeaker is to the arbiter; `said`: its class, when that is known better. The strength is that of the
 * hold whatever its class, because the priority array decides by the hold.
 */
export function claimOf(hold: Hold, said?: SoundClass): OutsideClaim {
  const { ref, owner, reason, since, value } = hold;
  return {
    output: ref,
    owner,
    reason,
    since,
    class: said ?? claimed[hold.priority],
    strength: strengthOf(hold),
    isSilence: value === '',
  };
}
