import type { Language } from '../../kit/words.ts';

/* What the server says is wrong with a rule, for people. Long because it is a table: the English is that of runtime/rule-mistakes.ts, rules/check-*.ts. */

type Table = readonly (readonly [RegExp, string])[];

const chinese: Table = [
  [/^is missing.*$/, '没有填'],
  [/^is empty$/, '没有填'],
  [/^does nothing$/, '至少要有一个动作'],
  [/^says nothing$/, '这一组里没有条件'],
  [/^must be <device>\/<point>.*$/, '请选择一个测点'],
  [/^must be a slug.*$/, '只能用小写字母、数字、- 和 _'],
  [/^must be a device.*$/, '请选择一台设备'],
  [/^must be a recipient.*$/, '请选择人员、组或渠道'],
  [/^must be at least (.+)$/, '至少为 $1'],
  [/^must be more than (.+)$/, '必须大于 $1'],
  [/^must be at most (.+)$/, '最多为 $1'],
  [/^must be one of (.+)$/, '必须是 $1 之一'],
  [/^must be longer than nothing$/, '时间必须大于零'],
  [/^must not be negative$/, '不能是负数'],
  [/^must be a (?:whole )?number$/, '必须是数字'],
  [/^has more than (\d+) (?:characters|entries)$/, '太长，最多 $1'],
  [/^unknown point "(.*)"$/, '没有测点“$1”'],
  [/^unknown output "(.*)"$/, '没有输出“$1”'],
  [/^unknown camera "(.*)"$/, '没有摄像机“$1”'],
  [/^unknown clip "(.*)"$/, '没有广播内容“$1”'],
  [/^unknown zone "(.*)"$/, '没有分区“$1”'],
  [/^unknown space "(.*)"$/, '没有房间“$1”'],
  [/^unknown mode "(.*)"$/, '没有模式“$1”'],
  [/^unknown recipient "(.*)"$/, '没有接收人“$1”'],
  [/^no device has the tag "(.*)"$/, '没有设备带有标签“$1”'],
  [/^"(.*)" fits no device$/, '没有符合“$1”的设备'],
  [/^"(.*)" finds no point in (\d+) of (\d+) places, the first is "(.*)"$/, '$3 处中有 $2 处没有“$1”，例如 $4'],
  [/^"(.*)" finds no point$/, '没有符合“$1”的测点'],
  [/^"(.*)" finds no \S+, so the rule runs nowhere$/, '没有符合“$1”的位置，规则不会在任何地方运行'],
  [/^"(.*)" finds (\d+) points(?: in ".*")?, (\d+) are needed$/, '只有 $2 个点符合“$1”，需要 $3 个'],
  [/^"(.*)" is (\S+), not (\S+)$/, '“$1”的值类型不对'],
  [/^"(.*)" cannot be written$/, '“$1”不能控制'],
  [/^"(.*)" takes (\S+) to (\S+), not (\S+)$/, '“$1”只接受 $2 至 $3'],
  [/^"(.*)" takes (\S+), not (\S+)$/, '“$1”不接受这种值'],
  [/^"(.*)" never goes above (\S+): it ends at (\S+)$/, '“$1”最高只到 $3，永远不会高于 $2'],
  [/^"(.*)" never goes below (\S+): it begins at (\S+)$/, '“$1”最低只到 $3，永远不会低于 $2'],
  [/^"(.*)" is given another value before.*$/, '前面的动作已经给“$1”另一个值'],
  [/^waits for the alarm of an unknown rule "(.*)"$/, '没有规则“$1”'],
  [/^waits for the alarm of rule "(.*)", which raises none$/, '规则“$1”不发报警'],
  [/^only a safety rule may hold without an end$/, '只有安全规则可以一直控制，请限定时间'],
  [/^only a safety rule may sound without an end$/, '只有安全规则可以一直播放，请限定时间'],
  [/^only a safety rule may forbid$/, '只有安全规则可以禁止操作'],
  [/^"trip" is not allowed where sound is made$/, '会播放广播的规则不能把失灵当作成立：断线不该疏散全校'],
  [/^has more than one alarm.*$/, '一条规则只能有一个报警'],
  [/^no speaker .*$/, '那里没有广播'],
  [/^begins and ends at the same minute.*$/, '起止时间相同'],
  [/^names no output$/, '没有选择输出'],
  [/^the rule has no `each`$/, '规则没有分位置运行，不能只看“那个位置”'],
  [/^"here" needs `each`$/, '规则没有分位置运行'],
  [/^the calendar does not know "(.*)"$/, '日历中没有“$1”'],
  [/^has signs that nobody can see.*$/, '含有看不见的字符（控制符或方向标记）'],
  [/^as a file it .*$/, '无法按原样存成文件：太长，或文字里括号、短横太多'],
  [
    /^the rule looks at and acts on more than (\d+) points.*$/,
    '所有位置合计涉及的测点和输出超过 $1 个：请改为“那个位置”，或缩小范围',
  ],
  [/^core does not answer: .*$/, '核心没有应答，现在不知道规则在做什么'],
];

