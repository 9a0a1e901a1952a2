import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { ClipFacts, ClipListing } from '#edge/domain/broadcast.ts';
import type { CameraFacts } from '#edge/domain/camera.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { ProcessHealth } from '#edge/domain/health.ts';
import type { DeviceId, HappeningId, PointName, PointRef, ZoneId } from '#edge/domain/ids.ts';
import { slugPattern, splitPointRef, uuidPattern } from '#edge/domain/ids.ts';
import type { IncidentBrief } from '#edge/domain/incident.ts';
import type { Command, CommandResult, OutputState, Priority, RequestResult } from '#edge/domain/output.ts';
import { priorities } from '#edge/domain/output.ts';
import type { Name } from '#edge/domain/place.ts';
import { type Reading, reasons, type Sample, type Value } from '#edge/domain/reading.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { cameraFactsSchema, mediaHealthSchema } from './camera-codec.ts';
import { incidentSchema } from './incident-codec.ts';
import { clipFactsSchema, clipListingsSchema } from './sound-codec.ts';

/*
 * Every payload of ours, as bytes and as values. Decoding never throws: what is wrong is said with its path, e.g.
 * `s[3][1]: must be a number, boolean or text of at most 256 characters`. Strict: an unknown key is an error.
 */

export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

export const maxSamples = 512;
export const maxText = 256;
export const maxEventKeys = 16;

/** A happening as a device or driver tells it. `time` is when it was heard, ms since epoch UTC; absent from plain devices. */
export interface EventMessage {
  readonly id?: HappeningId;
  readonly time?: number;
  /** The device's own clock, ms since epoch UTC. */
  readonly sourceTime?: number;
  readonly type: string;
  readonly active?: boolean;
  readonly data: Readonly<Record<string, Value>>;
  /** Path below <data>/snapshots. */
  readonly snapshot?: string;
}

/** A guest's wish as it is sent: who asks is never in it, the broker knows. */
export interface RequestMessage {
  /** The guest's own id for it, given back in the answer; core makes one when it is absent. */
  readonly id?: HappeningId;
  readonly point: PointRef;
  /** null relinquishes. */
  readonly value: Value | null;
  readonly priority: Priority;
  /** At most 86,400. */
  readonly seconds: number;
  readonly reason: string;
  /** Only from flows: `flow:<tab>/<node>`, each at most 60 characters. */
  readonly origin?: string;
}

/** What flows may ask besides: an alarm, words for people, and what their own process reports of them. */
export type AskMessage =
  | {
      readonly ask: 'alarm';
      readonly id?: HappeningId;
      /** Its source is `flow:<key>`. */
      readonly key: string;
      readonly class: 'medium' | 'low';
      readonly message: Name;
      /** What the person should do. */
      readonly next: Name;
      /** false: its cause is gone. */
      readonly active: boolean;
      readonly origin: string;
    }
  | {
      readonly ask: 'notify';
      readonly id?: HappeningId;
      /** Recipients, groups or channels of the site file. */
      readonly to: readonly string[];
      readonly message: Name;
      readonly origin: string;
    }
  /** A tab takes more than its budget: becomes the event `flow_over_budget`. */
  | {
      readonly ask: 'report';
      readonly id?: HappeningId;
      readonly state: 'over-budget' | 'halted' | 'disabled' | 'within';
      readonly message: string;
      readonly origin: string;
    };

/** What a guest may publish on `v1/request/<client>`. */
export type WishMessage =
  | { readonly kind: 'request'; readonly request: RequestMessage }
  | { readonly kind: 'ask'; readonly ask: AskMessage };

/** Retained on `v1/out/calendar`: what kind of time it is. */
export interface CalendarMessage {
  /** Labels that hold now. */
  readonly labels: readonly string[];
  /** Modes that are on. */
  readonly modes: readonly string[];
  /** When a label may change next, ms since epoch. */
  readonly next: number;
}

/** How one device's host answered its last probes. */
export interface NetworkRow {
  readonly device: DeviceId;
  /** Host name or address. */
  readonly address: string;
  /** `tcp`: by connections, where the machine has no `ping`. */
  readonly way: 'icmp' | 'tcp';
  readonly reachable: boolean;
  /** ms; null when nothing came back. */
  readonly latency: number | null;
  /** 0 to 1. */
  readonly loss: number;
  readonly at: number;
}
export const maxNetworkRows = 512;

