import { type CodecFormat, type FrameEncoder, startEncoder } from './codecs.ts';
import type { Programme } from './frames.ts';
import { type Envelope, gainAt, gainOf, scaled } from './level.ts';

/** One programme encoded with one codec at one level, for all who play it so. */
export interface Take extends Disposable {
  readonly key: string;
  users: number;
  payload(tick: number): Buffer | null;
  /** The first tick that was not encoded yet. */
  nextTick(): number;
  /** One that goes on from here at another level. */
  fork(key: string, level: number, at: number): Take;
}

/** Frames that streams which catch up may ask for again. */
const remembered = 8;

export function startTake(key: string, programme: Programme, format: CodecFormat, level: number): Take {
  const gain = gainOf(level);
  return takeOf(key, programme, format, { from: gain, to: gain, at: 0 }, startEncoder(format.codec));
}

function takeOf(
  key: string,
  programme: Programme,
  format: CodecFormat,
  envelope: Envelope,
  encoder: FrameEncoder,
): Take {
  const ring = new Map<number, Buffer>();
  let next = Number.NEGATIVE_INFINITY;
  return {
    key,
    users: 0,
    nextTick: () => next,
    payload(tick) {
      const known = ring.get(tick);
      if (known !== undefined) return known;
      const pcm = programme.frame(tick, format.rate);
      if (pcm === null) return null;
      const payload = encoder.encode(scaled(pcm, envelope, tick));
      next = tick + 1;
      ring.set(tick, payload);
      const [oldest] = ring.keys();
      if (ring.size > remembered && oldest !== undefined) ring.delete(oldest);
      return payload;
    },
    fork(otherKey, level, at) {
      const moving: Envelope = { from: gainAt(envelope, at), to: gainOf(level), at };
      return takeOf(otherKey, programme, format, moving, encoder.fork());
    },
    [Symbol.dispose]: () => encoder[Symbol.dispose](),
  };
}
