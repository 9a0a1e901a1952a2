import type { EnergyMeter, Medium } from '#edge/domain/energy.ts';
import { totalOf } from '#edge/energy/rises.ts';
import { type Amounts, type Coefficients, remainderOf } from '#edge/energy/tree.ts';
import type { EnergyReportView } from './energy-schemas.ts';

type Flow = EnergyReportView['media'][number]['flows'][number];

/**
 * Where it goes, as a picture of the tree: from `medium` to the main meters, from each meter to those under it, and what no meter under
 * it counts to its sub-item, or to `unaccounted`. Only what is known and more than nothing.
 */
export function flowsOf(amounts: Amounts, medium: Medium): Flow[] {
  const { tree } = amounts;
  const flows: Flow[] = [];
  const add = (from: string, to: string, toKind: Flow['toKind'], coefficients: Coefficients) => {
    const { value } = totalOf(amounts.of(coefficients));
    // A thousandth of a kW.h is what adding and taking off leaves of nothing.
    if (value !== null && value > 0.001) flows.push({ from, to, toKind, amount: value });
  };
  const walk = (meter: EnergyMeter, from: string, depth: number) => {
    add(from, meter.id, 'meter', tree.coefficientsOf(meter.id));
    const children = tree.childrenOf(meter.id);
    const rest = remainderOf(tree, meter);
    const goes = children.length > 0 && meter.subItem === undefined ? 'unaccounted' : meter.subItem;
    if (rest.size > 0 && goes !== undefined) add(meter.id, goes, goes === 'unaccounted' ? goes : 'subItem', rest);
    if (depth < 50) for (const child of children) walk(child, meter.id, depth + 1);
  };
  for (const root of tree.rootsOf(medium)) walk(root, 'medium', 0);
  return flows;
}
