import type { ZoneId } from '#edge/domain/ids.ts';
import { campusLayer, type SchoolLayer } from '#edge/domain/school.ts';

/* Campus, buildings, grades: who inherits from whom, and which layer's day a zone lives. */

export interface LayerTree {
  has(layer: string): boolean;
  /** The layer itself, its parent, ... the campus; empty for a layer that does not exist. */
  chain(layer: string): readonly string[];
  /** `layer` is `above` or below it. */
  isBelow(layer: string, above: string): boolean;
  /** Zones of the layer and of all below it; all of the campus for the campus itself. */
  zonesOf(layer: string): readonly ZoneId[];
  /** Whose day a zone lives: the deepest layer that names it. */
  layerOf(zone: ZoneId): string;
  readonly all: readonly string[];
}

/** Layers without cycles whose parents exist (plan.ts sees to that). */
export function layerTree(layers: ReadonlyMap<string, SchoolLayer>, zones: readonly ZoneId[]): LayerTree {
  const chains = new Map<string, readonly string[]>([[campusLayer, [campusLayer]]]);
  for (const id of layers.keys()) chains.set(id, chainOf(id, layers));
  const isBelow = (layer: string, above: string) => chains.get(layer)?.includes(above) ?? false;
  const owner = new Map<ZoneId, string>();
  const byDepth = [...layers].toSorted(
    ([a], [b]) => (chains.get(b)?.length ?? 0) - (chains.get(a)?.length ?? 0) || (a < b ? -1 : 1),
  );
  for (const [id, { zones: own }] of byDepth) for (const zone of own) if (!owner.has(zone)) owner.set(zone, id);
  const known = new Set(zones);
  const zonesBelow = new Map<string, readonly ZoneId[]>([[campusLayer, zones]]);
  for (const id of layers.keys()) {
    const below = [...layers].filter(([other]) => isBelow(other, id)).flatMap(([, layer]) => layer.zones);
    zonesBelow.set(
      id,
      [...new Set(below)].filter((zone) => known.has(zone)),
    );
  }
  return {
    has: (layer) => chains.has(layer),
    chain: (layer) => chains.get(layer) ?? [],
    isBelow,
    zonesOf: (layer) => zonesBelow.get(layer) ?? [],
    layerOf: (zone) => owner.get(zone) ?? campusLayer,
    all: [...chains.keys()],
  };
}

function chainOf(id: string, layers: ReadonlyMap<string, SchoolLayer>): string[] {
  const chain = [id];
  for (let parent = layers.get(id)?.parent ?? null; parent !== null && !chain.includes(parent); ) {
    if (parent === campusLayer) break;
    chain.push(parent);
    parent = layers.get(parent)?.parent ?? null;
  }
  return [...chain, campusLayer];
}

/** Layers that are their own ancestors, or hang below such. */
export function circularLayers(layers: ReadonlyMap<string, SchoolLayer>): readonly string[] {
  return [...layers.keys()].filter((id) => {
    const seen = new Set<string>();
    for (let at: string | null = id; at !== null && at !== campusLayer; at = layers.get(at)?.parent ?? null) {
      if (seen.has(at)) return true;
      seen.add(at);
    }
    return false;
  });
}
