import { type EnergyMeter, type Medium, media, type SubItem, subItems } from '#edge/domain/energy.ts';
import { type Amount, type Bucket, createGroup, type Gathering, gather, type Term, totalOf } from './rises.ts';
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

/** What is known of every medium that has a meter. The parts add up to the whole wherever all of them are known. */
export function consumptionOf(amounts: Amounts): readonly MediumConsumption[] {
  return media.flatMap((medium) => {
    const roots = amounts.tree.rootsOf(medium);
    if (roots.length === 0) return [];
    const whole = groupOf(
      amounts,
      roots.map(({ id }) => ({ buckets: amounts.ofMeter(id), factor: 1 })),
    );
    const items = createGroups<SubItem | null>(amounts);
    const buildings = createGroups<string | null>(amounts);
    for (const root of roots) {
      eachPart(amounts, root, 1, 0, ({ meter, ...term }) => {
        items.add(meter.subItem ?? null, term);
        for (const { to, share } of sharesOf(meter)) buildings.add(to, { ...term, factor: term.factor * share });
      });
    }
    return [
      {
        ...whole,
        medium,
        code: mediumCodes[medium],
        unit: unitOf(medium),
        subItems: medium === 'electricity' ? inOrder(items.all()) : [],
        buildings: buildings.all().map(({ of, ...group }) => ({ ...group, building: of })),
      },
    ];
  });
}

interface Part extends Term {
  readonly meter: EnergyMeter;
}

/** One after the other: a campus may have thousands, and an hour of each is an object. */
function eachPart(
  amounts: Amounts,
  meter: EnergyMeter,
  factor: number,
  depth: number,
  take: (part: Part) => void,
): void {
  if (depth > 50) return;
  const { tree } = amounts;
  const own = remainderOf(tree, meter);
  // Nothing is left where the children make up the whole by definition.
  if (own.size > 0) take({ meter, factor, buckets: amounts.of(own) });
  for (const child of tree.childrenOf(meter.id)) {
    eachPart(amounts, child, factor * tree.signOf(child), depth + 1, take);
  }
}

function sharesOf({ buildings }: EnergyMeter): readonly { readonly to: string | null; readonly share: number }[] {
  const rest = 1 - buildings.reduce((sum, { share }) => sum + share, 0);
  const shares = buildings.map(({ building, share }) => ({ to: building, share }));
  // Shares such as thirds do not sum to 1 to the last bit.
  return rest > 1e-9 ? [...shares, { to: null, share: rest }] : shares;
}

function groupOf({ span, step }: Amounts, terms: readonly Term[]): Group {
  const buckets = gather(terms, span, step);
  return { buckets, amount: totalOf(buckets) };
}

/** What goes where, in the order in which it was first heard of. */
function createGroups<Key>({ span, step }: Amounts) {
  const groups = new Map<Key, Gathering>();
  return {
    add: (of: Key, term: Term): void => {
      const group = groups.get(of) ?? createGroup(span, step);
      group.add(term);
      groups.set(of, group);
    },
    all: () =>
      [...groups].map(([of, group]) => {
        const buckets = group.buckets();
        return { of, buckets, amount: totalOf(buckets) };
      }),
  };
}

function inOrder(groups: readonly (Group & { readonly of: SubItem | null })[]): MediumConsumption['subItems'] {
  return [...subItems, null].flatMap((subItem) =>
    groups.flatMap(({ of, ...group }) =>
      of === subItem ? [{ ...group, subItem, code: subItem === null ? null : subItemCodes[subItem] }] : [],
    ),
  );
}
