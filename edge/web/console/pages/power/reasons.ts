import type { Formats } from '../../kit/formats.ts';
import type { Language } from '../../kit/words.ts';
import type { Decision, Reason } from './shapes.ts';
import { timeText } from './stretches.ts';
import type { Say } from './words.ts';

/* The reasons of a decision in plain words, a line each. Pure. */

export interface Speech {
  readonly say: Say;
  readonly language: Language;
  readonly formats: Pick<Formats, 'moment' | 'shortTime'>;
  readonly now: number;
}

/** So many slots are named; a day of lessons is a long list. */
const mostNamed = 3;
const minute = 60_000;
const plain = [
  'occupied',
  'setback',
  'no-need',
  'not-this-month',
  'no-reading',
  'assumed-occupied',
  'assumed-temperature',
] as const;

export interface ReasonLine {
  readonly code: string;
  readonly text: string;
}

/** Slots are one line: a morning of lessons and breaks is one stretch. */
export function linesOf(why: readonly Reason[], speech: Speech): readonly ReasonLine[] {
  const slots = why.filter(({ code }) => code === 'slot');
  const others = why
    .filter(({ code }) => code !== 'slot')
    .map((reason) => ({ code: reason.code, text: textOf(reason, speech) }));
  return slots.length === 0 ? others : [{ code: 'slot', text: slotsText(slots, speech) }, ...others];
}

/** All of it in one line. */
export function inOneLine(why: readonly Reason[], speech: Speech): string {
  return linesOf(why, speech)
    .map(({ text }) => text)
    .join(speech.say.comma);
}

function slotsText(slots: readonly Reason[], { say, language }: Speech): string {
  const names = slots.map(({ params }) => String(params?.[language] ?? params?.id ?? ''));
  const named = names.slice(0, mostNamed).join(say.and);
  return names.length > mostNamed ? say['why:slots'](named, names.length) : say['why:slot'](named);
}

function textOf({ code, params }: Reason, { say, formats, now }: Speech): string {
  const at = (key: string) => {
    const time = params?.[key];
    return typeof time === 'number' ? shortMoment(time, now, formats) : '—';
  };
  const found = plain.find((one) => one === code);
  if (found !== undefined) return say[`why:${found}`];
  switch (code) {
    case 'time':
      return say['why:time'](timeText(Number(params?.from ?? 0)), timeText(Number(params?.to ?? 0)));
    case 'empty':
      return say['why:empty'](at('since'));
    case 'preparing':
      return say['why:preparing'](at('due'));
    case 'minimum-on':
      return say['why:minimum-on'](at('until'));
    case 'minimum-off':
      return say['why:minimum-off'](at('until'));
    default:
      return say['why:other'](code);
  }
}

/** `08:30`; with the date when it is another day. */
export function shortMoment(time: number, now: number, formats: Pick<Formats, 'moment' | 'shortTime'>): string {
  // Schedules think in minutes: what is held until 20:00 ends some milliseconds beside it.
  const rounded = Math.round(time / minute) * minute;
  const text = formats.moment(rounded, now);
  // The time of day to the second is that of the same day.
  return /^\d{2}:\d{2}:\d{2}$/.test(text) ? formats.shortTime(rounded) : text;
}

/** Whether it rests on what nobody can know yet. */
export function isAssumed({ why }: Pick<Decision, 'why'>): boolean {
  return why.some(({ code }) => code.startsWith('assumed-'));
}
