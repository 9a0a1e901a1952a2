import { domainText } from '../../domain-words.ts';
import { useLanguage } from '../../kit/language.tsx';
import { useSentence } from '../../names.ts';
import { type Retelling, retell } from '../../retell.ts';
import { useVocabulary, type Vocabulary } from './vocabulary.ts';

/* Long because it is a table: what the engine says of conditions, as its code says it (rules/evidence.ts). */
const chinese: readonly Retelling<Vocabulary>[] = [
  [/^the cause is gone$/, '原因已消失'],
  [/^its hours are over$/, '不再处于规则的时段或模式'],
  [/\bthe calendar says open\b/g, '处于开放时间'],
  [/\bthe calendar says closed\b/g, '处于非开放时段'],
  [/\bthe calendar says ([a-z0-9_-]+)/g, (_, [label = '']) => `日历为“${label}”`],
  [/\bit is between (\S+) and (\d\d:\d\d)/g, '时间在 $1 至 $2'],
  [/\bmode ([a-z0-9_-]+) is on\b/g, (v, [mode = '']) => `“${v.modeName(mode)}”模式开启`],
  [/\bmode ([a-z0-9_-]+) is off\b/g, (v, [mode = '']) => `不在“${v.modeName(mode)}”模式`],
  [
    /\bevent ([a-z0-9_]+) came (\d+) times within ([\d.]+) s/g,
    (v, [type = '', count = '', time = '']) => `${time} 秒内报告“${domainText('event', type, v.language)}” ${count} 次`,
  ],
  [/\bbegan to say so (\d+) times within ([\d.]+) s/g, '在 $2 秒内 $1 次如此'],
  [/, (\S+(?: \S+)?) more than the lowest of the last ([\d.]+) s/g, '，比最近 $2 秒内的最低值高 $1'],
  [/, (\S+(?: \S+)?) less than the highest of the last ([\d.]+) s/g, '，比最近 $2 秒内的最高值低 $1'],
  [/, which counts as tripped/g, '，按成立处理'],
  [/, was tripped when last good/g, '，最后一次可信时成立'],
  [/, was tripped before the start/g, '，重启前成立'],
  [/, not heard since the start/g, '，启动后还没有收到'],
  [/, and (\d+) more/g, '，另有 $1 处'],
  [/^not (tripped|fired)$/, '没有触发'],
];

/** Why a rule decided something, in people's words. */
export function useReason(): (why: string) => string {
  const language = useLanguage();
  const vocabulary = useVocabulary();
  const sentence = useSentence();
  return (why) => sentence(language === 'zh' ? inChinese(why, vocabulary) : why);
}

export function inChinese(why: string, v: Vocabulary): string {
  return retell(why, chinese, v);
}
