import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { codeOf } from '#edge/runtime/errors.ts';

/* A sound file as a browser plays it: whole or by one byte range (RFC 9110 14.1.2; several at once are answered with the whole). */

/** `null`: the whole; `unsatisfiable`: 416. */
function rangeOf(header: string | undefined, size: number): { from: number; to: number } | 'unsatisfiable' | null {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return null;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { from: size - length, to: size - 1 };
  }
  const from = Number(first);
  const to = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (from >= size) return 'unsatisfiable';
  return to < from ? null : { from, to };
}

/** Opens a file of ours for reading, never through a link; null: it is not there. */
export async function openSound(path: string): Promise<FileHandle | null> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    return null;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ELOOP') return null;
    throw error;
  }
}

/** Answers with what is in the file now; the handle is closed with the answer. Private: of who asked, and of this session only. */
export async function sendWav(request: FastifyRequest, reply: FastifyReply, handle: FileHandle): Promise<FastifyReply> {
  const { size } = await handle.stat();
  const range = rangeOf(request.headers.range, size);
  reply.type('audio/wav').header('accept-ranges', 'bytes').header('cache-control', 'private, no-store');
  if (range === 'unsatisfiable' || size === 0) {
    await handle.close();
    return reply.code(416).header('content-range', `bytes */${size}`).send();
  }
  const { from, to } = range ?? { from: 0, to: size - 1 };
  if (range !== null) reply.code(206).header('content-range', `bytes ${from}-${to}/${size}`);
  // A file that grows meanwhile is answered as long as it was.
  reply.header('content-length', String(to - from + 1));
  return reply.send(handle.createReadStream({ start: from, end: to }));
}
