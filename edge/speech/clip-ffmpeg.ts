import { findFfmpeg } from '#edge/media/ffmpeg-find.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { lastWords, type ProgramEnd, runProgram } from './program.ts';

/* What ffmpeg does for a clip: strangers' files are decoded by a child that reads one file, knows no network, and is ended when it is slow. */

export interface SoundTools {
  /** Path of ffmpeg. */
  readonly ffmpeg: string;
  /** Of each step, ms. */
  readonly patience: number;
  readonly signal?: AbortSignal | undefined;
}

/** Samples [from, to) of a file of bare samples: 16-bit little-endian mono, `clipRate`. */
export interface SoundRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Containers that hold sound. Everything else ffmpeg would open by its content (playlists that name other files and addresses, concat scripts,
 * pictures, SDP) is not looked into, whatever the file is called.
 */
const containers = [
  ...[
    'wav',
    'w64',
    'aiff',
    'au',
    'caf',
    'mp3',
    'flac',
    'ogg',
    'aac',
    'ac3',
    'eac3',
    'amr',
    'amrnb',
    'amrwb',
    'ape',
    'wv',
    'tta',
  ],
  ...['mov', 'mp4', 'm4a', '3gp', 'matroska', 'webm', 'asf', 'avi', 'mpeg', 'mpegts'],
];
export const takenContainers = 'wav, mp3, ogg, opus, flac, m4a, aac, amr, aiff, wma, mp4, webm';
/** One allocation of the child, bytes: a header may ask for anything. */
const mostAllocated = 128_000_000;
const quiet = ['-hide_banner', '-nostdin', '-nostats', '-max_alloc', String(mostAllocated)];
/** EBU R 128 looks at 400 ms at a time, and its gate at what is over 3 s: what is shorter is measured as if it was said again and again. */
const shortestMeasured = 3;
const rate = 48_000;

/** Its path; `folder`: where a copy of the bundled one may lie. Throws CLIP_NO_FFMPEG. */
export async function findClipFfmpeg(folder: string): Promise<string> {
  const found = await findFfmpeg({ folder });
  if (found === null) throw new CodedError('CLIP_NO_FFMPEG', 'there is no ffmpeg on this box: it makes the clips');
  return found.path;
}

/** Throws BAD_SOUND in words for whoever sent the file. */
export async function decodeSound(
  tools: SoundTools,
  source: string,
  to: string,
  limits: { readonly rate: number; readonly seconds: number },
): Promise<void> {
  const input = [
    '-protocol_whitelist',
    'file',
    '-format_whitelist',
    containers.join(','),
    '-threads',
    '1',
    '-i',
    `file:${source}`,
  ];
  const cut = ['-map', '0:a:0', '-vn', '-sn', '-dn', '-t', String(limits.seconds)];
  const output = ['-ac', '1', '-ar', String(limits.rate), '-f', 's16le', '-y', `file:${to}`];
  const ended = await ffmpeg(tools, ['-v', 'error', ...input, ...cut, ...output]);
  if (ended.code !== 0) throw new CodedError('BAD_SOUND', whyNot(ended, [`file:${source}`, source]));
}

function whyNot(ended: ProgramEnd, paths: readonly string[]): string {
  const { said } = ended;
  if (/not on whitelist|Invalid data found when processing input|Failed to read frame size|End of file/i.test(said)) {
    return `this is no file of sound that is taken (${takenContainers}), or it is damaged`;
  }
  if (/matches no streams|does not contain any stream/i.test(said)) return 'there is no sound in this file';
  return `ffmpeg cannot read it: ${lastWords(ended, paths).replace(/\[\w+ @ 0x[0-9a-f]+\] /g, '')}`;
}

/** LUFS, integrated; null: below what the measure hears (-70). */
export async function measureLoudness(tools: SoundTools, raw: string, range: SoundRange): Promise<number | null> {
  return summaryOf(
    await ffmpeg(tools, ['-v', 'info', ...rawInput(raw), '-af', [...only(range), 'ebur128'].join(','), ...nowhere]),
  );
}

/** Of a finished WAV file. */
export async function loudnessOfWav(tools: SoundTools, file: string, samples: number): Promise<number | null> {
  const filter = [...only({ from: 0, to: samples }), 'ebur128'].join(',');
  const input = ['-protocol_whitelist', 'file', '-f', 'wav', '-i', `file:${file}`];
  return summaryOf(await ffmpeg(tools, ['-v', 'info', ...input, '-af', filter, ...nowhere]));
}

/**
 * Writes the WAV file, `gain` dB louder. Peaks are held at -2 dB at four times the rate, so that between the samples nothing is above -1.5 dB
 * (BS.1770-4, annex 2).
 */
export async function writeEven(
  tools: SoundTools,
  raw: string,
  range: SoundRange,
  gain: number,
  to: string,
): Promise<void> {
  const cut = [`atrim=start_sample=${range.from}:end_sample=${range.to}`, 'asetpts=PTS-STARTPTS'];
  const limit = [
    `aresample=${rate * 4}`,
    'alimiter=limit=0.794:attack=1:release=50:level=disabled',
    `aresample=${rate}`,
  ];
  const filter = [...cut, `volume=${gain.toFixed(2)}dB`, ...limit].join(',');
  const plain = ['-map_metadata', '-1', '-fflags', '+bitexact', '-flags', '+bitexact', '-ac', '1', '-ar', String(rate)];
  const args = [
    '-v',
    'error',
    ...rawInput(raw),
    '-af',
    filter,
    ...plain,
    '-c:a',
    'pcm_s16le',
    '-f',
    'wav',
    '-y',
    `file:${to}`,
  ];
  const ended = await ffmpeg(tools, args);
  if (ended.code !== 0)
    throw new CodedError('FFMPEG_FAILED', `ffmpeg cannot write the clip: ${lastWords(ended, [raw, to])}`);
}

const nowhere = ['-f', 'null', '-'];

function rawInput(raw: string): string[] {
  return ['-protocol_whitelist', 'file', '-f', 's16le', '-ar', String(rate), '-ac', '1', '-i', `file:${raw}`];
}

function only({ from, to }: SoundRange): string[] {
  const cut = [`atrim=start_sample=${from}:end_sample=${to}`, 'asetpts=PTS-STARTPTS'];
  if (to - from >= shortestMeasured * rate) return cut;
  // Counted, for an ffmpeg of 2018 goes on for ever behind a loop without end.
  const again = Math.min(1_000, Math.ceil((shortestMeasured * 2 * rate) / (to - from)));
  return [...cut, `aloop=loop=${again}:size=${to - from}`];
}

function summaryOf(ended: ProgramEnd): number | null {
  const summary = ended.said.slice(Math.max(0, ended.said.lastIndexOf('Summary:')));
  const measured = Number(/\bI:\s+(-?[\d.]+) LUFS/.exec(summary)?.[1]);
  if (ended.code !== 0) throw new CodedError('FFMPEG_FAILED', `ffmpeg cannot measure it: ${lastWords(ended)}`);
  return Number.isFinite(measured) && measured > -70 ? measured : null;
}

function ffmpeg({ ffmpeg: path, patience, signal }: SoundTools, args: readonly string[]): Promise<ProgramEnd> {
  return runProgram({ path, args: [...quiet, ...args], patience, signal });
}
