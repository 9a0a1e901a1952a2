import type { CampusView, OutputView, PointView } from '../../api.ts';

/* Outputs as a list: which there are, who holds each, what is looked for. Pure. */

/** Strongest first (domain/output.ts). */
export const levels = [1, 5, 8, 12, 15] as const;
export type Level = (typeof levels)[number];

export const holderKinds = ['nobody', 'safety', 'rule', 'demand', 'sound', 'person', 'flow', 'other'] as const;
export type HolderKind = (typeof holderKinds)[number];

export interface Row {
  readonly point: PointView;
  /** undefined: core has said nothing of it yet. */
  readonly output: OutputView | undefined;
}

export interface Filter {
  readonly text: string;
  /** '' is every one. */
  readonly zone: string;
  readonly holder: HolderKind | '';
  readonly level: Level | null;
  /** Only what waits, is forbidden something, was turned by hand, or is not as it should be. */
  readonly odd: boolean;
}

export const noFilter: Filter = { text: '', zone: '', holder: '', level: null, odd: false };

export function filterIn(search: URLSearchParams): Filter {
  return {
    text: search.get('text') ?? '',
    zone: search.get('zone') ?? '',
    holder: holderKinds.find((kind) => kind === search.get('holder')) ?? '',
    level: levels.find((level) => String(level) === search.get('level')) ?? null,
    odd: search.get('odd') === '1',
  };
}

export function filterParts(filter: Filter): Readonly<Record<string, string>> {
  return {
    text: filter.text,
    zone: filter.zone,
    holder: filter.holder,
    level: filter.level === null ? '' : String(filter.level),
    odd: filter.odd ? '1' : '',
  };
}

export function holderKind(owner: string | null): HolderKind {
  if (owner === null) return 'nobody';
  if (owner.startsWith('interlock:')) return 'safety';
  if (owner.startsWith('rule:')) return 'rule';
  if (owner.startsWith('demand:')) return 'demand';
  // What the broadcast desk plays, and the amplifiers that it switches for it.
  if (owner.startsWith('sound:') || owner.startsWith('amplifier:')) return 'sound';
  if (owner === 'request:web') return 'person';
  return owner === 'request:flows' ? 'flow' : 'other';
}

/** Something about it that somebody may want to look into. */
export function isOdd({ output }: Row): boolean {
  if (output === undefined) return false;
  const { waiting, forbidden, local, confirmed } = output;
  const isUnproved = confirmed !== null && confirmed.outcome !== 'done' && confirmed.outcome !== 'sent';
  return waiting !== null || forbidden.length > 0 || local !== null || isUnproved;
}

/** Every output of one's zones: by zone, device and point, as the site file has them. */
export function rowsOf(campus: CampusView, points: readonly PointView[], outputs: readonly OutputView[]): Row[] {
  const states = new Map(outputs.map((output) => [output.ref, output]));
  const zones = new Map(campus.zones.map(({ id }, index) => [id, index]));
  const place = (point: PointView) => zones.get(point.zone) ?? zones.size;
  return points
    .filter(({ write }) => write !== undefined)
    .map((point) => ({ point, output: states.get(point.id) }))
    .sort((a, b) => place(a.point) - place(b.point));
}

/** `words`: everything that is called something about a row, in one text. */
export function passes(row: Row, filter: Filter, words: string): boolean {
  const { point, output } = row;
  const sought = filter.text.trim().toLowerCase();
  return (
    (filter.zone === '' || point.zone === filter.zone) &&
    (filter.holder === '' || holderKind(output?.holder ?? null) === filter.holder) &&
    (filter.level === null || output?.stack.some(({ priority }) => priority === filter.level) === true) &&
    (!filter.odd || isOdd(row)) &&
    (sought === '' || words.toLowerCase().includes(sought))
  );
}

export interface Rung {
  readonly level: Level;
  /** Those who hold it at this level; the first is the strongest of them. */
  readonly holds: OutputView['stack'];
  readonly isInForce: boolean;
  /** What nobody weaker than this may set it to. */
  readonly forbids: OutputView['forbidden'];
}

/** The five levels of an output, strongest first, with what stands on each. */
export function rungsOf(output: OutputView): Rung[] {
  return levels.map((level) => ({
    level,
    holds: output.stack.filter(({ priority }) => priority === level),
    // Not always the strongest: what is forbidden is passed over.
    isInForce: output.priority === level,
    forbids: output.forbidden.filter(({ priority }) => priority === level),
  }));
}

/** What it would be if its holder let go; null: nobody else wants it to be anything. */
export function otherwiseOf(output: OutputView): OutputView['stack'][number] | null {
  const holder = output.stack.findIndex(({ owner }) => owner === output.holder);
  const isForbidden = ({ value, priority }: OutputView['stack'][number]) =>
    output.forbidden.some((forbid) => forbid.value === value && priority > forbid.priority);
  return output.stack.slice(holder + 1).find((hold) => !isForbidden(hold)) ?? null;
}
