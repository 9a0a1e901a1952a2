import { once } from 'node:events';
import { CodedError } from '#edge/runtime/errors.ts';
import type { PictureMask } from '#edge/runtime/site-cameras.ts';
import { FfmpegChild } from './ffmpeg-child.ts';

/** Which ffmpeg works on footage, and its name in the list of processes. */
export interface FootageFfmpeg {
  readonly path: string;
  readonly title: string;
}

export interface FfmpegWork {
  readonly ffmpeg: FootageFfmpeg;
  /** What it reads from `pipe:0` and writes to `pipe:1` is up to these. */
  readonly args: readonly string[];
  readonly input: AsyncIterable<Buffer> | Iterable<Buffer>;
  /** Most bytes of its output that are taken. */
  readonly mostOutput: number;
  /** ms */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** Feeds ffmpeg and answers with what it writes. Throws FFMPEG_FAILED with its own words, or TIMEOUT. */
export async function runFfmpeg({ ffmpeg, args, input, mostOutput, timeout, signal }: FfmpegWork): Promise<Buffer> {
  const stop = AbortSignal.any([AbortSignal.timeout(timeout), ...(signal === undefined ? [] : [signal])]);
  const chunks: Buffer[] = [];
  let size = 0;
  await using child = new FfmpegChild({
    ...ffmpeg,
    args: ['-v', 'error', '-nostdin', ...args],
    onOutput: (chunk) => {
      size += chunk.length;
      if (size <= mostOutput) chunks.push(chunk);
    },
  });
  const ended = child.ended.then((end) => ({ ...end, isEnd: true as const }));
  const stopped = once(stop, 'abort').then(() => ({ isEnd: false as const }));
  const fed = feed(child, input, Promise.race([ended, stopped]), stop);
  const result = await Promise.race([ended, stopped]);
  if (!result.isEnd) {
    signal?.throwIfAborted();
    throw new CodedError('TIMEOUT', `ffmpeg took longer than ${timeout} ms`);
  }
  await fed;
  if (size > mostOutput) throw new CodedError('FFMPEG_FAILED', `ffmpeg wrote more than ${mostOutput} bytes`);
  if (result.code !== 0) throw new CodedError('FFMPEG_FAILED', `ffmpeg: ${result.said.trim().slice(-300)}`);
  return Buffer.concat(chunks, size);
}

/** It may end before it has read everything: a thumbnail needs one picture. */
async function feed(
  child: FfmpegChild,
  input: FfmpegWork['input'],
  over: Promise<unknown>,
  stop: AbortSignal,
): Promise<void> {
  let isOver = stop.aborted;
  const noteOver = over.then(() => {
    isOver = true;
  });
  const { stdin } = child;
  for await (const chunk of input) {
    if (isOver || stdin.destroyed) return;
    if (!stdin.write(chunk)) await Promise.race([once(stdin, 'drain').catch(() => {}), noteOver]);
  }
  stdin.end();
}

/**
 * Covers these parts of the picture, rounded outwards to whole points and one more: a picture that was made smaller before has mixed what
 * lies beside the edge. '' without any.
 */
export function maskFilter(masks: readonly PictureMask[]): string {
  const share = (value: number) => value.toFixed(5);
  return masks
    .map(({ x, y, width, height }) => {
      const [left, right] = [`floor(iw*${share(x)})`, `ceil(iw*${share(x + width)})`];
      const [top, bottom] = [`floor(ih*${share(y)})`, `ceil(ih*${share(y + height)})`];
      const place = `x=${left}-1:y=${top}-1:w=${right}-${left}+2:h=${bottom}-${top}+2`;
      return `drawbox=${place}:color=black:t=fill`;
    })
    .join(',');
}

/** Masked video as browsers and players take it; without B frames, which would show each picture two later than it was taken. */
export const maskedCodec = [
  ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '24', '-bf', '0', '-pix_fmt', 'yuv420p'],
];
