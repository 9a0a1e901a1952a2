import { type EnergyMeter, type Medium, media, type SubItem, subItems } from '#edge/domain/energy.ts';
import { type Amount, type Bucket, gather, type Term, totalOf } from './rises.ts';
import { type Amounts, remainderOf } from './tree.ts';

/*
 * Who consumed what. What a meter counts and no meter below it does is its own share, and every share goes to one sub-item and to
 * its buildings: so nothing is counted twice, and the parts add up to what the main meters count.
 */

/** 分类能耗 (MOHURD guideline for data of public buildings). */
export const mediumCodes: Readonly<Record<Medium, string>> = {
  electricity: '01',
  water: '02',
  gas: '03',
  heat: '04',
  cold: '05',
};
/** 分项能耗 of electricity. */
export const subItemCodes: Readonly<Record<SubItem, string>> = {
  lighting_sockets: 'A',
  air_conditioning: 'B',
  motive_power: 'C',
  special: 'D',
};

/** kW.h, or m3 of water and gas. */
export function unitOf(medium: Medium): 'kW.h' | 'm3' {
  return medium === 'water' || medium === 'gas' ? 'm3' : 'kW.h';
}

export interface Group {
  readonly amount: Amount;
  readonly buckets: readonly Bucket[];
}

export interface MediumConsumption extends Group {
  readonly medium: Medium;
  readonly code: string;
  readonly unit: 'kW.h' | 'm3';
  /** Of electricity; null: not assigned to any. Only those that meters stand for. */
  readonly subItems: readonly (Group & { readonly subItem: SubItem | null; readonly code: string | null })[];
  /** null: of the campus as a whole. */
  readonly buildings: readonly (Group & { readonly building: string | null })[];
}

interface Part extends Term {
  readonly meter: EnergyMeter;
}

/** What is known of every medium that has a meter. The parts add up to the whole wherever all of them are known. */
export function consumptionOf(amounts: Amounts): readonly MediumConsumption[] {
  return media.flatMap((medium) => {
    const roots = amounts.tree.rootsOf(medium);
    if (roots.length === 0) return [];
    const parts = roots.flatMap((root) => partsOf(amounts, root, 1, 0));
    const whole = groupOf(
      amounts,
      roots.map(({ id }) => ({ buckets: amounts.ofMeter(id), factor: 1 })),
    );
    return [
      {
        ...whole,
        medium,
        code: mediumCodes[medium],
        unit: unitOf(medium),
        subItems: medium === 'electricity' ? bySubItem(amounts, parts) : [],
        buildings: byBuilding(amounts, parts),
      },
    ];
  });
}

function partsOf(amounts: Amounts, meter: EnergyMeter, factor: number, depth: number): readonly Part[] {
  if (depth > 50) return [];
  const { tree } = amounts;
  const own = remainderOf(tree, meter);
  const children = tree.childrenOf(meter.id);
  const below = children.flatMap((child) => partsOf(amounts, child, factor * tree.signOf(child), depth + 1));
  // Nothing is left where the children make up the whole by definition.
  return own.size === 0 ? below : [{ meter, factor, buckets: amounts.of(own) }, ...below];
}

function groupOf({ span, step }: Amounts, terms: readonly Term[]): Group {
  const buckets = gather(terms, span, step);
  return { buckets, amount: totalOf(buckets) };
}

function bySubItem(amounts: Amounts, parts: readonly Part[]): MediumConsumption['subItems'] {
  return [...subItems, null].flatMap((subItem) => {
    const own = parts.filter(({ meter }) => (meter.subItem ?? null) === subItem);
    if (own.length === 0) return [];
    return [{ ...groupOf(amounts, own), subItem, code: subItem === null ? null : subItemCodes[subItem] }];
  });
}

function byBuilding(amounts: Amounts, parts: readonly Part[]): MediumConsumption['buildings'] {
  const terms = new Map<string | null, Term[]>();
  const put = (building: string | null, term: Term) => {
    const list = terms.get(building);
    if (list === undefined) terms.set(building, [term]);
    else list.push(term);
  };
  for (const { meter, buckets, factor } of parts) {
    let rest = 1;
    for (const { building, share } of meter.buildings) {
      put(building, { buckets, factor: factor * share });
      rest -= share;
    }
    // Shares such as thirds do not sum to 1 to the last bit.
    if (rest > 1e-9) put(null, { buckets, factor: factor * rest });
  }
  return [...terms].map(([building, own]) => ({ ...groupOf(amounts, own), building }));
}
