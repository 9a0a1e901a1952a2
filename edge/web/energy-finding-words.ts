import type { FindingKind } from '#edge/domain/energy.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Found } from './energy-core.ts';

/* What a finding says to people, and what to look at first. */

interface Words {
  readonly message: Name;
  readonly next: Name;
}

const units: Readonly<Record<string, Name>> = {
  'kW.h': { zh: 'kWh', en: 'kWh' },
  m3: { zh: 'm³', en: 'm³' },
  'm3/h': { zh: 'm³/h', en: 'm³/h' },
};

function figure(value: number, unit: string, language: keyof Name): string {
  if (unit === '1') return `${Math.round(value * 1_000) / 10}%`;
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return `${value.toLocaleString('en-US', { maximumFractionDigits: digits })} ${units[unit]?.[language] ?? unit}`;
}

const shareOf = (found: number, expected: number) =>
  expected > 0 ? `${Math.round((Math.abs(found - expected) / expected) * 100)}%` : '';

export function findingWords({ kind, found, expected, unit }: Found): Words {
  const zh = { found: figure(found, unit, 'zh'), expected: figure(expected, unit, 'zh') };
  const en = { found: figure(found, unit, 'en'), expected: figure(expected, unit, 'en') };
  const share = shareOf(found, expected);
  const all: Readonly<Record<FindingKind, () => Words>> = {
    leak: () => ({
      message: {
        zh: `整夜都有 ${zh.found} 的流量，疑似漏损或长流水`,
        en: `${en.found} flows all night: a leak, or something left running`,
      },
      next: {
        zh: '夜间关闭各支路阀门逐段排查，先看卫生间水箱和户外管线',
        en: 'Close the branch valves one by one at night; look at cisterns and outdoor pipes first',
      },
    }),
    'high-night': () => ({
      message: {
        zh: `夜间基础负荷 ${zh.found}，平时为 ${zh.expected}`,
        en: `The night draws ${en.found}; ${en.expected} is usual`,
      },
      next: {
        zh: '查看空调、照明和饮水机是否在闭校后仍在运行',
        en: 'See whether air conditioning, lights or water heaters run on after closing time',
      },
    }),
    'high-day': () => ({
      message: {
        zh: `当日用量 ${zh.found}，比同类日高 ${share}（平时 ${zh.expected}）`,
        en: `${en.found} on this day, ${share} above days like it (${en.expected})`,
      },
      next: {
        zh: '在该表的页面上看多出的用量在什么时段',
        en: "See on the meter's page at which hours it drew more",
      },
    }),
    'low-day': () => ({
      message: {
        zh: `当日用量 ${zh.found}，比同类日低 ${share}（平时 ${zh.expected}）`,
        en: `${en.found} on this day, ${share} below days like it (${en.expected})`,
      },
      next: {
        zh: '检查是否缺相、回路跳闸，或电流互感器接线松脱',
        en: 'Check for a lost phase, a feeder that tripped, or a loose current transformer',
      },
    }),
    unaccounted: () => ({
      message: {
        zh: `总表与分表之差为 ${zh.found}，计量误差与线损只能解释 ${zh.expected}`,
        en: `Main and sub-meters differ by ${en.found}; errors and losses explain ${en.expected}`,
      },
      next: {
        zh: '核对分表是否齐全、倍率是否正确，以及有无未装表的回路',
        en: 'Check that no feeder lacks a meter and that every CT ratio is right',
      },
    }),
    imbalance: () => ({
      message: {
        zh: `三相不平衡度 ${zh.found}，宜低于 ${zh.expected}`,
        en: `The phases differ by ${en.found}; it should stay below ${en.expected}`,
      },
      next: {
        zh: '将单相负荷在三相之间重新分配，并检查零线温度',
        en: 'Move single-phase loads between the phases, and check how warm the neutral is',
      },
    }),
    'power-factor': () => ({
      message: {
        zh: `功率因数 ${found.toFixed(2)}，考核标准 ${expected.toFixed(2)}`,
        en: `The power factor is ${found.toFixed(2)}; the tariff asks for ${expected.toFixed(2)}`,
      },
      next: {
        zh: '检查无功补偿柜是否投入、电容器是否失效',
        en: 'Check that the capacitor bank is on and its capacitors are sound',
      },
    }),
    'over-demand': () => ({
      message: {
        zh: `最大需量 ${zh.found}，超过限值 ${zh.expected}`,
        en: `The demand reached ${en.found}, above the limit of ${en.expected}`,
      },
      next: {
        zh: '在需量曲线上看超限的时段，把可推迟的负荷错开',
        en: 'See when it passed the limit, and move loads that can wait',
      },
    }),
  };
  return all[kind]();
}