/** Why a publish, a subscription or a connection was refused, on `v1/answer/<client>`. */
export interface RefusalMessage {
  readonly error: string;
  readonly message: string;
  readonly topic: string;
}

// --- parts ----------------------------------------------------------------------------------------------------------

const slugRule = 'must be a slug: a-z, 0-9, _ or -, at most 63 characters';
const slug = z.string(slugRule).regex(slugPattern, slugRule);
const uuid = z.string('must be a UUID').regex(uuidPattern, 'must be a UUID in lower case');
const id = uuid.transform((text) => text as HappeningId);
const device = slug.transform((text) => text as DeviceId);
const point = slug.transform((text) => text as PointName);
const zone = slug.transform((text) => text as ZoneId);
const refRule = 'must be <device>/<point>';
const ref = z
  .string(refRule)
  .refine((text) => splitPointRef(text) !== null, refRule)
  .transform((text) => text as PointRef);
/** ms since epoch UTC, within what a Date can hold. */
const timeRule = 'must be a time in whole ms since 1970';
const time = z.int(timeRule).min(0, timeRule).max(8.64e15, timeRule);
const textRule = `must be text of at most ${maxText} characters`;
const text = z.string(textRule).max(maxText, textRule);
const valueRule = `must be a number, boolean or text of at most ${maxText} characters`;
const value: z.ZodType<Value> = z.union([z.number(), z.boolean(), z.string().max(maxText, valueRule)], valueRule);
const valueOrNull: z.ZodType<Value | null> = z.union(
  [z.number(), z.boolean(), z.string().max(maxText, valueRule), z.null()],
  valueRule,
);
const flag = z.boolean('must be true or false');
const quality = z.enum(['good', 'uncertain', 'bad'], 'must be good, uncertain or bad');
const reason = z.enum(reasons, `must be one of ${reasons.join(', ')}`);
const priority = z.literal(Object.values(priorities), `must be one of ${Object.values(priorities).join(', ')}`);
const outcome = z.enum(['done', 'sent', 'mismatch', 'expired', 'failed', 'refused']);
const name = z.strictObject({ zh: text, en: text });
/** Words that must say something. */
const said = z.strictObject({ zh: text.min(1, 'must not be empty'), en: text.min(1, 'must not be empty') });
const originRule = 'must be flow:<tab>/<node>, each at most 60 characters';
const origin = z.string(originRule).regex(/^flow:[^\p{Cc}]{1,60}\/[^\p{Cc}/]{1,60}$/u, originRule);
/** A path below the snapshot folder and never out of it. */
const snapshot = text.regex(/^(?!.*\.\.)[A-Za-z0-9_-][A-Za-z0-9_./-]*$/, 'must be a relative path without ..');
const eventData = z
  .record(z.string().min(1).max(64), value)
  .refine((data) => Object.keys(data).length <= maxEventKeys, `must have at most ${maxEventKeys} keys`);

// --- messages -------------------------------------------------------------------------------------------------------

/** `[point, value, quality?, reason?, sourceTime?]`; null stands for an absent one in the middle. */
const sampleTuple = z.tuple(
  [point, valueOrNull, quality.nullish(), reason.nullish(), time.nullish()],
  'must be [point, value, quality?, reason?, sourceTime?]',
);
const samplesSchema = z.strictObject({
  t: time.optional(),
  s: z
    .array(sampleTuple, 'must be a list of samples')
    .min(1, 'must not be empty')
    .max(maxSamples, `must have at most ${maxSamples} samples`),
});

const eventSchema = z.strictObject({
  id: id.optional(),
  t: time.optional(),
  sourceTime: time.optional(),
  type: slug,
  active: flag.optional(),
  data: eventData.optional(),
  snapshot: snapshot.optional(),
});

const requestSchema = z.strictObject({
  id: id.optional(),
  point: ref,
  value: valueOrNull,
  priority,
  seconds: z.number('must be a number of seconds').min(0, 'must not be negative').max(86_400, 'must be at most 86400'),
  reason: text.min(1, 'must say why'),
  origin: origin.optional(),
});

