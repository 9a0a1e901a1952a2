import type { Incident, IncidentEntry } from '#edge/domain/incident.ts';

/** Most lines of the course of one incident. */
export const mostEntries = 500;
const core = 'process:core';

export function byCore(time: number, what: IncidentEntry['what'], text: string): IncidentEntry {
  return { time, who: core, name: '', what, text };
}

/** One line more. When there are too many, machines' lines go before people's, and the first line of all stays. */
export function withEntry(course: readonly IncidentEntry[], entry: IncidentEntry): Incident['course'] {
  if (course.length < mostEntries) return [...course, entry];
  const machine = course.findIndex(({ who }, i) => i > 0 && who === core);
  const out = machine < 0 ? 1 : machine;
  return [...course.slice(0, out), ...course.slice(out + 1), entry];
}
