import { isKeptRecording, type RecordingNote, recordingLength } from '#edge/domain/voice-recording.ts';

/** One recording that is whole. */
export interface StoredRecording {
  /** Its name in the folder. */
  readonly file: string;
  readonly note: RecordingNote;
  readonly bytes: number;
}

export interface RecordingLimits {
  /** ms. */
  readonly age: number;
  /** All of them, bytes. */
  readonly bytes: number;
  /** Files: what a folder and a scan of it can bear. */
  readonly files: number;
  /** Bytes that stay free on the disk: the database is on it too. */
  readonly free: number;
  /** Of the latest emergency announcements so much stays whatever else, ms. */
  readonly emergencies: number;
}

/**
 * 30 days; 2 GB are 17 h of voice. GB 16806: at least 30 min of what is spoken at emergencies; kept here is twice that, so that one long
 * drill does not push the real thing out.
 */
export const recordingLimits: RecordingLimits = {
  age: 30 * 86_400_000,
  bytes: 2_000_000_000,
  files: 20_000,
  free: 500_000_000,
  emergencies: 60 * 60_000,
};

/** What may be there in all, bytes, where so much is free; null: nobody knows. */
export function roomFor(all: readonly StoredRecording[], free: number | null, limits: RecordingLimits): number {
  if (free === null) return limits.bytes;
  const held = all.reduce((sum, { bytes }) => sum + bytes, 0);
  return Math.min(limits.bytes, Math.max(0, held + free - limits.free));
}

export interface RecordingPlan {
  readonly file: string;
  readonly bytes: number;
  readonly reason: 'age' | 'room';
}

/** What goes: too old, then the oldest while there is too much. The latest emergency announcements stay. `now`: null where nobody believes the clock. */
export function planRecordings(
  all: readonly StoredRecording[],
  now: number | null,
  limits: RecordingLimits,
): readonly RecordingPlan[] {
  const kept = latestEmergencies(all, limits.emergencies);
  const oldestFirst = all.filter(({ file }) => !kept.has(file)).toSorted((a, b) => a.note.begin - b.note.begin);
  let bytes = all.reduce((sum, one) => sum + one.bytes, 0);
  let files = all.length;
  const plan: RecordingPlan[] = [];
  for (const { file, note, bytes: size } of oldestFirst) {
    const isOld = now !== null && now - note.begin > limits.age;
    if (!isOld && bytes <= limits.bytes && files <= limits.files) continue;
    plan.push({ file, bytes: size, reason: isOld ? 'age' : 'room' });
    bytes -= size;
    files -= 1;
  }
  return plan;
}

function latestEmergencies(all: readonly StoredRecording[], enough: number): ReadonlySet<string> {
  const kept = new Set<string>();
  let length = 0;
  const newestFirst = all.filter(({ note }) => isKeptRecording(note)).toSorted((a, b) => b.note.begin - a.note.begin);
  for (const { file, bytes } of newestFirst) {
    if (length >= enough) break;
    kept.add(file);
    length += recordingLength(bytes);
  }
  return kept;
}
