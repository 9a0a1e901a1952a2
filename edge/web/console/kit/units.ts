import type { Language } from './words.ts';

/* UCUM codes (https://ucum.org/ucum) as people read them. What is missing is shown as its code, without annotations. */

const friendly: Readonly<Record<string, string>> = {
  '1': '',
  '%{RH}': '%',
  '[ppm]': 'ppm',
  '[ppb]': 'ppb',
  'kW.h': 'kWh',
  'W.h': 'Wh',
  'MW.h': 'MWh',
  'V.A': 'VA',
  'kV.A': 'kVA',
  'V.A{reactive}': 'var',
  'kV.A{reactive}': 'kvar',
  'kV.A.h{reactive}': 'kvarh',
  Cel: '°C',
  'ug/m3': 'µg/m³',
  'mg/m3': 'mg/m³',
  m3: 'm³',
  'm3/h': 'm³/h',
  deg: '°',
  'dB[SPL]': 'dB',
  'dB{1mW}': 'dBm',
};

/** Units that Chinese writes as a word. */
const chinese: Readonly<Record<string, string>> = { s: '秒', min: '分钟', h: '小时', d: '天' };

export function friendlyUnit(code: string, language: Language): string {
  if (language === 'zh') {
    const word = chinese[code];
    if (word !== undefined) return word;
  }
  return friendly[code] ?? code.replace(/\{[^}]*\}/g, '').replace(/[[\]]/g, '');
}

/** As many digits as a glance needs; counters keep one, so that a house and a room differ. */
export function numberText(value: number, unit: string): string {
  const size = Math.abs(value);
  const most = Number.isInteger(value) || size >= 10_000 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', {
    maximumFractionDigits: unit.endsWith('.h') ? 1 : most,
    useGrouping: size >= 10_000,
  });
}
