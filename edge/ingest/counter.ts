import type { CounterStepKind } from '#edge/domain/counter.ts';
import type { CounterRule } from '#edge/domain/device.ts';

/*
 * The gate of energy and volume counters, pure. The lesson of a 53.7 MWh slot (evcc #30267): never rebase on a lower
 * reading. What a counter cannot do by counting is held at the last believed value; three agreeing reads of another course
 * open a step, which a person decides (decision 22).
 *
 * `at` is source time, ms since epoch UTC; `heard` is our monotonic clock, ms, or null when it is not known (after a
 * restart). Clocks are set: how long a rise took is the longer of the two.
 */

export interface CounterRead {
  readonly value: number;
  readonly at: number;
  readonly heard: number | null;
}

/** Where a course is: its newest read, and when it last moved (source time). */
export interface CounterTrack extends CounterRead {
  readonly movedAt: number;
}

/** A course that is not the believed one. */
export interface CounterCourse {
  readonly first: CounterRead;
  readonly track: CounterTrack;
  readonly agreed: number;
  /** Its first reads, until it is settled. */
  readonly reads: readonly CounterRead[];
  /** It began with exactly 0 where a rollover was due: believed once it is settled. */
  readonly isRollover: boolean;
}

export interface HeldStep {
  /** `rejected`: decided, and the meter still shows it. */
  readonly state: 'open' | 'rejected';
  readonly kind: CounterStepKind;
  /** What was believed when it began. */
  readonly from: CounterRead;
  readonly course: CounterCourse;
  readonly serial: CounterSerial | null;
}

export interface CounterSerial {
  readonly before: string;
  readonly after: string;
}

export interface CounterState {
  readonly base: CounterTrack;
  readonly step: HeldStep | null;
  /** What may become a course; reads of one agree with each other. */
  readonly candidate: CounterCourse | null;
  /** Reads in a row that were on no settled course. */
  readonly strays: number;
  /** The device has another serial number than when the base was read: no read is on its course any more. */
  readonly serial: CounterSerial | null;
  /** A person's decision about the step is being written down: until it is, reads are noted and change nothing. */
  readonly deciding?: true;
}

export interface CounterVerdict {
  readonly state: CounterState;
  /** What to show: the new value, or the believed one when the read is refused. */
  readonly value: number;
  readonly believed: boolean;
  /** Refused reads: whether it may belong to the new course, or fits nothing that is known. */
  readonly isOnCourse: boolean;
  /** Earlier reads that turn out to belong to the course of the step. */
  readonly adopted: readonly CounterRead[];
  /** What became of the step: it opened, changed (another kind or course), or the meter is back on its believed course. */
  readonly news: 'opened' | 'changed' | 'returned' | null;
}

export const agreeingReads = 3;
/** A meter that shows something else with each read needs a person too. */
const mostStrays = 20;
/** Headroom over the rule's fastest rise, because meters update their register in steps. */
const rateTolerance = 1.2;
/** Relative step of a 32-bit float, which most meters send: 2 Wh above 16,384 kWh. */
const floatStep = 2 ** -23;
/** Longest pause between two updates of a register that is believed, ms: standing still gives no more credit than this. */
const longestUpdate = 3_600_000;

export function startCounter(value: number, at: number, heard: number | null = null): CounterState {
  return { base: { value, at, heard, movedAt: at }, step: null, candidate: null, strays: 0, serial: null };
}

/** Judges the next read. */
export function stepCounter(rule: CounterRule, state: CounterState, read: CounterRead): CounterVerdict {
  const { step, candidate } = state;
  if (step !== null && state.deciding === true) return note(rule, state, step, read);
  const course = step?.course ?? null;
  const isOnCourse = course !== null && follows(rule, course.track, read);
  const isCandidate = candidate !== null && follows(rule, candidate.track, read);
  const rival = isOnCourse ? course : isCandidate && !candidate.isRollover ? candidate : null;
  if (isOnBase(rule, state, read) && (rival === null || !isRivals(rule, rival, state.base, read))) {
    return believe(state, read);
  }
  if (step !== null && isOnCourse) return extend(state, step, read);
  return consider(rule, state, read, isCandidate ? candidate : null);
}

