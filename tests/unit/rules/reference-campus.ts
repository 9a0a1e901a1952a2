import type { Device } from '#edge/domain/device.ts';
import type { Condition, Rule, Selection } from '#edge/domain/rule.ts';
import type { RuleCampus } from '#edge/rules/engine.ts';

/* What rules find on a campus, by looking at every device each time. */

export type LeafCondition = Exclude<Condition, { kind: 'any' | 'all' }>;

/** A campus and a rule never change: what is found once is found again. The only thing here that is remembered. */
function once<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}

/** Every condition that is not made of others, with a key: the same condition twice has two. First those of `when`. */
export const leavesIn = once((rule: Rule): readonly (readonly [string, LeafCondition])[] => {
  const keys: string[] = [];
  const walk = (condition: Condition): (readonly [string, LeafCondition])[] => {
    if (condition.kind === 'any' || condition.kind === 'all') return condition.conditions.flatMap(walk);
    const text = JSON.stringify(condition);
    keys.push(text);
    return [[`${keys.filter((key) => key === text).length} ${text}`, condition]];
  };
  return [rule.when, ...rule.while].flatMap(walk);
});

/** `when` asks for nothing but the calendar, the time and modes. */
export const isCircumstantial = once((rule: Rule): boolean => {
  const isOne = (condition: Condition): boolean =>
    condition.kind === 'any' || condition.kind === 'all'
      ? condition.conditions.every(isOne)
      : ['calendar', 'time', 'mode'].includes(condition.kind);
  return isOne(rule.when);
});

function fits(pattern: string, text: string): boolean {
  const [head = '', ...parts] = pattern.split('*');
  if (parts.length === 0) return pattern === text;
  if (!text.startsWith(head)) return false;
  const [part = ''] = parts;
  const rest = [part, ...parts.slice(1)].join('*');
  for (let i = head.length; i <= text.length; i++) {
    if (text.slice(head.length, i).includes('/')) return false;
    if (fits(rest, text.slice(i))) return true;
  }
  return false;
}

export function isDeviceLike(pattern: string, device: string): boolean {
  return fits(pattern, device);
}

export function isAt(device: Device | undefined, kind: 'space' | 'zone' | 'device', place: string): boolean {
  if (device === undefined) return false;
  return (kind === 'space' ? device.space : kind === 'zone' ? device.zone : device.id) === place;
}

const finds = once((_campus: RuleCampus) =>
  once((_rule: Rule) => once((_selection: Selection) => new Map<string, string[]>())),
);

export function pointsIn(campus: RuleCampus, rule: Rule, selection: Selection, place: string | null): string[] {
  const found = finds(campus)(rule)(selection);
  const known = found.get(`${place}`) ?? lookForPoints(campus, rule, selection, place);
  found.set(`${place}`, known);
  return known;
}

function lookForPoints(campus: RuleCampus, rule: Rule, selection: Selection, place: string | null): string[] {
  const { of, zones, spaces, tags, here } = selection;
  const found: string[] = [];
  for (const device of campus.devices) {
    for (const point of device.points) {
      const ref = `${device.id}/${point.name}`;
      if (!fits(of, ref)) continue;
      if (zones !== undefined && !zones.includes(device.zone)) continue;
      if (spaces !== undefined && (device.space === undefined || !spaces.includes(device.space))) continue;
      if (tags !== undefined && !tags.some((tag) => device.tags?.includes(tag) === true)) continue;
      if (here === true && (place === null || rule.each === null || !isAt(device, rule.each.place, place))) continue;
      found.push(ref);
    }
  }
  const isPlain = zones === undefined && spaces === undefined && tags === undefined && here === undefined;
  return found.length === 0 && isPlain && !of.includes('*') ? [of] : found;
}

export function placesIn(campus: RuleCampus, rule: Rule): readonly (string | null)[] {
  const { each } = rule;
  if (each === null) return [null];
  const refs = pointsIn(campus, rule, each.of, null);
  const places = campus.devices.flatMap((device) => {
    const has = device.points.some((point) => refs.includes(`${device.id}/${point.name}`));
    const place = each.place === 'space' ? device.space : each.place === 'zone' ? device.zone : device.id;
    return has && place !== undefined ? [place] : [];
  });
  return [...new Set<string>(places)].sort();
}

export function speakersIn(
  campus: RuleCampus,
  rule: Rule,
  zones: 'all' | 'here' | readonly string[],
  place: string | null,
): string[] {
  const home = rule.each?.place === 'device' ? campus.devices.find(({ id }) => id === place)?.zone : place;
  const kind = rule.each?.place === 'space' ? 'space' : 'zone';
  const speakers = campus.devices.filter((device) => {
    if (!device.points.some((point) => point.name === 'clip' && point.write !== undefined)) return false;
    if (zones === 'all') return true;
    if (zones === 'here') return typeof home === 'string' && isAt(device, kind, home);
    return zones.includes(device.zone);
  });
  const ordered =
    typeof zones === 'string' ? speakers : zones.flatMap((zone) => speakers.filter((one) => one.zone === zone));
  return ordered.map((device) => `${device.id}/clip`);
}
