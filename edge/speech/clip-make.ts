import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  decodeSound,
  loudnessOfWav,
  measureLoudness,
  type SoundRange,
  type SoundTools,
  writeEven,
} from './clip-ffmpeg.ts';
import { soundIn } from './clip-silence.ts';

/*
 * Somebody's sound file -> a clip: mono, 48 kHz, 16 bit, no silence at its ends, and as loud as all others (EBU R 128: -16 LUFS, true peak at
 * most -1.5 dB). The same file makes the same bytes.
 */

export interface MadeClip {
  /** A WAV file in the folder that was given. */
  readonly file: string;
  /** Of its content, hex. */
  readonly sha256: string;
  readonly bytes: number;
  /** ms */
  readonly length: number;
  /** LUFS before it was made even; null: too quiet to say. Of less than 3 s: as if it was played again and again. */
  readonly loudness: number | null;
}

export interface ClipJob extends SoundTools {
  readonly source: string;
  /** Of this job alone: what is made on the way and the clip lie here; the caller removes it. */
  readonly folder: string;
}

export const clipLoudness = -16;
const rate = 48_000;
/** Longest clip, s. */
export const longestClip = 3_600;
const keptSilence = 0.05;
/** Noise is not to be made into a message, dB. */
const mostGain = 30;
/** The limiter takes away some of what the gain gives: then it is made once more, LU. */
const closeEnough = 0.5;
const mostRounds = 3;
const wavHeader = 44;

/** Throws BAD_SOUND for what is no sound, is silent or too long; TIMEOUT; FFMPEG_FAILED; what the disk says. */
export async function makeClip(job: ClipJob): Promise<MadeClip> {
  const raw = join(job.folder, 'decoded.pcm');
  const file = join(job.folder, 'clip.wav');
  try {
    await decodeSound(job, job.source, raw, { rate, seconds: longestClip + 1 });
    const range = await soundIn(raw, { rate, seconds: longestClip, keep: keptSilence });
    const loudness = await measureLoudness(job, raw, range);
    await makeEven(job, raw, range, loudness, file);
    const { size } = await stat(file);
    const length = Math.round((size - wavHeader) / 2 / (rate / 1_000));
    return { file, sha256: await sha256Of(file), bytes: size, length, loudness };
  } finally {
    await rm(raw, { force: true });
  }
}

async function makeEven(
  job: ClipJob,
  raw: string,
  range: SoundRange,
  loudness: number | null,
  file: string,
): Promise<void> {
  let gain = loudness === null ? 0 : Math.min(mostGain, clipLoudness - loudness);
  for (let round = 1; ; round++) {
    await writeEven(job, raw, range, gain, file);
    if (loudness === null || round === mostRounds) return;
    const now = await loudnessOfWav(job, file, range.to - range.from);
    const missing = now === null ? 0 : clipLoudness - now;
    const next = Math.min(mostGain, gain + missing);
    if (Math.abs(missing) <= closeEnough || next === gain) return;
    gain = next;
  }
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
