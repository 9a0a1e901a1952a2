import type { Alarm } from '#edge/domain/alarm.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { RuleDecision, Seen } from '#edge/domain/rule.ts';
import { clipPoint } from '#edge/rules/campus-index.ts';
import type { Decision } from '#edge/rules/decision.ts';

export interface Span {
  readonly instance: string;
  readonly from: number;
  /** null: still at the end of the window. */
  to: number | null;
  readonly why: string;
  readonly saw: readonly Seen[];
}

export interface OutputSpan {
  readonly owner: string;
  readonly ref: string;
  readonly value: Value;
  readonly from: number;
  to: number | null;
}

export interface SideReport {
  readonly version: number;
  readonly fired: number;
  readonly firedTime: number;
  readonly alarms: Readonly<Record<string, number>>;
  readonly notices: number;
  readonly broadcast: number;
  readonly outputs: readonly { readonly ref: string; readonly switched: number; readonly held: number }[];
  readonly blind: number;
  readonly spans: readonly Span[];
  readonly more: number;
}

const mostSpans = 2_000;
/** Spans that are remembered to compare the two sides. */
const mostKept = 100_000;

/** What one version would have done: counts it from the decisions of the engine, within [from, to). */
export class Side {
  readonly version: number;
  readonly #from: number;
  readonly #to: number;
  readonly spans: Span[] = [];
  readonly held: OutputSpan[] = [];
  readonly #open = new Map<string, Span>();
  readonly #holding = new Map<string, OutputSpan>();
  readonly #blindSince = new Map<string, number>();
  readonly #alarms: Record<string, number> = {};
  readonly #raised = new Set<string>();
  #blind = 0;
  #notices = 0;
  #fired = 0;
  #dropped = 0;

  constructor(version: number, from: number, to: number) {
    this.version = version;
    this.#from = from;
    this.#to = to;
  }

  /** How many spans were not remembered. */
  get dropped(): number {
    return this.#dropped;
  }

  hear(now: number, decisions: readonly Decision[], journal: readonly RuleDecision[], alarms: readonly Alarm[]): void {
    for (const line of journal) this.#write(now, line);
    for (const decision of decisions) this.#act(now, decision);
    if (now < this.#from) return;
    for (const alarm of alarms) {
      // Once each time it comes: what only took new words was counted.
      const key = `${alarm.id} ${alarm.count}`;
      if (!alarm.active || this.#raised.has(key) || alarm.source.startsWith('blind:')) continue;
      if (this.#raised.size < mostKept) this.#raised.add(key);
      this.#alarms[alarm.class] = (this.#alarms[alarm.class] ?? 0) + 1;
    }
  }

  #write(now: number, { what, instance, why, saw }: RuleDecision): void {
    if (what === 'fired') {
      const span: Span = { instance, from: Math.max(now, this.#from), to: null, why, saw };
      this.#open.set(instance, span);
      if (now >= this.#from) this.#fired++;
      if (this.spans.length < mostKept) this.spans.push(span);
      else this.#dropped++;
    } else if (what === 'cleared' || what === 'reset') {
      this.#end(this.#open, instance, now);
    } else if (what === 'blind') this.#blindSince.set(instance, Math.max(now, this.#from));
    else if (what === 'sighted') this.#sight(instance, now);
  }

  #act(now: number, decision: Decision): void {
    if (decision.kind === 'hold') {
      const key = `${decision.owner} ${decision.ref}`;
      this.#end(this.#holding, key, now);
      const { owner, ref, value } = decision;
      const span: OutputSpan = { owner, ref, value, from: Math.max(now, this.#from), to: null };
      this.#holding.set(key, span);
      if (this.held.length < mostKept) this.held.push(span);
      else this.#dropped++;
    } else if (decision.kind === 'relinquish') this.#end(this.#holding, `${decision.owner} ${decision.ref}`, now);
    else if (decision.kind === 'notify' && now >= this.#from) this.#notices += decision.to.length;
  }

  #end(open: Map<string, { to: number | null; readonly from: number }>, key: string, now: number): void {
    const span = open.get(key);
    if (span === undefined) return;
    span.to = Math.max(now, span.from);
    open.delete(key);
  }

  #sight(instance: string, now: number): void {
    const since = this.#blindSince.get(instance);
    this.#blindSince.delete(instance);
    if (since !== undefined) this.#blind += Math.max(0, now - since);
  }

  report(): SideReport {
    for (const instance of [...this.#blindSince.keys()]) this.#sight(instance, this.#to);
    // What ended before the window was only there to warm up.
    const inWindow = this.spans.filter(({ to }) => to === null || to > this.#from);
    const held = this.held.filter(({ to }) => to === null || to > this.#from);
    const isClip = ({ ref }: OutputSpan) => splitPointRef(ref)?.point === clipPoint;
    return {
      version: this.version,
      fired: this.#fired,
      firedTime: lengthOf(inWindow, this.#to),
      alarms: this.#alarms,
      notices: this.#notices,
      broadcast: lengthOf(held.filter(isClip), this.#to),
      outputs: outputsOf(held, this.#to),
      blind: this.#blind,
      spans: inWindow.slice(0, mostSpans),
      more: Math.max(0, inWindow.length - mostSpans) + this.#dropped,
    };
  }
}

interface Stretch {
  readonly from: number;
  readonly to: number | null;
}

/** Time in which at least one stands, ms. */
export function lengthOf(spans: readonly Stretch[], end: number): number {
  let [sum, reached] = [0, Number.NEGATIVE_INFINITY];
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = Math.min(to ?? end, end);
    if (last <= reached) continue;
    sum += last - Math.max(from, reached);
    reached = last;
  }
  return sum;
}

function outputsOf(held: readonly OutputSpan[], end: number): SideReport['outputs'] {
  const byRef = Map.groupBy(held, ({ ref }) => ref);
  return [...byRef]
    .map(([ref, spans]) => ({ ref, switched: spans.length, held: lengthOf(spans, end) }))
    .sort((a, b) => (a.ref < b.ref ? -1 : 1));
}
