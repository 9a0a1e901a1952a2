/* UCUM codes (https://ucum.org/ucum) as people read them. What is missing is shown as its code, without annotations. */

const friendly = {
  1: '',
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

export function friendlyUnit(code) {
  return friendly[code] ?? code.replace(/\{[^}]*\}/g, '').replace(/[[\]]/g, '');
}
