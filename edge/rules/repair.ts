import type { PointRef } from '#edge/domain/ids.ts';
import {
  type Advanced,
  day,
  inSeconds,
  newRecord,
  type RepairAct,
  type RepairFacts,
  type RepairPlan,
  type RepairRecord,
  type RepairStep,
  recent,
  repairSteps,
  runningStep,
  stepOf,
  withStep,
} from './repair-plan.ts';
import { enter, probePatience } from './repair-steps.ts';

/*
 * How a device that has stopped working is brought back, one step after another, each given its time; what was tried is kept for
 * people. Pure: what is so now and what is remembered give what to do. The same look twice does nothing twice.
 */

/** It must work for so long before it counts as mended. */
const settle = 10_000;
/** After its power is back it is not believed before so long (or a quarter of its start): a driver takes a while to notice that it was gone. */
const blink = 15_000;
/** A switch that does not obey gets this long beyond the time that power should be off. */
const obeyWithin = 15_000;
/** Ill again within so long after it was mended: it flaps. */
const flapWindow = 6 * 3_600_000;
const mostFlaps = 3;
const longestPause = 1_800_000;
/** What was mended is shown for a day. */
const shownFor = day;

/** One look at one device. Call it about once a second, and whenever something changes. */
export function advance(plan: RepairPlan, record: RepairRecord | null, facts: RepairFacts): Advanced {
  if (record === null || record.state === 'healed') return rest(plan, record, facts);
  if (record.state === 'person') return waitForPerson(record, facts);
  return work(plan, record, facts);
}

/** Nothing is being done: begin, forget, or leave it so. */
function rest(plan: RepairPlan, record: RepairRecord | null, facts: RepairFacts): Advanced {
  const { now, health, since } = facts;
  const healed = record?.ended ?? null;
  const isSoon = healed !== null && now - healed < flapWindow;
  const flaps = isSoon ? (record?.flaps ?? 0) + 1 : 0;
  const patience = Math.min(longestPause, plan.after * 2 ** flaps);
  // Ill since a time to come: the clock was set back, and nobody knows for how long it has been. It must not be left for as long.
  const isLong = since > now || now - since >= Math.max(patience, plan.after);
  if (plan.automatic && health === 'ill' && isLong) {
    return work(plan, newRecord(plan, now, record, flaps), facts);
  }
  return { record: healed !== null && now - healed > shownFor ? null : record, acts: [] };
}

function work(plan: RepairPlan, given: RepairRecord, facts: RepairFacts): Advanced {
  const { now, health } = facts;
  const acts: RepairAct[] = [];
  let record = anchored(given, now);
  record = { ...record, wellSince: health === 'well' ? Math.min(record.wellSince ?? now, now) : null };
  if (isMended(record, plan, now)) return heal(record, now);
  for (let round = 0; round <= repairSteps.length; round++) {
    const step = runningStep(record);
    if (step !== null) {
      const gone = goOn(step, plan, record, facts);
      acts.push(...gone.acts);
      record = gone.record;
      if (runningStep(record) !== null) break;
    }
    const next = record.steps.find(({ state }) => state === 'next')?.step;
    // It works and only has to show it for a while, or nobody can tell: nothing more is done to it.
    if (next === undefined || health !== 'ill') break;
    if (next === 'person') return person(plan, record, facts, acts);
    const begun = begin(next, plan, record, facts, false);
    acts.push(...begun.acts);
    record = begun.record;
    if (stepOf(record, next).state === 'next') break;
  }
  return { record, acts };
}

function begin(
  step: RepairStep,
  plan: RepairPlan,
  record: RepairRecord,
  facts: RepairFacts,
  byHand: boolean,
): { readonly record: RepairRecord; readonly acts: readonly RepairAct[] } {
  const { now } = facts;
  if (record.flaps >= mostFlaps && !byHand && step !== 'person') {
    const why = `it was mended ${record.flaps} times within hours and failed again`;
    return { record: withStep(record, step, 'skipped', now, why), acts: [] };
  }
  if (!plan.automatic && !byHand) {
    return { record: withStep(record, step, 'skipped', now, 'only people mend it'), acts: [] };
  }
  const entry = enter(step, plan, record, facts, byHand);
  if (entry.kind === 'skip') return { record: withStep(record, step, 'skipped', now, entry.why), acts: [] };
  if (entry.kind === 'wait') {
    return { record: { ...withStep(record, step, 'next', now, `waits: ${entry.why}`), phase: null }, acts: [] };
  }
  const { phase, acts } = entry;
  const cuts = phase.kind === 'off' ? [...recent(record.cuts, now), now] : record.cuts;
  return { record: { ...withStep(record, step, 'running', now, ''), phase, cuts }, acts };
}

