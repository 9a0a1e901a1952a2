import { randomBytes } from 'node:crypto';
import type { CodecFormat } from './codecs.ts';
import { frameMs } from './codecs.ts';

export const rtpHeaderBytes = 12;

/** One RTP stream (RFC 3550): an SSRC of its own, random starts of sequence number and timestamp. */
export interface Packetiser {
  readonly ssrc: number;
  /**
   * The packets of one encoded frame, to be sent at once. `frame` counts the stream's 20 ms from 0 and may jump: the timestamp
   * goes with it, the sequence number does not (nothing was lost). `marker`: the first frame, and the first after a jump.
   */
  packets(payload: Buffer, frame: number, marker: boolean): readonly Buffer[];
  /** The RTP time of this frame's first sample. */
  timestamp(frame: number): number;
  /** So far; octets of payload (RFC 3550 section 6.4.1). */
  sent(): { readonly packets: number; readonly octets: number };
  /** The last sequence number. */
  sequence(): number;
}

export function startPacketising(format: CodecFormat, payloadType: number): Packetiser {
  const random = randomBytes(10);
  const ssrc = random.readUInt32BE(0);
  const timestampStart = random.readUInt32BE(4);
  const ticks = (format.clock * frameMs) / 1000;
  let sequence = random.readUInt16BE(8);
  let packets = 0;
  let octets = 0;

  const timestamp = (frame: number): number => (timestampStart + frame * ticks) >>> 0;

  function packet(payload: Buffer, time: number, marker: boolean): Buffer {
    const bytes = Buffer.allocUnsafe(rtpHeaderBytes + payload.length);
    // Version 2, no padding, extension or CSRC.
    bytes[0] = 0x80;
    bytes[1] = payloadType | (marker ? 0x80 : 0);
    sequence = (sequence + 1) & 0xffff;
    bytes.writeUInt16BE(sequence, 2);
    bytes.writeUInt32BE(time, 4);
    bytes.writeUInt32BE(ssrc, 8);
    bytes.set(payload, rtpHeaderBytes);
    packets++;
    octets += payload.length;
    return bytes;
  }

  return {
    ssrc,
    timestamp,
    packets(payload, frame, marker) {
      const start = timestamp(frame);
      if (format.packets === 1) return [packet(payload, start, marker)];
      const half = payload.length / 2;
      return [
        packet(payload.subarray(0, half), start, marker),
        packet(payload.subarray(half), (start + ticks / 2) >>> 0, false),
      ];
    },
    sent: () => ({ packets, octets }),
    sequence: () => sequence,
  };
}
