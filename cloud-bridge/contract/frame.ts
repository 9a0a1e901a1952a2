import { z } from 'zod';
import { describeFields, parseJson, WireError } from './wire-error.ts';

/*
 * One frame of a lane:  u16le header length | header (UTF-8 JSON) | body.
 *
 * The header grows by adding keys only: an unknown key is ignored, an unknown `v` is refused. The body is whatever `ct`
 * says, so that denser bodies can come without touching the header.
 */
export const maxHeaderBytes = 4_096;
export const maxFrameBytes = 256 * 1_024;

const seq = z.int().min(1);
const time = z.int().min(0);

const headerSchema = z
  .object({
    v: z.literal(1),
    /** Campus: 10-digit school code. */
    c: z.string().regex(/^\d{10}$/, 'must be 10 digits'),
    /** Lane. A name this side does not know is legal here and refused where it is applied. */
    l: z.string().regex(/^[a-z0-9]{1,32}$/, 'must be a lane name'),
    /** Epoch: which outbox counted `s`. Larger when the outbox was created again. */
    e: z.int().min(1),
    s: seq,
    /** First and last time inside the body, ms since epoch UTC. */
    t0: time,
    t1: time,
    /** Items in the body. */
    n: z.int().min(0).max(100_000),
    /** `json`, `json+zstd`, or `gap` for a marker that takes the place of what could not be sent. */
    ct: z.string().regex(/^[a-z0-9+]{1,32}$/, 'must be a content type word'),
    /** Hash of the dictionary that the body needs. */
    sch: z.string().max(64).optional(),
    /** Oldest sequence the edge still holds: everything below is gone from it. */
    min: seq,
    /** Edge clock minus city clock, ms, as the edge last measured it. */
    off: z.int().optional(),
    /** `clock`: the times inside cannot be trusted (offset above 60 s). */
    q: z.enum(['clock']).optional(),
  })
  .refine((header) => header.t1 >= header.t0, { path: ['t1'], message: 'must not be before t0' })
  .refine((header) => header.min <= header.s, { path: ['min'], message: 'must not be above s' });

export type FrameHeader = z.infer<typeof headerSchema>;

export interface Frame {
  readonly header: FrameHeader;
  readonly body: Buffer;
}

/** Header keys in the order of this table, whatever order the caller had: equal frames are equal bytes. */
function inOrder(header: FrameHeader): FrameHeader {
  const { v, c, l, e, s, t0, t1, n, ct, sch, min, off, q } = header;
  return { v, c, l, e, s, t0, t1, n, ct, sch, min, off, q };
}

/** Throws WIRE_HEADER or WIRE_TOO_LARGE: an encoder must not be able to produce what a decoder refuses. */
export function encodeFrame(frame: Frame): Buffer {
  const checked = headerSchema.safeParse(frame.header);
  if (!checked.success) throw new WireError('WIRE_HEADER', `frame header: ${describeFields(checked.error)}`);
  const header = Buffer.from(JSON.stringify(inOrder(checked.data)), 'utf8');
  if (header.length > maxHeaderBytes) {
    throw new WireError('WIRE_TOO_LARGE', `frame header: ${header.length} bytes, at most ${maxHeaderBytes}`);
  }
  const size = 2 + header.length + frame.body.length;
  if (size > maxFrameBytes) throw new WireError('WIRE_TOO_LARGE', `frame: ${size} bytes, at most ${maxFrameBytes}`);
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeUInt16LE(header.length, 0);
  header.copy(bytes, 2);
  frame.body.copy(bytes, 2 + header.length);
  return bytes;
}

/** Throws only WireError: WIRE_TRUNCATED, WIRE_TOO_LARGE, WIRE_VERSION or WIRE_HEADER, naming the field. */
export function decodeFrame(bytes: Buffer): Frame {
  if (bytes.length > maxFrameBytes) {
    throw new WireError('WIRE_TOO_LARGE', `frame: ${bytes.length} bytes, at most ${maxFrameBytes}`);
  }
  if (bytes.length < 2)
    throw new WireError('WIRE_TRUNCATED', `frame: ${bytes.length} bytes, the header length needs 2`);
  const length = bytes.readUInt16LE(0);
  if (length > maxHeaderBytes) {
    throw new WireError('WIRE_TOO_LARGE', `frame header: ${length} bytes, at most ${maxHeaderBytes}`);
  }
  if (bytes.length < 2 + length) {
    throw new WireError('WIRE_TRUNCATED', `frame header: ${length} bytes announced, ${bytes.length - 2} came`);
  }
  const json = parseJson(bytes.subarray(2, 2 + length), 'WIRE_HEADER', 'frame header');
  const version = z.object({ v: z.unknown() }).safeParse(json);
  if (version.success && typeof version.data.v === 'number' && version.data.v !== 1) {
    throw new WireError('WIRE_VERSION', `frame header: v: version ${version.data.v} is not known here, only 1`);
  }
  const header = headerSchema.safeParse(json);
  if (!header.success) throw new WireError('WIRE_HEADER', `frame header: ${describeFields(header.error)}`);
  return { header: header.data, body: bytes.subarray(2 + length) };
}
