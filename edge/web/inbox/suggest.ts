import { parseTopic } from '#edge/bus/topics.ts';
import type { InboxLine } from '#edge/store/reader.ts';
import type { KnownProfile } from '../known-profile.ts';
import type { InboxView } from '../place-schemas.ts';
import { freeId } from './free-id.ts';
import { suggestCamera } from './suggest-camera.ts';

/*
 * What adopting a stranger would probably say, as form fields to begin with: its convention from the key under which
 * ingest noted it (edge/ingest/conventions), its profile from what its message holds. A guess: a person decides.
 */

type Suggestion = NonNullable<InboxView['suggestion']>;

interface Found {
  /** As the convention calls it. */
  readonly name: string;
  /** Key of the address that says which convention. */
  readonly convention: 'zigbee2mqtt' | 'tasmota' | 'homeassistant' | 'json';
  readonly address: Record<string, unknown>;
}

export type Suggester = (line: InboxLine) => Suggestion | null;

/** `bases`: base topics of the Zigbee bridges that the site file knows. `taken`: ids that devices have. */
export function createSuggester(
  profiles: readonly KnownProfile[],
  bases: readonly string[],
  taken: ReadonlySet<string>,
): Suggester {
  const sensors = profiles.filter(({ protocol }) => protocol === 'mqtt');
  return (line) => {
    if (line.kind !== 'unknown-device') return null;
    if (line.client === 'camera') return suggestCamera(line, taken);
    const found = identify(line, bases);
    if (found === null) return null;
    const fitting = sensors.filter(({ addressExample }) => Object.hasOwn(addressExample, found.convention));
    return {
      id: freeId(found.name, taken),
      profile: bestFit(fitting, pathsIn(line.excerpt)),
      address: found.address,
    };
  };
}

function identify({ key, topic }: InboxLine, bases: readonly string[]): Found | null {
  const ours = parseTopic(topic);
  if (ours?.kind === 'samples' || ours?.kind === 'event') {
    return { name: ours.device, convention: 'json', address: { json: true } };
  }
  const after = (prefix: string) => (key.startsWith(`${prefix}/`) ? key.slice(prefix.length + 1) : null);
  const tasmota = /^(tele|stat)\//.test(topic) ? after('tasmota') : null;
  if (tasmota !== null) return { name: tasmota, convention: 'tasmota', address: { tasmota } };
  const homeassistant = after('homeassistant');
  if (homeassistant !== null) {
    return { name: homeassistant, convention: 'homeassistant', address: { homeassistant } };
  }
  for (const base of ['zigbee2mqtt', ...bases]) {
    const name = after(base);
    if (name === null || name === '') continue;
    const address = { zigbee2mqtt: name, ...(base === 'zigbee2mqtt' ? {} : { base }) };
    return { name, convention: 'zigbee2mqtt', address };
  }
  return null;
}

/**
 * The profile whose points are found in the message; what many profiles have (battery, link quality) says little, what
 * only one has says much. Where the message says nothing and only one profile could be meant, that one.
 */
function bestFit(profiles: readonly KnownProfile[], paths: ReadonlySet<string>): string | null {
  const [only] = profiles;
  const frequency = new Map<string, number>();
  for (const path of profiles.flatMap((profile) => profile.paths)) frequency.set(path, (frequency.get(path) ?? 0) + 1);
  const scored = profiles
    .map((profile) => {
      const found = profile.paths.filter((path) => paths.has(path));
      const score = found.reduce((sum, path) => sum + 1 / (frequency.get(path) ?? 1), 0);
      return { id: profile.id, score, share: found.length / Math.max(1, profile.paths.length) };
    })
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score || b.share - a.share || a.id.localeCompare(b.id));
  return scored[0]?.id ?? (profiles.length === 1 ? (only?.id ?? null) : null);
}

const mostPaths = 500;

/** Every path in a JSON text (`ENERGY.Power`), and the points of our own samples; of half a text, its words before colons. */
function pathsIn(excerpt: string): Set<string> {
  const paths = new Set<string>();
  const walk = (node: unknown, prefix: string, depth: number): void => {
    if (typeof node !== 'object' || node === null || depth > 5 || paths.size > mostPaths) return;
    for (const [key, value] of Object.entries(node)) {
      paths.add(`${prefix}${key}`);
      walk(value, `${prefix}${key}.`, depth + 1);
    }
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(excerpt);
  } catch {
    return new Set([...excerpt.matchAll(/"([^"\\]{1,64})"\s*:/g)].slice(0, mostPaths).map(([, word = '']) => word));
  }
  walk(parsed, '', 0);
  const samples = typeof parsed === 'object' && parsed !== null && 's' in parsed ? parsed.s : null;
  for (const sample of Array.isArray(samples) ? samples : []) {
    if (Array.isArray(sample) && typeof sample[0] === 'string') paths.add(sample[0]);
  }
  return paths;
}
