import { useMemo } from 'react';
import { useWords } from '../../kit/language.tsx';
import type { DayView, LayerDay, OccurrenceView } from './data.ts';
import { useEntries } from './data.ts';
import { useNaming } from './naming.ts';
import { words } from './words.ts';

/** Zones of each layer and of those below it, as the draft has them. */
export function useLayerZones(): ReadonlyMap<string, ReadonlySet<string>> {
  const { data } = useEntries();
  return useMemo(() => {
    const layers = (data?.entries ?? []).flatMap(({ id, body }) => (body.part === 'layer' ? [{ id, ...body }] : []));
    const parents = new Map(layers.map(({ id, parent }) => [id, parent]));
    const isBelow = (id: string, above: string): boolean => {
      let at: string | null | undefined = id;
      for (let steps = 0; at !== null && at !== undefined && steps < 50; steps++) {
        if (at === above) return true;
        at = parents.get(at);
      }
      return false;
    };
    return new Map(
      layers.map(({ id }) => [
        id,
        new Set(layers.filter((other) => isBelow(other.id, id)).flatMap(({ zones }) => zones as readonly string[])),
      ]),
    );
  }, [data]);
}

export function layerDay(day: DayView | undefined, layer: string): LayerDay | undefined {
  return day?.layers.find((one) => one.layer === layer) ?? day?.layers.find((one) => one.layer === 'campus');
}

/** What happens in a layer: its own, and what sounds in its zones. For the campus: whatever is not another layer's alone. */
export function happensIn(
  one: OccurrenceView,
  layer: string,
  zones: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  if (layer === '') return true;
  if (layer === 'campus') return one.layer === 'campus';
  const own = zones.get(layer);
  return one.layer === layer || (own !== undefined && one.zones.some((zone) => own.has(zone)));
}

/** The layers of a day with their names, the campus first. */
export function useLayerChoices(
  day: DayView | undefined,
): readonly { readonly value: string; readonly label: string }[] {
  const say = useWords(words);
  const naming = useNaming();
  return (day?.layers ?? []).map(({ layer }) => ({
    value: layer,
    label: layer === 'campus' ? say.wholeCampus : naming.layer(layer),
  }));
}
