import type { Emergency, EmergencyAct, EmergencyLine } from '#edge/domain/emergency.ts';
import type { Name } from '#edge/domain/place.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';

/* The timeline of an emergency and its alarm. */

const mostLines = 1_000;
export const allClearName: Name = { zh: '警报解除', en: 'All clear' };

export function withLines(one: Emergency, lines: readonly EmergencyLine[]): Emergency {
  return { ...one, timeline: bounded([...one.timeline, ...lines]) };
}

/** Of these there may be any number. */
const wordy = new Set<EmergencyAct>(['note', 'roll', 'step', 'update', 'said']);

/** How it began stays. Of what is too much the oldest of many words goes first: nobody talks away what became of the sound. */
function bounded(timeline: readonly EmergencyLine[]): readonly EmergencyLine[] {
  let beyond = timeline.length - mostLines;
  if (beyond <= 0) return timeline;
  const kept = timeline.filter(({ act }, i) => i === 0 || !wordy.has(act) || beyond-- <= 0);
  return beyond <= 0 ? kept : [...kept.slice(0, 1), ...kept.slice(1 + beyond)];
}

export function withLine(one: Emergency, time: number, act: EmergencyAct, who: string, text: string): Emergency {
  return withLines(one, [{ time, act, who, text }]);
}

/** A rule raises its own; an exercise needs nobody who does not know of it. */
export function isAlarming({ drill, origin }: Pick<Emergency, 'drill' | 'origin'>): boolean {
  return !drill && origin.kind !== 'rule';
}

export function alarmSource(id: string): string {
  return `emergency:${id}`;
}

/** As it stands again after a restart, too. */
export function alarmOf({ id, name, zones }: Emergency): AlarmDecision {
  const [zone] = zones;
  return {
    ...{ kind: 'raise', source: alarmSource(id), class: 'critical' },
    message: { zh: `应急：${name.zh}`, en: `Emergency: ${name.en}` },
    next: { zh: '打开“应急处置”，按步骤处置并点名。', en: 'Open “Emergency”: follow the steps and call the roll.' },
    reason: name.en,
    ...(zones.length === 1 && zone !== undefined ? { zone } : {}),
  };
}
