import { useFormats, useLanguage } from '../../kit/language.tsx';
import { friendlyUnit } from '../../kit/units.ts';
import { usePointName } from '../../names.ts';
import { usePoints } from '../../use-live.tsx';
import type { Step } from './data.ts';

export interface StepTexts {
  /** Device and point. */
  readonly name: string;
  readonly unit: string;
  /** With the unit, as many digits as a meter shows. */
  readonly amount: (value: number) => string;
}

/** How a step's counter is called, and its values with their unit. */
export function useStepTexts({ ref }: Pick<Step, 'ref'>): StepTexts {
  const language = useLanguage();
  const formats = useFormats();
  const pointName = usePointName();
  const code = usePoints()?.find(({ id }) => id === ref)?.unit ?? '';
  const unit = friendlyUnit(code, language);
  return { name: pointName(ref), unit, amount: (value) => `${formats.number(value, 2)} ${unit}`.trim() };
}
