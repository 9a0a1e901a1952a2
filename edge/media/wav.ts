import alawmulaw from 'alawmulaw';
import { CodedError } from '#edge/runtime/errors.ts';
import { type Resampler, startResampling } from './resample.ts';

/** Telephone speech: what G.711 carries. */
export const clipRate = 8000;

export interface WavLimits {
  /** Longest clip, seconds. */
  readonly seconds: number;
}

/** A quarter of an hour: longer than any exercise programme, 14 MB while it is decoded. */
export const defaultWavLimits: WavLimits = { seconds: 900 };

type Encoding = 'u8' | 's16' | 's24' | 's32' | 'f32' | 'f64' | 'alaw' | 'mulaw';

/** What the header says, and where the sound is: `offset` and `length` in bytes. */
export interface WavLayout {
  readonly encoding: Encoding;
  readonly rate: number;
  readonly channels: 1 | 2;
  readonly bytesPerFrame: number;
  readonly offset: number;
  readonly length: number;
}

const bytesPerSample: Readonly<Record<Encoding, number>> = {
  u8: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
  alaw: 1,
  mulaw: 1,
};

/** `format tag/bits` of the fmt chunk (RFC 2361 and mmreg.h). */
const encodings: Readonly<Record<string, Encoding>> = {
  '1/8': 'u8',
  '1/16': 's16',
  '1/24': 's24',
  '1/32': 's32',
  '3/32': 'f32',
  '3/64': 'f64',
  '6/8': 'alaw',
  '7/8': 'mulaw',
};
const extensible = 0xfffe;
/** Programs that write to a pipe cannot know the length and put this (ffmpeg, sox). */
const unknownLength = 0xffffffff;

function invalid(offset: number, what: string): CodedError {
  return new CodedError('WAV_INVALID', `at byte ${offset}: ${what}`);
}

/** Reads the chunks of a RIFF/WAVE file. Throws WAV_INVALID with the byte offset of what is wrong. */
export function layOutWav(file: Buffer): WavLayout {
  if (file.length < 12) throw invalid(file.length, 'the file ends inside the RIFF header');
  const magic = file.toString('latin1', 0, 4);
  if (magic !== 'RIFF') throw invalid(0, `expected "RIFF", found ${JSON.stringify(magic)}`);
  const kind = file.toString('latin1', 8, 12);
  if (kind !== 'WAVE') throw invalid(8, `expected "WAVE", found ${JSON.stringify(kind)}`);
  let format: ReturnType<typeof readFormat> | undefined;
  // Every turn moves at least 8 bytes on, so a hostile file ends the walk after length / 8 turns.
  for (let at = 12; at + 8 <= file.length; ) {
    const id = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const start = at + 8;
    const left = file.length - start;
    if (id === 'data') {
      if (format === undefined) throw invalid(at, 'the data chunk comes before the fmt chunk');
      const length = size === unknownLength ? left - (left % format.bytesPerFrame) : size;
      if (length > left) throw invalid(at, `the data chunk claims ${size} bytes, but only ${left} are there`);
      if (length === 0) throw invalid(at, 'the data chunk is empty');
      if (length % format.bytesPerFrame !== 0) {
        throw invalid(at, `${length} bytes of data are not a whole number of ${format.bytesPerFrame}-byte frames`);
      }
      return { ...format, offset: start, length };
    }
    if (size > left)
      throw invalid(at, `the ${JSON.stringify(id)} chunk claims ${size} bytes, but only ${left} are there`);
    if (id === 'fmt ') format = readFormat(file, start, size);
    // Chunks are padded to even lengths.
    at = start + size + (size % 2);
  }
  throw invalid(file.length, format === undefined ? 'there is no fmt chunk' : 'there is no data chunk');
}

