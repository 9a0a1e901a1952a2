import { parseIsoTime } from './pull-point.ts';
import type { Xml } from './soap.ts';
import { child, children, plainText, text } from './soap.ts';

/** One ONVIF notification, bounded: at most 16 items of 128 characters each. */
export interface Notification {
  /** As sent, but trimmed of `/.` and repeated slashes; prefixes kept. */
  readonly topic: string;
  /** Absent: a message without a state (a pulse). */
  readonly operation: 'Initialized' | 'Changed' | 'Deleted' | 'none';
  /** The camera's clock, ms; absent when it is missing or insane (`0000-00-00`, 1970). */
  readonly sourceTime?: number;
  /** Source items and Key items: together with the topic they say which thing this is about. */
  readonly source: ReadonlyMap<string, string>;
  readonly data: ReadonlyMap<string, string>;
}

const maxItems = 16;
const bounded = (value: string) => plainText(value.slice(0, 128));
/** 2000-01-01 and 2100-01-01: outside is a camera that lost its clock. */
const saneTime = (time: number) => time > 946_684_800_000 && time < 4_102_444_800_000;

function items(target: Map<string, string>, holder: Xml): Map<string, string> {
  for (const item of children(holder, 'SimpleItem')) {
    const name = bounded(text(item, '@Name'));
    if (name !== '' && target.size < maxItems) target.set(name, bounded(text(item, '@Value')));
  }
  return target;
}

/** `tns1:RuleEngine/CellMotionDetector/Motion//.` -> without the wildcard tail that some cameras leave (HA strips it too). */
export function trimTopic(topic: string): string {
  return topic
    .slice(0, 400) // patterns go over it again and again
    .replace(/\s+/g, '')
    .replace(/\/{2,}/g, '/')
    .replace(/(\/\.?)+$/, '')
    .replace(/[\p{Cc}\p{Cf}]+/gu, '')
    .slice(0, 200);
}

/** Null for a message without a topic: there is nothing to say about it. */
export function readNotification(node: Xml): Notification | null {
  const topic = trimTopic(text(node, 'Topic'));
  if (topic === '') return null;
  const message = child(node, 'Message', 'Message');
  const named = text(message, '@PropertyOperation');
  const operation = named === 'Initialized' || named === 'Changed' || named === 'Deleted' ? named : 'none';
  const source = items(items(new Map(), child(message, 'Source')), child(message, 'Key'));
  const time = parseIsoTime(text(message, '@UtcTime'));
  const data = items(new Map(), child(message, 'Data'));
  return { topic, operation, source, data, ...(saneTime(time) ? { sourceTime: time } : {}) };
}
