import type { Condition, Interlock } from '#edge/domain/interlock.ts';

/** Zones in which an interlock looks or acts; `all` when it acts on the whole campus. */
export type Reach = 'all' | ReadonlySet<string>;

/** How far each interlock reaches, by id. What it watches of another interlock counts as its own. */
export function interlockReach(
  interlocks: readonly Interlock[],
  devices: readonly { readonly id: string; readonly zone: string }[],
): ReadonlyMap<string, Reach> {
  const byId = new Map(interlocks.map((interlock) => [interlock.id, interlock]));
  const zonesOf = (patterns: readonly string[]): string[] => {
    const globs = patterns.map(globOf);
    return devices.filter(({ id }) => globs.some((glob) => glob.test(id))).map(({ zone }) => zone);
  };
  return new Map(
    interlocks.map((one): [string, Reach] => {
      if (one.actions.some((action) => action.kind === 'broadcast' && action.zones === 'all')) return [one.id, 'all'];
      const looksAt = zonesOf(patternsOf(one.when, byId, new Set([one.id])));
      return [one.id, new Set([...looksAt, ...actsIn(one, zonesOf)])];
    }),
  );
}

/** Globs of the devices that a condition looks at. Interlocks that watch each other in a circle are each seen once. */
function patternsOf(condition: Condition, byId: ReadonlyMap<string, Interlock>, seen: Set<string>): readonly string[] {
  switch (condition.kind) {
    case 'point':
      return [deviceOf(condition.ref)];
    case 'atLeast':
      return [deviceOf(condition.of)];
    case 'event':
      return [condition.device];
    case 'unacknowledged': {
      const watched = byId.get(condition.interlock);
      if (watched === undefined || seen.has(watched.id)) return [];
      seen.add(watched.id);
      return patternsOf(watched.when, byId, seen);
    }
    case 'any':
    case 'all':
      return condition.conditions.flatMap((inner) => patternsOf(inner, byId, seen));
  }
}

function actsIn({ actions }: Interlock, zonesOf: (patterns: readonly string[]) => string[]): readonly string[] {
  return actions.flatMap((action): readonly string[] => {
    if (action.kind === 'hold') return zonesOf([deviceOf(action.ref)]);
    if (action.kind === 'shed') return zonesOf(action.order.map(deviceOf));
    return action.kind === 'broadcast' && action.zones !== 'all' ? action.zones : [];
  });
}

const deviceOf = (ref: string) => ref.slice(0, ref.indexOf('/'));

/** `*` stands for any part of an id. */
function globOf(pattern: string): RegExp {
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('[^/]*')}$`);
}
