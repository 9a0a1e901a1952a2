import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import alawmulaw from 'alawmulaw';
import { decodeWav } from '#edge/media/wav.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';

export type Codec = 'PCMA' | 'PCMU';

/** 20 ms at 8 kHz, the ptime every paging receiver takes. */
export const samplesPerFrame = 160;
export const frameMs = 20;

/** One clip, encoded once and shared by every speaker that plays it: whole 160-byte frames one after the other. */
export interface Clip {
  readonly name: string;
  readonly loop: boolean;
  readonly frames: number;
  readonly encoded: Readonly<Record<Codec, Buffer>>;
}

export interface ClipFile {
  /** WAV file, relative to the library's folder. */
  readonly file: string;
  readonly loop: boolean;
}

export interface ClipLibrary {
  readonly names: readonly string[];
  /** The clip if it is ready now, without waiting. */
  ready(name: string): Clip | undefined;
  /** Reads, decodes and encodes a clip once; a failed one is tried again at the next call. Throws CLIP_*. */
  load(name: string, signal: AbortSignal): Promise<Clip>;
  /** Why clips of the site cannot be played, one sentence for each; a clip that is mended and played is out of it. */
  problems(): readonly string[];
}

/** 5 minutes of 44.1 kHz stereo 16-bit are 53 MB: an eye-exercise programme as schools have it. */
const largestFile = 96e6;
/** All encoded clips together; both codecs of a second take 16 kB, so this is 67 minutes. */
const largestLibrary = 64e6;
/** What fills the last frame: the codes of zero (G.711 tables 1a and 2a). */
const silence: Readonly<Record<Codec, number>> = { PCMA: 0xd5, PCMU: 0xff };

/**
 * Clips stay in memory for good: life safety must not wait for a disk. So the bound is a refusal at load
 * (CLIP_MEMORY), never an eviction.
 */
export function openClipLibrary(clips: Readonly<Record<string, ClipFile>>, folder: string): ClipLibrary {
  const loaded = new Map<string, Clip>();
  const loading = new Map<string, Promise<Clip>>();
  /** Names of the site only, so it is as bounded as the site file. */
  const broken = new Map<string, string>();
  let bytes = 0;

  async function decode(name: string, signal: AbortSignal): Promise<Clip> {
    const entry = clips[name];
    if (entry === undefined || !Object.hasOwn(clips, name)) {
      throw new CodedError(
        'CLIP_UNKNOWN',
        `there is no clip "${name}"; known: ${Object.keys(clips).join(', ') || 'none'}`,
      );
    }
    const file = resolve(folder, entry.file);
    try {
      const { size } = await stat(file);
      if (size > largestFile) throw new CodedError('CLIP_TOO_LARGE', `${size} bytes; at most ${largestFile} are read`);
      const pcm = await decodeWav(await readFile(file, { signal }), signal);
      const clip = encode(name, entry.loop, pcm);
      const more = clip.frames * samplesPerFrame * 2;
      if (bytes + more > largestLibrary) {
        throw new CodedError(
          'CLIP_MEMORY',
          `all clips together would take ${bytes + more} bytes; limit ${largestLibrary}`,
        );
      }
      bytes += more;
      loaded.set(name, clip);
      broken.delete(name);
      return clip;
    } catch (error) {
      const problem = `clip "${name}" (${file}): ${messageOf(error)}`;
      broken.set(name, problem);
      throw new CodedError('CLIP_UNUSABLE', problem, { cause: error });
    }
  }

  return {
    names: Object.keys(clips),
    ready: (name) => loaded.get(name),
    load(name, signal) {
      const known = loaded.get(name);
      if (known !== undefined) return Promise.resolve(known);
      const running = loading.get(name) ?? decode(name, signal).finally(() => loading.delete(name));
      if (Object.hasOwn(clips, name)) loading.set(name, running);
      return running;
    },
    problems: () => [...broken.values()],
  };
}

function encode(name: string, loop: boolean, pcm: Int16Array): Clip {
  const frames = Math.ceil(pcm.length / samplesPerFrame);
  const fill = (codec: Codec, codes: Uint8Array) => {
    const whole = Buffer.alloc(frames * samplesPerFrame, silence[codec]);
    whole.set(codes);
    return whole;
  };
  return {
    name,
    loop,
    frames,
    encoded: { PCMA: fill('PCMA', alawmulaw.alaw.encode(pcm)), PCMU: fill('PCMU', alawmulaw.mulaw.encode(pcm)) },
  };
}
