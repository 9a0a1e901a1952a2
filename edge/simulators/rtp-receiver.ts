export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

export interface JitterBuffer {
  readonly ssrc: number;
  take(packet: RtpPacket): void;
  /** Plays what waits, counting the gaps as lost. */
  flush(): void;
}

export interface JitterSink {
  play(packet: RtpPacket): void;
  count(outcome: 'lost' | 'late' | 'duplicate', by: number): void;
}

/** Packets that wait for a missing one before it is given up: 80 ms. */
const mostWaiting = 4;
/** A jump larger than this is a sender that started anew, not loss. */
const largestGap = 500;

/** Puts the packets of one stream in order. Sequence numbers wrap at 65,536. */
export function createJitterBuffer(ssrc: number, sink: JitterSink): JitterBuffer {
  const waiting = new Map<number, RtpPacket>();
  /** What was played lately, to tell a duplicate from a late packet. */
  const played = new Set<number>();
  let expected: number | undefined;

  function play(packet: RtpPacket): void {
    waiting.delete(packet.sequence);
    played.add(packet.sequence);
    const [oldest] = played;
    if (played.size > 256 && oldest !== undefined) played.delete(oldest);
    expected = (packet.sequence + 1) & 0xffff;
    sink.play(packet);
  }

  function playInOrder(): void {
    for (let next = at(expected); next !== undefined; next = at(expected)) play(next);
  }

  function at(sequence: number | undefined): RtpPacket | undefined {
    return sequence === undefined ? undefined : waiting.get(sequence);
  }

  /** Gives the missing packets up and goes on with the nearest that waits. */
  function skipGap(): void {
    const base = expected ?? 0;
    const nearest = [...waiting.values()].sort((a, b) => ahead(a.sequence, base) - ahead(b.sequence, base))[0];
    if (nearest === undefined) return;
    sink.count('lost', ahead(nearest.sequence, base));
    play(nearest);
    playInOrder();
  }

  return {
    ssrc,
    take(packet) {
      expected ??= packet.sequence;
      const distance = ahead(packet.sequence, expected);
      if (played.has(packet.sequence) || waiting.has(packet.sequence)) return sink.count('duplicate', 1);
      if (distance > 32_768) return sink.count('late', 1);
      if (distance > largestGap) {
        waiting.clear();
        expected = packet.sequence;
      }
      waiting.set(packet.sequence, packet);
      playInOrder();
      if (waiting.size > mostWaiting) skipGap();
    },
    flush() {
      while (waiting.size > 0) skipGap();
    },
  };
}

/** How far a sequence number is ahead of another, modulo 65,536. */
function ahead(sequence: number, base: number): number {
  return (sequence - base) & 0xffff;
}
