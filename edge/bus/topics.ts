import type { DeviceId, HappeningId, PointName, PointRef } from '#edge/domain/ids.ts';
import { isSlug, pointRef, uuidPattern } from '#edge/domain/ids.ts';

/*
 * The only place that spells a topic (edge/docs/architecture.md, "Topics and payloads"), and the rules of MQTT 3.1.1
 * section 4.7 for topic names and filters.
 */

/** Longest topic name or filter we take, bytes of UTF-8. MQTT allows 65,535; nothing on a campus comes near. */
export const maxTopicBytes = 256;

/** Deepest topic we take. */
export const maxTopicLevels = 16;

// --- builders -------------------------------------------------------------------------------------------------------

export function samplesTopic(device: DeviceId): string {
  return `v1/in/${device}/samples`;
}
export function eventTopic(device: DeviceId): string {
  return `v1/in/${device}/event`;
}
export function requestTopic(client: string): string {
  return `v1/request/${client}`;
}
export function answerTopic(client: string): string {
  return `v1/answer/${client}`;
}
export function commandTopic(process: string): string {
  return `v1/command/${process}`;
}
export function resultTopic(process: string): string {
  return `v1/result/${process}`;
}
export function readingTopic(ref: PointRef): string {
  return `v1/out/reading/${ref}`;
}
export function campusEventTopic(type: string): string {
  return `v1/out/event/${type}`;
}
export function alarmTopic(id: HappeningId): string {
  return `v1/out/alarm/${id}`;
}
/** Retained while it is not resolved. */
export function incidentTopic(id: HappeningId): string {
  return `v1/out/incident/${id}`;
}
export function outputTopic(ref: PointRef): string {
  return `v1/out/output/${ref}`;
}
/** How the hosts of the campus answer, as a driver process probed them. */
export function networkTopic(process: string): string {
  return `v1/network/${process}`;
}
/** What cameras are and which streams they have (domain/camera.ts), retained: a list, from the process `camera` to `media` and core. */
export function camerasTopic(process: string): string {
  return `v1/cameras/${process}`;
}
/** Clips that people made, retained: `ClipListing[]`, from core to `broadcast`. */
export function clipsTopic(process: string): string {
  return `v1/clips/${process}`;
}
/** What clips were found to be, retained: `ClipFacts[]`, from `broadcast` to core. */
export function clipFactsTopic(process: string): string {
  return `v1/clip-facts/${process}`;
}
/** `supervisor` is published by core; every other process speaks for itself. */
export function healthTopic(process: string): string {
  return `v1/out/health/${process}`;
}

/** What kind of time it is: labels of the calendar, and modes. */
export const calendarTopic = 'v1/out/calendar';

/** A hint, retained: `{time}`, what sounds (or waits) has changed; who may see it asks for it. */
export const soundTopic = 'v1/out/sound';
/** A hint, retained: `{time, open}`, an emergency began, changed or ended; `open`: how many go on, exercises not counted. */
export const emergencyTopic = 'v1/out/emergency';

/** A hint, retained: notices were queued. `{time}`; what they say is in the store and nowhere on the bus. */
export const noticeTopic = 'v1/out/notice';

/** Everything a device may say in our plain JSON. */
export function deviceFilter(device: DeviceId): string {
  return `v1/in/${device}/#`;
}

/** What may be subscribed as a whole. */
export const filters = {
  out: 'v1/out/#',
  readings: 'v1/out/reading/#',
  events: 'v1/out/event/#',
  alarms: 'v1/out/alarm/#',
  incidents: 'v1/out/incident/#',
  outputs: 'v1/out/output/#',
  health: 'v1/out/health/#',
} as const;

// --- parser ---------------------------------------------------------------------------------------------------------

export type ParsedTopic =
  | { readonly kind: 'samples'; readonly device: DeviceId }
  | { readonly kind: 'event'; readonly device: DeviceId }
  | { readonly kind: 'request'; readonly client: string }
  | { readonly kind: 'answer'; readonly client: string }
  | { readonly kind: 'command'; readonly process: string }
  | { readonly kind: 'result'; readonly process: string }
  | { readonly kind: 'network'; readonly process: string }
  | { readonly kind: 'cameras'; readonly process: string }
  | { readonly kind: 'clips'; readonly process: string }
  | { readonly kind: 'clip-facts'; readonly process: string }
  | { readonly kind: 'reading'; readonly ref: PointRef }
  | { readonly kind: 'campus-event'; readonly type: string }
  | { readonly kind: 'alarm'; readonly id: HappeningId }
  | { readonly kind: 'incident'; readonly id: HappeningId }
  | { readonly kind: 'output'; readonly ref: PointRef }
  | { readonly kind: 'health'; readonly process: string };

