import type { Name } from '#edge/domain/place.ts';
import type { Reading } from '#edge/domain/reading.ts';

/** What the placeholders of a message stand for; absent: a dash. */
export interface Facts {
  readonly place: Name | null;
  readonly device: Name | null;
  readonly reading: Reading | undefined;
  readonly count: number | null;
  /** Local time, `18:30`. */
  readonly since: string;
}

/** UCUM codes as people read them; any other as it is. */
const unitWords: Readonly<Record<string, string>> = {
  '1': '',
  Cel: '°C',
  '%{RH}': '%',
  '[ppm]': 'ppm',
  'kW.h': 'kWh',
  'V.A': 'VA',
  'm3/h': 'm³/h',
  m3: 'm³',
  'ug/m3': 'µg/m³',
  lx: 'lx',
};

/** Fills in {place}, {device}, {value}, {unit}, {count}, {since}; any other brace stays as it is. */
export function fillIn(message: Name, facts: Facts): Name {
  if (!message.zh.includes('{') && !message.en.includes('{')) return message;
  return { zh: fillOne(message.zh, 'zh', facts), en: fillOne(message.en, 'en', facts) };
}

function fillOne(text: string, language: 'zh' | 'en', { place, device, reading, count, since }: Facts): string {
  const words: Readonly<Record<string, string>> = {
    place: place?.[language] ?? '-',
    device: device?.[language] ?? '-',
    value: valueWords(reading, language),
    unit: reading === undefined ? '' : (unitWords[reading.unit] ?? reading.unit),
    count: count === null ? '-' : String(count),
    since,
  };
  return text.replace(/\{(place|device|value|unit|count|since)\}/g, (_, key: string) => words[key] ?? '-');
}

function valueWords(reading: Reading | undefined, language: 'zh' | 'en'): string {
  const value = reading?.value ?? null;
  if (value === null) return '-';
  if (typeof value === 'number') return String(Math.round(value * 10) / 10);
  if (typeof value === 'string') return value;
  if (language === 'zh') return value ? '是' : '否';
  return value ? 'yes' : 'no';
}
