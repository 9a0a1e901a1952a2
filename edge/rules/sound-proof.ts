import type { Proof } from '#edge/domain/broadcast.ts';
import { proofs } from '#edge/domain/broadcast.ts';
import type { Delivery } from '#edge/domain/delivery.ts';
import type { SoundHappening } from './sound.ts';
import { isNotHeard } from './sound-listening.ts';

/*
 * What is known of one item on one loudspeaker: it was told, it said yes, it was heard; or it was not, and why. Pure: times are given.
 * A loudspeaker that only gets packets is believed to play as long as nothing speaks against it, and is never said to have been heard.
 */

/** What is known of a loudspeaker now. */
export interface SpeakerFacts {
  /** The last command was answered: when (ms since epoch), and whether it is done. null: no answer since it was told. */
  readonly answer: {
    readonly at: number;
    /** It was this very item that it was told. */
    readonly isMine: boolean;
    readonly isDone: boolean;
    readonly proof: Proof;
    readonly why: string;
  } | null;
  /** As its driver or itself says; `none` with words: it does not hear it, and why. null: nothing is said. */
  readonly said: { readonly proof: Proof; readonly evidence: string } | null;
  /** Why it does not answer at all; '': it does, or nobody can know. */
  readonly away: string;
  /** Its own loudness is off. */
  readonly isMuted: boolean;
  /** What it counts itself of all that it got, ms; null or absent: it counts nothing. */
  readonly counter?: number | null;
  /** What a sound-level sensor in its room says since it began here; null: none listens. */
  readonly room?: { readonly verdict: 'heard' | 'not-heard' | 'unsure'; readonly words: string } | null;
}

/** Nothing was answered by then: it is not played, ms. */
export const answerWithin = 5_000;
/** Words against it are believed when it had time to begin, ms. */
const beginsWithin = 1_500;

export interface TrackedDelivery extends Delivery {
  /** It is on the air here by the arbiter's will, since (ms since epoch); null: it is not. */
  readonly on: number | null;
  /** Last looked at, for what was heard. */
  readonly seen: number;
  /** What spoke against it stands. */
  readonly fault: string;
  /** What the loudspeaker's own counter last said, ms. */
  readonly counter: number | null;
  /** A sensor in the room has heard it since it is on the air: a pause in it is no silence any more. */
  readonly isRoomHeard: boolean;
  /** Without any answer by then it is missed, also when it is over (a bell is short); ms since epoch. null: it is settled. */
  readonly due: number | null;
}

export function newDelivery(item: Delivery['item'], output: Delivery['output'], now: number): TrackedDelivery {
  return {
    ...{ item, output, state: 'waiting', proof: 'none', evidence: '', begun: null, ended: null, heard: 0 },
    ...{ delay: null, reason: '', on: null, seen: now, fault: '', due: null, isRoomHeard: false, counter: null },
  };
}

/** What the arbiter did with it. */
export function afterHappening(one: TrackedDelivery, { kind, at, reason, by }: SoundHappening): TrackedDelivery {
  switch (kind) {
    case 'queued':
      return one;
    case 'begun':
    case 'resumed':
    case 'restarted':
      return {
        ...one,
        state: 'playing',
        begun: one.begun ?? at,
        on: at,
        seen: at,
        fault: '',
        reason: '',
        isRoomHeard: false,
        counter: null,
        due: at + answerWithin,
      };
    case 'preempted':
      // What was silent all along was not cut.
      if (one.fault !== '') return { ...one, on: null, due: null };
      return { ...heardUntil(one, at), on: null, due: null, state: 'cut', reason: wordsOf(by) ?? reason };
    case 'ended':
    case 'expired':
    case 'dropped':
    case 'stopped':
      return over(heardUntil(one, at), at, kind === 'ended' ? '' : reason, reason === 'over-elsewhere');
  }
}

function wordsOf(by: SoundHappening['by']): string | null {
  if (by === null) return null;
  return by.kind === 'item' ? `${by.name.zh} / ${by.name.en}` : by.reason;
}

/** One look at a loudspeaker that should play. */
export function look(before: TrackedDelivery, facts: SpeakerFacts, now: number): TrackedDelivery {
  if (before.ended !== null) return afterwards(before, facts, now);
  const { on } = before;
  if (on === null) return before;
  const one = counted(before, facts.counter ?? null);
  const age = now - on;
  const isAnswered = facts.answer?.isMine === true && facts.answer.at >= on;
  const isDone = isAnswered && facts.answer?.isDone === true;
  const isRoomHeard = one.isRoomHeard || facts.room?.verdict === 'heard';
  const fault =
    faultOf(facts, { isAnswered, isDone, age, isLate: now >= (one.due ?? now) }) || unheard(one, facts, isDone);
  if (fault !== '') {
    // What was heard up to now was heard.
    const isNew = one.fault === '' && one.state === 'playing' && isDone;
    const told = !isNew ? { ...one, seen: now } : isNotHeard(fault) ? silentSince(one, now) : heardUntil(one, now);
    return { ...told, state: 'missed', fault, reason: fault };
  }
  if (!isDone) return { ...one, seen: now };
  const byRoom = isRoomHeard ? 'heard' : 'none';
  const proof = strongest(one.proof, facts.answer?.proof ?? 'sent', facts.said?.proof ?? 'none', byRoom);
  const evidence = evidenceOf(one, facts);
  const delay = one.delay ?? (facts.answer === null ? null : Math.max(0, facts.answer.at - (one.begun ?? on)));
  const played = one.fault === '' ? heardUntil(one, now) : { ...one, seen: now };
  return { ...played, state: 'playing', proof, evidence, delay, fault: '', reason: '', isRoomHeard };
}