/** The running step: still on its way, one phase further, or over. */
function goOn(
  step: RepairStep,
  plan: RepairPlan,
  record: RepairRecord,
  facts: RepairFacts,
): { readonly record: RepairRecord; readonly acts: readonly RepairAct[] } {
  const { now } = facts;
  const { phase } = record;
  const over = (outcome: string, acts: readonly RepairAct[] = []) => ({
    record: { ...withStep(record, step, 'done', now, outcome), phase: null },
    acts,
  });
  if (phase === null) return over('it was interrupted');
  const waited = now - phase.at;
  if (phase.kind === 'off' && phase.ref !== null) return cutOff(phase.ref, plan, record, facts, waited);
  if (phase.kind === 'on' && phase.ref !== null) {
    if (waited < plan.boot) return { record, acts: [] };
    const acts: RepairAct[] = [{ kind: 'relinquish', ref: phase.ref, reason: 'the power cycle is over' }];
    return over(stepOf(record, step).outcome || `it did not come back within ${inSeconds(waited)}`, acts);
  }
  if (step === 'probe') {
    const { probe } = facts;
    if (probe !== null && probe.at >= phase.at) {
      return over(probe.reachable ? 'its host answers' : 'its host does not answer');
    }
    return waited < probePatience ? { record, acts: [] } : over('no probe was heard');
  }
  const given = step === 'reconnect' ? plan.reconnect : plan.restart;
  return waited < given ? { record, acts: [] } : over(`it did not help within ${inSeconds(waited)}`);
}

/** Power is off: until its time is over and the switch has obeyed, and not a moment longer when people need everything. */
function cutOff(ref: PointRef, plan: RepairPlan, record: RepairRecord, facts: RepairFacts, waited: number) {
  const { now, emergency } = facts;
  const isOff = facts.output(ref)?.on === false;
  if (emergency === null && (waited < plan.off || (!isOff && waited < plan.off + obeyWithin))) {
    return { record, acts: [] };
  }
  const step = runningStep(record) ?? 'power';
  const outcome =
    emergency !== null ? `power is given back: ${emergency}` : isOff ? '' : `${ref} was not seen to go off`;
  const on: RepairAct = { kind: 'hold', ref, value: true, reason: 'the power cycle is over: on again' };
  return {
    record: { ...withStep(record, step, 'running', now, outcome), phase: { kind: 'on' as const, at: now, ref } },
    acts: [on],
  };
}

function isMended({ wellSince, phase }: RepairRecord, { boot }: RepairPlan, now: number): boolean {
  if (wellSince === null || phase?.kind === 'off') return false;
  if (phase?.kind === 'on' && now - phase.at < Math.min(blink, boot / 4)) return false;
  return now - wellSince >= settle;
}

function heal(record: RepairRecord, now: number): Advanced {
  const step = runningStep(record);
  const acts: RepairAct[] = [];
  const { phase } = record;
  if (phase?.kind === 'on' && phase.ref !== null) {
    acts.push({ kind: 'relinquish', ref: phase.ref, reason: 'it works again' });
  }
  if (record.state === 'person') acts.push({ kind: 'return', reason: 'it works again' });
  const took = record.steps.find((one) => one.step === step)?.at ?? record.began;
  const done =
    step === null ? record : withStep(record, step, 'done', now, `it works again after ${inSeconds(now - took)}`);
  const steps = done.steps.map((one) =>
    one.state === 'next' ? { ...one, state: 'skipped' as const, at: now, outcome: 'not needed' } : one,
  );
  return { record: { ...done, steps, state: 'healed', ended: now, phase: null }, acts };
}

/** The end of the ladder: somebody is called, with what was tried and when. */
function person(plan: RepairPlan, record: RepairRecord, facts: RepairFacts, acts: readonly RepairAct[]): Advanced {
  const { now } = facts;
  const called = withStep(record, 'person', 'running', now, 'a person is called');
  return {
    record: { ...called, state: 'person', phase: { kind: 'wait', at: now, ref: null } },
    acts: [...acts, raise(plan, called, facts)],
  };
}

function waitForPerson(given: RepairRecord, { now, health }: RepairFacts): Advanced {
  const record = anchored(given, now);
  const wellSince = health === 'well' ? Math.min(record.wellSince ?? now, now) : null;
  if (wellSince !== null && now - wellSince >= settle) return heal({ ...record, wellSince }, now);
  return { record: wellSince === record.wellSince ? record : { ...record, wellSince }, acts: [] };
}

