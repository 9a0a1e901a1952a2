import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';
import { isLane, type Lane } from './lanes.ts';
import { numberRanges, redact, words } from './privacy.ts';
import { describeFields, parseJson, WireError } from './wire-error.ts';

/*
 * The allow-list of what leaves a campus, one schema per lane. zod drops every key that is not named here, and key order
 * is the order of these tables. Both ends pass bodies through it: the edge so that nothing personal is sent, the city so
 * that nothing personal is kept even if an edge were wrong.
 */
const slug = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be a slug');
const ref = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}\/[a-z0-9][a-z0-9_-]{0,62}$/, 'must be <device>/<point>');
const id = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must be a UUID');
const time = z.int().min(0);
const amount = z.number().nullable();

const summaryRow = z.object({
  ref,
  /** UCUM code. */
  unit: z.string().max(32),
  min: amount,
  max: amount,
  mean: amount,
  last: amount,
  count: z.int().min(0),
  /** Seconds of the bucket in which the value could be used. */
  goodSeconds: z.number().min(0),
  /** Counters: rise over the bucket. */
  delta: amount,
  /** A recomputed row has a larger one and wins. */
  rev: z.int().min(0).optional(),
});

const summaries = z.object({
  /** Bucket start, ms since epoch UTC, and length, ms. */
  t: time,
  step: z.literal(60_000),
  points: z.array(summaryRow).min(1).max(20_000),
});

const event = z.object({
  id,
  type: slug,
  device: slug.optional(),
  zone: slug.optional(),
  active: z.boolean().optional(),
  time,
  data: z.record(z.string(), z.unknown()).transform(allowedData).default({}),
});

const text = z.string().max(400).transform(redact);

const alarm = z.object({
  id,
  source: z.string().regex(/^[a-z]{1,20}:[a-z0-9_/@-]{1,130}$/, 'must be <kind>:<id>'),
  class: z.enum(['critical', 'high', 'medium', 'low']),
  state: z.enum(['unacknowledged', 'acknowledged', 'returned', 'normal']),
  active: z.boolean(),
  message: z.object({ zh: text, en: text }),
  device: slug.optional(),
  ref: ref.optional(),
  zone: slug.optional(),
  raised: time,
  /** When, never by whom or with which words. */
  acknowledged: z.object({ time }).optional(),
  returned: time.optional(),
  ended: time.optional(),
  count: z.int().min(0),
});

const counters = z
  .record(z.string(), z.unknown())
  .transform((all) =>
    Object.fromEntries(
      Object.entries(all)
        .filter(([key, value]) => slug.safeParse(key).success && z.int().min(0).safeParse(value).success)
        .slice(0, 64)
        .map(([key, value]) => [key, Number(value)]),
    ),
  )
  .default({});

const deviceHealth = z.object({
  device: slug,
  state: z.enum(['starting', 'online', 'degraded', 'offline', 'held', 'misconfigured']),
  since: time,
  counters,
});

const processStatus = z.object({
  name: slug,
  state: z.enum(['starting', 'ready', 'stopping', 'stopped', 'backing-off', 'crash-loop']),
  restarts: z.int().min(0),
  since: time,
  rss: amount,
  loopDelay: amount,
});

/** What one process says of its devices, or what the supervisor says of the processes. Sentences for people stay home. */
const health = z.object({
  time,
  process: slug.optional(),
  state: z.enum(['ready', 'stopped']).optional(),
  devices: z.array(deviceHealth).max(2_000).optional(),
  processes: z.array(processStatus).max(64).optional(),
});

const schemas = { alarm, event, agg1m: summaries, health } as const;

export type WireSummaryRow = z.infer<typeof summaryRow>;
export type WireBodies = { readonly [L in Lane]: z.infer<(typeof schemas)[L]> };

/** A decoded body that knows its lane, so that a switch over `lane` gives the right shape. */
export type WireBody = { readonly [L in Lane]: { readonly lane: L; readonly content: WireBodies[L] } }[Lane];

