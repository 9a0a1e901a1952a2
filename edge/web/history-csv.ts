import type { Aggregate, HistorySample } from '#edge/store/reader.ts';
import { safeCell } from './csv.ts';

export type Language = 'zh' | 'en';
export type Cell = string | number | boolean | null;

/** Rows of a sheet: Excel shows no more. */
export const mostRows = 1_000_000;

const words: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  time: { zh: '时间', en: 'Time' },
  value: { zh: '数值', en: 'Value' },
  quality: { zh: '质量', en: 'Quality' },
  reason: { zh: '原因', en: 'Reason' },
  from: { zh: '起始时间', en: 'From' },
  min: { zh: '最小值', en: 'Minimum' },
  max: { zh: '最大值', en: 'Maximum' },
  mean: { zh: '平均值', en: 'Mean' },
  last: { zh: '末值', en: 'Last' },
  delta: { zh: '增量', en: 'Rise' },
  count: { zh: '样本数', en: 'Samples' },
  goodSeconds: { zh: '有效秒数', en: 'Good seconds' },
  cut: { zh: '行数已达上限：请缩小时间范围', en: 'There is more than fits: ask for a shorter time' },
  good: { zh: '正常', en: 'good' },
  uncertain: { zh: '存疑', en: 'uncertain' },
  bad: { zh: '不可用', en: 'bad' },
  'never-read': { zh: '尚未读到', en: 'never read' },
  'no-communication': { zh: '无通信', en: 'no communication' },
  'communication-error': { zh: '通信错误', en: 'communication error' },
  'configuration-error': { zh: '配置错误', en: 'configuration error' },
  'device-failure': { zh: '设备故障', en: 'device failure' },
  held: { zh: '已暂停询问', en: 'not asked for now' },
  'last-usable-value': { zh: '最后可用值', en: 'last usable value' },
  'out-of-range': { zh: '超出量程', en: 'out of range' },
  'not-accurate': { zh: '准确性存疑', en: 'accuracy in doubt' },
  'counter-step': { zh: '计数异常', en: 'impossible counter step' },
  clock: { zh: '时钟不可信', en: 'clock not trusted' },
};

const say = (key: string, language: Language) => words[key]?.[language] ?? key;

export function headerOf(isRaw: boolean, unit: string, language: Language): string[] {
  const withUnit = (key: string) =>
    unit === '' || unit === '1' ? say(key, language) : `${say(key, language)} (${unit})`;
  if (isRaw) return [say('time', language), withUnit('value'), say('quality', language), say('reason', language)];
  const numbers = ['min', 'max', 'mean', 'last', 'delta'].map(withUnit);
  return [say('from', language), ...numbers, say('count', language), say('goodSeconds', language)];
}

export function sampleRow(sample: HistorySample, iso: (time: number) => string, language: Language): Cell[] {
  const { t, value, quality, reason } = sample;
  return [
    iso(t),
    typeof value === 'string' ? safeCell(value) : value,
    say(quality, language),
    reason ? say(reason, language) : null,
  ];
}

export function bucketRow(bucket: Aggregate, iso: (time: number) => string): Cell[] {
  const { t, min, max, mean, last, delta, count, goodSeconds } = bucket;
  return [iso(t), min, max, mean, last, delta, count, goodSeconds];
}

export function cutRow(language: Language): Cell[] {
  return [say('cut', language)];
}