const askSchema = z.discriminatedUnion(
  'ask',
  [
    z.strictObject({
      ask: z.literal('alarm'),
      id: id.optional(),
      key: slug,
      class: z.enum(['medium', 'low'], 'must be medium or low: what is graver is a rule'),
      message: said,
      next: said,
      active: flag,
      origin,
    }),
    z.strictObject({
      ask: z.literal('notify'),
      id: id.optional(),
      to: z.array(slug, 'must be a list').min(1, 'must name somebody').max(16, 'must name at most 16'),
      message: said,
      origin,
    }),
    z.strictObject({
      ask: z.literal('report'),
      id: id.optional(),
      state: z.enum(['over-budget', 'halted', 'disabled', 'within']),
      message: text,
      origin,
    }),
  ],
  'must be alarm, notify or report',
);

const calendarSchema = z.strictObject({
  labels: z.array(z.string().max(63)).max(256),
  modes: z.array(z.string().max(63)).max(256),
  next: time,
});

const readingSchema = z.strictObject({
  ref,
  device,
  point,
  value: valueOrNull,
  unit: z.string().max(32),
  quality,
  reason: reason.optional(),
  sourceTime: time,
  receivedTime: time,
});

const campusEventSchema = z.strictObject({
  id,
  type: slug,
  device: device.optional(),
  zone: zone.optional(),
  active: flag.optional(),
  time,
  sourceTime: time.optional(),
  data: eventData,
  snapshot: snapshot.optional(),
});

const alarmSchema = z.strictObject({
  id,
  source: text,
  class: z.enum(['critical', 'high', 'medium', 'low']),
  state: z.enum(['unacknowledged', 'acknowledged', 'returned', 'normal']),
  active: flag,
  message: name,
  next: name,
  reason: z.string().max(1_000).optional(),
  device: device.optional(),
  ref: ref.optional(),
  zone: zone.optional(),
  event: id.optional(),
  camera: device.optional(),
  group: text.optional(),
  escalation: z.strictObject({ ladder: text, step: z.int().min(0), told: time, due: time.nullable() }).optional(),
  suppressedBy: text.optional(),
  suppressedUntil: time.optional(),
  raised: time,
  shown: time.optional(),
  came: time.optional(),
  chattering: z.strictObject({ since: time, quiet: time.nullable() }).optional(),
  acknowledged: z.strictObject({ time, by: text, note: z.string().max(1024) }).optional(),
  shelved: z.strictObject({ until: time, by: text, reason: text }).optional(),
  returned: time.optional(),
  ended: time.optional(),
  count: z.int().min(0),
});

const holdSchema = z.strictObject({
  ref,
  priority,
  owner: text,
  value,
  reason: text,
  since: time,
  until: time.nullable(),
  rank: z.int().min(0).max(15).optional(),
  origin: text.optional(),
});

const forbidSchema = z.strictObject({ ref, priority, owner: text, value, reason: text, since: time });
const waits = z.enum(['minimum-on', 'minimum-off', 'rate', 'stagger', 'device']);

const outputSchema = z.strictObject({
  ref,
  value: valueOrNull,
  holder: text.nullable(),
  priority: priority.nullable(),
  reason: text,
  since: time,
  until: time.nullable(),
  stack: z.array(holdSchema).max(64),
  confirmed: z.strictObject({ value: valueOrNull, outcome, time }).nullable(),
  next: z.strictObject({ value: valueOrNull, holder: text.nullable(), at: time }).nullable(),
  waiting: z.strictObject({ for: waits, until: time.nullable() }).nullable(),
  forbidden: z.array(forbidSchema).max(64),
  local: z.strictObject({ value, since: time }).nullable(),
});

const deviceHealthSchema = z.strictObject({
  device: slug,
  state: z.enum(['starting', 'online', 'degraded', 'offline', 'held', 'misconfigured']),
  message: z.string().max(1024),
  since: time,
  counters: z.record(z.string().max(64), z.number()),
});

const sentence = z.string().max(1024);
const count = z.int().min(0);
const milliseconds = z.number().min(0).nullable();