/** What a topic of ours says; null for a foreign one (see `isForeign`) and for one below `v1/` that does not exist. */
export function parseTopic(topic: string): ParsedTopic | null {
  const [version, area, first, second, third, more] = topic.split('/', 6);
  if (version !== 'v1' || area === undefined || first === undefined || more !== undefined) return null;
  if (area === 'out') return parseOut(first, second, third);
  if (!isSlug(first) || third !== undefined) return null;
  if (area === 'in') {
    const device = first as DeviceId;
    if (second === 'samples') return { kind: 'samples', device };
    return second === 'event' ? { kind: 'event', device } : null;
  }
  if (second !== undefined) return null;
  switch (area) {
    case 'request':
    case 'answer':
      return { kind: area, client: first };
    case 'command':
    case 'result':
    case 'network':
    case 'cameras':
    case 'clips':
    case 'clip-facts':
      return { kind: area, process: first };
    default:
      return null;
  }
}

function parseOut(kind: string, first: string | undefined, second: string | undefined): ParsedTopic | null {
  if (first === undefined) return null;
  if (kind === 'reading' || kind === 'output') {
    if (second === undefined || !isSlug(first) || !isSlug(second)) return null;
    return { kind, ref: pointRef(first as DeviceId, second as PointName) };
  }
  if (second !== undefined) return null;
  switch (kind) {
    case 'event':
      return isSlug(first) ? { kind: 'campus-event', type: first } : null;
    case 'alarm':
    case 'incident':
      return uuidPattern.test(first) ? { kind, id: first as HappeningId } : null;
    case 'health':
      return isSlug(first) ? { kind: 'health', process: first } : null;
    default:
      return null;
  }
}

/** True for the trees of devices and bridges that do not speak ours (`zigbee2mqtt/...`, `tele/...`). */
export function isForeign(topic: string): boolean {
  return !topic.startsWith('v1/') && topic !== 'v1' && !topic.startsWith('$');
}

/** True for a filter that can match nothing but foreign topics: its first level is a literal other than v1 and $... */
export function isForeignFilter(filter: string): boolean {
  const first = filter.split('/', 1)[0] ?? '';
  return first !== 'v1' && first !== '+' && first !== '#' && !first.startsWith('$');
}

// --- names and filters (MQTT 3.1.1 section 4.7) ---------------------------------------------------------------------

/** What is wrong with a topic name, in words that follow it; null when it may be published on. */
export function checkTopic(topic: string): string | null {
  return checkText(topic) ?? (/[+#]/.test(topic) ? 'must not contain the wildcards + and #' : null);
}

/** What is wrong with a topic filter; null when it may be subscribed. `$SYS` and shared subscriptions do not exist here. */
export function checkFilter(filter: string): string | null {
  const wrong = checkText(filter);
  if (wrong !== null) return wrong;
  if (filter.startsWith('$share/')) return 'shared subscriptions ($share) are not supported';
  if (filter.startsWith('$')) return 'topics that start with $ are not served';
  const levels = filter.split('/');
  for (const [i, level] of levels.entries()) {
    if (level.includes('#') && (level !== '#' || i !== levels.length - 1)) {
      return '# is only allowed alone in the last level';
    }
    if (level.includes('+') && level !== '+') return '+ is only allowed alone in a level';
  }
  return null;
}

/** U+FFFD stands where bytes were not UTF-8, so it is refused with the rest. */
function checkText(text: string): string | null {
  if (text.length === 0) return 'must not be empty';
  if (Buffer.byteLength(text) > maxTopicBytes) return `must be at most ${maxTopicBytes} bytes`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters MQTT 1.5.3 lets a server refuse
  if (/[\u0000-\u001f\u007f-\u009f\ufffd]/.test(text)) return 'must be UTF-8 without control characters';
  if (text.split('/').length > maxTopicLevels) return `must have at most ${maxTopicLevels} levels`;
  return null;
}

/** Does a topic match a (valid) filter? Wildcards in the first level never match topics that start with $ (4.7.2). */
export function matchesFilter(filter: string, topic: string): boolean {
  if (filter === topic) return true;
  if (topic.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'))) return false;
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (const [i, want] of wanted.entries()) {
    if (want === '#') return true;
    if (i >= levels.length || (want !== '+' && want !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}

/** Does `outer` match every topic that `inner` can match? Both are valid filters. */
export function coversFilter(outer: string, inner: string): boolean {
  const outers = outer.split('/');
  const inners = inner.split('/');
  for (const [i, want] of outers.entries()) {
    if (want === '#') return true;
    const have = inners[i];
    if (have === undefined || have === '#' || (want !== '+' && want !== have)) return false;
  }
  return outers.length === inners.length;
}
