import { splitPointRef } from '#edge/domain/ids.ts';
import type { SiteIncidents, SiteKeyPlaces, SitePanic } from './site-gatehouse.ts';

/* What is wrong with the sections incidents, panic and keyPlaces beyond the shape of each value: one line per mistake, its path first. */

interface Campus {
  readonly incidents: SiteIncidents;
  readonly panic: SitePanic;
  readonly keyPlaces: SiteKeyPlaces;
  readonly devices: readonly { readonly id: string }[];
  readonly zones: readonly { readonly id: string }[];
  readonly modes: readonly { readonly id: string }[];
  readonly clips: Readonly<Record<string, unknown>>;
}

/** Labels that every calendar has. */
const labels = ['open', 'closed'];

export function findBrokenGatehouse(campus: Campus): string[] {
  const known = {
    device: new Set(campus.devices.map(({ id }) => id)),
    zone: new Set(campus.zones.map(({ id }) => id)),
    panic: new Set<string>(campus.panic.map(({ id }) => id)),
    clip: new Set(Object.keys(campus.clips)),
    'label of the calendar or mode': new Set([...labels, ...campus.modes.map(({ id }) => id)]),
  };
  const unknown = (kind: keyof typeof known, id: string, where: string): string[] =>
    known[kind].has(id) ? [] : [`${where}: unknown ${kind} "${id}"`];
  const each = (kind: keyof typeof known, ids: readonly string[] | 'all', where: string): string[] =>
    ids === 'all' ? [] : ids.flatMap((id, i) => unknown(kind, id, `${where}[${i}]`));
  const deviceOf = (ref: string): string => splitPointRef(ref)?.device ?? '';
  return [
    ...(campus.incidents.rules ?? []).flatMap(({ zones, devices, during }, i) => {
      const at = `incidents.rules[${i}]`;
      return [
        ...each('zone', zones, `${at}.zones`),
        ...each('device', devices, `${at}.devices`),
        ...(during === null ? [] : unknown('label of the calendar or mode', during, `${at}.during`)),
      ];
    }),
    ...repeated(campus.panic, 'panic'),
    ...campus.panic.flatMap(({ zone, input, sound, cameras }, i) => {
      const at = `panic[${i}]`;
      return [
        ...unknown('zone', zone, `${at}.zone`),
        ...unknown('device', deviceOf(input), `${at}.input`),
        ...(sound === null
          ? []
          : [...unknown('clip', sound.clip, `${at}.sound.clip`), ...each('zone', sound.zones, `${at}.sound.zones`)]),
        ...cameras.flatMap(({ device }, j) => unknown('device', device, `${at}.cameras[${j}].device`)),
      ];
    }),
    ...repeated(campus.keyPlaces, 'keyPlaces'),
    ...campus.keyPlaces.flatMap(({ zone, cameras, panic, reader }, i) => {
      const at = `keyPlaces[${i}]`;
      return [
        ...unknown('zone', zone, `${at}.zone`),
        ...each('device', cameras, `${at}.cameras`),
        ...each('panic', panic, `${at}.panic`),
        ...(reader === null ? [] : unknown('device', deviceOf(reader), `${at}.reader`)),
      ];
    }),
  ];
}

function repeated(list: readonly { readonly id: string }[], where: string): string[] {
  const ids = list.map(({ id }) => id);
  return ids.flatMap((id, i) => (ids.indexOf(id) < i ? [`${where}[${i}].id: "${id}" is used twice`] : []));
}
