import { useFormats, useLanguage } from '../../kit/language.tsx';
import { friendlyUnit } from '../../kit/units.ts';
import { pointLabel } from '../../kit/values.ts';
import { usePointName } from '../../names.ts';
import { usePoints } from '../../use-live.tsx';
import type { Step } from './data.ts';

export interface StepTexts {
  /** Device and point. */
  readonly name: string;
  /** The point alone. */
  readonly label: string;
  readonly unit: string;
  /** With the unit, as many digits as a meter shows. */
  readonly amount: (value: number) => string;
}

/** How a step's counter is called, and its values with their unit. */
export function useStepTexts({ ref }: Pick<Step, 'ref'>): StepTexts {
  const language = useLanguage();
  const formats = useFormats();
  const pointName = usePointName();
  const point = usePoints()?.find(({ id }) => id === ref);
  const code = point?.unit ?? '';
  const unit = friendlyUnit(code, language);
  const label = point === undefined ? ref : pointLabel(point.point, point.label, language);
  return { name: pointName(ref), label, unit, amount: (value) => `${formats.number(value, 2)} ${unit}`.trim() };
}
