import { z } from 'zod';
import { describeFields, parseJson, WireError } from './wire-error.ts';

/*
 * The talk around the frames, JSON. Unknown keys are ignored, as in the header.
 * hello (up, `u/hello`) opens a session and is repeated as a sign of life; ack and nack (down, `d/ack`) answer.
 */
export const maxMessageBytes = 16_384;
export const protocols = [1] as const;

const lane = z.string().regex(/^[a-z0-9]{1,32}$/, 'must be a lane name');
const session = z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be a session id');
const count = z.int().min(0);

const helloSchema = z.object({
  v: z.literal(1),
  /** New at each connection. */
  session,
  /** The edge's clock, ms since epoch UTC. */
  time: count,
  /** Frame versions the edge can speak. */
  proto: z.array(z.int().min(1)).min(1).max(16),
  /** `min` = oldest held (head + 1 when nothing is), `head` = newest, 0 when there never was one. */
  lanes: z.record(lane, z.object({ epoch: z.int().min(1), min: z.int().min(1), head: count })),
});

const ackSchema = z.object({
  v: z.literal(1),
  kind: z.literal('ack'),
  /** Present in the answer to a hello: that session may send now. */
  session: session.optional(),
  /** The frame version to speak. */
  proto: z.int().min(1),
  /** Committed, cumulative: everything up to `wm` of this epoch is in the city's database. */
  /**
   * `t0`, in the answer to a hello: that of the frame at `wm`, so that an edge restored from an older copy, which counts
   * the same numbers again, sees that the city's `wm` is not its own.
   */
  lanes: z.record(lane, z.object({ epoch: z.int().min(1), wm: count, t0: count.optional() })),
  /** Frames of each lane that may be on their way. */
  credit: z.int().min(1).max(10_000),
  /** Least pause between two frames of the bulk lanes, ms. */
  paceMs: z.int().min(0).max(60_000),
  /** The city's clock, ms since epoch UTC. */
  time: count,
});

const nackSchema = z.object({
  v: z.literal(1),
  kind: z.literal('nack'),
  lane,
  epoch: z.int().min(1),
  /** The sequence that must come next. */
  expect: z.int().min(1),
  /** `gap`: frames before it are missing. `unsupported`: this city cannot read it yet; hold the lane. */
  reason: z.enum(['gap', 'unsupported']),
  message: z.string().max(300).optional(),
});

const answerSchema = z.discriminatedUnion('kind', [ackSchema, nackSchema]);

const willSchema = z.object({ v: z.literal(1), session });

export type Hello = z.infer<typeof helloSchema>;
export type Ack = z.infer<typeof ackSchema>;
export type Nack = z.infer<typeof nackSchema>;
export type Will = z.infer<typeof willSchema>;

function read<T>(schema: z.ZodType<T>, bytes: Uint8Array, what: string): T {
  if (bytes.length > maxMessageBytes) {
    throw new WireError('WIRE_TOO_LARGE', `${what}: ${bytes.length} bytes, at most ${maxMessageBytes}`);
  }
  const result = schema.safeParse(parseJson(bytes, 'WIRE_MESSAGE', what));
  if (!result.success) throw new WireError('WIRE_MESSAGE', `${what}: ${describeFields(result.error)}`);
  return result.data;
}

export function readHello(bytes: Uint8Array): Hello {
  return read(helloSchema, bytes, 'hello');
}

export function readWill(bytes: Uint8Array): Will {
  return read(willSchema, bytes, 'will');
}

/** What comes down on `d/ack`. */
export function readAnswer(bytes: Uint8Array): Ack | Nack {
  return read(answerSchema, bytes, 'answer of the city');
}
