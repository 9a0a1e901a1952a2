import type { PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { SchoolExam, SchoolItem, SchoolPower } from '#edge/domain/school.ts';
import type { SchoolPlan } from './plan.ts';
import type { Findings } from './plan-mistake.ts';
import { type Named, named, partsOf } from './plan-parts.ts';
import { actionProblems, outputProblem, type SiteFacts, type SiteProblem, sensorProblem } from './site-facts.ts';

/*
 * What a plan asks of the campus that this campus cannot do. It keeps the draft from being signed; what was signed before the campus was
 * changed runs on with what is left of it, and its days say so (conflicts.ts).
 */

export function checkSite(plan: SchoolPlan, facts: SiteFacts, findings: Findings): void {
  for (const item of plan.items) checkItem(plan, item, facts, findings);
  for (const exam of plan.exams) checkExam(plan, exam, facts, findings);
  const circuits = named(partsOf(new Map(Object.entries(plan.entries)), 'power'));
  for (const power of circuits) checkPower(power, facts, findings);
  warnOfOutputsTwice(circuits, findings);
}

type Tell = (problem: SiteProblem | null) => void;

function checkItem(plan: SchoolPlan, item: Named<SchoolItem>, facts: SiteFacts, findings: Findings): void {
  const say = findings.impossible(item.id);
  const zones = (plan.targets.get(item.id) ?? []).flatMap((target) => target.zones);
  for (const { path, code, params } of actionProblems(facts, item.do, zones)) say(`do.${path}`, code, params);
  if (item.do.kind === 'sound') warnOfSilentZones(item.do.zones, facts, item.id, 'do.zones', findings);
}

function checkExam(plan: SchoolPlan, exam: Named<SchoolExam>, facts: SiteFacts, findings: Findings): void {
  const say = findings.impossible(exam.id);
  const clips = Object.entries(exam.clips).filter(([, clip]) => clip !== '');
  for (const [command, clip] of clips)
    if (!facts.clips.has(clip)) say(`clips.${command.slice(0, 40)}`, 'unknown-clip', { clip });
  const zones = exam.zones.filter((zone) => plan.zones.includes(zone));
  if (clips.length === 0 || zones.length === 0) return;
  if (zones.some((zone) => facts.soundZones.has(zone)))
    warnOfSilentZones(exam.zones, facts, exam.id, 'zones', findings);
  else say('zones', 'no-loudspeaker', { zones: zones.slice(0, 10).join(' ') });
}

/** Where only some of the zones are silent. */
function warnOfSilentZones(
  zones: readonly ZoneId[],
  facts: SiteFacts,
  entry: string,
  path: string,
  findings: Findings,
): void {
  if (!zones.some((zone) => facts.soundZones.has(zone))) return;
  for (const [n, zone] of zones.entries())
    if (!facts.soundZones.has(zone)) findings.warning(entry)(`${path}[${n}]`, 'no-loudspeaker', { zone });
}

function checkPower(power: Named<SchoolPower>, facts: SiteFacts, findings: Findings): void {
  const say = findings.impossible(power.id);
  const tell: Tell = (problem) => {
    if (problem !== null) say(problem.path, problem.code, problem.params);
  };
  const values = [
    ['on', power.on] as const,
    ['off', power.off] as const,
    ...(power.setback === null ? [] : [['setback.value', power.setback.value] as const]),
  ];
  for (const [n, ref] of power.outputs.entries()) {
    const first = outputProblem(facts, ref, power.on, `outputs[${n}]`);
    // An output that is not there is told once, a value for each of its places.
    if (first !== null && first.code !== 'wrong-value') tell(first);
    else for (const [path, value] of values) tell(outputProblem(facts, ref, value, path));
  }
  if (power.occupancy !== null) tell(sensorProblem(facts, power.occupancy.ref, ['boolean', 'number'], 'occupancy.ref'));
  if (power.prepare !== null) tell(sensorProblem(facts, power.prepare.temperature, ['number'], 'prepare.temperature'));
}

/** Two circuits that hold one output take it from each other every few seconds. */
function warnOfOutputsTwice(circuits: readonly Named<SchoolPower>[], findings: Findings): void {
  const held = new Map<PointRef, string>();
  for (const { id, outputs } of circuits) {
    for (const [n, ref] of outputs.entries()) {
      const other = held.get(ref);
      if (other === undefined) held.set(ref, id);
      else if (other !== id) findings.warning(id)(`outputs[${n}]`, 'output-twice', { ref, other });
    }
  }
}
