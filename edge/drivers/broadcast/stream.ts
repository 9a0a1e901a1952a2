import type { CodecFormat } from '#edge/drivers/sound/codecs.ts';
import type { Paced, Pacer } from '#edge/drivers/sound/pacer.ts';
import { type Packetiser, startPacketising } from '#edge/drivers/sound/rtp.ts';
import type { Voice } from '#edge/drivers/sound/studio.ts';

/** A stream later than this many frames skips instead of bursting: receivers' buffers are 60 to 200 ms. */
const mostCatchUp = 3;

export interface Stream extends Disposable {
  readonly packetiser: Packetiser;
  /** The frame that is next, counted from 0: its RTP time belongs to the present moment. */
  frame(): number;
}

export interface StreamOptions {
  readonly voice: Voice;
  readonly format: CodecFormat;
  readonly payloadType: number;
  readonly pacer: Pacer;
  /** Takes one whole packet; must neither throw nor wait. */
  readonly send: (packet: Buffer) => void;
  /** Frames that a stall swallowed. */
  readonly onSkipped: (frames: number) => void;
  /** It is over. Not called when the stream is disposed, nor before `startStream` has returned. */
  readonly onEnd: () => void;
}

/**
 * Plays one voice as one RTP stream, the marker on the first packet. The first packet leaves before this returns; the next ones on
 * the pacer's grid, so the second is up to 20 ms early, never late. After a stall the timestamp jumps and the sequence number
 * does not: nothing was lost, and the marker says that a new talkspurt starts (RFC 3551 section 4.1). All zones stay together.
 */
export function startStream(options: StreamOptions): Stream {
  const { voice, format, payloadType, pacer } = options;
  const packetiser = startPacketising(format, payloadType);
  const firstTick = pacer.tick();
  let next = firstTick;

  /** false: it is over. */
  function sendFrame(marker: boolean): boolean {
    const payload = voice.payload(next);
    if (payload === null) return false;
    for (const packet of packetiser.packets(payload, next - firstTick, marker)) options.send(packet);
    next++;
    return true;
  }

  const paced: Paced = {
    onTick(tick) {
      const due = tick + 1 - next;
      const skipped = due > mostCatchUp ? due - 1 : 0;
      if (skipped > 0) {
        // What would have come after the end is not missed.
        let missed = skipped;
        while (missed > 0 && voice.isOver(next + missed - 1)) missed--;
        next += skipped;
        options.onSkipped(missed);
      }
      let marker = skipped > 0;
      while (next <= tick && sendFrame(marker)) marker = false;
      if (voice.isOver(next)) {
        pacer.remove(paced);
        options.onEnd();
      }
    },
  };

  sendFrame(true);
  pacer.add(paced);
  return { packetiser, frame: () => next - firstTick, [Symbol.dispose]: () => pacer.remove(paced) };
}
