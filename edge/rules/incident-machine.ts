import type { Incident, IncidentEntry, IncidentOutcome, IncidentState } from '#edge/domain/incident.ts';
import { withEntry } from './incident-course.ts';
import { gravity, newestFirst } from './incident-groups.ts';
import { type IncidentInput, type IncidentSituation, incidentCell } from './incident-table.ts';

/* What people and time do to an incident. Pure; what may be is in incident-table.ts. */

/** Who does it, and when, ms. */
export interface IncidentActor {
  readonly who: string;
  readonly name: string;
  readonly time: number;
}

export type IncidentAct =
  | { readonly act: 'see' }
  | { readonly act: 'claim' | 'take' }
  | { readonly act: 'release' | 'note' | 'escalate' | 'reopen' | 'bookmark' | 'export'; readonly text: string }
  | { readonly act: 'resolve' | 'reset'; readonly outcome: IncidentOutcome; readonly text: string }
  | { readonly act: 'due' };

export interface ActContext {
  readonly actor: IncidentActor;
  /** How long it may stay unclaimed from now on, ms; null: for ever. */
  readonly escalateAfter: number | null;
}

export type Acted =
  | { readonly ok: true; readonly incident: Incident; readonly isChanged: boolean }
  | { readonly ok: false; readonly why: string };

/** As somebody sees it. */
export function situationOf({ state, claimedBy, emergency }: Incident, who: string): IncidentSituation {
  const of = emergency === null ? ('' as const) : ('e' as const);
  switch (state) {
    case 'resolved':
      return `R${of}`;
    case 'escalated':
      return `E${of}`;
    case 'claimed':
      return claimedBy?.who === who ? `C${of}` : `O${of}`;
    case 'new':
      // The one-key alarm is escalated from the first moment.
      return emergency === null ? 'N' : 'Ee';
  }
}

export function actOn(incident: Incident, act: IncidentAct, context: ActContext): Acted {
  const { actor } = context;
  const from = situationOf(incident, actor.who);
  const cell = incidentCell(from, act.act);
  if (cell === 'refused') return { ok: false, why: whyNot(incident, act.act) };
  if (cell === 'nothing') return { ok: true, incident, isChanged: false };
  // Anybody's look is everybody's: the second changes nothing.
  if (act.act === 'see' && incident.seenBy !== null) return { ok: true, incident, isChanged: false };
  return { ok: true, incident: changed(incident, act, cell.to, context), isChanged: true };
}

function changed(incident: Incident, act: IncidentAct, to: IncidentSituation, context: ActContext): Incident {
  const { actor } = context;
  const { who, name, time } = actor;
  const state = stateOf(to);
  const isAnew = state === 'new' && incident.state !== 'new';
  const isSettled = state === 'resolved' && incident.state !== 'resolved';
  const due = isAnew && context.escalateAfter !== null ? time + context.escalateAfter : null;
  const entry: IncidentEntry = { time, who, name, what: entryOf(act.act), text: textOf(act) };
  return {
    ...incident,
    state,
    ...(act.act === 'claim' || act.act === 'take' ? { claimedBy: { who, name, time } } : {}),
    ...(act.act === 'release' || act.act === 'reopen' ? { claimedBy: null } : {}),
    // Whoever does something about it has looked at it.
    seenBy: incident.seenBy ?? (who.startsWith('process:') ? null : { who, name, time }),
    escalatesAt: state === 'new' ? (isAnew ? due : incident.escalatesAt) : null,
    ...(isSettled && (act.act === 'resolve' || act.act === 'reset')
      ? { outcome: act.outcome, note: act.text, isClosed: true }
      : {}),
    // Begun again it is an incident like any other: its alarm is over.
    ...(act.act === 'reopen' ? { outcome: null, emergency: null } : {}),
    course: withEntry(incident.course, entry),
    rev: incident.rev + 1,
  };
}

function stateOf(to: IncidentSituation): IncidentState {
  const states = { N: 'new', C: 'claimed', O: 'claimed', E: 'escalated', R: 'resolved' } as const;
  return states[to.slice(0, 1) as keyof typeof states];
}

function entryOf(act: IncidentInput): IncidentEntry['what'] {
  const words = {
    see: 'seen',
    claim: 'claimed',
    take: 'claimed',
    release: 'released',
    note: 'noted',
    escalate: 'escalated',
    due: 'escalated',
    resolve: 'resolved',
    reset: 'resolved',
    reopen: 'reopened',
    merge: 'merged',
    bookmark: 'bookmarked',
    export: 'exported',
  } as const;
  return words[act];
}

function textOf(act: IncidentAct): string {
  if (act.act === 'resolve' || act.act === 'reset')
    return act.text === '' ? act.outcome : `${act.outcome}: ${act.text}`;
  return 'text' in act ? act.text : '';
}

function whyNot({ state, claimedBy, emergency }: Incident, act: IncidentInput): string {
  if (act === 'reset') return emergency === null ? 'it is no one-key alarm' : 'its alarm is over already';
  if (state === 'resolved') return 'it is resolved: reopen it first';
  if (act === 'reopen') return 'it is not resolved';
  if (act === 'release')
    return claimedBy === null || state !== 'claimed' ? 'nobody has claimed it' : `${claimedBy.name} has claimed it`;
  if (act === 'claim' && claimedBy !== null) return `${claimedBy.name} has claimed it already`;
  return 'it is a one-key alarm: only ending the alarm, with a reason, ends it';
}

/** Two become one: what was seen in `part` goes on in `whole`. Refused when either is resolved, or `part` is a one-key alarm. */
export function mergeIncidents(
  whole: Incident,
  part: Incident,
  actor: IncidentActor,
):
  | { readonly ok: true; readonly whole: Incident; readonly part: Incident }
  | { readonly ok: false; readonly why: string } {
  const { who, name, time } = actor;
  if (whole.id === part.id) return { ok: false, why: 'it cannot become part of itself' };
  if (whole.state === 'resolved') return { ok: false, why: `${whole.id} is resolved: reopen it first` };
  if (incidentCell(situationOf(part, who), 'merge') === 'refused') return { ok: false, why: whyNot(part, 'merge') };
  const isGraver = gravity[part.class] < gravity[whole.class];
  const [first, second] = isGraver ? [part, whole] : [whole, part];
  const entry = (text: string): IncidentEntry => ({ time, who, name, what: 'merged', text });
  const told = part.course.filter((line) => !line.who.startsWith('process:'));
  const seen = { who, name, time };
  return {
    ok: true,
    whole: {
      ...whole,
      class: first.class,
      types: [...new Set([...first.types, ...second.types])].slice(0, 50),
      devices: [...new Set([...whole.devices, ...part.devices])].slice(0, 100),
      from: Math.min(whole.from, part.from),
      to: Math.max(whole.to, part.to),
      events: newestFirst([...whole.events, ...part.events]),
      count: whole.count + part.count,
      picture: first.picture ?? second.picture,
      seenBy: whole.seenBy ?? seen,
      escalatesAt: sooner(whole.escalatesAt, whole.state === 'new' ? part.escalatesAt : null),
      // What people have said of the other is not lost.
      course: [...told, entry(part.id)].reduce(withEntry, whole.course),
      rev: whole.rev + 1,
    },
    part: {
      ...part,
      state: 'resolved',
      outcome: 'handed-over',
      isClosed: true,
      escalatesAt: null,
      mergedInto: whole.id,
      seenBy: part.seenBy ?? seen,
      course: withEntry(part.course, entry(whole.id)),
      rev: part.rev + 1,
    },
  };
}

function sooner(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