function readFormat(file: Buffer, at: number, size: number) {
  if (size < 16) throw invalid(at, `the fmt chunk has ${size} bytes, fewer than 16`);
  const outer = file.readUInt16LE(at);
  if (outer === extensible && size < 40) throw invalid(at, `an extensible fmt chunk has ${size} bytes, fewer than 40`);
  // WAVE_FORMAT_EXTENSIBLE: the real tag is the first word of the sub-format GUID.
  const tag = outer === extensible ? file.readUInt16LE(at + 24) : outer;
  const channels = file.readUInt16LE(at + 2);
  const rate = file.readUInt32LE(at + 4);
  const blockAlign = file.readUInt16LE(at + 12);
  const bits = file.readUInt16LE(at + 14);
  const encoding = encodings[`${tag}/${bits}`];
  if (encoding === undefined) {
    throw invalid(at, `format ${tag} with ${bits} bits is not PCM, float, A-law or mu-law (convert it to 16-bit PCM)`);
  }
  if (channels !== 1 && channels !== 2) throw invalid(at + 2, `${channels} channels; 1 or 2 are understood`);
  if (rate < 4000 || rate > 192_000) throw invalid(at + 4, `a rate of ${rate} Hz; 4,000 to 192,000 are understood`);
  const bytesPerFrame = bytesPerSample[encoding] * channels;
  if (blockAlign !== bytesPerFrame) {
    throw invalid(at + 12, `a block align of ${blockAlign}, but ${channels} x ${bits} bits are ${bytesPerFrame} bytes`);
  }
  return { encoding, rate, channels, bytesPerFrame } as const;
}

/** Frames decoded between two turns of the event loop: about 1 ms of work, so that pacing never waits for a decoder. */
const framesPerTurn = 4096;

/**
 * Decodes a whole WAV file to mono Int16 at this rate (Hz; 8 kHz if none is said). Stereo is averaged. Gives the event loop
 * a turn every few thousand frames. Throws WAV_INVALID (with the byte offset) or WAV_TOO_LONG; an aborted signal throws its reason.
 */
export async function decodeWav(
  file: Buffer,
  signal: AbortSignal,
  limits = defaultWavLimits,
  to = clipRate,
): Promise<Int16Array> {
  const layout = layOutWav(file);
  const frames = layout.length / layout.bytesPerFrame;
  if (frames > layout.rate * limits.seconds) {
    const seconds = Math.round(frames / layout.rate);
    throw new CodedError('WAV_TOO_LONG', `the clip lasts ${seconds} s; the longest allowed is ${limits.seconds} s`);
  }
  const pcm = new Int16Array(Math.ceil((frames * to) / layout.rate));
  const resampler = startResampling(layout.rate, to, pcm);
  for (let frame = 0; frame < frames; frame += framesPerTurn) {
    decodeFrames(file, layout, frame, Math.min(frames, frame + framesPerTurn), resampler);
    await new Promise(setImmediate);
    signal.throwIfAborted();
  }
  resampler.finish();
  return pcm;
}

function decodeFrames(file: Buffer, layout: WavLayout, from: number, to: number, resampler: Resampler): void {
  const { encoding, channels, bytesPerFrame } = layout;
  const width = bytesPerSample[encoding];
  const chunk = new Float32Array(to - from);
  for (let frame = from; frame < to; frame++) {
    const at = layout.offset + frame * bytesPerFrame;
    let sum = readSample(file, at, encoding);
    if (channels === 2) sum = (sum + readSample(file, at + width, encoding)) / 2;
    if (!Number.isFinite(sum)) throw invalid(at, 'a sample is not a number');
    chunk[frame - from] = sum;
  }
  resampler.push(chunk);
}

/** One sample, -1 to 1 (floats may say more; the resampler clips). */
function readSample(file: Buffer, at: number, encoding: Encoding): number {
  switch (encoding) {
    case 'u8':
      return (file.readUInt8(at) - 128) / 128;
    case 's16':
      return file.readInt16LE(at) / 32_768;
    case 's24':
      return file.readIntLE(at, 3) / 8_388_608;
    case 's32':
      return file.readInt32LE(at) / 2_147_483_648;
    case 'f32':
      return file.readFloatLE(at);
    case 'f64':
      return file.readDoubleLE(at);
    case 'alaw':
      return alawmulaw.alaw.decodeSample(file.readUInt8(at)) / 32_768;
    case 'mulaw':
      return alawmulaw.mulaw.decodeSample(file.readUInt8(at)) / 32_768;
  }
}