const busUnitSchema = z.strictObject({
  unit: z.string().max(64),
  device: z.string().max(64),
  state: z.enum(['answering', 'slow', 'quarantined', 'unknown']),
  latency: milliseconds,
  latencyP95: milliseconds,
  requests: count,
  timeouts: count,
  crcErrors: count,
  exceptions: count,
  duplicate: z.boolean(),
  lastFailure: z.strictObject({ message: sentence, time }).nullable(),
  nextProbe: time.nullable(),
});

const busHealthSchema = z.strictObject({
  label: z.string().max(300),
  state: z.enum(['connected', 'connecting', 'down']),
  message: sentence,
  since: time,
  utilisation: z.number().min(0).max(1),
  waiting: count,
  units: z.array(busUnitSchema).max(256),
});

const healthSchema = z.strictObject({
  process: slug,
  state: z.enum(['ready', 'stopped']),
  time,
  instance: text,
  devices: z.array(deviceHealthSchema).max(4096),
  buses: z.array(busHealthSchema).max(1024).optional(),
  media: mediaHealthSchema.optional(),
});

const commandSchema = z.strictObject({
  id,
  device,
  point,
  value,
  priority,
  issued: time,
  expires: time,
  until: time.nullable(),
});

const commandResultSchema = z.strictObject({
  id,
  device,
  point,
  outcome,
  value: value.optional(),
  message: z.string().max(1024).optional(),
  time,
});

const requestResultSchema = z.strictObject({
  id,
  accepted: flag,
  outcome: text,
  message: z.string().max(1024),
});

const networkSchema = z
  .array(
    z.strictObject({
      device,
      address: text,
      way: z.enum(['icmp', 'tcp']),
      reachable: flag,
      latency: z.number().min(0).nullable(),
      loss: z.number().min(0).max(1),
      at: time,
    }),
  )
  .max(maxNetworkRows);

const refusalSchema = z.strictObject({ error: text, message: z.string().max(1024), topic: z.string().max(1024) });

// --- decode ---------------------------------------------------------------------------------------------------------

/** `{t?, s: [...]}`. `t` is given to every sample that has no source time of its own. */
export function decodeSamples(payload: Uint8Array): Decoded<readonly Sample[]> {
  const decoded = decode(samplesSchema, payload);
  if (!decoded.ok) return decoded;
  const { t, s } = decoded.value;
  const samples: Sample[] = [];
  for (const [i, [pointName, given, how, why, at]] of s.entries()) {
    const sampleQuality = how ?? 'good';
    if (given === null && sampleQuality === 'good') {
      return { ok: false, message: `s[${i}][1]: must not be null while the quality is good` };
    }
    const sourceTime = at ?? t;
    samples.push({
      point: pointName,
      value: given,
      quality: sampleQuality,
      ...(why ? { reason: why } : {}),
      ...(sourceTime === undefined ? {} : { sourceTime }),
    });
  }
  return { ok: true, value: samples };
}

export function decodeEvent(payload: Uint8Array): Decoded<EventMessage> {
  const decoded = decode(eventSchema, payload);
  if (!decoded.ok) return decoded;
  const { t, data, ...rest } = decoded.value;
  // JSON has no undefined, so absent keys are absent: what exactOptionalPropertyTypes asks and zod's types cannot say.
  const message = { ...rest, ...(t === undefined ? {} : { time: t }), data: data ?? {} } as EventMessage;
  return { ok: true, value: message };
}

export const decodeCameras = decoderOf<readonly CameraFacts[]>(cameraFactsSchema);
export const decodeClips = decoderOf<readonly ClipListing[]>(clipListingsSchema);
export const decodeClipFacts = decoderOf<readonly ClipFacts[]>(clipFactsSchema);
export const decodeNetwork = decoderOf<readonly NetworkRow[]>(networkSchema);
export const decodeRequest = decoderOf<RequestMessage>(requestSchema);
export const decodeCalendar = decoderOf<CalendarMessage>(calendarSchema);

