import type { HappeningId, PointRef, ZoneId } from './ids.ts';
import type { Name } from './place.ts';

/*
 * Broadcast: what sounds where, and who has the word. An item (a bell, a page, a fire message) wants some loudspeakers for a while; the
 * arbiter (edge/rules/sound*.ts) decides for each loudspeaker which item it plays; a driver is told by an order, the value of the
 * loudspeaker's output `clip`. Times are ms since epoch.
 */

/** The ladder, strongest first (GB 50526 3.2.2, GB 50116 4.8). What is strictly stronger pre-empts; equals wait for each other. */
export const soundClasses = [
  ...['fire', 'danger', 'microphone', 'warning', 'page', 'exam', 'bell', 'exercise', 'programme', 'background'],
] as const;
/**
 * `fire`: the fire cycle. `danger`: earthquake, intruder, lockdown. `microphone`: the duty microphone as an emergency. `warning`: severe
 * weather and other public warnings. `page`: somebody speaks or has a text spoken. `exam`: commands of an examination.
 */
export type SoundClass =
  | 'fire'
  | 'danger'
  | 'microphone'
  | 'warning'
  | 'page'
  | 'exam'
  | 'bell'
  | 'exercise'
  | 'programme'
  | 'background';

/** 0 (strongest) to 9. */
export function rankOf(soundClass: SoundClass): number {
  return soundClasses.indexOf(soundClass);
}

/** These break quiet rooms and night caps, and end only by an explicit stop, a cancel, or their own end. */
export function isEmergency(soundClass: SoundClass): boolean {
  return rankOf(soundClass) <= 3;
}

/** What becomes of an item that something stronger has interrupted, when its turn comes again. */
export const interruptions = ['resume', 'restart', 'drop'] as const;
export type Interruption = (typeof interruptions)[number];

export type SoundSource =
  /** One after the other; `loop`: again and again until it ends. */
  | { readonly kind: 'clips'; readonly clips: readonly string[]; readonly loop: boolean }
  /** A microphone: what comes over the session of this id. */
  | { readonly kind: 'live'; readonly session: string };

/** What a loudspeaker is told. As text it is the value of its output. */
export interface SoundOrder {
  readonly source: SoundSource;
  /**
   * When its first sample is (was) heard. Every loudspeaker of an item is at the same place, one that comes back joins there, and the
   * same order said again changes nothing. Absent: from its beginning, whenever the order comes.
   */
  readonly since?: number;
  /** Percent of full loudness, 0 to 100; absent: 100. */
  readonly level?: number;
  /** Whose it is: the same clips for another item begin anew. */
  readonly item?: string;
  /** What it is, for loudspeakers that have an address for each class; absent: what the priority of the command says. */
  readonly class?: SoundClass;
}

/** Longest text of an order: the value of a point is bounded. */
export const longestOrder = 255;

const clipPattern = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** `siren+fire-zh loop since=1795394273767 level=60 item=…`, or `live:<session> …`. A clip's bare name is an order too. */
export function orderText(order: SoundOrder): string {
  const { source } = order;
  const words = [source.kind === 'live' ? `live:${source.session}` : source.clips.join('+')];
  if (source.kind === 'clips' && source.loop) words.push('loop');
  if (order.since !== undefined) words.push(`since=${order.since}`);
  if (order.level !== undefined) words.push(`level=${order.level}`);
  if (order.item !== undefined) words.push(`item=${order.item}`);
  if (order.class !== undefined) words.push(`class=${order.class}`);
  return words.join(' ');
}

/** null: not an order, or silence (''). Nothing is left out: an order with a word that is not understood is none. */
export function parseOrder(text: string): SoundOrder | null {
  if (text.length > longestOrder) return null;
  const [head = '', ...words] = text.split(' ');
  const live = /^live:([a-zA-Z0-9-]{1,63})$/.exec(head)?.[1];
  const clips = head.split('+');
  if (live === undefined && !clips.every((clip) => clipPattern.test(clip))) return null;
  const found = new Map<string, string>();
  for (const word of words) {
    const cut = word.indexOf('=');
    const key = cut === -1 ? word : word.slice(0, cut);
    const value = cut === -1 ? '' : word.slice(cut + 1);
    if (found.has(key) || !(orderWords[key]?.test(value) ?? false)) return null;
    found.set(key, value);
  }
  if (live !== undefined && found.has('loop')) return null;
  const since = found.get('since');
  const level = found.get('level');
  const item = found.get('item');
  const soundClass = soundClasses.find((word) => word === found.get('class'));
  return {
    source: live === undefined ? { kind: 'clips', clips, loop: found.has('loop') } : { kind: 'live', session: live },
    ...(since !== undefined && { since: Number(since) }),
    ...(level !== undefined && { level: Number(level) }),
    ...(item !== undefined && { item }),
    ...(soundClass !== undefined && { class: soundClass }),
  };
}

const orderWords: Readonly<Record<string, RegExp>> = {
  loop: /^$/,
  since: /^\d{1,15}$/,
  level: /^(?:100|[1-9]?\d)$/,
  item: /^[a-z0-9][a-z0-9-]{0,62}$/,
  class: new RegExp(`^(?:${soundClasses.join('|')})$`),
};

/** Something that wants to be heard. */
export interface BroadcastItem {
  readonly id: HappeningId;
  readonly class: SoundClass;
  readonly name: Name;
  readonly source: SoundSource;
  /** Where, as people said it; and the loudspeakers that this came to. */
  readonly zones: readonly ZoneId[];
  readonly outputs: readonly PointRef[];
  /** When it was asked for. */
  readonly since: number;
  /** How long it sounds, ms; null: until it is stopped. */
  readonly length: number | null;
  /** Given up when it has not begun by then, on loudspeakers where something else plays; null: waits for its turn. */
  readonly patience: number | null;
  /** Over at this time whatever played: a warning expires, a lesson begins. null: nothing but a stop ends it. */
  readonly until: number | null;
  readonly interruption: Interruption;
  /** Percent; absent: what the place and the class have. */
  readonly level?: number;
  /** Said to be an exercise in each message. */
  readonly drill: boolean;
  /** `person:<id>`, `schedule:<entry>`, `emergency:<id>`, `rule:<rule>` ... */
  readonly by: string;
  readonly why: string;
}

/** What is known of a sound having been heard. `sent`: the packets left; `acknowledged`: the device said yes; `heard`: it was listened to. */
export const proofs = ['none', 'sent', 'acknowledged', 'heard'] as const;
export type Proof = (typeof proofs)[number];

/** A clip as the process `broadcast` is told of it, besides those of the site file. */
export interface ClipListing {
  readonly name: string;
  /** Below `<data>/clips`: `<sha256>.wav`; its content never changes. */
  readonly file: string;
  /** To be decoded ahead and never dropped from memory. */
  readonly ahead: boolean;
}

/** What `broadcast` found a clip to be, of the site file's too. */
export interface ClipFacts {
  readonly name: string;
  /** ms; null: it cannot be played, or is endless. */
  readonly length: number | null;
  /** null: it can be played. */
  readonly problem: string | null;
}
