import type { IncidentView } from './data.ts';

/* What is looked for, as the address says it: `#/incidents/<id>?show=all&class=critical,high&zone=gate&seen=no&q=...`. Pure. */

export const shows = ['open', 'escalated', 'resolved', 'all'] as const;
export type Show = (typeof shows)[number];
export const classes = ['critical', 'high', 'medium', 'low'] as const satisfies readonly IncidentView['class'][];

export interface Filter {
  readonly show: Show;
  readonly classes: readonly IncidentView['class'][];
  /** '' is every one. */
  readonly zone: string;
  readonly camera: string;
  readonly type: string;
  /** Only what nobody has looked at. */
  readonly isUnseen: boolean;
  readonly text: string;
}

export const noFilter: Filter = {
  show: 'open',
  classes: [],
  zone: '',
  camera: '',
  type: '',
  isUnseen: false,
  text: '',
};

const statesOf: Readonly<Record<Show, readonly IncidentView['state'][]>> = {
  open: ['new', 'claimed', 'escalated'],
  escalated: ['escalated'],
  resolved: ['resolved'],
  all: [],
};

/** What cannot be meant is not looked for. */
export function filterIn(search: URLSearchParams): Filter {
  const given = (search.get('class') ?? '').split(',');
  const text = (key: string) => (search.get(key) ?? '').trim().slice(0, 100);
  return {
    show: shows.find((show) => show === search.get('show')) ?? 'open',
    classes: classes.filter((one) => given.includes(one)),
    zone: text('zone'),
    camera: text('camera'),
    type: text('type'),
    isUnseen: search.get('seen') === 'no',
    text: text('q'),
  };
}

/** The parts of the address; what is as usual is left out of it. */
export function filterParts(filter: Filter): Readonly<Record<string, string>> {
  return {
    show: filter.show === 'open' ? '' : filter.show,
    class: filter.classes.join(','),
    zone: filter.zone,
    camera: filter.camera,
    type: filter.type,
    seen: filter.isUnseen ? 'no' : '',
    q: filter.text,
  };
}

/** Whether anything but the choice of the view is left out by it. */
export function isFiltered(filter: Filter): boolean {
  return Object.entries(filterParts(filter)).some(([key, part]) => key !== 'show' && part !== '');
}

/** As GET /api/v1/incidents wants it; a state or class may be given more than once. */
export function listQuery(filter: Filter, limit: number, after: string | null = null): string {
  const search = new URLSearchParams();
  for (const one of statesOf[filter.show]) search.append('state', one);
  for (const one of filter.classes) search.append('class', one);
  const { zone, camera, type, text: q } = filter;
  const rest = { zone, camera, type, q, seen: filter.isUnseen ? 'false' : '', after, limit };
  for (const [key, value] of Object.entries(rest)) {
    if (value !== null && value !== '') search.set(key, String(value));
  }
  return `?${search}`;
}

/** Of what may change about an incident while it is in the list: whether it still belongs there. */
export function stillPasses({ state, class: severity, seenBy, mergedInto }: IncidentView, filter: Filter): boolean {
  const states = statesOf[filter.show];
  return (
    (states.length === 0 || states.includes(state)) &&
    (filter.classes.length === 0 || filter.classes.includes(severity)) &&
    !(filter.isUnseen && seenBy !== null) &&
    !(filter.show === 'open' && mergedInto !== undefined)
  );
}

/** Whether one that is new belongs into the list; null: only the server can say. */
export function passes(incident: IncidentView, filter: Filter): boolean | null {
  const { zone, camera, type, text } = filter;
  if (!stillPasses(incident, filter)) return false;
  if (zone !== '' && incident.zone !== zone) return false;
  if (camera !== '' && !incident.devices.includes(camera)) return false;
  if (type !== '' && !incident.types.includes(type)) return false;
  return text === '' ? true : null;
}
