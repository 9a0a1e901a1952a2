import type { z } from 'zod';
import type { ladderSchema, notifyChannelSchema, notifySchema } from '../../../rule-schemas.ts';
import { type Language, nameIn } from '../../kit/words.ts';
import { words } from './words.ts';

/* Ladders and outcomes as sentences. Pure. */

export type Channel = z.infer<typeof notifyChannelSchema>;
export type Ladder = z.infer<typeof ladderSchema>;
export type Notify = z.infer<typeof notifySchema>;

/** Whom `lead`, `duty@sms`, `office-group` of a step means: a recipient, a group, a channel; its id where nobody knows it. */
export function targetText(to: string, channels: readonly Channel[], language: Language): string {
  const say = words[language];
  const [who = to, over] = to.split('@');
  const whole = channels.find(({ id }) => id === who);
  if (whole !== undefined) return nameIn(language, whole.name);
  const people = new Map(channels.flatMap(({ recipients }) => recipients.map((person) => [person.id, person])));
  const person = people.get(who);
  const members = [...people.values()].filter(({ groups }) => groups.includes(who));
  const names = members.map(({ name }) => nameIn(language, name)).join(say.and);
  const called =
    person !== undefined ? nameIn(language, person.name) : names === '' ? say.groupEmpty(who) : say.group(who, names);
  const way = channels.find(({ id }) => id === over);
  return way === undefined ? called : say.via(called, nameIn(language, way.name));
}

/** `3 分钟无人确认 → 值班组长，值班短信` */
export function stepText(
  step: Ladder['steps'][number],
  channels: readonly Channel[],
  language: Language,
  duration: (ms: number) => string,
): string {
  const say = words[language];
  const when = step.after === 0 ? say.atOnce : say.afterTime(duration(step.after));
  const during = step.during === 'open' ? say['during:open'] : step.during === 'closed' ? say['during:closed'] : '';
  const whom = step.to.map((to) => targetText(to, channels, language)).join(say.and);
  return `${when}${during}${say.to(whom)}`;
}

/** Minutes after midnight: `22:30`. */
export function clockText(minutes: number): string {
  const two = (number: number) => String(number).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/* What the sender says (notify/lane.ts, email.ts, http-call.ts), for people; answers of far ends stay as they are. */
const sayings: readonly (readonly [RegExp, keyof (typeof words)['zh'] & `said:${string}`])[] = [
  [/^the process notify is not running$/, 'said:not running'],
  [/^its time was over before it could be sent$/, 'said:expired'],
  [/: it wants to be asked elsewhere, which is not followed: set the right address$/, 'said:wrong address'],
  [/^the recipient has no e-mail address$/, 'said:no mail'],
  [/^the mail server did not come to an end in time$/, 'said:mail slow'],
  [/\bECONNREFUSED\b/, 'said:refused'],
  [/^the site file has no channel "[^"]*" any more$/, 'said:gone'],
];

export function detailText(detail: string, language: Language): string {
  const known = sayings.find(([pattern]) => pattern.test(detail));
  return known === undefined ? detail : words[language][known[1]];
}

export type Health = 'works' | 'broken' | 'silent';

/** How a channel fares: what it says itself, else whether anything ever arrived. */
export function healthOf({ problem, delivered, failed, lastDelivered }: Channel): Health {
  if (problem !== null) return 'broken';
  return delivered === 0 && failed === 0 && lastDelivered === null ? 'silent' : 'works';
}
