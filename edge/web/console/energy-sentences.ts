import { domainWords } from './domain-words.ts';
import { valueText } from './kit/values.ts';
import type { Language } from './kit/words.ts';
import type { Retelling } from './retell.ts';
import type { Names } from './sentences.ts';

/* What core says of counters, demand limits and energy, and drivers of shared lines: names in both languages, then Chinese. */

const kinds = ['swap', 'spike', 'reset'] as const;
const ref = '[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*';

/** `meter-main/energy_import stands at 48213.8 kW.h (swap)`: evidence of a counter that is held. */
function heldCounters(text: string, { language, pointName }: Names): string {
  const pattern = new RegExp(`(${ref}) stands at (-?[\\d.e+]+) (\\S+) \\((swap|spike|reset)\\)`, 'g');
  return text.replace(pattern, (_, point, value, unit, kind) => {
    const shown = valueText(Number(value), String(unit), '', language);
    const word = domainWords[language][`step:${kinds.find((one) => one === kind) ?? 'swap'}`];
    const name = pointName(String(point));
    return language === 'zh' ? `${name} 停在 ${shown}（${word}）` : `${name} stands at ${shown} (${word})`;
  });
}

/** `main: 12.4 against 8 (kW.h), about 3.20 a day`: evidence of what looks odd. */
function foundEnergy(text: string, names: Names): string {
  const { language } = names;
  return text.replace(
    /^([a-z0-9][a-z0-9_-]*): (-?[\d.e+-]+) against (-?[\d.e+-]+) \((\S+)\)(?:, about (-?[\d.]+) a day)?$/,
    (_, meter, found, expected, unit, cost) => {
      const value = (number: unknown) => valueText(Number(number), String(unit), '', language);
      const name = names.meterName?.(String(meter)) ?? String(meter);
      const money = cost === undefined ? '' : domainWords[language].perDay(String(cost));
      return language === 'zh'
        ? `${name}：实际 ${value(found)}，参照 ${value(expected)}${money}`
        : `${name}: ${value(found)} against ${value(expected)}${money}`;
    },
  );
}

/** `the power of main has not been known ...`: meters have names. */
function meterWords(text: string, { meterName }: Names): string {
  return text.replace(
    /\bthe power of ([a-z0-9_-]+) has not/g,
    (_, id) => `the power of ${meterName?.(String(id)) ?? id} has not`,
  );
}

export function energyWords(text: string, names: Names): string {
  return meterWords(foundEnergy(heldCounters(text, names), names), names);
}

export const energyChinese: readonly Retelling<{ readonly language: Language }>[] = [
  [/^the meter shows its believed course again$/g, '表恢复到原来的读数'],
  [/^(\S+) accepted what the meter shows$/g, '$1 接受了表上的读数'],
  [/^(\S+) rejected what the meter shows$/g, '$1 拒绝了表上的读数'],
  [/^it moves again$/g, '恢复走字'],
  [
    /\bit stands at (\S+) (\S+) for (\d+) h in which some (\S+) went by/g,
    (_, [value = '', unit = '', hours = '', flown = '']) =>
      `停在 ${valueText(Number(value), unit, '', 'zh')} 已 ${hours} 小时，其间约有 ${valueText(Number(flown), unit, '', 'zh')} 通过`,
  ],
  [/^the demand is within its limit again$/g, '需量已回到限值以内'],
  [/\bthe demand limit no longer needs it/g, '需量限值不再需要切除'],
  [/\bno demand limit stands for it any more/g, '已没有对应的需量限值'],
  [/^predicted (\S+) kW, limit (\S+) kW$/g, '预计 $1 kW，限值 $2 kW'],
  [/\bthe power of (.+?) has not been known for (\d+) min/g, '$1的功率已有 $2 分钟未知'],
  [/\bthe gateway says that it does not answer/g, '网关报告它没有应答'],
  [/\bno connection: /g, '连接不上：'],
  [/(\S+) ends the connection without an answer/g, '$1 没有应答就断开连接'],
  [/\bnot asked for anything yet/g, '尚未询问过'],
  [/\bthe connection ended$/g, '连接中断'],
  [/\bconnect (?:ETIMEDOUT|EHOSTUNREACH|ENETUNREACH) ([^\s;；]+)/g, '网络无法到达 $1'],
  [/\bmeter (\d+) at ([^\s:]+(?::\d+)?): /g, '$2 上的 $1 号表：'],
  // Why a step cannot be decided so.
  [
    /^the meter went back to its believed course by itself: there is nothing to decide$/g,
    '表已自行恢复到原来的读数，不需要处理',
  ],
  [/^between must be below (\S+), where it starts again$/g, '跳变期间的用量必须小于 $1（满量程）'],
  [/^between must be at most (\S+): .*$/g, '跳变期间的用量最多为 $1：上次读数以来不可能用得更多'],
  [/^a step is named twice$/g, '同一个跳变列了两次'],
  [/^it is rejected already$/g, '已经拒绝过了'],
  [/^it was accepted, and is counted on from: .*$/g, '已经接受并继续计数；只能更改跳变期间的用量'],
  [/^it is accepted already: .*$/g, '已经接受过了，请填写跳变期间的用量'],
  [/^the meter does not show that course any more$/g, '表上已不是这一读数，不能再接受'],
  [/^the meter shows something else with each read: .*$/g, '每次读到的都不一样，还没有可以接受的读数'],
  [/^it is being decided already$/g, '正在由他人处理'],
];