/** Keys of event data that may travel, and only in these kinds: numbers in a range, words of a list, flags. */
function allowedData(data: Readonly<Record<string, unknown>>): Record<string, number | boolean | string> {
  const kept: Record<string, number | boolean | string> = {};
  for (const [key, range] of Object.entries(numberRanges)) {
    const value = data[key];
    if (typeof value === 'number' && value >= range[0] && value <= range[1]) kept[key] = value;
    else if (typeof value === 'boolean') kept[key] = value;
  }
  for (const [key, list] of Object.entries(words)) {
    const value = data[key];
    if (typeof value === 'string' && list.includes(value)) kept[key] = value;
    else if (typeof value === 'boolean') kept[key] = value;
  }
  return kept;
}

/**
 * What of an outbox body may be told to the city. Strips everything that is not on the list; throws WIRE_BODY naming the
 * field when what must be there is missing or wrong.
 */
export function toWire(lane: Lane, body: unknown): WireBody {
  const result = schemas[lane].safeParse(body);
  if (!result.success) throw new WireError('WIRE_BODY', `${lane} body: ${describeFields(result.error)}`);
  return { lane, content: result.data } as WireBody;
}

/** Bodies below this go as plain JSON, which anybody can read off the wire, bytes. */
const compressAbove = 16_384;
/** What a compressed body may become, bytes: a frame of zeros must not take the city's memory. */
const maxBodyBytes = 4 * 1_024 * 1_024;

/** The bytes of a body and the content type for the header: `json`, or `json+zstd` for a large one. */
export function encodeBody(body: WireBody): { readonly ct: string; readonly bytes: Buffer } {
  const plain = Buffer.from(JSON.stringify(body.content), 'utf8');
  if (plain.length <= compressAbove) return { ct: 'json', bytes: plain };
  return { ct: 'json+zstd', bytes: zstdCompressSync(plain) };
}

function unpack(lane: string, contentType: string, bytes: Uint8Array): Uint8Array {
  if (contentType === 'json') return bytes;
  if (contentType !== 'json+zstd') {
    throw new WireError('WIRE_CONTENT_TYPE', `body type "${contentType}" is not known here`);
  }
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: maxBodyBytes });
  } catch (error) {
    throw new WireError('WIRE_BODY', `${lane} body: no zstd, or more than ${maxBodyBytes} bytes`, { cause: error });
  }
}

/** Throws WIRE_CONTENT_TYPE for a body type or lane that is not known here, WIRE_BODY for a wrong one. */
export function decodeBody(lane: string, contentType: string, bytes: Uint8Array): WireBody {
  if (!isLane(lane)) throw new WireError('WIRE_CONTENT_TYPE', `lane "${lane}" is not known here`);
  return toWire(lane, parseJson(unpack(lane, contentType, bytes), 'WIRE_BODY', `${lane} body`));
}

/** First and last time and number of items, for the frame header. */
export function extentOf(body: WireBody): { readonly t0: number; readonly t1: number; readonly n: number } {
  switch (body.lane) {
    case 'agg1m': {
      const { t, step, points } = body.content;
      return { t0: t, t1: t + step, n: points.length };
    }
    case 'alarm': {
      const { raised, acknowledged, returned, ended } = body.content;
      return { t0: raised, t1: Math.max(raised, acknowledged?.time ?? 0, returned ?? 0, ended ?? 0), n: 1 };
    }
    case 'event':
    case 'health':
      return { t0: body.content.time, t1: body.content.time, n: 1 };
  }
}

const gapSchema = z.object({
  /** The last sequence that the marker stands for; the first is the frame's own. */
  to: z.int().min(1),
  /** `unencodable`: the edge had it and could not put it on the wire. `missing`: the outbox itself has a hole. */
  reason: z.enum(['unencodable', 'missing']),
  /** Names the field, never a value. */
  message: z.string().max(300),
});
export type GapMarker = z.infer<typeof gapSchema>;

export function encodeGap(gap: GapMarker): Buffer {
  return Buffer.from(JSON.stringify(gap), 'utf8');
}

export function decodeGap(bytes: Uint8Array): GapMarker {
  const result = gapSchema.safeParse(parseJson(bytes, 'WIRE_BODY', 'gap marker'));
  if (!result.success) throw new WireError('WIRE_BODY', `gap marker: ${describeFields(result.error)}`);
  return result.data;
}
