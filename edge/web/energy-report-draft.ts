import type { Name } from '#edge/domain/place.ts';
import type { Sheet } from './energy-report-sheet.ts';
import type { Word } from './energy-report-words.ts';
import type { EnergyReportView } from './energy-schemas.ts';
import type { Language } from './history-csv.ts';
import type { LocalTime } from './local-time.ts';

/** A report on its way to paper. */
export type MediumView = EnergyReportView['media'][number];

export interface Draft {
  readonly sheet: Sheet;
  readonly report: EnergyReportView;
  readonly say: (word: Word) => string;
  readonly name: (name: Name) => string;
  readonly language: Language;
  readonly time: (time: number) => string;
  readonly localTime: LocalTime;
}

export const mostBars = 12;
export const mostFindings = 30;
export const mostGaps = 60;
