import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { type DeviceId, slugPattern } from '#edge/domain/ids.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { PictureMask } from '#edge/runtime/site-cameras.ts';
import type { Exports } from './export.ts';
import type { Footage, FootagePath } from './footage.ts';
import type { Pictures } from './picture.ts';
import { parseByteRange } from './playback-range.ts';
import type { ProtectedFootage } from './retention-protected.ts';

/*
 * Footage over media's own socket, for web: it knows people, this knows files. Answers `{error, message}` where something is not
 * there or cannot be made.
 */

export interface PlaybackOptions {
  readonly footage: Footage;
  readonly kept: Pick<ProtectedFootage, 'isProtected'>;
  readonly pictures: Pictures;
  readonly exports: Exports;
  readonly masksOf: (camera: DeviceId) => readonly PictureMask[];
  readonly log: Log;
}

/** One of the handlers of media's socket (`socket.ts`). */
export type PlaybackHandler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

const camera = z
  .string()
  .regex(slugPattern)
  .transform((id) => id as DeviceId);
const time = z.coerce.number().int().min(0).max(8.64e15);
const flag = z.enum(['0', '1']).default('0');
/** `segments=0`: the ranges alone, for a timeline of a whole day. */
const rangeQuery = z.object({ from: time, to: time, segments: flag.default('1') });
const pictureQuery = z.object({
  at: time,
  width: z.coerce.number().int().min(64).max(3_840).default(480),
  masked: flag,
});
const exportBody = z.strictObject({
  cameras: z.array(camera).min(1).max(16),
  from: z.int().min(0).max(8.64e15),
  to: z.int().min(0).max(8.64e15),
  masked: z.boolean(),
});

const largestBody = 8_000_000;
const bodyTime = 10_000;

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly parts: readonly string[];
}

/** Answers requests below /footage, /pictures and /exports; false: it is none of these. Never rejects. */
export function createPlayback(options: PlaybackOptions): PlaybackHandler {
  return async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://media');
    const parts = url.pathname.split('/').slice(1).map(decodePart);
    const handle = handlerOf(request.method ?? 'GET', parts);
    if (handle === null) return false;
    try {
      await handle(options, { request, response, url, parts });
    } catch (error) {
      answerError(response, error, options.log);
    }
    return true;
  };
}

type Handler = (options: PlaybackOptions, call: Call) => Promise<void>;

function handlerOf(method: string, parts: readonly string[]): Handler | null {
  const [area, , what, , more] = parts;
  const shape = `${method} ${area} ${parts.length}`;
  if (shape === 'GET footage 2') return listFootage;
  if (shape === 'GET footage 3' && what === 'picture') return sendPicture;
  if (shape === 'GET footage 4' && what === 'segments') return sendSegment;
  if (shape === 'POST pictures 3' && what === 'mask') return maskPicture;
  if (shape === 'POST exports 1') return createExport;
  if (shape === 'GET exports 2')
    return async ({ exports }, { response, parts }) => json(response, 200, exports.get(parts[1] ?? ''));
  if (shape === 'DELETE exports 2') return cancelExport;
  if (shape === 'GET exports 4' && what === 'files' && more === undefined) return sendExport;
  return null;
}

async function listFootage({ footage, kept }: PlaybackOptions, { response, url, parts }: Call): Promise<void> {
  const id = camera.parse(parts[1]);
  const { from, to, segments } = rangeQuery.parse(Object.fromEntries(url.searchParams));
  if (to <= from) throw new CodedError('BAD_RANGE', '`to` must be after `from`');
  const isProtected = kept.isProtected.bind(kept);
  const ranges = footage.ranges(id, from, to).slice(0, 20_000);
  json(response, 200, { ranges, segments: segments === '0' ? [] : footage.segments(id, from, to, isProtected) });
}

async function sendPicture({ pictures }: PlaybackOptions, { response, url, parts }: Call): Promise<void> {
  const { at, width, masked } = pictureQuery.parse(Object.fromEntries(url.searchParams));
  const { jpeg, time: taken } = await pictures.at(camera.parse(parts[1]), at, { width, isMasked: masked === '1' });
  response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': jpeg.length, 'x-footage-time': taken });
  response.end(jpeg);
}

