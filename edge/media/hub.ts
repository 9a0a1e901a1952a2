import type { StreamRole } from '#edge/domain/camera.ts';
import type { DeviceId } from '#edge/domain/ids.ts';

/* One stream of one camera, fetched once and handed to everybody who wants it: recorder, viewers, what recodes. */

/** What a decoder needs before the first picture. */
export interface StreamInit {
  /** ftyp + moov. */
  readonly bytes: Buffer;
  /** `avc1.64001f`, `hvc1.1.6.L93.B0`. */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** Units a second of the times in the bytes; the times of `Fragment` are ms already. */
  readonly timescale: number;
  /** Grows each time the stream begins anew: its own clock starts again, and size or codec may be others. */
  readonly generation: number;
}

/** moof + mdat: usually one picture. */
export interface Fragment {
  readonly bytes: Buffer;
  /** It can be decoded without anything before it but the init. */
  readonly isKey: boolean;
  /** Decode time, ms of the stream's own clock, which begins anew with each generation. */
  readonly time: number;
  /** ms. */
  readonly duration: number;
  /** When its first byte was here, ms since epoch. */
  readonly arrived: number;
}

/**
 * `idle`: nobody wants it. `connecting`: asked the camera, no picture yet. `running`. `stalled`: it ran and no picture came for 10 s; asked
 * anew. `waiting`: it ended or could not be reached; asked again after a pause. `refused`: the camera or this box says no, and why is in words.
 */
export type StreamStateKind = 'idle' | 'connecting' | 'running' | 'stalled' | 'waiting' | 'refused';

export interface StreamState {
  readonly kind: StreamStateKind;
  /** Why the camera said no, for programs: `password` (401), `missing` (404), `busy` (453, 503), `codec`, `no-ffmpeg`, `old-ffmpeg`, `unreachable`, `no-address`, `ended`; '' = nothing is wrong. */
  readonly reason: StreamTrouble;
  /** For people, in English; never with an address or a password. '' when nothing is wrong. */
  readonly message: string;
  /** ms since epoch. */
  readonly since: number;
}

export type StreamTrouble =
  | ''
  | 'password'
  | 'missing'
  | 'busy'
  | 'codec'
  | 'no-ffmpeg'
  | 'old-ffmpeg'
  | 'unreachable'
  | 'no-address'
  | 'stalled'
  | 'ended';

/** Somebody who wants a stream. It is called in the turn in which bytes came: it must not throw, and queues within its own bounds. */
export interface StreamSubscriber {
  /** A generation begins: what comes from here on needs this init. */
  init(init: StreamInit): void;
  fragment(fragment: Fragment): void;
  /** How the stream is, at the start and at each change. Between two generations nothing comes: the subscription stays. */
  state?(state: StreamState): void;
  /** Nothing will come any more: the camera or its stream is gone from the campus, or the process ends. */
  ended(reason: string): void;
}

export interface SubscribeOptions {
  /** true: begin at once with what is kept since the last key frame; false: with the next key frame. The first fragment is a key frame always. */
  readonly fromKeyFrame: boolean;
  /** A person looks at it: counted as a viewer. Default: no. */
  readonly isViewer?: boolean;
}

export interface StreamHub {
  readonly camera: DeviceId;
  readonly role: StreamRole;
  readonly state: StreamState;
  /** The init of the running generation; null: none yet. */
  readonly init: StreamInit | null;
  /** The last key frame with everything after it, while the stream runs; bounded, so it may be empty. */
  readonly recent: readonly Fragment[];
  readonly subscribers: number;
  /** Pictures a second over the last seconds; null: it does not run. */
  readonly frameRate: number | null;
  /** Starts the stream if it is the first. Disposing it lets the stream end after a while when nobody else wants it. */
  subscribe(subscriber: StreamSubscriber, options: SubscribeOptions): Disposable;
}

/** How a stream is, for health pages. */
export interface StreamHealth {
  readonly camera: DeviceId;
  readonly role: StreamRole;
  readonly state: StreamState;
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number | null;
  readonly bytesPerSecond: number;
  /** Live viewers: subscribers that people look through, without the recorder. */
  readonly viewers: number;
  /** Times it began anew since this process started. */
  readonly restarts: number;
}

export interface Streams {
  /** The hub of a camera's stream; `sub` is `main` where there is no sub. null: no camera of this name is known, or it has no stream. */
  hub(camera: DeviceId, role: StreamRole): StreamHub | null;
  /** `h264`, `h265` or `other` as the stream is or as the camera says; null: unknown. */
  codecOf(camera: DeviceId, role: StreamRole): 'h264' | 'h265' | 'other' | null;
  health(): readonly StreamHealth[];
}
