import { Decoder } from '@evan/opus/wasm/index.mjs';
import { frameMs } from './codecs.ts';
import { type FrameResampler, type LiveRate, startFrameResampling } from './live-resample.ts';

/* What comes from a microphone, as frames of 20 ms at 48 kHz. */

export const talkRates = [8_000, 16_000, 24_000, 32_000, 44_100, 48_000] as const satisfies readonly LiveRate[];

export interface TalkFormat {
  /** `pcm`: 16-bit little-endian mono, any number of samples a message. `opus`: one packet of at most 120 ms a message. */
  readonly codec: 'pcm' | 'opus';
  /** Hz. Opus packets say themselves what they hold. */
  readonly rate: LiveRate;
}

export interface TalkVoice extends Disposable {
  /** Whole frames, and what is left waits for the next message. Throws what is no sound of this format. */
  take(payload: Buffer): readonly Int16Array[];
}

/** Hz, of what the live session and the studio speak. */
const studioRate = 48_000;

export function startTalkVoice({ codec, rate }: TalkFormat): TalkVoice {
  if (codec === 'opus') return opusVoice();
  const framed = startFraming(rate);
  return { take: (payload) => framed(samplesOf(payload)), [Symbol.dispose]() {} };
}

function opusVoice(): TalkVoice {
  const decoder = new Decoder({ channels: 1, sample_rate: studioRate });
  const framed = startFraming(studioRate);
  return {
    take(payload) {
      // An empty message would be a lost packet to libopus: nobody lost any on this line.
      if (payload.length === 0) throw new RangeError('an Opus packet is empty');
      const pcm = decoder.decode(payload);
      return framed(samplesOf(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength)));
    },
    [Symbol.dispose]: () => decoder.drop(),
  };
}

/** A copy: messages lie at any address, samples only at even ones; and decoders use their memory again. */
function samplesOf(payload: Buffer): Int16Array {
  if (payload.length % 2 !== 0) throw new RangeError(`${payload.length} bytes are not whole samples of 16 bits`);
  const bytes = new Uint8Array(payload);
  return new Int16Array(bytes.buffer, 0, payload.length / 2);
}

function startFraming(rate: LiveRate): (pcm: Int16Array) => readonly Int16Array[] {
  const size = (rate * frameMs) / 1_000;
  const resample: FrameResampler = startFrameResampling(rate, studioRate);
  let held = new Int16Array(0);
  return (pcm) => {
    const joined = new Int16Array(held.length + pcm.length);
    joined.set(held);
    joined.set(pcm, held.length);
    const frames: Int16Array[] = [];
    let at = 0;
    for (; at + size <= joined.length; at += size) frames.push(resample(joined.slice(at, at + size)));
    held = joined.slice(at);
    return frames;
  };
}
