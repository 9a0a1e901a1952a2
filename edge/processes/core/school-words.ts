import type { Occurrence } from '#edge/domain/school.ts';
import type { RaiseDecision } from '#edge/rules/decision.ts';
import type { Distrust } from '#edge/school/ticker-trust.ts';

/* The words of the school day's alarms. */

export const schoolSources = {
  clock: 'school:clock',
  ledger: 'school:ledger',
  exam: 'school:exam',
  unsigned: 'school:unsigned',
  unconfirmed: 'school:unconfirmed',
} as const;

const group = 'school';

const whyPaused: Readonly<Record<Distrust, { readonly zh: string; readonly en: string }>> = {
  start: { zh: '启动后无法确认时钟', en: 'nothing has vouched for the clock since the start' },
  jumped: { zh: '时钟发生跳变', en: 'the clock has jumped' },
  'before-build': { zh: '时钟早于程序发布日期', en: 'the clock shows a time before this program was made' },
  unsynchronised: { zh: '时钟长期未同步', en: 'the clock has not been synchronised for days' },
};

export function clockAlarm(why: Distrust): RaiseDecision {
  const words = whyPaused[why];
  return {
    kind: 'raise',
    source: schoolSources.clock,
    class: 'high',
    message: { zh: `自动打铃已暂停：${words.zh}`, en: `Automatic ringing is paused: ${words.en}` },
    next: {
      zh: '核对系统时间与时间同步；恢复前请人工打铃，考试指令须人工下达',
      en: 'Check the time and its synchronisation; until then ring by hand, and give the commands of examinations by hand',
    },
    reason: why,
    group,
  };
}

export function ledgerAlarm(why: string, waiting: number): RaiseDecision {
  return {
    kind: 'raise',
    source: schoolSources.ledger,
    class: 'high',
    message: {
      zh: '作息台账无法写入，自动打铃已停止',
      en: 'The ledger of the school day cannot be written: nothing is rung by itself',
    },
    next: {
      zh: `检查磁盘；恢复前请人工打铃（待写入 ${waiting} 条）`,
      en: `Look at the disk; until then ring by hand (${waiting} lines wait)`,
    },
    reason: why,
    group,
  };
}

export function examAlarm(asked: readonly Occurrence[]): RaiseDecision {
  const list = asked.map(({ key }) => key).join(', ');
  const names = (language: 'zh' | 'en') =>
    asked.map(({ name }) => name[language]).join(language === 'zh' ? '、' : ', ');
  return {
    kind: 'raise',
    source: schoolSources.exam,
    class: 'high',
    message: { zh: `考试指令未按时下达：${names('zh')}`, en: `A command of an examination is late: ${names('en')}` },
    next: {
      zh: '请考务负责人立即决定：现在下达，或不再下达',
      en: 'Whoever is in charge of the examination decides now: give it, or leave it out',
    },
    reason: list,
    group,
  };
}

export function unsignedAlarm(date: string): RaiseDecision {
  return {
    kind: 'raise',
    source: schoolSources.unsigned,
    class: 'low',
    message: { zh: `明天（${date}）没有签发的作息`, en: `Nothing is signed for tomorrow (${date})` },
    next: {
      zh: '查看草案并签发，否则明天不会自动打铃',
      en: 'Look through the draft and sign it, or nothing rings tomorrow',
    },
    reason: date,
    group,
  };
}

export function unconfirmedAlarm(date: string, names: readonly string[]): RaiseDecision {
  return {
    kind: 'raise',
    source: schoolSources.unconfirmed,
    class: 'low',
    message: {
      zh: `今天（${date}）的作息含有未确认的假设`,
      en: `What runs today (${date}) rests on what nobody has confirmed`,
    },
    next: {
      zh: '导入官方放假通知，或在校历中写明当天安排',
      en: 'Bring in the official notice of the year, or paint the day in the calendar',
    },
    reason: names.join(', ').slice(0, 200),
    group,
  };
}
