import type { Proof } from '#edge/domain/broadcast.ts';
import type { Status } from './answers.ts';

export interface Hearing {
  readonly status: Status;
  /** Of the beginning that we asked for. */
  readonly job: string;
  /** It was seen to play it before. */
  readonly isSeen: boolean;
  readonly isEndless: boolean;
  /** It had time to begin. */
  readonly isSettled: boolean;
  /** Its own test of itself; null: nothing is known. */
  readonly test: { readonly isPassed: boolean; readonly words: string } | null;
  /** What stays to be said of a sound that was agreed to. */
  readonly evidence: string;
}

/** A status lags, or says no job at all; another job is another sound. */
export function playsOurs({ playing, job }: Status, ours: string): boolean {
  return playing === true && (job === '' || job === ours);
}

/** Its server said yes: what is known of it having been heard. `none` has words: nobody hears it, and why. */
export function verdictOf(hearing: Hearing): { readonly proof: Proof; readonly evidence: string } {
  const { status, job, isSeen, test } = hearing;
  const isOurs = playsOurs(status, job);
  const against = againstIt(hearing, isOurs) || (test?.isPassed === false ? test.words : '');
  if (against !== '') return { proof: 'none', evidence: against };
  if (isOurs || isSeen) return { proof: 'heard', evidence: hearing.evidence || 'its server says that it plays it' };
  if (status.playing === null && test !== null) return { proof: 'heard', evidence: test.words };
  return { proof: 'acknowledged', evidence: hearing.evidence };
}

function againstIt({ status, isSeen, isEndless, isSettled }: Hearing, isOurs: boolean): string {
  const { playing, unable } = status;
  // What came to its end was heard, whatever is true of the device afterwards.
  const isOver = isSeen && !isEndless && !isOurs;
  if (isOver) return '';
  if (unable !== '') return unable;
  if (!isSettled || isOurs || playing === null) return '';
  if (playing) return 'it plays something else';
  return isSeen ? 'it has stopped playing' : 'its server said yes, and was not seen to play';
}