/** What the meter shows of its new course belongs to it, whatever is decided; anything else is looked at when it is shown again. */
function note(rule: CounterRule, state: CounterState, step: HeldStep, read: CounterRead): CounterVerdict {
  if (!follows(rule, step.course.track, read)) return refused(state, {});
  return { ...refused(state, { step: { ...step, course: advance(step.course, read) } }), isOnCourse: true };
}

/**
 * What can have been counted at most between the last believed value and the first of the new course, in the counter's unit: the rise
 * itself, or what the fastest rise makes of the time between both, at least an hour. Infinity: nobody knows.
 */
export function mostBetween(
  { maxRate, wrap }: CounterRule,
  step: { readonly from: number; readonly fromTime: number; readonly to: number; readonly toTime: number },
): number {
  if (maxRate === undefined) return Number.POSITIVE_INFINITY;
  const time = Math.max(longestUpdate, step.toTime - step.fromTime);
  const isRound = wrap !== undefined && step.from > 0.9 * wrap && step.to < 0.1 * wrap;
  const rise = isRound ? wrap - step.from + step.to : step.to - step.from;
  return Math.max(rise, (maxRate * time * rateTolerance) / 3_600_000 + resolution(step.from, step.to));
}

/**
 * Whether a read that comes late fits between the believed ones around it (null: not known any more); `after` is the
 * first believed read later than it.
 */
export function fitsBetween(
  rule: CounterRule,
  before: CounterRead | null,
  after: CounterRead | null,
  read: CounterRead,
): boolean {
  const late = { ...read, heard: null };
  if (before !== null && !follows(rule, { ...before, heard: null, movedAt: before.at }, late)) return false;
  return after === null || follows(rule, { ...late, movedAt: late.at }, { ...after, heard: null });
}

/** The device's serial number changed (or changed back): proof that the believed course is over. */
export function noteSerial(
  state: CounterState,
  serial: CounterSerial,
): { readonly state: CounterState; readonly news: 'changed' | null } {
  const { step } = state;
  if (step !== null && step.state === 'open' && state.deciding !== true) {
    const isBack = step.serial !== null && step.serial.before === serial.after;
    const known = step.serial ?? serial;
    const next: HeldStep = isBack
      ? { ...step, serial: null, kind: kindOf(step.from.value, step.course.first.value) }
      : { ...step, serial: { before: known.before, after: serial.after }, kind: 'swap' };
    return { state: { ...state, step: next }, news: 'changed' };
  }
  if (state.serial !== null && state.serial.before === serial.after) {
    return { state: { ...state, serial: null }, news: null };
  }
  const before = state.serial?.before ?? serial.before;
  if (state.deciding === true) return { state: { ...state, serial: { before, after: serial.after } }, news: null };
  // What was rejected is proved now: its course may begin anew.
  return { state: { ...state, step: null, candidate: null, serial: { before, after: serial.after } }, news: null };
}

/** The course of the step is believed from now on. */
export function acceptStep(state: CounterState): CounterState {
  const { step } = state;
  if (step === null) return state;
  return { base: step.course.track, step: null, candidate: null, strays: 0, serial: state.serial };
}

/** A decision about the step is being written down, or it is not any more. */
export function decideStep(state: CounterState): CounterState {
  return state.step === null ? state : { ...state, deciding: true };
}

export function undecideStep({ deciding: _, ...state }: CounterState): CounterState {
  return state;
}

/** The course of the step never was: the point stays where it is until the meter agrees with it again. */
export function rejectStep(state: CounterState): CounterState {
  const { deciding: _, ...rest } = state;
  return rest.step === null ? rest : { ...rest, step: { ...rest.step, state: 'rejected' } };
}

