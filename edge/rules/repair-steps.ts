import type { PointRef } from '#edge/domain/ids.ts';
import {
  inSeconds,
  type RepairAct,
  type RepairFacts,
  type RepairPlan,
  type RepairRecord,
  type RepairStep,
  recent,
} from './repair-plan.ts';

/* Each step of the ladder: when it is passed over, when it must wait, what it does, how long it is given. */

export type Entry =
  | { readonly kind: 'skip'; readonly why: string }
  /** Not now; asked again at the next look. */
  | { readonly kind: 'wait'; readonly why: string }
  | { readonly kind: 'start'; readonly acts: readonly RepairAct[]; readonly phase: NonNullable<RepairRecord['phase']> };

const skip = (why: string): Entry => ({ kind: 'skip', why });
const wait = (why: string): Entry => ({ kind: 'wait', why });

/** A driver is restarted by repairs at most so often. */
const restartPause = 1_800_000;
const restartsPerDay = 4;
/** Outputs switched off at a time: a common cause must not darken the campus. */
const mostCuts = 2;
/** A probe comes round within so long. */
export const probePatience = 90_000;

/** `byHand`: somebody asked for just this, so what is only thrift does not hold; what protects does. */
export function enter(
  step: RepairStep,
  plan: RepairPlan,
  record: RepairRecord,
  facts: RepairFacts,
  byHand: boolean,
): Entry {
  switch (step) {
    case 'probe':
      if (!plan.probed) return skip('it has no address of its own to probe');
      return { kind: 'start', acts: [], phase: { kind: 'wait', at: facts.now, ref: null } };
    case 'reconnect':
      return reconnect(plan, facts, byHand);
    case 'restart':
      return restart(plan, facts, byHand);
    case 'switch':
      return plan.port === null
        ? skip('it hangs on no PoE port that we know of')
        : cut(plan.port, plan, record, facts, byHand);
    case 'power':
      return plan.power === null
        ? skip('no output carries its power that we know of')
        : cut(plan.power, plan, record, facts, byHand);
    case 'person':
      return { kind: 'start', acts: [], phase: { kind: 'wait', at: facts.now, ref: null } };
  }
}

function reconnect({ process }: RepairPlan, facts: RepairFacts, byHand: boolean): Entry {
  const { driver, emergency, message, now } = facts;
  if (process === null || driver === null) return skip('it has no driver: it speaks for itself');
  if (facts.probe?.reachable === false && !byHand) return skip('its host does not answer');
  if (!driver.isRunning) return wait(`its driver's process ${process} is not running`);
  if (emergency !== null) return wait(emergency);
  const act: RepairAct = { kind: 'reconnect', process, reason: message };
  return { kind: 'start', acts: [act], phase: { kind: 'wait', at: now, ref: null } };
}

function restart(plan: RepairPlan, facts: RepairFacts, byHand: boolean): Entry {
  const { driver, emergency, now } = facts;
  const { process } = plan;
  if (process === null || driver === null) return skip('it has no driver: it speaks for itself');
  if (!driver.canRestart) return skip('nothing here can start its driver again');
  const restarted = recent(driver.restarted, now);
  const last = restarted.at(-1);
  // Another device's ladder has just done it: this one waits for what comes of it.
  if (last !== undefined && now - last < plan.restart) {
    return { kind: 'start', acts: [], phase: { kind: 'wait', at: last, ref: null } };
  }
  if (!byHand) {
    if (facts.probe?.reachable === false) return skip('its host does not answer');
    if (driver.of < 2 || driver.ill * 2 <= driver.of) {
      return skip(`${driver.ill} of ${driver.of} devices of its driver fail: the driver is not to blame`);
    }
    if (last !== undefined && now - last < restartPause) {
      return skip(`its driver was restarted ${inSeconds(now - last)} ago`);
    }
    if (restarted.length >= restartsPerDay) return skip(`its driver was restarted ${restarted.length} times today`);
  }
  if (!driver.isRunning) return wait(`its driver's process ${process} is not running`);
  if (emergency !== null) return wait(emergency);
  const reason = `${driver.ill} of ${driver.of} devices of ${process} fail`;
  return {
    kind: 'start',
    acts: [{ kind: 'restart', process, reason }],
    phase: { kind: 'wait', at: now, ref: null },
  };
}

function cut(ref: PointRef, plan: RepairPlan, record: RepairRecord, facts: RepairFacts, byHand: boolean): Entry {
  const { now, emergency, cutting } = facts;
  if (plan.spared !== null) return skip(plan.spared);
  const output = facts.output(ref);
  if (output === null) return skip(`there is no output ${ref}`);
  const today = recent(record.cuts, now).length;
  if (!byHand && today >= plan.perDay) return skip(`its power was cut ${today} times within a day already`);
  if (output.others > 0) return skip(`${output.others} devices that work have their power from ${ref} too`);
  if (output.isDead) return skip(`what switches ${ref} does not answer`);
  // Two devices on one cable: what helps the other may help this one.
  if (output.holder?.startsWith('repair:') === true) return wait(`${output.holder} has it off just now`);
  if (output.on === false) {
    return skip(`its power is off already${output.holder === null ? '' : `: ${output.holder} holds it`}`);
  }
  if (output.holder !== null) return skip(`${output.holder} holds ${ref}`);
  if (emergency !== null) return wait(emergency);
  if (cutting >= mostCuts) return wait(`${cutting} other devices are being power-cycled`);
  const reason = `power cycle: ${facts.message}`;
  return {
    kind: 'start',
    acts: [{ kind: 'hold', ref, value: false, reason }],
    phase: { kind: 'off', at: now, ref },
  };
}
