import { randomBytes } from 'node:crypto';
import type { Clip, Codec } from '#edge/drivers/sound/clips.ts';
import { samplesPerFrame } from '#edge/drivers/sound/clips.ts';
import type { Paced, Pacer } from '#edge/drivers/sound/pacer.ts';

/** RTP payload types of RFC 3551 table 4. */
export const payloadTypes: Readonly<Record<Codec, number>> = { PCMU: 0, PCMA: 8 };
const headerBytes = 12;
/** A stream later than this many frames skips instead of bursting: receivers' buffers are 60 to 200 ms. */
const mostCatchUp = 3;

export interface Stream extends Disposable {
  readonly clip: Clip;
}

export interface StreamOptions {
  readonly clip: Clip;
  readonly codec: Codec;
  readonly pacer: Pacer;
  /** Takes one whole packet; must neither throw nor wait. */
  readonly send: (packet: Buffer) => void;
  /** Frames that a stall swallowed. */
  readonly onSkipped: (frames: number) => void;
  /** A clip that does not loop is over. Not called when the stream is disposed. */
  readonly onEnd: () => void;
}

/**
 * Plays one clip as one RTP stream (RFC 3550): a new SSRC and random starts of sequence number and timestamp each time, and the
 * marker on the first packet. The first packet leaves before this returns; the next ones on the pacer's grid, so the
 * second is up to 20 ms early, never late. After a stall the timestamp jumps and the sequence number does not: nothing was
 * lost, and the marker says that a new talkspurt starts (RFC 3551 section 4.1). All zones stay together.
 */
export function startStream(options: StreamOptions): Stream {
  const { clip, codec, pacer } = options;
  const firstTick = pacer.tick();
  const header = newHeader(codec);
  const sequenceStart = header.readUInt16BE(2);
  const timestampStart = header.readUInt32BE(4);
  let sent = 0;
  let next = 0;

  function sendFrame(marker: 0 | 0x80): void {
    const packet = Buffer.allocUnsafe(headerBytes + samplesPerFrame);
    header.copy(packet);
    packet[1] = payloadTypes[codec] | marker;
    packet.writeUInt16BE((sequenceStart + sent) & 0xffff, 2);
    packet.writeUInt32BE((timestampStart + next * samplesPerFrame) >>> 0, 4);
    const frame = next % clip.frames;
    clip.encoded[codec].copy(packet, headerBytes, frame * samplesPerFrame, (frame + 1) * samplesPerFrame);
    sent++;
    next++;
    options.send(packet);
  }

  const paced: Paced = {
    onTick(tick) {
      const due = tick - firstTick + 1 - next;
      const skipped = due > mostCatchUp ? due - 1 : 0;
      if (skipped > 0) {
        next += skipped;
        options.onSkipped(skipped);
      }
      for (let i = 0; i < due - skipped; i++) {
        if (!clip.loop && next >= clip.frames) break;
        sendFrame(skipped > 0 ? 0x80 : 0);
      }
      if (!clip.loop && next >= clip.frames) {
        pacer.remove(paced);
        options.onEnd();
      }
    },
  };

  sendFrame(0x80);
  pacer.add(paced);
  return { clip, [Symbol.dispose]: () => pacer.remove(paced) };
}

/** Version 2, no padding, extension or CSRC; sequence number, timestamp and SSRC are random. */
function newHeader(codec: Codec): Buffer {
  const header = randomBytes(headerBytes);
  header[0] = 0x80;
  header[1] = payloadTypes[codec];
  return header;
}