/** A request, or with the key `ask` one of the further kinds. */
export function decodeWish(payload: Uint8Array): Decoded<WishMessage> {
  const parsed = parse(payload);
  if (!parsed.ok) return parsed;
  const isAsk = typeof parsed.value === 'object' && parsed.value !== null && Object.hasOwn(parsed.value, 'ask');
  if (isAsk) {
    const ask = check(askSchema, parsed.value) as Decoded<AskMessage>;
    return ask.ok ? { ok: true, value: { kind: 'ask', ask: ask.value } } : ask;
  }
  const request = check(requestSchema, parsed.value) as Decoded<RequestMessage>;
  return request.ok ? { ok: true, value: { kind: 'request', request: request.value } } : request;
}

export const decodeReading = decoderOf<Reading>(readingSchema);
export const decodeCampusEvent = decoderOf<CampusEvent>(campusEventSchema);
export const decodeAlarm = decoderOf<Alarm>(alarmSchema);
export const decodeIncident = decoderOf<IncidentBrief>(incidentSchema);
export const decodeOutputState = decoderOf<OutputState>(outputSchema);
export const decodeProcessHealth = decoderOf<ProcessHealth>(healthSchema);
export const decodeCommand = decoderOf<Command>(commandSchema);
export const decodeCommandResult = decoderOf<CommandResult>(commandResultSchema);
/** What comes on `v1/answer/<client>`: the result of a request, or why the broker refused. */
export const decodeAnswer = decoderOf<RequestResult | RefusalMessage>(z.union([requestResultSchema, refusalSchema]));

function decoderOf<T>(schema: z.ZodType): (payload: Uint8Array) => Decoded<T> {
  // The schemas say the same as the domain's interfaces, but for `undefined` under exactOptionalPropertyTypes, which
  // JSON cannot carry.
  return (payload) => decode(schema, payload) as Decoded<T>;
}

function decode<S extends z.ZodType>(schema: S, payload: Uint8Array): Decoded<z.output<S>> {
  const parsed = parse(payload);
  return parsed.ok ? check(schema, parsed.value) : parsed;
}

function parse(payload: Uint8Array): Decoded<unknown> {
  if (!isUtf8(payload)) return { ok: false, message: '(payload): must be UTF-8' };
  try {
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8');
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, message: `(payload): must be JSON: ${messageOf(error).slice(0, 200)}` };
  }
}

function check<S extends z.ZodType>(schema: S, input: unknown): Decoded<z.output<S>> {
  const result = schema.safeParse(input);
  if (result.success) return { ok: true, value: result.data };
  const [issue] = result.error.issues;
  return { ok: false, message: `${describePath(issue?.path ?? [])}: ${issue?.message ?? 'is not valid'}` };
}

function describePath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '(payload)';
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${String(key).slice(0, 64)}`))
    .join('');
}

// --- encode ---------------------------------------------------------------------------------------------------------

/** The object for `Bus.publish` on `v1/in/<device>/samples`. `t` = source time of every sample that names none. */
export function encodeSamples(samples: readonly Sample[], t?: number): object {
  return { ...(t === undefined ? {} : { t }), s: samples.map((sample) => encodeSample(sample, t)) };
}

function encodeSample(sample: Sample, t: number | undefined): readonly (Value | null)[] {
  const at = sample.sourceTime === t ? undefined : sample.sourceTime;
  // A number that JSON cannot carry would arrive as null with quality good.
  const broken = typeof sample.value === 'number' && !Number.isFinite(sample.value);
  const sent = broken ? null : sample.value;
  const how = broken ? 'bad' : sample.quality;
  const why = sample.reason ?? (broken ? 'communication-error' : undefined);
  if (at !== undefined) return [sample.point, sent, how, why ?? null, at];
  if (why !== undefined) return [sample.point, sent, how, why];
  return how === 'good' ? [sample.point, sent] : [sample.point, sent, how];
}

export function encodeEvent(event: EventMessage): object {
  const { time: t, data, ...rest } = event;
  return { ...rest, ...(t === undefined ? {} : { t }), ...(Object.keys(data).length === 0 ? {} : { data }) };
}

export function encodeRequest(request: RequestMessage): object {
  return { ...request };
}

export function encodeAsk(ask: AskMessage): object {
  return { ...ask };
}