/** The alarm that calls a person. */
export function raise(
  plan: RepairPlan,
  record: RepairRecord,
  { now, message }: Pick<RepairFacts, 'now' | 'message'>,
): RepairAct {
  const tried = record.steps.filter(({ step, state }) => step !== 'person' && state === 'done');
  const words = record.steps
    .filter(({ step, state, outcome }) => step !== 'person' && state !== 'next' && outcome !== '')
    .map(({ step, at, outcome }) => `${step}${at === null ? '' : ` ${inSeconds(now - at)} ago`}: ${outcome}`);
  const names = (language: 'zh' | 'en') => tried.map(({ step }) => stepNames[step][language]);
  return {
    kind: 'raise',
    message: {
      zh: `${plan.name.zh}自动修复未成功${tried.length === 0 ? '' : `（已尝试：${names('zh').join('、')}）`}`,
      en: `${plan.name.en} could not be mended${tried.length === 0 ? '' : ` (tried: ${names('en').join(', ')})`}`,
    },
    next: {
      // What the line says is English, and stands in the reason: notices go out as they are.
      zh: '到现场检查设备、供电和网线',
      en: `Go and look at the device, its power and its cable: ${message}`,
    },
    reason: [message, ...words]
      .filter((one) => one !== '')
      .join('; ')
      .slice(0, 900),
  };
}

export const stepNames: Readonly<Record<RepairStep, { readonly zh: string; readonly en: string }>> = {
  probe: { zh: '检测', en: 'probe' },
  reconnect: { zh: '重连', en: 'reconnect' },
  restart: { zh: '重启驱动', en: 'restart of its driver' },
  switch: { zh: '切换 PoE 端口', en: 'PoE port off and on' },
  power: { zh: '断电重启', en: 'power off and on' },
  person: { zh: '人工', en: 'person' },
};

/** The clock may have been set back: what began in the future began now. */
function anchored(record: RepairRecord, now: number): RepairRecord {
  const { phase } = record;
  return phase !== null && phase.at > now ? { ...record, phase: { ...phase, at: now } } : record;
}

/**
 * A person wants just this step, now. `refused` says why not; what protects (emergencies, devices whose power is never cut, power
 * that others share) holds for people too, what is thrift does not.
 */
export function startByHand(
  plan: RepairPlan,
  given: RepairRecord | null,
  step: RepairStep,
  facts: RepairFacts,
): Advanced & { readonly refused: string | null } {
  const { now } = facts;
  const isOver = given === null || given.state === 'healed';
  const record = isOver ? newRecord(plan, now, given, 0) : anchored(given, now);
  const refuse = (refused: string) => ({ record: given, acts: [], refused });
  if (record.phase?.kind === 'off' || record.phase?.kind === 'on') return refuse('it is being power-cycled just now');
  if (step === 'person') {
    if (record.state === 'person') return refuse('a person is called already');
    return { ...person(plan, passOver(record, step, now), facts, []), refused: null };
  }
  // The last outcome of this step makes room for the new one.
  const cleared = { ...record, steps: record.steps.map((one) => (one.step === step ? fresh(step) : one)) };
  const begun = begin(step, plan, passOver(cleared, step, now), facts, true);
  const reached = stepOf(begun.record, step);
  if (reached.state !== 'running') return refuse(reached.outcome.replace(/^waits: /, ''));
  const back: readonly RepairAct[] =
    record.state === 'person' ? [{ kind: 'return', reason: 'a person has it mended again' }] : [];
  return {
    record: { ...begun.record, state: 'working', ended: null, wellSince: null },
    acts: [...back, ...begun.acts],
    refused: null,
  };
}

/** What lies before the step is passed over, what lies behind it is to come again. */
function passOver(record: RepairRecord, step: RepairStep, now: number): RepairRecord {
  const at = repairSteps.indexOf(step);
  const steps = record.steps.map((one, i) => {
    if (i > at) return one.state === 'next' ? one : fresh(one.step);
    if (i === at || one.state === 'done' || one.state === 'skipped') return one;
    return {
      ...one,
      state: 'skipped' as const,
      at: one.at ?? now,
      outcome: `passed over: a person began with ${step}`,
    };
  });
  return { ...record, steps, phase: null };
}

function fresh(step: RepairStep) {
  return { step, state: 'next' as const, at: null, outcome: '' };
}
