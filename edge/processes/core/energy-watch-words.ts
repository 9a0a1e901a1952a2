import type { EnergyFinding, EnergyMeter, FindingKind } from '#edge/domain/energy.ts';
import type { ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { RaiseDecision } from '#edge/rules/decision.ts';
import { findingWords } from '#edge/web/energy-finding-words.ts';
import { findingSource } from './energy-watch-memory.ts';

/* The words of the alarms about energy. */

/** Water on a floor and a demand that is billed for a month wait for nobody; the rest is for the next round. */
const classes: Readonly<Record<FindingKind, RaiseDecision['class']>> = {
  leak: 'medium',
  'over-demand': 'medium',
  'high-night': 'low',
  'high-day': 'low',
  'low-day': 'low',
  unaccounted: 'low',
  imbalance: 'low',
  'power-factor': 'low',
};

const gasNext: Name = {
  zh: '立即通风，勿动电器开关和明火，关闭总阀并联系燃气公司检漏',
  en: 'Air the rooms, touch no switch and no flame, close the main valve and call the gas company',
};

/** `zone`: of the meter's device. A virtual meter has none. */
export function findingAlarm(finding: EnergyFinding, meter: EnergyMeter, zone: ZoneId | undefined): RaiseDecision {
  const { kind, found, expected, unit, costPerDay } = finding;
  const { message, next } = findingWords(finding);
  const isGas = kind === 'leak' && meter.medium === 'gas';
  const cost = costPerDay === null ? '' : `, about ${costPerDay.toFixed(2)} a day`;
  return {
    kind: 'raise',
    source: findingSource(finding),
    class: isGas ? 'high' : classes[kind],
    message: { zh: `${meter.name.zh}：${message.zh}`, en: `${meter.name.en}: ${message.en}` },
    next: isGas ? gasNext : next,
    reason: `${meter.id}: ${Number(found.toPrecision(4))} against ${Number(expected.toPrecision(4))} (${unit})${cost}`,
    ...(meter.source.kind === 'real' ? { device: meter.source.device, ref: meter.source.energy.ref } : {}),
    ...(zone === undefined ? {} : { zone }),
  };
}

export const energyMistakesSource = 'site:energy';

/** What the site file says of its meters and limits and what its devices do not have. */
export function energyMistakes(problems: readonly string[]): RaiseDecision {
  const few = problems.slice(0, 4);
  const first = few.join('; ');
  // Each begins with its place in the site file; what is wrong there is said in English, and in both languages on the page.
  const places = few.map((problem) => /^[a-z][\w.[\]]*/i.exec(problem)?.[0] ?? '').filter((place) => place !== '');
  const count = problems.length;
  return {
    kind: 'raise',
    source: energyMistakesSource,
    class: 'medium',
    message: {
      zh: `站点文件的能耗部分有 ${count} 处与设备不符`,
      en: `The energy section of the site file has ${count} mistake${count === 1 ? '' : 's'}`,
    },
    next: { zh: `修正站点文件：${places.join('、')}（详见能源页）`, en: `Correct the site file: ${first}` },
    reason: problems.join('; '),
  };
}
