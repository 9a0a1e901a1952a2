import { z } from 'zod';
import type { AuditLine } from '#edge/domain/audit.ts';
import type { CounterStep } from '#edge/domain/counter.ts';
import type { CounterRule } from '#edge/domain/device.ts';
import { uuidPattern } from '#edge/domain/ids.ts';
import { mostBetween } from '#edge/ingest/counter.ts';
import { isSettled } from '#edge/ingest/counter-steps.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { CounterCorrection } from '#edge/store/batch.ts';
import { asked } from './rpc-params.ts';

/* What a person decides about steps of counters, and what it does to each. Pure. */

/** A swapped meter starts all of its counters anew: so many at once. */
const mostAtOnce = 50;

const verdict = z.enum(['accept', 'reject']);
const stepId = z.string().regex(uuidPattern, 'must be the id of a counter step');
/** What was counted between the last believed value and the new course, in the point's unit; null: nothing. */
const between = z.number().min(0).nullable();
const note = z.string().max(300);

export const decideParams = z.union([
  z.strictObject({ id: stepId, verdict, between, note, ...asked }),
  z.strictObject({
    steps: z
      .array(z.strictObject({ id: stepId, between }))
      .min(1)
      .max(mostAtOnce),
    verdict,
    note,
    ...asked,
  }),
]);

export interface Decision {
  readonly steps: readonly { readonly id: string; readonly between: number | null }[];
  readonly verdict: 'accept' | 'reject';
  readonly note: string;
  readonly who: string;
  readonly from: string;
}

/** A step that is to be decided. */
export interface Asked {
  readonly step: CounterStep;
  readonly between: number | null;
  /** It is held now: its meter shows it. */
  readonly isHeld: boolean;
}

/** What a decision is for one step. */
export interface Decided {
  readonly step: CounterStep;
  /** Of history; null: it stays as it is. */
  readonly correction: CounterCorrection | null;
  readonly audit: AuditLine;
}

/** `now`: ms since epoch. */
export function decidedOf({ step, between, isHeld }: Asked, decision: Decision, now: number): Decided {
  const line = (result: string): AuditLine => {
    const { verdict, note, who, from } = decision;
    const what = `counter.decide ${step.id} (${step.ref}) ${verdict}`;
    return { time: now, who, from, what, why: note, result };
  };
  if (decision.verdict === 'reject') {
    return { step: stateOf(step, 'rejected', decision, null, now), correction: null, audit: line('rejected') };
  }
  const counted = between ?? 0;
  const accepted = stateOf(step, 'accepted', decision, counted, now);
  const course = isHeld ? { from: step.toTime, to: step.lastTime } : null;
  const told = isHeld
    ? `accepted; ${counted} counted in between`
    : `${counted} counted in between, ${step.between ?? 0} before`;
  return { step: accepted, correction: { ...correctionOf(accepted, counted), course }, audit: line(told) };
}

function stateOf(
  { between: _, ...step }: CounterStep,
  state: 'accepted' | 'rejected',
  { who, note }: Decision,
  between: number | null,
  time: number,
): CounterStep {
  const by = who.slice(who.indexOf(':') + 1);
  return { ...step, state, ...(between === null ? {} : { between }), decided: { by, time, note } };
}

export function correctionOf(step: CounterStep, between: number): Omit<CounterCorrection, 'course'> {
  return { ref: step.ref, from: step.from, between, time: step.toTime, to: step.to };
}

/** Throws COUNTER_STEP_REFUSED with the reason; of several, with the point that it is about. */
export function refuseUnless(asked: readonly Asked[], { verdict }: Decision, ruleOf: (ref: string) => Rule): void {
  for (const one of asked) {
    const why = whyNot(one, verdict, ruleOf(one.step.ref));
    if (why === null) continue;
    throw new CodedError('COUNTER_STEP_REFUSED', asked.length === 1 ? why : `${one.step.ref}: ${why}`);
  }
}

/** Of a counter that is still one; undefined: the point is not, or is gone. */
type Rule = CounterRule | undefined;

/** Why a step cannot be decided so; null: it can. */
function whyNot({ step, isHeld, between }: Asked, verdict: Decision['verdict'], rule: Rule): string | null {
  if (step.state === 'returned')
    return 'the meter went back to its believed course by itself: there is nothing to decide';
  if (verdict === 'reject') return whyNotReject(step);
  const tooMuch = between === null ? null : whyTooMuch(step, between, rule);
  if (tooMuch !== null) return tooMuch;
  if (step.state === 'accepted')
    return between === null ? 'it is accepted already: say what was counted in between' : null;
  if (!isHeld) return 'the meter does not show that course any more';
  return isSettled(step) ? null : 'the meter shows something else with each read: there is no course to accept yet';
}

function whyNotReject({ state }: CounterStep): string | null {
  if (state === 'open') return null;
  return state === 'rejected'
    ? 'it is rejected already'
    : 'it was accepted, and is counted on from: accept it again with another figure for what was counted in between';
}

/** A figure of which nobody knows what it should be must not be larger than anything that can have been. */
const mostWithoutRule = 1e9;

/** What is typed wrong here is in every report: a slip of the finger is 53,700 kW.h in a quarter of an hour. */
function whyTooMuch(step: CounterStep, between: number, rule: Rule): string | null {
  if (rule?.wrap !== undefined && between >= rule.wrap)
    return `between must be below ${rule.wrap}, where it starts again`;
  const most = Math.min(mostWithoutRule, rule === undefined ? mostWithoutRule : mostBetween(rule, step));
  if (between <= most) return null;
  return `between must be at most ${Number(most.toPrecision(6))}: no more can have been counted since it was read before`;
}