function believe(state: CounterState, read: CounterRead): CounterVerdict {
  const { base, step } = state;
  // A dip is the noise of a float; every rise counts, however small.
  const isStill = read.value <= base.value && isSame(base.value, read.value);
  const value = isStill ? base.value : read.value;
  const track = { value, at: read.at, heard: read.heard, movedAt: isStill ? base.movedAt : read.at };
  return {
    state: { base: track, step: null, candidate: null, strays: 0, serial: null },
    value,
    believed: true,
    isOnCourse: false,
    adopted: [],
    news: step?.state === 'open' ? 'returned' : null,
  };
}

function extend(state: CounterState, step: HeldStep, read: CounterRead): CounterVerdict {
  const course = advance(step.course, read);
  // A new meter begins at 0 and stays there until something is switched on.
  const kind = step.kind === 'reset' && read.value > 0 ? 'swap' : step.kind;
  const isNews = kind !== step.kind || (course.agreed === agreeingReads && step.state === 'open');
  return {
    ...refused(state, { step: { ...step, kind, course }, candidate: null, strays: 0 }),
    isOnCourse: true,
    news: isNews ? 'changed' : null,
  };
}

/** A read on no settled course: the beginning of one, or noise. */
function consider(
  rule: CounterRule,
  state: CounterState,
  read: CounterRead,
  agreeing: CounterCourse | null,
): CounterVerdict {
  const candidate = agreeing === null ? begin(rule, state, read) : advance(agreeing, read);
  const strays = state.strays + 1;
  const held = refused(state, { candidate, strays });
  const { step } = state;
  const isSettled = candidate.agreed >= agreeingReads;
  if (step === null) {
    if (isSettled && candidate.isRollover) return believe(state, read);
    if (!isSettled && strays < mostStrays) return { ...held, isOnCourse: true };
    return { ...refused(state, opened(state, candidate)), isOnCourse: true, news: 'opened' };
  }
  // A meter without power tells zeros: they end no course.
  if (!isSettled || (candidate.track.value === 0 && step.course.agreed >= agreeingReads)) return held;
  const next =
    step.state === 'open' ? { ...opened(state, candidate), step: moved(step, candidate) } : opened(state, candidate);
  const news = step.state === 'open' ? ('changed' as const) : ('opened' as const);
  return {
    ...refused(state, next),
    isOnCourse: true,
    adopted: candidate.reads.filter(({ at }) => at !== read.at),
    news,
  };
}

function opened(state: CounterState, course: CounterCourse): Omit<CounterState, 'base'> {
  const { base, serial } = state;
  const kind = serial === null ? kindOf(base.value, course.track.value) : 'swap';
  const from = { value: base.value, at: base.at, heard: base.heard };
  return { step: { state: 'open', kind, from, course, serial }, candidate: null, strays: 0, serial: null };
}

function moved(step: HeldStep, course: CounterCourse): HeldStep {
  return { ...step, course, kind: step.serial === null ? kindOf(step.from.value, course.track.value) : 'swap' };
}

function refused(state: CounterState, change: Partial<CounterState>): CounterVerdict {
  return {
    state: { ...state, ...change },
    value: state.base.value,
    believed: false,
    isOnCourse: false,
    adopted: [],
    news: null,
  };
}

function begin(rule: CounterRule, state: CounterState, read: CounterRead): CounterCourse {
  const isRollover = read.value === 0 && state.serial === null && isOverWrap(rule, state.base, read);
  return { first: read, track: { ...read, movedAt: read.at }, agreed: 1, reads: [read], isRollover };
}

function advance(course: CounterCourse, read: CounterRead): CounterCourse {
  const { track, agreed, reads } = course;
  const movedAt = read.value === track.value ? track.movedAt : read.at;
  return {
    ...course,
    track: { ...read, movedAt },
    agreed: agreed + 1,
    reads: agreed < agreeingReads ? [...reads, read] : reads,
  };
}