async function sendSegment(options: PlaybackOptions, { request, response, url, parts }: Call): Promise<void> {
  const id = camera.parse(parts[1]);
  const file = options.footage.find(id, time.parse(parts[3]));
  const isMasked = flag.parse(url.searchParams.get('masked') ?? undefined) === '1';
  response.setHeader('x-footage-from', file.from);
  response.setHeader('x-footage-to', file.to);
  response.setHeader('x-footage-open', file.isOpen ? '1' : '0');
  if (isMasked && options.masksOf(id).length > 0) {
    const bytes = await options.pictures.maskedSegment(id, file);
    await sendBytes(request, response, 'video/mp4', bytes);
    return;
  }
  await sendFile(request, response, file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') options.footage.forget(id, file.from);
    throw error;
  });
}

async function maskPicture({ pictures }: PlaybackOptions, { request, response, parts }: Call): Promise<void> {
  const jpeg = await pictures.mask(camera.parse(parts[1]), await readBody(request));
  await sendBytes(request, response, 'image/jpeg', jpeg);
}

async function createExport({ exports }: PlaybackOptions, { request, response }: Call): Promise<void> {
  const { masked, ...wish } = exportBody.parse(JSON.parse((await readBody(request)).toString('utf8')));
  json(response, 202, exports.create({ ...wish, isMasked: masked }));
}

async function cancelExport({ exports }: PlaybackOptions, { response, parts }: Call): Promise<void> {
  await exports.cancel(parts[1] ?? '');
  json(response, 200, {});
}

async function sendExport({ exports }: PlaybackOptions, { request, response, parts }: Call): Promise<void> {
  const { path, file } = exports.fileOf(parts[1] ?? '', Number(parts[3]));
  await sendFile(request, response, { path, bytes: file.bytes });
}

// --- answers --------------------------------------------------------------------------------------------------------

/** Only what was there when it was asked for: an open file grows while it is sent. */
async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { path, bytes }: Pick<FootagePath, 'path' | 'bytes'>,
): Promise<void> {
  const range = beginBytes(request, response, 'video/mp4', bytes);
  if (range === null) return;
  const file = createReadStream(path, { start: range.start, end: range.end });
  await pipeline(file, response);
}

async function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  type: string,
  bytes: Buffer,
): Promise<void> {
  const range = beginBytes(request, response, type, bytes.length);
  if (range !== null) response.end(bytes.subarray(range.start, range.end + 1));
}

/** Writes the head as RFC 9110 14 wants it; null: the answer is over (416). */
function beginBytes(
  request: IncomingMessage,
  response: ServerResponse,
  type: string,
  size: number,
): { readonly start: number; readonly end: number } | null {
  const range = parseByteRange(request.headers.range, size);
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
    return null;
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  response.statusCode = range === null ? 200 : 206;
  response.setHeader('content-type', type);
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('content-length', end - start + 1);
  if (range !== null) response.setHeader('content-range', `bytes ${start}-${end}/${size}`);
  return { start, end };
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const statusOf: Readonly<Record<string, number>> = {
  FOOTAGE_NOT_FOUND: 404,
  EXPORT_NOT_FOUND: 404,
  ENOENT: 404,
  BAD_RANGE: 400,
  BAD_EXPORT: 400,
  BODY_TOO_LARGE: 413,
  EXPORT_NO_ROOM: 409,
  MEDIA_BUSY: 503,
  MEDIA_NO_FFMPEG: 503,
  TIMEOUT: 503,
};

function answerError(response: ServerResponse, error: unknown, log: Log): void {
  if (response.headersSent) {
    // It broke off in the middle (or the reader went): there is nothing left to say but that.
    response.destroy();
    return;
  }
  const isBadRequest = error instanceof z.ZodError || error instanceof SyntaxError || error instanceof URIError;
  const code = isBadRequest ? 'BAD_REQUEST' : error instanceof CodedError ? error.code : codeOf(error) || 'FAILED';
  const status = isBadRequest ? 400 : (statusOf[code] ?? 500);
  if (status === 500) log.error({ error }, 'footage could not be answered with');
  // What the file system says has paths of this box in it.
  const message = error instanceof CodedError ? error.message : isBadRequest ? messageOf(error).slice(0, 500) : code;
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  json(response, status, { error: code, message });
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const late = setTimeout(() => request.destroy(), bodyTime);
  try {
    for await (const chunk of request) {
      size += chunk.length;
      if (size > largestBody) throw new CodedError('BODY_TOO_LARGE', `at most ${largestBody} bytes are taken`);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(late);
  }
  return Buffer.concat(chunks, size);
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return ''; // no name of ours
  }
}
