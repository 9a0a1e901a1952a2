import { isEmergency, type SoundClass, soundClasses } from './broadcast.ts';

/*
 * What was said over a live page, as a file: `<data>/recordings/<item>.wav`, 16-bit mono at 16 kHz behind a header of one length, so that
 * its place in the file is its time. Pure: what bytes mean, not where they are.
 */

/** Hz: all that speech has. */
export const recordingRate = 16_000;
/** Of the file, before its first sample: RIFF, fmt, what it is, data. */
export const recordingHeaderBytes = 128;
export const recordingBytesPerMs = (recordingRate * 2) / 1_000;

export interface RecordingNote {
  readonly class: SoundClass;
  /** ms since epoch. */
  readonly begin: number;
}

export function recordingFile(item: string): string {
  return `${item}.wav`;
}

/** ms, of a file of so many bytes. */
export function recordingLength(bytes: number): number {
  return Math.floor(Math.max(0, bytes - recordingHeaderBytes) / recordingBytesPerMs);
}

/** These are kept whatever their age (GB 16806 wants what is spoken at a fire recorded, 30 min at least). */
export function isKeptRecording({ class: soundClass }: RecordingNote): boolean {
  return isEmergency(soundClass);
}

/** `class=page begin=1795394273767`, as it stands in the file's header. */
export function recordingNoteText({ class: soundClass, begin }: RecordingNote): string {
  return `class=${soundClass} begin=${begin}`;
}

/** null: not one of ours. */
export function parseRecordingNote(text: string): RecordingNote | null {
  const found = /^class=([a-z]+) begin=(\d{1,15})$/.exec(text);
  const soundClass = soundClasses.find((word) => word === found?.[1]);
  return soundClass === undefined ? null : { class: soundClass, begin: Number(found?.[2]) };
}
