import { Encoder } from '@evan/opus/wasm/index.mjs';
import alawmulaw from 'alawmulaw';
import { G722Decoder, G722Encoder } from './g722.ts';

/* What receivers understand. Sound inside is 16-bit mono in frames of 20 ms; a codec says at which rate it wants them. */

export const frameMs = 20;

/** Hz. Each has a whole number of samples in a frame. */
export const rates = [8000, 16_000, 44_100, 48_000] as const;
export type Rate = (typeof rates)[number];

export function samplesIn(rate: Rate): number {
  return (rate * frameMs) / 1000;
}

/** `L16/<rate>`: 16-bit samples as they are, one channel. */
export const codecs = ['PCMA', 'PCMU', 'G722', 'L16/16000', 'L16/44100', 'L16/48000', 'OPUS'] as const;
export type Codec = (typeof codecs)[number];

export interface CodecFormat {
  readonly codec: Codec;
  /** Of the samples that it encodes. */
  readonly rate: Rate;
  /** RFC 3551 table 4; null: it has none, both sides agree on one from 96 to 127. */
  readonly payloadType: number | null;
  /** The rate of its RTP timestamps: for G.722 8,000 by an old mistake (RFC 3551 4.5.2), for Opus always 48,000 (RFC 7587 4.1). */
  readonly clock: number;
  /** What follows `a=rtpmap:<type> `. */
  readonly rtpmap: string;
  /** What follows `a=fmtp:<type> `; '' for nothing. */
  readonly fmtp: string;
  /** Into how many packets a frame goes: one of L16 would not fit into an Ethernet frame. */
  readonly packets: 1 | 2;
}

const format = (
  codec: Codec,
  rate: Rate,
  payloadType: number | null,
  clock: number,
  more: Partial<Pick<CodecFormat, 'rtpmap' | 'fmtp' | 'packets'>> = {},
): CodecFormat => ({ codec, rate, payloadType, clock, rtpmap: `${codec}/${clock}`, fmtp: '', packets: 1, ...more });

export const formats: Readonly<Record<Codec, CodecFormat>> = {
  PCMA: format('PCMA', 8000, 8, 8000),
  PCMU: format('PCMU', 8000, 0, 8000),
  G722: format('G722', 16_000, 9, 8000),
  'L16/16000': format('L16/16000', 16_000, null, 16_000, { rtpmap: 'L16/16000/1' }),
  'L16/44100': format('L16/44100', 44_100, 11, 44_100, { rtpmap: 'L16/44100/1', packets: 2 }),
  'L16/48000': format('L16/48000', 48_000, null, 48_000, { rtpmap: 'L16/48000/1', packets: 2 }),
  OPUS: format('OPUS', 48_000, null, 48_000, { rtpmap: 'opus/48000/2', fmtp: 'sprop-stereo=0;useinbandfec=1' }),
};

/** Payload type where none is agreed on: Barix's fixed map has Opus at 125; the others are as good as any. */
export const dynamicTypes: Readonly<Partial<Record<Codec, number>>> = {
  'L16/16000': 96,
  'L16/48000': 97,
  OPUS: 125,
};

export interface FrameEncoder extends Disposable {
  /** One frame of `samplesIn(format.rate)` samples -> its payload. */
  encode(pcm: Int16Array): Buffer;
  /** One for a stream that parts from this one: in the same state, so that the receiver hears no break (Opus: a new one). */
  fork(): FrameEncoder;
}

/** bit/s: transparent for speech, good for music from one loudspeaker. */
const opusBitrate = 64_000;
/**
 * OPUS_SET_BITRATE, _VBR, _COMPLEXITY, _INBAND_FEC and _PACKET_LOSS_PERC of opus_defines.h. Packets of one size: with a variable rate
 * a pause is 3 bytes a packet, which cheap receivers take for a broken stream.
 */
const opusSettings = [
  [4002, opusBitrate],
  [4006, 0],
  [4010, 5],
  [4012, 1],
  [4014, 5],
] as const;

export function startEncoder(codec: Codec): FrameEncoder {
  switch (codec) {
    case 'PCMA':
      return stateless((pcm) => bytesOf(alawmulaw.alaw.encode(pcm)));
    case 'PCMU':
      return stateless((pcm) => bytesOf(alawmulaw.mulaw.encode(pcm)));
    case 'G722':
      return g722(new G722Encoder());
    case 'OPUS':
      return opus();
    default:
      return stateless((pcm) =>
        Buffer.from(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.byteLength)).swap16(),
      );
  }
}

function stateless(encode: (pcm: Int16Array) => Buffer): FrameEncoder {
  const encoder: FrameEncoder = { encode, fork: () => encoder, [Symbol.dispose]() {} };
  return encoder;
}

function g722(encoder: G722Encoder): FrameEncoder {
  return { encode: (pcm) => encoder.encode(pcm), fork: () => g722(encoder.copy()), [Symbol.dispose]() {} };
}

function opus(): FrameEncoder {
  const encoder = new Encoder({ channels: 1, sample_rate: 48_000, application: 'audio' });
  for (const [request, value] of opusSettings) encoder.ctl(request, value);
  return {
    encode: (pcm) => bytesOf(encoder.encode(pcm)),
    // libopus has no way to copy an encoder; a decoder takes the change as it takes a lost packet.
    fork: opus,
    [Symbol.dispose]: () => encoder.drop(),
  };
}

function bytesOf(array: Uint8Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** What comes back from a far end that talks. Samples are at the codec's `rate`. */
export function startDecoder(codec: 'PCMA' | 'PCMU' | 'G722'): (payload: Uint8Array) => Int16Array {
  if (codec === 'PCMA') return (payload) => alawmulaw.alaw.decode(payload);
  if (codec === 'PCMU') return (payload) => alawmulaw.mulaw.decode(payload);
  const decoder = new G722Decoder();
  return (payload) => decoder.decode(payload);
}
