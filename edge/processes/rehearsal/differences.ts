import { pointRef } from '#edge/domain/ids.ts';
import { type Command, priorities } from '#edge/domain/output.ts';
import type { OutputSpan, Side, Span } from './side.ts';

export interface Difference {
  readonly from: number;
  readonly to: number;
  readonly kind: 'only-draft' | 'only-live' | 'conflict';
  readonly instance: string;
  readonly detail: string;
}

interface Window {
  readonly from: number;
  readonly to: number;
}

const most = 1_000;
/** Both fired, a moment apart: no difference, ms. */
const shortest = 1_000;

/** Where only one of the two was fired, and where the draft wanted of an output what somebody stronger did not. Ascending. */
export function differencesOf(
  draft: Side,
  live: Side | null,
  commands: readonly Command[],
  window: Window,
): readonly Difference[] {
  const found = conflictsOf(draft.held, commands, window);
  if (live !== null) {
    found.push(...onlyIn(draft.spans, live.spans, 'only-draft', window));
    found.push(...onlyIn(live.spans, draft.spans, 'only-live', window));
  }
  return found.sort((a, b) => a.from - b.from || a.instance.localeCompare(b.instance)).slice(0, most);
}

function onlyIn(
  mine: readonly Span[],
  theirs: readonly Span[],
  kind: 'only-draft' | 'only-live',
  window: Window,
): Difference[] {
  const others = Map.groupBy(theirs, ({ instance }) => instance);
  return mine.flatMap((span) =>
    without(
      clipped(span, window),
      (others.get(span.instance) ?? []).map((other) => clipped(other, window)),
    )
      .filter(({ from, to }) => to - from >= shortest)
      .map((rest): Difference => ({ ...rest, kind, instance: span.instance, detail: span.why })),
  );
}

function clipped({ from, to }: { readonly from: number; readonly to: number | null }, window: Window): Window {
  return { from: Math.max(from, window.from), to: Math.min(to ?? window.to, window.to) };
}

/** What is left of a stretch when others are taken out of it. */
function without(stretch: Window, others: readonly Window[]): Window[] {
  const rest: Window[] = [];
  let { from } = stretch;
  for (const other of others.toSorted((a, b) => a.from - b.from)) {
    if (other.to <= from || other.from >= stretch.to) continue;
    if (other.from > from) rest.push({ from, to: other.from });
    from = Math.max(from, other.to);
  }
  if (from < stretch.to) rest.push({ from, to: stretch.to });
  return rest;
}

interface Told extends Window {
  readonly command: Command;
}

function conflictsOf(held: readonly OutputSpan[], commands: readonly Command[], window: Window): Difference[] {
  const told = toldTo(commands, window.to);
  return held.flatMap((span) => {
    const mine = clipped(span, window);
    return (told.get(span.ref) ?? []).flatMap(({ command, ...stood }): Difference[] => {
      const from = Math.max(mine.from, stood.from);
      const to = Math.min(mine.to, stood.to);
      if (to <= from || command.value === span.value) return [];
      const detail = `${span.ref}: ${JSON.stringify(span.value)} was wanted, but ${JSON.stringify(command.value)} stood at priority ${command.priority}`;
      return [{ from, to, kind: 'conflict', instance: span.owner.slice(span.owner.indexOf(':') + 1), detail }];
    });
  });
}

/** By output: what people and stronger ones told it, each until the next command. */
function toldTo(commands: readonly Command[], end: number): ReadonlyMap<string, readonly Told[]> {
  const byRef = Map.groupBy(commands, ({ device, point }): string => pointRef(device, point));
  const stretches = [...byRef].map(([ref, list]) => {
    const ordered = list.toSorted((a, b) => a.issued - b.issued);
    const told = ordered.map((command, i) => ({ command, from: command.issued, to: ordered[i + 1]?.issued ?? end }));
    return [ref, told.filter(({ command }) => command.priority <= priorities.operator)] as const;
  });
  return new Map(stretches);
}
