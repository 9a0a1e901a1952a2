import type { AlarmView } from '../../api.ts';

/* What is looked for, as the address says it: `#/alarms/<id>?view=history&class=critical,high&zone=gate&from=...`. Pure. */

export const views = ['now', 'shelved', 'history'] as const;
export type View = (typeof views)[number];
export const classes = ['critical', 'high', 'medium', 'low'] as const satisfies readonly AlarmView['class'][];
export const states = [
  'unacknowledged',
  'acknowledged',
  'returned',
  'normal',
] as const satisfies readonly AlarmView['state'][];

export interface Filter {
  readonly view: View;
  readonly classes: readonly AlarmView['class'][];
  /** '' is every one. */
  readonly zone: string;
  readonly device: string;
  /** Of history only. */
  readonly states: readonly AlarmView['state'][];
  /** Raised from (included) to (excluded), ms since epoch; null: no bound. */
  readonly from: number | null;
  readonly to: number | null;
}

export const noFilter: Filter = { view: 'now', classes: [], zone: '', device: '', states: [], from: null, to: null };

function listIn<T extends string>(search: URLSearchParams, key: string, known: readonly T[]): readonly T[] {
  const given = (search.get(key) ?? '').split(',');
  return known.filter((one) => given.includes(one));
}

function timeIn(search: URLSearchParams, key: string): number | null {
  const text = search.get(key) ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** What cannot be meant is not looked for. */
export function filterIn(search: URLSearchParams): Filter {
  return {
    view: views.find((view) => view === search.get('view')) ?? 'now',
    classes: listIn(search, 'class', classes),
    zone: search.get('zone') ?? '',
    device: search.get('device') ?? '',
    states: listIn(search, 'state', states),
    from: timeIn(search, 'from'),
    to: timeIn(search, 'to'),
  };
}

/** The parts of the address; what is as usual is left out of it. */
export function filterParts(filter: Filter): Readonly<Record<string, string>> {
  const isHistory = filter.view === 'history';
  return {
    view: filter.view === 'now' ? '' : filter.view,
    class: filter.classes.join(','),
    zone: filter.zone,
    device: filter.device,
    state: isHistory ? filter.states.join(',') : '',
    from: isHistory && filter.from !== null ? String(filter.from) : '',
    to: isHistory && filter.to !== null ? String(filter.to) : '',
  };
}

/** Whether anything is left out by it. */
export function isFiltered(filter: Filter): boolean {
  return Object.entries(filterParts(filter)).some(([key, part]) => key !== 'view' && part !== '');
}

export function deviceOf(alarm: AlarmView): string | undefined {
  return alarm.device ?? alarm.ref?.split('/')[0];
}

/** Of open alarms, by class, zone and device. */
export function passes(alarm: AlarmView, { classes: wanted, zone, device }: Filter): boolean {
  return (
    (wanted.length === 0 || wanted.includes(alarm.class)) &&
    (zone === '' || alarm.zone === zone) &&
    (device === '' || deviceOf(alarm) === device)
  );
}

/** As GET /api/v1/alarms wants it; a class or state may be given more than once. */
export function historyQuery(filter: Filter, limit: number, before: string | null): string {
  const search = new URLSearchParams();
  for (const one of filter.classes) search.append('class', one);
  for (const one of filter.states) search.append('state', one);
  const rest = { zone: filter.zone, device: filter.device, from: filter.from, to: filter.to, before, limit };
  for (const [key, value] of Object.entries(rest)) {
    if (value !== null && value !== '') search.set(key, String(value));
  }
  return `?${search}`;
}
