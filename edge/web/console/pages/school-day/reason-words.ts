import type {
  ConflictCode,
  DayConflict,
  DayKind,
  ItemClass,
  LedgerOutcome,
  Parity,
  SchoolReasonCode,
  SlotKind,
  Weekday,
} from '#edge/domain/school.ts';
import { type Dictionary, defineWords, type Language, nameIn } from '../../kit/words.ts';

/*
 * What the school day says of itself, in words: reasons, conflicts, outcomes of the ledger. Other pages of the school day take their words
 * from here too. `useNaming` (naming.ts) gives the names that people gave.
 */

/** Ids become names; what has none is called by its id. */
export interface Naming {
  readonly language: Language;
  readonly entry: (id: string) => string;
  readonly layer: (id: string) => string;
  readonly zone: (id: string) => string;
  readonly point: (ref: string) => string;
  readonly device: (id: string) => string;
  /** A value of an output, with its unit. */
  readonly value: (ref: string, value: unknown) => string;
  readonly clip: (id: string) => string;
  readonly mode: (id: string) => string;
  readonly who: (who: string) => string;
  /** Who holds an output. */
  readonly owner: (owner: string) => string;
  /** Time of day of ms since epoch. */
  readonly time: (time: number) => string;
}

/** As `SchoolReason`, of an API that may be newer than this page: any code, any params. */
export interface ReasonLike {
  readonly code: string;
  readonly entry?: string | undefined;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

export type ConflictLike = Omit<DayConflict, 'code' | 'params'> & {
  readonly code: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
};

type Keyed<Prefix extends string, Key extends string, Value = string> = Readonly<Record<`${Prefix}:${Key}`, Value>>;
type Words = Keyed<'day', DayKind> &
  Keyed<'slot', SlotKind> &
  Keyed<'class', ItemClass> &
  Keyed<'weekday', `${Weekday}`> &
  Keyed<'parity', Parity> &
  Keyed<'outcome', LedgerOutcome> &
  Dictionary;

export const reasonWords = defineWords({
  zh: {
    'day:school': '上课日',
    'day:make-up': '调休上课日',
    'day:exam': '考试日',
    'day:event': '活动日',
    'day:weekend': '周末',
    'day:holiday': '法定节假日',
    'day:vacation': '假期',
    'slot:arrival': '到校',
    'slot:assembly': '集会',
    'slot:reading': '早读',
    'slot:lesson': '上课',
    'slot:break': '课间',
    'slot:long-break': '大课间',
    'slot:exercise': '课间操',
    'slot:eye-exercise': '眼保健操',
    'slot:lunch': '午餐',
    'slot:nap': '午休',
    'slot:activity': '活动',
    'slot:evening-study': '晚自习',
    'slot:dismissal': '放学',
    'slot:lights-out': '熄灯',
    'class:exam': '考试指令',
    'class:bell': '铃声',
    'class:exercise': '操',
    'class:programme': '广播节目',
    'class:power': '用电开关',
    'class:screen': '屏幕',
    'class:mode': '模式',
    'weekday:1': '周一',
    'weekday:2': '周二',
    'weekday:3': '周三',
    'weekday:4': '周四',
    'weekday:5': '周五',
    'weekday:6': '周六',
    'weekday:7': '周日',
    'parity:odd': '单周',
    'parity:even': '双周',
    'outcome:begun': '正在执行',
    'outcome:done': '已执行',
    'outcome:late': '延迟执行',
    'outcome:skipped': '未执行',
    'outcome:failed': '失败',
    'outcome:asked': '等待人工决定',
    // Of the ledger: why it came so.
    'ledger:in-time': '准时',
    'ledger:late': '比计划晚，但仍在允许的范围内',
    'ledger:too-late': '轮到它时已过了允许的时间，不再补打',
    'ledger:clock-untrusted': '当时时钟不可信，不敢自动执行',
    'ledger:clock-jumped': '时钟发生跳变，错过的不再补打',
    'ledger:silenced': '按计划不执行',
    'ledger:overtaken': '同一处还有更晚的一项也到了时间，由那一项执行',
    'ledger:exam-late': '考试指令已过时间，不自动补发，须由人决定',
    'ledger:restart': '执行途中系统重新启动',
    'ledger:refused': '无法执行',
    'ledger:asked': '由人决定',
    'ledger:partly': '部分输出没有确认',
    'ledger:not-confirmed': '设备没有确认',
    'ledger:overruled': '当时有更高优先级在控制',
    'ledger:not-recorded': '台账无法写入，所以没有执行',
    ledgerOther: (code: string) => `原因：${code}`,
    // Reasons.
    painted: (name: string, kind: string) => `校历把这天定为${kind}：“${name}”`,
    exam: (name: string) => `考试“${name}”`,
    examCommand: (name: string) => `“${name}”这一科的考试指令`,
    holiday: (name: string, year: string) => `${year} 年国务院放假通知：${name}放假`,
    makeUpOfficial: (name: string, year: string) => `${year} 年国务院放假通知：${name}调休上班`,
    makeUpPainted: (weekday: string) => `按${weekday}的课表上课`,
    makeUpNoWeekday: '调休上课，但没有说明上周几的课：在校历里补上以前，按没有课处理',
    weekend: (weekday: string) => `${weekday}是周末，作息没有安排`,
    weekday: (weekday: string) => `${weekday}，正常上课`,
    vacation: '不在任何学期内',
    vacationTerm: (term: string) => `学期“${term}”开学以前或结束以后`,
    week: (term: string, week: string, parity: string) => `${term}第 ${week} 周（${parity}）`,
    inherited: (layer: string) => `沿用“${layer}”的安排`,
    season: (name: string) => `作息时段“${name}”`,
    noSeason: '这一天没有任何作息时段',
    noTimetable: (weekday: string) => `这个作息时段没有给${weekday}安排作息表`,
    timetableMissing: (name: string) => `作息表“${name}”不存在或有错误`,
    timetable: (name: string) => `作息表“${name}”`,
    slotStart: (slot: string) => `“${slot}”开始时`,
    slotEnd: (slot: string) => `“${slot}”结束时`,
    slotStartBefore: (slot: string, by: string) => `“${slot}”开始前 ${by}`,
    slotStartAfter: (slot: string, by: string) => `“${slot}”开始后 ${by}`,
    slotEndBefore: (slot: string, by: string) => `“${slot}”结束前 ${by}`,
    slotEndAfter: (slot: string, by: string) => `“${slot}”结束后 ${by}`,
    slotDuring: (slot: string) => `“${slot}”期间`,
    time: (time: string) => `固定在 ${time}`,
    timeSpan: (from: string, to: string) => `每周固定时段 ${from}–${to}`,
    rainy: '雨天安排',
    shiftLater: (by: string) => `当天整体推迟 ${by}`,
    shiftEarlier: (by: string) => `当天整体提前 ${by}`,
    skipped: '当天取消这一次',
    quiet: '临时静音',
    quietSome: (zones: string) => `临时静音，只剩 ${zones} 个区域`,
    examQuiet: (name: string) => `考试“${name}”期间静音`,
    examQuietSome: (name: string, zones: string) => `考试“${name}”的考场静音，只剩 ${zones} 个区域`,
    disabled: '此项已停用',
    unconfirmedYear: (year: string) => `${year} 年放假通知还没有导入：节假日和调休只是推测`,
    clockGap: '当地时钟在这一刻拨快，改在拨快之后立即执行',
    clockTwice: '当地时钟在这一刻拨慢，只在第一次执行',
    occupied: '室内有人',
    empty: (time: string) => `${time} 以后没有人`,
    preparing: (time: string) => `提前准备，${time} 要达到温度`,
    setback: '无人使用时保持节能值',
    minimumOn: (time: string) => `至少再开到 ${time}（避免频繁启停）`,
    minimumOff: (time: string) => `至少再关到 ${time}（避免频繁启停）`,
    notThisMonth: '这个月不使用',
    noNeed: '现在没有人需要',
    assumedOccupied: '假设：需要时室内有人',
    assumedTemperature: '假设：室温保持现在的样子',
    noReading: '传感器没有可用的读数',
    otherReason: (code: string) => `其他原因：${code}`,
    said: (what: string, why: string, who: string) => `${what}：${why}（${who}）`,
    seconds: (count: string) => `${count} 秒`,
    minutes: (count: string) => `${count} 分钟`,
    minutesSeconds: (minutes: string, seconds: string) => `${minutes} 分 ${seconds} 秒`,
    // Conflicts.
    'same-sound': (a: string, b: string, zone: string) => `“${a}”和“${b}”同时在${zone}响同一段铃声`,
    'overlapping-sounds': (a: string, b: string, zone: string) => `“${a}”还没结束，“${b}”就在${zone}响起`,
    'sound-in-exam': (a: string, exam: string, zone: string) => `“${a}”会在考试“${exam}”静音期间传到${zone}`,
    'output-twice': (a: string, b: string, output: string) => `“${a}”和“${b}”同时要求${output}取不同的值`,
    'outside-day': (a: string) => `“${a}”算出来的时刻不在当天之内，不会执行`,
    'slots-overlap': (a: string) => `作息表“${a}”的节次重叠，当天没有作息`,
    'cannot-work': (a: string, problem: string) => `“${a}”无法执行：${problem}`,
    'nothing-signed': '这一天没有签发，什么都不会自动执行',
    otherConflict: (code: string, of: string) => `其他冲突（${code}）：${of}`,
    'problem:unknown-output': (what: string) => `校园里没有输出 ${what}`,
    'problem:unknown-point': (what: string) => `校园里没有点位 ${what}`,
    'problem:not-writable': (what: string) => `${what}不能控制`,
    'problem:wrong-value': (what: string) => `${what}不接受这个值`,
    'problem:unknown-clip': (what: string) => `站点里没有音频“${what}”`,
    'problem:no-loudspeaker': (what: string) => `${what}没有音箱`,
    'problem:unknown-mode': (what: string) => `站点里没有模式“${what}”`,
    // What is wrong with an entry of the plan.
    'mistake:bad-id': '编号不合规',
    'mistake:reserved-id': '编号被系统保留',
    'mistake:name-twice': '名称重复',
    'mistake:not-a-date': '不是有效的日期',
    'mistake:ends-before': '结束早于开始',
    'mistake:too-long': '时间太长',
    'mistake:not-a-number': '数值不在允许范围',
    'mistake:unknown-word': '不认识的取值',
    'mistake:empty': '不能为空',
    'mistake:unknown-layer': '没有这个校区、楼栋或年级',
    'mistake:unknown-timetable': '没有这张作息表',
    'mistake:unknown-zone': '没有这个区域',
    'mistake:unknown-slot': '作息表里没有这一节',
    'mistake:unknown-command': '没有这条考试指令',
    'mistake:layers-circular': '层级互相包含',
    'mistake:zone-twice': '同一区域属于两个层级',
    'mistake:not-a-monday': '学期须从周一开始',
    'mistake:outside-term': '在学期之外',
    'mistake:terms-overlap': '学期重叠',
    'mistake:seasons-overlap': '作息时段重叠',
    'mistake:days-overlap': '同一天被画了两次',
    'mistake:piece-twice': '作息表里有重复的节次',
    'mistake:slots-overlap': '作息表的节次重叠',
    'mistake:past-midnight': '超过了午夜',
    'mistake:papers-overlap': '考试科目时间重叠',
    'mistake:never': '一年里从不发生',
    'mistake:nowhere': '没有选区域',
    'mistake:unknown-output': '校园里没有这个输出',
    'mistake:unknown-point': '校园里没有这个点位',
    'mistake:not-writable': '这个点不能控制',
    'mistake:wrong-value': '设备不接受这个值',
    'mistake:unknown-clip': '站点里没有这段音频',
    'mistake:no-loudspeaker': '这里没有音箱',
    'mistake:unknown-mode': '站点里没有这个模式',
    'mistake:output-twice': '同一输出属于两处',
    'mistake:no-term': '没有学期：所有日子都算假期',
    // Why nothing rings by itself.
    'clock:start': '启动后还没有任何来源确认时钟',
    'clock:jumped': '时钟刚刚发生跳变',
    'clock:before-build': '时钟早于程序的发布日期',
    'clock:unsynchronised': '时钟已有几天没有同步',
  },
  en: {
    'day:school': 'School day',
    'day:make-up': 'Make-up day',
    'day:exam': 'Examination',
    'day:event': 'Event day',
    'day:weekend': 'Weekend',
    'day:holiday': 'Public holiday',
    'day:vacation': 'Vacation',
    'slot:arrival': 'Arrival',
    'slot:assembly': 'Assembly',
    'slot:reading': 'Reading',
    'slot:lesson': 'Lesson',
    'slot:break': 'Break',
    'slot:long-break': 'Long break',
    'slot:exercise': 'Exercise',
    'slot:eye-exercise': 'Eye exercise',
    'slot:lunch': 'Lunch',
    'slot:nap': 'Nap',
    'slot:activity': 'Activity',
    'slot:evening-study': 'Evening study',
    'slot:dismissal': 'Dismissal',
    'slot:lights-out': 'Lights out',
    'class:exam': 'Command of an examination',
    'class:bell': 'Bell',
    'class:exercise': 'Exercise',
    'class:programme': 'Programme',
    'class:power': 'Switch',
    'class:screen': 'Screen',
    'class:mode': 'Mode',
    'weekday:1': 'Monday',
    'weekday:2': 'Tuesday',
    'weekday:3': 'Wednesday',
    'weekday:4': 'Thursday',
    'weekday:5': 'Friday',
    'weekday:6': 'Saturday',
    'weekday:7': 'Sunday',
    'parity:odd': 'odd week',
    'parity:even': 'even week',
    'outcome:begun': 'Under way',
    'outcome:done': 'Done',
    'outcome:late': 'Done late',
    'outcome:skipped': 'Not done',
    'outcome:failed': 'Failed',
    'outcome:asked': 'Waits for a decision',
    'ledger:in-time': 'in time',
    'ledger:late': 'later than planned, but still right',
    'ledger:too-late': 'too late when it was its turn; nothing is rung afterwards',
    'ledger:clock-untrusted': 'nobody could vouch for the clock then',
    'ledger:clock-jumped': 'the clock jumped; what was missed is not rung afterwards',
    'ledger:silenced': 'left out as planned',
    'ledger:overtaken': 'a later one of the same place was due as well, and took its turn',
    'ledger:exam-late': 'its time is over; a command is never given late by itself, somebody must decide',
    'ledger:restart': 'the system was started again while it went on',
    'ledger:refused': 'it could not be done',
    'ledger:asked': 'a person decided',
    'ledger:partly': 'some of its outputs did not confirm',
    'ledger:not-confirmed': 'the device did not confirm it',
    'ledger:overruled': 'something stronger held it then',
    'ledger:not-recorded': 'the ledger could not be written, so it was not done',
    ledgerOther: (code) => `reason: ${code}`,
    painted: (name, kind) => `The calendar makes this a ${kind}: “${name}”`,
    exam: (name) => `Examination “${name}”`,
    examCommand: (name) => `A command of the paper “${name}”`,
    holiday: (name, year) => `Official notice of ${year}: off for ${name}`,
    makeUpOfficial: (name, year) => `Official notice of ${year}: make-up day of ${name}`,
    makeUpPainted: (weekday) => `Lessons of ${weekday}`,
    makeUpNoWeekday: 'A make-up day, but nobody said whose lessons it has: until the calendar says so there are none',
    weekend: (weekday) => `${weekday} is the weekend and no timetable names it`,
    weekday: (weekday) => `${weekday}, ordinary lessons`,
    vacation: 'Outside of every term',
    vacationTerm: (term) => `Before the opening or after the closing of “${term}”`,
    week: (term, week, parity) => `Week ${week} of ${term} (${parity})`,
    inherited: (layer) => `As “${layer}” has it`,
    season: (name) => `Season “${name}”`,
    noSeason: 'No season covers this day',
    noTimetable: (weekday) => `The season has no timetable for ${weekday}`,
    timetableMissing: (name) => `The timetable “${name}” is missing or has mistakes`,
    timetable: (name) => `Timetable “${name}”`,
    slotStart: (slot) => `When “${slot}” begins`,
    slotEnd: (slot) => `When “${slot}” ends`,
    slotStartBefore: (slot, by) => `${by} before “${slot}” begins`,
    slotStartAfter: (slot, by) => `${by} after “${slot}” begins`,
    slotEndBefore: (slot, by) => `${by} before “${slot}” ends`,
    slotEndAfter: (slot, by) => `${by} after “${slot}” ends`,
    slotDuring: (slot) => `During “${slot}”`,
    time: (time) => `Always at ${time}`,
    timeSpan: (from, to) => `Every week ${from}–${to}`,
    rainy: 'Rainy day',
    shiftLater: (by) => `The day is ${by} later`,
    shiftEarlier: (by) => `The day is ${by} earlier`,
    skipped: 'Left out this once',
    quiet: 'Quiet for a while',
    quietSome: (zones) => `Quiet for a while; left in ${zones} zones`,
    examQuiet: (name) => `Quiet for the examination “${name}”`,
    examQuietSome: (name, zones) => `Quiet in the rooms of the examination “${name}”; left in ${zones} zones`,
    disabled: 'Switched off in the plan',
    unconfirmedYear: (year) =>
      `The official holidays of ${year} are not known here: holidays and make-up days are a guess`,
    clockGap: 'The local clock is put forward over this moment: right after it',
    clockTwice: 'The local clock shows this moment twice: the first time only',
    occupied: 'Somebody is there',
    empty: (time) => `Nobody has been there since ${time}`,
    preparing: (time) => `Getting ready: the temperature is due at ${time}`,
    setback: 'Set back while nobody needs it',
    minimumOn: (time) => `Stays on at least until ${time}`,
    minimumOff: (time) => `Stays off at least until ${time}`,
    notThisMonth: 'Not used in this month',
    noNeed: 'Nobody needs it now',
    assumedOccupied: 'Assumed: somebody is there when it is needed',
    assumedTemperature: 'Assumed: the room stays as warm as it is',
    noReading: 'The sensor says nothing that can be used',
    otherReason: (code) => `Another reason: ${code}`,
    said: (what, why, who) => `${what}: ${why} (${who})`,
    seconds: (count) => `${count} s`,
    minutes: (count) => `${count} min`,
    minutesSeconds: (minutes, seconds) => `${minutes} min ${seconds} s`,
    'same-sound': (a, b, zone) => `“${a}” and “${b}” play the same clip at once in ${zone}`,
    'overlapping-sounds': (a, b, zone) => `“${b}” begins in ${zone} while “${a}” still sounds`,
    'sound-in-exam': (a, exam, zone) => `“${a}” would be heard in ${zone} during the examination “${exam}”`,
    'output-twice': (a, b, output) => `“${a}” and “${b}” want ${output} to be different at once`,
    'outside-day': (a) => `“${a}” falls outside of the day and is not done`,
    'slots-overlap': (a) => `Slots of the timetable “${a}” overlap, so the day has none`,
    'cannot-work': (a, problem) => `“${a}” cannot be done: ${problem}`,
    'nothing-signed': 'Nothing is signed for this day: nothing happens by itself',
    otherConflict: (code, of) => `Another conflict (${code}): ${of}`,
    'problem:unknown-output': (what) => `the campus has no output ${what}`,
    'problem:unknown-point': (what) => `the campus has no point ${what}`,
    'problem:not-writable': (what) => `${what} cannot be switched`,
    'problem:wrong-value': (what) => `${what} does not take this value`,
    'problem:unknown-clip': (what) => `the site has no clip “${what}”`,
    'problem:no-loudspeaker': (what) => `there is no loudspeaker in ${what}`,
    'problem:unknown-mode': (what) => `the site has no mode “${what}”`,
    'mistake:bad-id': 'the id is not a valid one',
    'mistake:reserved-id': 'the id is reserved',
    'mistake:name-twice': 'the name is there twice',
    'mistake:not-a-date': 'that is no date',
    'mistake:ends-before': 'it ends before it begins',
    'mistake:too-long': 'it lasts too long',
    'mistake:not-a-number': 'the number is out of bounds',
    'mistake:unknown-word': 'that word is not known',
    'mistake:empty': 'it must not be empty',
    'mistake:unknown-layer': 'there is no such layer',
    'mistake:unknown-timetable': 'there is no such timetable',
    'mistake:unknown-zone': 'there is no such zone',
    'mistake:unknown-slot': 'no timetable has such a slot',
    'mistake:unknown-command': 'there is no such command',
    'mistake:layers-circular': 'layers lie within each other',
    'mistake:zone-twice': 'a zone is in two layers',
    'mistake:not-a-monday': 'a term begins on a Monday',
    'mistake:outside-term': 'it lies outside of the term',
    'mistake:terms-overlap': 'terms overlap',
    'mistake:seasons-overlap': 'seasons overlap',
    'mistake:days-overlap': 'a day is painted twice',
    'mistake:piece-twice': 'a piece is there twice',
    'mistake:slots-overlap': 'slots overlap',
    'mistake:past-midnight': 'it goes past midnight',
    'mistake:papers-overlap': 'papers overlap',
    'mistake:never': 'it never happens within a year',
    'mistake:nowhere': 'it has no zone',
    'mistake:unknown-output': 'the campus has no such output',
    'mistake:unknown-point': 'the campus has no such point',
    'mistake:not-writable': 'that point cannot be switched',
    'mistake:wrong-value': 'the output does not take this value',
    'mistake:unknown-clip': 'the site has no such clip',
    'mistake:no-loudspeaker': 'there is no loudspeaker',
    'mistake:unknown-mode': 'the site has no such mode',
    'mistake:output-twice': 'an output belongs to two',
    'mistake:no-term': 'without a term every day is a vacation',
    'clock:start': 'nothing has vouched for the clock since the start',
    'clock:jumped': 'the clock has just jumped',
    'clock:before-build': 'the clock shows a time before this program was made',
    'clock:unsynchronised': 'the clock has not been synchronised for days',
  },
});

/** Each kind, class and outcome has a word; the compiler looks. */
const every: Readonly<Record<Language, Words>> = reasonWords;

function plain(language: Language, key: string, otherwise: string): string {
  const words: Readonly<Record<string, unknown>> = every[language];
  const found = Object.hasOwn(words, key) ? words[key] : undefined;
  return typeof found === 'string' ? found : otherwise;
}

export const dayKindText = (kind: string, language: Language) => plain(language, `day:${kind}`, kind);
export const slotKindText = (kind: string, language: Language) => plain(language, `slot:${kind}`, kind);
export const itemClassText = (of: string, language: Language) => plain(language, `class:${of}`, of);
export const weekdayText = (day: number, language: Language) => plain(language, `weekday:${day}`, String(day));
export const parityText = (of: string, language: Language) => plain(language, `parity:${of}`, of);
export const outcomeText = (of: string, language: Language) => plain(language, `outcome:${of}`, of);
/** Why the clock is not believed (`paused` of `school/now`). */
export const clockText = (why: string, language: Language) => plain(language, `clock:${why}`, why);
/** What is wrong with an entry of the plan, in a phrase (codes of school/plan-mistake.ts). */
export const mistakeText = (code: string, language: Language) => plain(language, `mistake:${code}`, code);
/** Why a line of the ledger came so. */
export const ledgerReasonText = (reason: string, language: Language) =>
  plain(language, `ledger:${reason}`, reasonWords[language].ledgerOther(reason));

/** `hh:mm`, with seconds where there are any, of a second of the day. */
export function secondText(second: number): string {
  const two = (part: number) => String(Math.floor(part)).padStart(2, '0');
  const minutes = `${two(second / 3_600)}:${two((second / 60) % 60)}`;
  return second % 60 === 0 ? minutes : `${minutes}:${two(second % 60)}`;
}

/** `8 分钟`, `2 min 30 s` of seconds of either sign. */
export function spanText(seconds: number, language: Language): string {
  const words = reasonWords[language];
  const [minutes, rest] = [Math.floor(Math.abs(seconds) / 60), Math.abs(seconds) % 60];
  if (minutes === 0) return words.seconds(String(rest));
  return rest === 0 ? words.minutes(String(minutes)) : words.minutesSeconds(String(minutes), String(rest));
}

/** The entry of an occurrence's key, `bell.lesson-3@2026-11-23T08:00:00`. */
export function entryOfKey(key: string): string {
  return key.split(/[.~@]/, 1)[0] ?? key;
}

/** `上课铃 08:00` of an occurrence's key, the name of an entry by its id. */
export function keyText(key: string, naming: Naming): string {
  const [, clock] = /T(\d\d:\d\d)(?::\d\d)?$/.exec(key) ?? [];
  const name = naming.entry(entryOfKey(key));
  return clock === undefined ? name : `${name} ${clock}`;
}

const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value));
const amount = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** One step of a chain of reasons, as a phrase. */
export function reasonText({ code, entry, params = {} }: ReasonLike, naming: Naming): string {
  const { language } = naming;
  const words = reasonWords[language];
  const given = nameIn(language, { zh: text(params.zh), en: text(params.en) });
  const name = given === '' ? (entry === undefined ? '' : naming.entry(entry)) : given;
  const weekday = weekdayText(amount(params.weekday), language);
  const year = text(params.year);
  const said = (what: string) => words.said(what, text(params.why), naming.who(text(params.by)));
  const clock = (value: unknown) => (typeof value === 'number' ? naming.time(value) : '');
  const known: Readonly<Record<SchoolReasonCode, () => string>> = {
    painted: () => words.painted(name, dayKindText(text(params.kind), language)),
    exam: () => (params.command === undefined ? words.exam(name) : words.examCommand(name)),
    holiday: () => words.holiday(name, year),
    'make-up': () => (params.weekday === undefined ? words.makeUpOfficial(name, year) : words.makeUpPainted(weekday)),
    'make-up-no-weekday': () => words.makeUpNoWeekday,
    weekend: () => words.weekend(weekday),
    weekday: () => words.weekday(weekday),
    vacation: () => (entry === undefined ? words.vacation : words.vacationTerm(name)),
    week: () => words.week(name, text(params.number), parityText(text(params.parity), language)),
    inherited: () => words.inherited(naming.layer(text(params.layer))),
    season: () => words.season(name),
    'no-season': () => words.noSeason,
    'no-timetable': () => (params.weekday === undefined ? words.timetableMissing(name) : words.noTimetable(weekday)),
    timetable: () => words.timetable(name),
    slot: () => slotText(params, naming),
    time: () => timeText(params, language),
    rainy: () => said(words.rainy),
    shift: () => {
      const by = spanText(amount(params.seconds), language);
      return said(amount(params.seconds) < 0 ? words.shiftEarlier(by) : words.shiftLater(by));
    },
    skipped: () => said(words.skipped),
    quiet: () => said(params.zones === undefined ? words.quiet : words.quietSome(text(params.zones))),
    'exam-quiet': () =>
      params.zones === undefined ? words.examQuiet(name) : words.examQuietSome(name, text(params.zones)),
    disabled: () => words.disabled,
    'unconfirmed-year': () => words.unconfirmedYear(year),
    'clock-gap': () => words.clockGap,
    'clock-twice': () => words.clockTwice,
    occupied: () => words.occupied,
    empty: () => words.empty(clock(params.since)),
    preparing: () => words.preparing(clock(params.due)),
    setback: () => words.setback,
    'minimum-on': () => words.minimumOn(clock(params.until)),
    'minimum-off': () => words.minimumOff(clock(params.until)),
    'not-this-month': () => words.notThisMonth,
    'no-need': () => words.noNeed,
    'assumed-occupied': () => words.assumedOccupied,
    'assumed-temperature': () => words.assumedTemperature,
    'no-reading': () => words.noReading,
  };
  return Object.hasOwn(known, code) ? known[code as SchoolReasonCode]() : words.otherReason(code);
}

