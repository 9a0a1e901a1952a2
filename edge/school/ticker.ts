import { type LedgerLine, type LedgerOutcome, type LocalDate, lateness, type Occurrence } from '#edge/domain/school.ts';
import { type ClockEvent, type ClockWord, createTrust, type Distrust, type TrustOptions } from './ticker-trust.ts';

/*
 * What is due now. The ticker compares the wall clock with what a plan says for today and yesterday, several times a second, and moves a
 * horizon along: all up to it has been decided, once. It never waits for a time (setTimeout knows nothing of a clock that is put on), and
 * it never makes good for more than one thing a loudspeaker, output or mode: what was missed is told, not rung.
 *
 * While the clock is not believed the horizon stands still and nothing is decided: a clock that was an hour fast and is put right again
 * must not have marked the bells of that hour as missed. When it is believed again, what really went by is told, and what is still in
 * time is done.
 */

export interface TickInput {
  /** ms since epoch. */
  readonly wall: number;
  readonly monotonic: number;
  readonly word: ClockWord;
  /** Of what is signed for that day; ascending or not. */
  readonly occurrences: (date: LocalDate) => readonly Occurrence[];
  /** What the ledger says of a key; null: nothing. Lines under way count. */
  readonly ledgerHas: (key: string) => LedgerOutcome | null;
}

export interface TickDecision {
  readonly occurrence: Occurrence;
  readonly do: 'act' | 'skip' | 'ask';
  /** To be written before anything is done: `begun`, `skipped` or `asked`. */
  readonly outcome: LedgerOutcome;
  readonly reason: TickReason;
  /** A sentence for people. */
  readonly message: string;
  /** ms after its time. */
  readonly late: number;
  /** Channels (`zone:<id>`, `output:<ref>`, `mode:<id>`) that are its own; what it shares with a later one is that one's. null: all. */
  readonly only: readonly string[] | null;
}

export type TickReason =
  | 'in-time'
  | 'late'
  | 'too-late'
  | 'overtaken'
  | 'silenced'
  | 'clock-jumped'
  | 'clock-untrusted'
  | 'exam-late';

export type TickEvent =
  | ClockEvent
  /** Further back nobody looks: what was planned from then to then has no lines. ms since epoch. */
  | { readonly kind: 'unlisted'; readonly from: number; readonly to: number };

/** What must survive a restart. */
export interface TickerState {
  /** All up to then has been decided, ms since epoch. */
  readonly horizon: number;
}

export interface TickerOptions extends TrustOptions {
  readonly dateOf: (time: number) => LocalDate;
}

export interface Ticked {
  readonly decisions: readonly TickDecision[];
  readonly events: readonly TickEvent[];
  /** Why nothing is rung by itself now; null: it is. */
  readonly paused: Distrust | null;
}

export interface SchoolTicker {
  tick(input: TickInput): Ticked;
  /** null until the clock was believed once. */
  readonly state: TickerState | null;
}

const halfDay = 12 * 3_600_000;
/** What was planned while the box was off is told for so long, ms; a school's week has some 2,000 lines. */
const longestLook = 7 * 86_400_000;
/** An exam's command that late is not asked for any more, ms: the paper has gone on without it. */
const askedFor = 10 * 60_000;

export function createTicker(options: TickerOptions, state: TickerState | null = null): SchoolTicker {
  const trust = createTrust(options, state?.horizon ?? null);
  let horizon = state?.horizon ?? null;
  /** Why the clock was not believed since the last look that counted: what fell due meanwhile was missed because of it. */
  let doubted: Doubt | null = null;
  /** Of a box that never believed its clock: since when that has at least run evenly. */
  let evenSince: number | null = null;

  const tick = (input: TickInput): Ticked => {
    const { wall } = input;
    const events: TickEvent[] = [...trust.look(input)];
    if (trust.lost !== null) {
      const { why } = trust.lost;
      doubted = { why: why === 'start' ? (doubted?.why ?? why) : why, from: doubted?.from ?? wall };
      if (evenSince === null || events.some(({ kind }) => kind === 'jumped')) evenSince = wall;
      return { decisions: [], events, paused: why };
    }
    // Put back: what was done is in the ledger, and what comes again is done then.
    let from = Math.min(horizon ?? evenSince ?? wall - 1, wall - 1);
    if (wall - from > longestLook) {
      const to = wall - longestLook;
      events.push({ kind: 'unlisted', from, to });
      from = to;
    }
    const cause = doubted;
    doubted = null;
    horizon = wall;
    const due = dueBetween(from, input, options.dateOf);
    return { decisions: due.length === 0 ? [] : decide(due, wall, cause), events, paused: null };
  };
  return {
    tick,
    get state() {
      return horizon === null ? null : { horizon };
    },
  };
}

/** Nothing is due twice, and what is decided already is not due. Ascending. */
function dueBetween(from: number, input: TickInput, dateOf: TickerOptions['dateOf']): readonly Occurrence[] {
  const { wall, occurrences, ledgerHas } = input;
  // A day before as well: what is shifted may lie after its midnight.
  const dates = new Set<LocalDate>();
  for (let time = from - 2 * halfDay; time < wall; time += halfDay) dates.add(dateOf(time));
  dates.add(dateOf(wall));
  const due = new Map<string, Occurrence>();
  for (const date of dates) {
    for (const one of occurrences(date)) {
      if (one.at > from && one.at <= wall && ledgerHas(one.key) === null) due.set(one.key, one);
    }
  }
  return [...due.values()].sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
}