function kindOf(from: number, value: number): CounterStepKind {
  if (value === 0) return 'reset';
  return value < from ? 'swap' : 'spike';
}

/** On the believed course. Exactly 0 after non-zero never is: it is also what a reset or a brown-out sends. */
function isOnBase(rule: CounterRule, { base, step, serial }: CounterState, read: CounterRead): boolean {
  if (serial !== null || (step !== null && step.serial !== null)) return false;
  return (read.value !== 0 || base.value === 0) && follows(rule, base, read);
}

/** Whether the meter can have come from there to here by counting. */
function follows(rule: CounterRule, from: CounterTrack, read: CounterRead): boolean {
  if (isSame(from.value, read.value)) return true;
  if (read.value > from.value) {
    return !isBackOverWrap(rule, from, read) && read.value - from.value <= allowedRise(rule, from, read);
  }
  return isOverWrap(rule, from, read);
}

/** Nearly once around, or a little back over the wrap: nobody can tell, and in history it is the latter (store/rollup.ts). */
function isBackOverWrap({ wrap }: CounterRule, from: CounterTrack, read: CounterRead): boolean {
  return wrap !== undefined && from.value < 0.1 * wrap && read.value > 0.9 * wrap;
}

/** Past the top and started again. */
function isOverWrap(rule: CounterRule, from: CounterTrack, read: CounterRead): boolean {
  const { wrap } = rule;
  if (wrap === undefined || from.value <= 0.9 * wrap || read.value >= 0.1 * wrap) return false;
  return wrap - from.value + read.value <= allowedRise(rule, from, read);
}

/**
 * Whose a read is that the believed course explains too. A settled course may pass by the believed value and keeps its reads; zeros
 * are no course to rise from, and without a highest rate every rise is one: there it is the nearer.
 */
function isRivals(rule: CounterRule, { track, agreed }: CounterCourse, base: CounterTrack, read: CounterRead): boolean {
  if (agreed >= agreeingReads && track.value !== 0 && rule.maxRate !== undefined) return true;
  return distance(rule, track, read) < distance(rule, base, read);
}

function distance(rule: CounterRule, from: CounterTrack, read: CounterRead): number {
  const rise = read.value - from.value;
  return rise < 0 && rule.wrap !== undefined ? rise + rule.wrap : Math.abs(rise);
}

function isSame(a: number, b: number): boolean {
  return Math.abs(a - b) <= Math.max(Math.abs(a), Math.abs(b)) * floatStep;
}

function allowedRise(rule: CounterRule, from: CounterTrack, read: CounterRead): number {
  if (rule.maxRate === undefined) return Number.POSITIVE_INFINITY;
  return (rule.maxRate * elapsed(from, read) * rateTolerance) / 3_600_000 + resolution(from.value, read.value);
}

/** How long the rise may have taken, ms. */
function elapsed(from: CounterTrack, read: CounterRead): number {
  const bySource = read.at - from.at;
  const byUs = from.heard === null || read.heard === null ? null : read.heard - from.heard;
  // The clock was set back while nobody counted: nobody knows.
  if (bySource < 0 && byUs === null) return Math.max(-bySource, longestUpdate);
  const still = Math.min(Math.max(0, read.at - from.movedAt), longestUpdate);
  return Math.max(bySource, byUs ?? 0, still, 1_000);
}

/** One step of the register as far as two values show it (1, 0.1, 0.01 or 0.001), or of a float that large. */
function resolution(a: number, b: number): number {
  const step = Math.max(Math.abs(a), Math.abs(b)) * floatStep;
  for (const quantum of [1, 0.1, 0.01]) {
    if (isMultiple(a, quantum, step) && isMultiple(b, quantum, step)) return Math.max(quantum, step);
  }
  return Math.max(0.001, step);
}

function isMultiple(value: number, quantum: number, tolerance: number): boolean {
  const nearest = Math.round(value / quantum) * quantum;
  return Math.abs(value - nearest) <= Math.max(tolerance, quantum * 1e-6);
}
