import type { AlarmClass } from '#edge/domain/alarm.ts';
import type { Notice } from '#edge/domain/notice.ts';
import type { Name } from '#edge/domain/place.ts';

/* What people read: how grave it is, what happened, where and when. Nothing of a person is in it but what a rule's author wrote. */

export type Language = keyof Name;

export interface Words {
  /** One line. */
  readonly title: string;
  /** Several lines: the title with its class, what is to be known, campus and time, the link. */
  readonly text: string;
  readonly campus: string;
  /** ISO 8601 with the campus's offset. */
  readonly time: string;
  /** '' without one. */
  readonly link: string;
}

export interface Sender {
  readonly campus: Name;
  readonly timeZone: string;
  /** Where people reach the console; null: no link is given. */
  readonly console: string | null;
}

const classWords: Readonly<Record<AlarmClass, Name>> = {
  critical: { zh: '紧急', en: 'CRITICAL' },
  high: { zh: '高', en: 'High' },
  medium: { zh: '中', en: 'Medium' },
  low: { zh: '低', en: 'Low' },
};
const testWord: Name = { zh: '测试', en: 'Test' };
const gravest: readonly AlarmClass[] = ['critical', 'high', 'medium', 'low'];
/** Of a digest; the others are counted. */
const mostLines = 20;

/** Lower is graver. */
export function rankOf(severity: AlarmClass): number {
  return gravest.indexOf(severity);
}

export function wordsOf(notice: Notice, language: Language, sender: Sender): Words {
  const word = notice.about === 'test' ? testWord : classWords[notice.class];
  return compose(
    word[language],
    oneLine(notice.title[language]),
    clean(notice.text[language]),
    notice.created,
    language,
    sender,
  );
}

/** Several notices as one message: the gravest class, and a line for each. */
export function digestOf(notices: readonly Notice[], language: Language, sender: Sender): Words {
  const graver = [...notices].sort((a, b) => rankOf(a.class) - rankOf(b.class) || a.created - b.created);
  const worst = graver[0]?.class ?? 'low';
  const lines = graver.slice(0, mostLines).map(({ created, title, class: severity }) => {
    const said = `【${classWords[severity][language]}】${oneLine(title[language])}`;
    return `${localTime(created, sender.timeZone)} ${said}`;
  });
  const rest = notices.length - lines.length;
  if (rest > 0) lines.push(language === 'zh' ? `另有 ${rest} 条` : `and ${rest} more`);
  const title = language === 'zh' ? `${notices.length} 条通知` : `${notices.length} notices`;
  const newest = Math.max(...notices.map(({ created }) => created));
  return compose(classWords[worst][language], title, lines.join('\n'), newest, language, sender);
}

function compose(word: string, title: string, body: string, time: number, language: Language, sender: Sender): Words {
  const campus = oneLine(sender.campus[language]);
  const link = sender.console ?? '';
  const said = body === '' || body === title ? [] : [body];
  const lines = [
    `【${word}】${title}`,
    ...said,
    `${campus} ${localTime(time, sender.timeZone)}`,
    ...(link === '' ? [] : [link]),
  ];
  return { title: `【${word}】${title}`, text: lines.join('\n'), campus, time: isoTime(time, sender.timeZone), link };
}

function oneLine(text: string): string {
  return clean(text).replace(/\s+/g, ' ');
}

/**
 * Control characters have no place in a header, a log or a chat, nor what turns the direction of writing (what follows would read
 * as something else); line breaks stay. Half a character, as a cut leaves it, can be neither encoded nor sent.
 */
function clean(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\P{Cc}\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, ' ')
    .trim();
}

/** `11-23 10:05`, as people on the campus read a clock. */
function localTime(time: number, timeZone: string): string {
  const { month, day, hour, minute } = partsOf(time, timeZone);
  return `${month}-${day} ${hour}:${minute}`;
}

function isoTime(time: number, timeZone: string): string {
  const { year, month, day, hour, minute, second, offset } = partsOf(time, timeZone);
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`;
}

function partsOf(time: number, timeZone: string) {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'longOffset',
  });
  const found = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes): string => found.get(type) ?? '';
  // `GMT+08:00`, and bare `GMT` for UTC.
  const offset = part('timeZoneName').slice(3) || 'Z';
  return {
    year: part('year'),
    month: part('month'),
    day: part('day'),
    hour: part('hour'),
    minute: part('minute'),
    second: part('second'),
    offset,
  };
}

/** At most so many bytes of UTF-8, never half a character; `…` says that something was cut. */
export function cutBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  let kept = '';
  let bytes = 3; // of the ellipsis
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > most) break;
    kept += character;
  }
  return `${kept}…`;
}

/** The same in UTF-16 units, as SMS counts them. */
export function cutUnits(text: string, most: number): string {
  if (text.length <= most) return text;
  let kept = '';
  for (const character of text) {
    if (kept.length + character.length > most - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