/** Why the clock was not believed, and what it showed when that began. */
interface Doubt {
  readonly why: Distrust;
  readonly from: number;
}

function decide(due: readonly Occurrence[], wall: number, cause: Doubt | null): readonly TickDecision[] {
  /** By channel, the time of the newest that still matters. Of one time all act: whoever planned two at once meant it, or was told. */
  const taken = new Map<string, number>();
  const decided = due.toReversed().map((occurrence): TickDecision => {
    const late = wall - occurrence.at;
    const { silenced } = occurrence;
    if (silenced !== null) return skip(occurrence, late, 'silenced', `left out: ${silenced.code}`);
    if (late > lateness[occurrence.class].most) return tooLate(occurrence, late, cause);
    const channels = channelsOf(occurrence);
    const own = channels.filter((one) => (taken.get(one) ?? occurrence.at) === occurrence.at);
    const isExam = occurrence.class === 'exam';
    if (own.length === 0 && channels.length > 0 && !isExam)
      return skip(occurrence, late, 'overtaken', 'a later one of the same place was due as well, and took its turn');
    for (const one of channels) if (!taken.has(one)) taken.set(one, occurrence.at);
    const reason = late > lateness[occurrence.class].fine ? 'late' : 'in-time';
    const only = own.length === channels.length || isExam ? null : own;
    const message = reason === 'late' ? `${inSeconds(late)} late` : 'in time';
    return { occurrence, do: 'act', outcome: 'begun', reason, message, late, only };
  });
  return decided.reverse();
}

function tooLate(occurrence: Occurrence, late: number, cause: Doubt | null): TickDecision {
  if (occurrence.class === 'exam' && late <= askedFor) {
    const message = `${inSeconds(late)} late: a command of an examination is never given late by itself, somebody must decide`;
    return { occurrence, do: 'ask', outcome: 'asked', reason: 'exam-late', message, late, only: null };
  }
  const most = lateness[occurrence.class].most;
  const how = `${inSeconds(late)} late, and no more than ${inSeconds(most)} is right`;
  // What was planned before the start was missed because nothing ran, not because of the clock.
  const isBefore = cause?.why === 'start' && occurrence.at < cause.from;
  if (cause === null || isBefore) return skip(occurrence, late, 'too-late', how);
  if (cause.why === 'jumped') return skip(occurrence, late, 'clock-jumped', `the clock was put on or back: ${how}`);
  return skip(occurrence, late, 'clock-untrusted', `nobody could vouch for the clock: ${how}`);
}

function skip(occurrence: Occurrence, late: number, reason: TickReason, message: string): TickDecision {
  return { occurrence, do: 'skip', outcome: 'skipped', reason, message, late, only: null };
}

/** What it would take from others: where it sounds, what it holds. */
export function channelsOf({ do: action, zones, layer }: Occurrence): readonly string[] {
  switch (action.kind) {
    case 'sound':
      return zones.map((zone) => `zone:${zone}`);
    case 'hold':
      return action.outputs.map(({ ref }) => `output:${ref}`);
    case 'mode':
      return [`mode:${action.mode}`];
    case 'show':
      return [`show:${layer}/${action.command}`];
  }
}

/** How long what it does goes on, ms. */
export function lastsOf({ do: action }: Occurrence): number {
  return action.kind === 'show' ? 0 : action.seconds * 1_000;
}

export interface AfterRestart {
  readonly do: 'close' | 'again';
  readonly outcome: LedgerOutcome;
  readonly reason: 'restart';
  readonly message: string;
}

/**
 * What becomes of a line that had begun when core ended. A sound is never begun again: no loudspeaker here can begin a clip in its middle,
 * and a bell that rings twice is worse than one of which nobody knows. It need not be: its hold outlives core, and so does the process
 * that plays it. What lasts (an output, a mode) is a state, not a happening, so it is asserted for the rest of its time.
 */
export function afterRestart(
  line: LedgerLine,
  occurrence: Occurrence | null,
  now: { readonly wall: number; readonly isHeld: boolean },
): AfterRestart {
  const close = (outcome: LedgerOutcome, message: string): AfterRestart => ({
    ...{ do: 'close', outcome, reason: 'restart', message },
  });
  if (now.isHeld) return close('done', 'it went on over a restart');
  if (line.class === 'exam')
    return close('failed', 'it had begun when the system was started again: look whether it was heard');
  const isLasting = occurrence?.do.kind === 'hold' || occurrence?.do.kind === 'mode';
  if (occurrence !== null && isLasting && now.wall < occurrence.at + lastsOf(occurrence))
    return { do: 'again', outcome: 'begun', reason: 'restart', message: 'taken up again for the rest of its time' };
  return close(
    'failed',
    'it had begun when the system was started again; nobody knows whether it was heard, and it is not repeated',
  );
}

function inSeconds(ms: number): string {
  return ms < 120_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
