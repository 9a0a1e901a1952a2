import { open } from 'node:fs/promises';
import { CodedError } from '#edge/runtime/errors.ts';
import type { SoundRange } from './clip-ffmpeg.ts';

/* Where in a file of bare samples (16-bit little-endian mono) something is heard. */

export interface SilenceLimits {
  /** Hz */
  readonly rate: number;
  /** Longest file, s. */
  readonly seconds: number;
  /** Kept before the first sound and behind the last, s. */
  readonly keep: number;
}

/** Silence is below this in 10 ms: as a share of full scale (-50 dB), or of the loudest 10 ms (-40 dB), whichever is less. */
const silence = 0.003_16;
const silenceOfLoudest = 0.01;
/** Of full scale: nothing but the noise of a converter (-80 dB). */
const nothing = 0.000_1;
const windowsPerRead = 1_000;

/** Throws BAD_SOUND when nothing is heard, or too much. */
export async function soundIn(raw: string, { rate, seconds, keep }: SilenceLimits): Promise<SoundRange> {
  const size = Math.floor(rate / 100);
  const { levels, samples } = await levelsOf(raw, size, rate * seconds);
  if (samples > rate * seconds) throw new CodedError('BAD_SOUND', `it lasts longer than ${seconds / 60} minutes`);
  const loudest = levels.reduce((most, level) => Math.max(most, level), 0);
  if (loudest < nothing) throw new CodedError('BAD_SOUND', 'there is nothing but silence in it');
  const limit = Math.min(silence, loudest * silenceOfLoudest);
  const first = levels.findIndex((level) => level >= limit);
  const last = levels.findLastIndex((level) => level >= limit);
  const kept = Math.round(rate * keep);
  return { from: Math.max(0, first * size - kept), to: Math.min(samples, (last + 1) * size + kept) };
}

/** Root mean square of each 10 ms, 0 to 1; read in pieces, with a turn of the event loop between them. */
async function levelsOf(raw: string, size: number, most: number): Promise<{ levels: number[]; samples: number }> {
  await using file = await open(raw, 'r');
  const buffer = Buffer.alloc(size * 2 * windowsPerRead);
  const levels: number[] = [];
  let samples = 0;
  for (;;) {
    const bytes = await readFully(file, buffer, samples * 2);
    const piece = new Int16Array(buffer.buffer, buffer.byteOffset, Math.floor(bytes / 2));
    for (let at = 0; at < piece.length; at += size) levels.push(levelOf(piece.subarray(at, at + size)));
    samples += piece.length;
    if (bytes < buffer.length || samples > most) return { levels, samples };
  }
}

async function readFully(file: Awaited<ReturnType<typeof open>>, buffer: Buffer, position: number): Promise<number> {
  let bytes = 0;
  while (bytes < buffer.length) {
    const { bytesRead } = await file.read(buffer, bytes, buffer.length - bytes, position + bytes);
    if (bytesRead === 0) break;
    bytes += bytesRead;
  }
  return bytes;
}

function levelOf(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length) / 32_768;
}