function slotText(params: Readonly<Record<string, unknown>>, { language }: Naming): string {
  const words = reasonWords[language];
  const slot = nameIn(language, { zh: text(params.zh), en: text(params.en) }) || text(params.id);
  // Of a circuit: all the while.
  if (params.edge === undefined) return words.slotDuring(slot);
  const [isStart, offset] = [params.edge === 'start', amount(params.offset)];
  if (offset === 0) return isStart ? words.slotStart(slot) : words.slotEnd(slot);
  const by = spanText(offset, language);
  if (offset < 0) return isStart ? words.slotStartBefore(slot, by) : words.slotEndBefore(slot, by);
  return isStart ? words.slotStartAfter(slot, by) : words.slotEndAfter(slot, by);
}

function timeText({ second, from, to }: Readonly<Record<string, unknown>>, language: Language): string {
  const words = reasonWords[language];
  if (second !== undefined) return words.time(secondText(amount(second)));
  return words.timeSpan(secondText(amount(from)), secondText(amount(to)));
}

/** What cannot be meant, as a sentence. */
export function conflictText({ code, of, params = {} }: ConflictLike, naming: Naming): string {
  const words = reasonWords[naming.language];
  const [a = '', b = ''] = of.map((one) => keyText(one, naming));
  const zone = naming.zone(text(params.zone));
  const known: Readonly<Record<ConflictCode, () => string>> = {
    'same-sound': () => words['same-sound'](a, b, zone),
    'overlapping-sounds': () => words['overlapping-sounds'](a, b, zone),
    'sound-in-exam': () => words['sound-in-exam'](a, b, zone),
    'output-twice': () => words['output-twice'](a, b, naming.point(text(params.ref))),
    'outside-day': () => words['outside-day'](a),
    'slots-overlap': () => words['slots-overlap'](a),
    'cannot-work': () => words['cannot-work'](a, siteProblemText(params, naming)),
    'nothing-signed': () => words['nothing-signed'],
  };
  return Object.hasOwn(known, code) ? known[code as ConflictCode]() : words.otherConflict(code, of.join(' · '));
}

/** What the campus does not have or cannot do; `params.code` as of `school/site-facts.ts`. */
export function siteProblemText(params: Readonly<Record<string, unknown>>, naming: Naming): string {
  const words = reasonWords[naming.language];
  const { code, ref, clip, mode, zones } = params;
  switch (code) {
    case 'unknown-output':
      return words['problem:unknown-output'](text(ref));
    case 'unknown-point':
      return words['problem:unknown-point'](text(ref));
    case 'not-writable':
      return words['problem:not-writable'](naming.point(text(ref)));
    case 'wrong-value':
      return words['problem:wrong-value'](naming.point(text(ref)));
    case 'unknown-clip':
      return words['problem:unknown-clip'](naming.clip(text(clip)));
    case 'unknown-mode':
      return words['problem:unknown-mode'](naming.mode(text(mode)));
    case 'no-loudspeaker': {
      const names = text(zones).split(' ').map(naming.zone);
      return words['problem:no-loudspeaker'](names.join(naming.language === 'zh' ? '、' : ', '));
    }
    default:
      return text(code);
  }
}
