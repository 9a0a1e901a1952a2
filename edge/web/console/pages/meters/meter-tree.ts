import type { Medium } from '#edge/domain/energy.ts';
import type { EnergyMeterView } from '../../../energy-schemas.ts';

/* The trees of meters as lines. Pure. */

export interface Branch {
  readonly meter: EnergyMeterView;
  /** 0: nothing above it. */
  readonly depth: number;
}

/** Each medium's meters, every one below the one it hangs on. Who sees some zones may not see what is above: it is a root then. */
export function treeOf(
  meters: readonly EnergyMeterView[],
): readonly { readonly medium: Medium; readonly rows: readonly Branch[] }[] {
  const below = Map.groupBy(meters, ({ under, medium }) => {
    const parent = meters.find(({ id }) => id === under);
    return parent === undefined || parent.medium !== medium ? null : parent.id;
  });
  const seen = new Set<string>();
  const walk = (meter: EnergyMeterView, depth: number): Branch[] => {
    // The site file is checked for circles; a picture that never ends would be worse than a missing line.
    if (seen.has(meter.id)) return [];
    seen.add(meter.id);
    return [{ meter, depth }, ...(below.get(meter.id) ?? []).flatMap((one) => walk(one, depth + 1))];
  };
  const roots = below.get(null) ?? [];
  return [...Map.groupBy(roots, ({ medium }) => medium)].map(([medium, some]) => ({
    medium,
    rows: some.flatMap((root) => walk(root, 0)),
  }));
}