/** A counter that begins anew (its driver did) counts on from there. */
function counted(one: TrackedDelivery, counter: number | null): TrackedDelivery {
  if (counter === null) return one;
  // 0 is what one says that counts nothing, too.
  if (counter === 0 && one.counted === undefined) return { ...one, counter };
  const more = one.counter === null ? 0 : counter >= one.counter ? counter - one.counter : counter;
  return { ...one, counter, counted: (one.counted ?? 0) + more };
}

/** It said yes, and nobody hears it: its own knob is off, or its wire. What was once said stands until the room hears it. */
function unheard(one: TrackedDelivery, { room }: SpeakerFacts, isDone: boolean): string {
  if (room === undefined || room === null || one.isRoomHeard || room.verdict === 'heard' || !isDone) return '';
  if (room.verdict === 'not-heard') return room.words;
  return isNotHeard(one.fault) ? one.fault : '';
}

/** What the room heard says more than what a loudspeaker says of itself; what a sensor cannot tell says less. */
function evidenceOf({ evidence, isRoomHeard }: TrackedDelivery, { said, room }: SpeakerFacts): string {
  if (room?.verdict === 'heard') return room.words;
  if (isRoomHeard) return evidence;
  if (said !== null && said.evidence !== '') return said.evidence;
  return evidence === '' || room?.verdict === 'unsure' ? (room?.words ?? evidence) : evidence;
}

function faultOf(
  { answer, said, away, isMuted }: SpeakerFacts,
  {
    isAnswered,
    isDone,
    age,
    isLate,
  }: { readonly isAnswered: boolean; readonly isDone: boolean; readonly age: number; readonly isLate: boolean },
): string {
  if (isAnswered && !isDone) return answer?.why === '' || answer === null ? 'it refused' : answer.why;
  if (age >= beginsWithin && away !== '') return away;
  if (age >= beginsWithin && isMuted) return 'it is muted';
  if (isDone && age >= beginsWithin && said !== null && said.proof === 'none' && said.evidence !== '')
    return said.evidence;
  if (!isAnswered && isLate) return 'it did not answer';
  return '';
}

/** Nothing more comes of it. */
function over(one: TrackedDelivery, at: number, reason: string, isElsewhere: boolean): TrackedDelivery {
  const done = { ...one, on: null, ended: at };
  if (one.begun === null) return { ...done, state: 'withheld', reason: isElsewhere ? 'over-elsewhere' : reason };
  if (one.fault !== '') return { ...done, due: null, state: 'missed', reason: one.fault };
  if (one.state === 'cut') return { ...done, due: null, reason: one.reason };
  if (one.proof !== 'none') return { ...done, due: null, state: 'played', reason: '' };
  const isOpen = one.due !== null && at < one.due;
  return { ...done, due: isOpen ? one.due : null, state: 'unknown', reason: 'it was over before it answered' };
}

/** It was over before it had answered: an answer to this very item counts still, and no answer at all is a miss. */
function afterwards(one: TrackedDelivery, { answer, away }: SpeakerFacts, now: number): TrackedDelivery {
  if (one.due === null || one.begun === null) return one;
  if (answer?.isMine === true && answer.at >= one.begun) {
    if (answer.isDone) return { ...one, due: null, state: 'played', proof: answer.proof, reason: '' };
    return { ...one, due: null, state: 'missed', reason: answer.why === '' ? 'it refused' : answer.why };
  }
  if (away !== '') return { ...one, due: null, state: 'missed', reason: away };
  if (now < one.due) return one;
  // It has answered something else since: it is there, and nobody knows what it did.
  if (answer !== null && answer.at >= one.begun) return { ...one, due: null };
  return { ...one, due: null, state: 'missed', reason: 'it did not answer' };
}

/** Taken up after a restart: it plays, and is told again. */
export function adopted(one: TrackedDelivery, now: number, patience: number): TrackedDelivery {
  return { ...one, state: 'playing', begun: one.begun ?? now, on: now, seen: now, due: now + patience };
}

/** After a restart: it was under way, and nobody looked to its end. */
export function settled(one: Delivery, at: number): Delivery {
  if (one.ended !== null) return one;
  if (one.begun === null) return { ...one, ended: at, state: 'withheld', reason: 'while-away' };
  if (one.state === 'playing') return { ...one, ended: at, state: 'unknown', reason: 'while-away' };
  return { ...one, ended: at };
}

function heardUntil(one: TrackedDelivery, now: number): TrackedDelivery {
  if (one.on === null || one.state !== 'playing') return { ...one, seen: now };
  return { ...one, heard: one.heard + Math.max(0, now - one.seen), seen: now };
}

/** What was taken for heard since it is on the air here was not. */
function silentSince(one: TrackedDelivery, now: number): TrackedDelivery {
  const wrongly = one.on === null ? 0 : Math.max(0, one.seen - one.on);
  return { ...one, heard: Math.max(0, one.heard - wrongly), seen: now };
}

function strongest(...all: readonly Proof[]): Proof {
  return all.reduce((best, one) => (proofs.indexOf(one) > proofs.indexOf(best) ? one : best), 'none');
}

/** As it is kept and told. */
export function deliveryOf(one: TrackedDelivery): Delivery {
  const { on: _on, seen: _seen, fault: _fault, due: _due, isRoomHeard: _heard, counter: _, ...delivery } = one;
  return delivery;
}
