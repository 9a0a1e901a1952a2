import type { AlarmClass } from '#edge/domain/alarm.ts';
import type { NotifyChannel, NotifyRecipient } from '#edge/runtime/site-notify.ts';
import type { Words } from './words.ts';

/** What is sent to one recipient over one channel: a notice, or several told as one. */
export interface Message {
  /** Of the (first) notice; the same each time it is tried: where the far end can, it knows it again by this. */
  readonly id: string;
  readonly class: AlarmClass;
  readonly words: Words;
}

/**
 * What became of one try. Nothing of a far end is believed to be delivered but what it says itself, in its own format.
 * `detail` is for people who may not know addresses: it holds none, and no secret.
 */
export type Outcome =
  | { readonly kind: 'delivered'; readonly detail: string }
  /** This message will never be taken. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** Not this message, not now (greylisting); the channel works. */
  | { readonly kind: 'later'; readonly detail: string }
  /** The channel does not work: whatever is sent next meets the same. */
  | { readonly kind: 'broken'; readonly detail: string }
  /** The far end wants a pause, ms. */
  | { readonly kind: 'limited'; readonly detail: string; readonly after: number };

/** One way out of the campus. It keeps nothing between two messages, and reads its secrets anew for each. */
export interface Channel {
  readonly config: NotifyChannel;
  /** More than this is never sent: [messages, within ms] each. */
  readonly pace: readonly (readonly [number, number])[];
  /** How many are under way at once. */
  readonly width: number;
  /** Rejects with NOTIFY_SECRET when its files cannot be used; ends at the signal. `to` null: the channel is one address. */
  send(message: Message, to: NotifyRecipient | null, signal: AbortSignal): Promise<Outcome>;
  /** What is wrong with its files, in a sentence; null: nothing. Sends nothing. */
  check(): Promise<string | null>;
}
