import { useMemo } from 'react';
import type { Medium } from '#edge/domain/energy.ts';
import type { Formats } from '../../kit/formats.ts';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { friendlyUnit } from '../../kit/units.ts';
import type { Language } from '../../kit/words.ts';
import { type Terms, termWords } from './terms.ts';

/* Amounts, powers and money as people read them. */

export type AmountUnit = 'kW.h' | 'm3';

export interface Change {
  /** -0.2: a fifth less. */
  readonly share: number;
  readonly text: string;
  readonly way: 'more' | 'less' | 'same';
}

export interface Figures {
  readonly terms: Terms;
  /** The number alone: `1,234`, `38.2`; `—` where it is not known. */
  number(value: number | null): string;
  /** The same of what may be small, as an hour of a square metre: two figures of it. */
  fine(value: number): string;
  amount(value: number | null, unit: AmountUnit): string;
  unit(unit: AmountUnit): string;
  powerUnit(medium: Medium): string;
  power(value: number | null, medium: Medium): string;
  money(value: number | null, currency: string | null): string;
  /** null: one of both is not known, or there is nothing to compare with. */
  change(value: number | null, usual: number | null): Change | null;
  percent(share: number | null): string;
  /** `已知 93%`: never 100 % of what is not whole, never 0 % of what is something. */
  known(share: number): string;
}

/** Below it two days are alike: meters themselves are no better. */
const alike = 0.02;

export function digitsOf(value: number): number {
  const size = Math.abs(value);
  if (size >= 1_000 || size === 0) return 0;
  return size >= 10 ? 1 : 2;
}

/** The same object until the language changes: charts may go by it. */
export function useFigures(): Figures {
  const terms = useWords(termWords);
  const formats = useFormats();
  const language = useLanguage();
  return useMemo(() => figuresIn(terms, formats, language), [terms, formats, language]);
}

function figuresIn(terms: Terms, formats: Formats, language: Language): Figures {
  const number = (value: number | null) => (value === null ? '—' : formats.number(value, digitsOf(value)));
  const unit = (code: AmountUnit) => friendlyUnit(code, language);
  const powerUnit = (medium: Medium) => friendlyUnit(medium === 'water' || medium === 'gas' ? 'm3/h' : 'kW', language);
  return {
    terms,
    number,
    fine: (value) => (Math.abs(value) >= 0.1 ? number(value) : String(Number(value.toPrecision(2)))),
    unit,
    powerUnit,
    amount: (value, code) => (value === null ? '—' : `${number(value)} ${unit(code)}`),
    power: (value, medium) => (value === null ? '—' : `${number(value)} ${powerUnit(medium)}`),
    money: (value, currency) => {
      if (value === null || currency === null) return '—';
      const fixed = value.toLocaleString('en-US', moneyDigits(value));
      return currency === 'CNY' ? terms.money(fixed) : terms.otherMoney(fixed, currency);
    },
    change: (value, usual) => changeOf(value, usual, terms),
    percent: (share) => (share === null ? '—' : percentText(share)),
    known: (share) => terms.known(share > 0 && share < 0.01 ? '<1%' : `${Math.floor(share * 100)}%`),
  };
}

/** One digit behind the point below ten percent. */
function percentText(share: number): string {
  return `${(share * 100).toLocaleString('en-US', { maximumFractionDigits: Math.abs(share) < 0.1 ? 1 : 0 })}%`;
}

function changeOf(value: number | null, usual: number | null, terms: Terms): Change | null {
  if (value === null || usual === null || usual <= 0) return null;
  const share = value / usual - 1;
  if (Math.abs(share) < alike) return { share, text: terms.same, way: 'same' };
  return share > 0
    ? { share, text: terms.more(percentText(share)), way: 'more' }
    : { share, text: terms.less(percentText(-share)), way: 'less' };
}

function moneyDigits(value: number): Intl.NumberFormatOptions {
  const digits = Math.abs(value) < 1_000 ? 2 : 0;
  return { minimumFractionDigits: digits, maximumFractionDigits: digits };
}
