import type { Alarm, AlarmClass } from '#edge/domain/alarm.ts';
import type { Name } from '#edge/domain/place.ts';
import { clip } from './words.ts';

/* What people outside the console are told of alarms. The class, the campus and the time are added by whoever sends it. */

export interface Words {
  readonly class: AlarmClass;
  readonly title: Name;
  readonly text: Name;
}

/** Longest title and text, characters. */
const longest = { title: 256, text: 1_000 } as const;
/** So many of those told in another's stead are named; the others are counted. */
const mostNamed = 7;

/** `waited`: how long nobody has acknowledged it, ms; 0 when it is told for the first time. */
export function alarmWords({ class: severity, message, next }: Alarm, waited: number): Words {
  const minutes = Math.round(waited / 60_000);
  const text =
    minutes < 1
      ? next
      : {
          zh: `${next.zh}（已 ${minutes} 分钟无人确认）`,
          en: `${next.en} (nobody has acknowledged it for ${minutes} min)`,
        };
  return { class: severity, title: both(message, oneLine), text: both(text, oneLine) };
}

/** What devices and flows say stands on one line: on a line of its own it could pass for another notice. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
}

function both({ zh, en }: Name, change: (text: string) => string): Name {
  return { zh: change(zh), en: change(en) };
}

/** Several as one: the first speaks, the others are named below it. `more`: others that are only counted. */
export function gatheredWords(all: readonly [Words, ...Words[]], more: number): Words {
  const [first, ...others] = all;
  const count = others.length + more;
  if (count === 0) return clipped(first);
  const named = others.slice(0, mostNamed);
  const rest = count - named.length;
  const list = (language: keyof Name, tail: string) =>
    [first.text[language], ...named.map(({ title }) => `· ${oneLine(title[language])}`), ...(rest > 0 ? [tail] : [])]
      .filter((line) => line !== '')
      .join('\n');
  return clipped({
    class: gravestOf(all),
    title: {
      zh: `${first.title.zh}（另有 ${count} 项）`,
      en: `${first.title.en} (and ${count} other${count === 1 ? '' : 's'})`,
    },
    text: { zh: list('zh', `还有 ${rest} 项`), en: list('en', `and ${rest} more`) },
  });
}

/** The title of the first, as it was before others were told in its stead. */
export function ungathered({ zh, en }: Name): Name {
  return { zh: zh.replace(/（另有 \d+ 项）$/, ''), en: en.replace(/ \(and \d+ others?\)$/, '') };
}

const gravest: readonly AlarmClass[] = ['critical', 'high', 'medium', 'low'];

function gravestOf(all: readonly Words[]): AlarmClass {
  return gravest.find((severity) => all.some((one) => one.class === severity)) ?? 'low';
}

function clipped({ class: severity, title, text }: Words): Words {
  return {
    class: severity,
    title: both(title, (said) => clip(said, longest.title)),
    text: both(text, (said) => clip(said, longest.text)),
  };
}