/** `when.test: is missing` -> path and what; a sentence without a path is all of it. */
export function splitMistake(mistake: string): readonly [path: string, what: string] {
  const found = /^((?:[a-zA-Z]+(?:\[\d+\])?(?:\.[a-zA-Z]+(?:\[\d+\])?)*)|\(file\)): ([\s\S]*)$/.exec(mistake);
  return found === null ? ['', mistake] : [found[1] ?? '', found[2] ?? ''];
}

/** What is wrong, in the language of the screen; nobody's Chinese yet: the English as it is. */
export function mistakeText(mistake: string, language: Language): string {
  const [, what] = splitMistake(mistake);
  const table = language === 'zh' ? chinese : [];
  const known = table.find(([pattern]) => pattern.test(what));
  return known === undefined ? what : what.replace(known[0], known[1]);
}

const fields = {
  zh: {
    ...{ name: '名称', message: '内容', next: '该做什么', id: '编号', about: '用途说明', points: '测点', of: '测点' },
    ...{ outputs: '输出', test: '比较', value: '值', for: '时间', within: '时间', camera: '摄像机', clip: '播放内容' },
    ...{ zones: '分区', spaces: '房间', tags: '标签', to: '通知谁', order: '次序', mode: '模式', rule: '规则' },
    ...{ type: '事件', device: '设备', needs: '要多少个', onBad: '测点失灵时', zh: '中文', en: '英文', each: '位置' },
  },
  en: {
    ...{
      name: 'name',
      message: 'message',
      next: 'what to do',
      id: 'id',
      about: 'about',
      points: 'points',
      of: 'points',
    },
    ...{
      outputs: 'outputs',
      test: 'test',
      value: 'value',
      for: 'time',
      within: 'time',
      camera: 'camera',
      clip: 'clip',
    },
    ...{ zones: 'zones', spaces: 'rooms', tags: 'tags', to: 'whom', order: 'order', mode: 'mode', rule: 'rule' },
    ...{ type: 'event', device: 'device', needs: 'how many', onBad: 'failed sensors', zh: 'Chinese', en: 'English' },
    each: 'place',
  },
} as const;

/** Which field of a part it is about: `内容（中文）`; '' where the part itself is meant. */
export function fieldText(mistake: string, language: Language): string {
  const [path] = splitMistake(mistake);
  const words = fields[language];
  const known = path
    .split('.')
    .map((key) => key.replace(/\[\d+\]$/, ''))
    .flatMap((key) => (Object.hasOwn(words, key) ? [words[key as keyof typeof words]] : []));
  return known.slice(-2).join(' · ');
}

/** Both together, for people. */
export function mistakeSentence(mistake: string, language: Language): string {
  const [field, what] = [fieldText(mistake, language), mistakeText(mistake, language)];
  return field === '' ? what : `${field}${language === 'zh' ? '：' : ': '}${what}`;
}
