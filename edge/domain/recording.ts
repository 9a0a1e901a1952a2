import type { DeviceId } from './ids.ts';

/** `event`: only around what happens; the rest is thrown away after the pre-roll. */
export const recordingModes = ['continuous', 'event', 'off'] as const;
export type RecordingMode = (typeof recordingModes)[number];

/** Continuous footage of one camera: ms since epoch, end exclusive. */
export interface FootageRange {
  readonly from: number;
  readonly to: number;
}

/** One file of footage: begins with a key frame, plays by itself (fragmented MP4). `id` is its start in ms as a decimal text. */
export interface FootageSegment extends FootageRange {
  readonly id: string;
  readonly bytes: number;
  /** Kept by a clip, an incident or a case. */
  readonly isProtected: boolean;
}

/** Footage that is to be kept: it is no copy, only a promise not to delete. `pending` until the last of its segments is whole. */
export interface Clip extends FootageRange {
  readonly id: string;
  readonly camera: DeviceId;
  /** `pre-roll + event + post-roll` of an event, a mark of a person, the one-key alarm. */
  readonly why: 'event' | 'person' | 'emergency';
  readonly state: 'pending' | 'ready' | 'missing';
  /** Exempt from days and bytes, within a cap of their own. */
  readonly isProtected: boolean;
  readonly incident?: string;
  readonly note: string;
}

/** How the recording of one camera is; in ProcessHealth of `media`, retained. */
export interface RecordingHealth {
  readonly camera: DeviceId;
  readonly mode: RecordingMode;
  /** `waiting`: no stream to record from (yet). `stopped`: the disk refuses. */
  readonly state: 'recording' | 'waiting' | 'stopped' | 'off';
  /** For people: what is wrong and what happens next; '' when nothing is. */
  readonly message: string;
  readonly since: number;
  /** Start of the oldest footage that is kept continuously, ms; null: none. */
  readonly oldest: number | null;
  readonly bytes: number;
  /** Bytes a day, measured; 0: unknown yet. */
  readonly bytesPerDay: number;
  /** Days that must be kept, days that are really there, and days that will be reached with the room there is. */
  readonly daysRequired: number;
  readonly daysThere: number;
  readonly daysExpected: number | null;
  /** 录像完整率 of the last 24 h and of the days required: share of the time that should have been recorded and was, 0 to 1; null: none should. */
  readonly complete24h: number | null;
  readonly complete: number | null;
  /** Live viewers now, and pictures a second of the streams that run. */
  readonly viewers: number;
  readonly frameRate: number | null;
  readonly codec: string;
}

export interface MediaHealth {
  /** Programme and version of ffmpeg; null: none was found. */
  readonly ffmpeg: { readonly path: string; readonly version: string; readonly isOld: boolean } | null;
  readonly bytes: number;
  readonly protectedBytes: number;
  readonly freeBytes: number | null;
  /** Why nothing can be written; '' when it can. */
  readonly problem: string;
  /** Streams that are recoded as video now. */
  readonly transcodes: number;
  /** Streams shown as a picture a second, how many of these and those have masks burnt in, and what all cost, % of a core (null: unknown). */
  readonly recoding?: { readonly pictures: number; readonly masked: number; readonly cpu: number | null };
  readonly cameras: readonly RecordingHealth[];
}
