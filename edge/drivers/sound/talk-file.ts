import { type FileHandle, open, rm } from 'node:fs/promises';
import {
  parseRecordingNote,
  type RecordingNote,
  recordingHeaderBytes,
  recordingNoteText,
  recordingRate,
} from '#edge/domain/voice-recording.ts';

/* The file of one recording: its header says what is there at every moment, and a process that was killed left at most a second unsaid. */

/** RIFF/WAVE with one LIST chunk (ICMT, a comment, as its note) in front of the samples: `recordingHeaderBytes` in all. */
const noteBytes = 64;
const riffSizeAt = 4;
const noteAt = 56;
const dataSizeAt = recordingHeaderBytes - 4;

export function recordingHeader(note: RecordingNote, dataBytes: number): Buffer {
  const header = Buffer.alloc(recordingHeaderBytes);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(recordingHeaderBytes - 8 + dataBytes, riffSizeAt);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // mono
  header.writeUInt32LE(recordingRate, 24);
  header.writeUInt32LE(recordingRate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('LIST', 36, 'latin1');
  header.writeUInt32LE(4 + 8 + noteBytes, 40);
  header.write('INFOICMT', 44, 'latin1');
  header.writeUInt32LE(noteBytes, 52);
  header.write(recordingNoteText(note), noteAt, noteBytes - 1, 'latin1');
  header.write('data', recordingHeaderBytes - 8, 'latin1');
  header.writeUInt32LE(dataBytes, dataSizeAt);
  return header;
}

/** null: not one of ours. */
function noteOf(header: Buffer): RecordingNote | null {
  if (header.toString('latin1', 0, 4) !== 'RIFF' || header.toString('latin1', 44, 52) !== 'INFOICMT') return null;
  return parseRecordingNote(header.toString('latin1', noteAt, noteAt + noteBytes).replace(/\0.*$/s, ''));
}

export async function writeSizes(handle: FileHandle, dataBytes: number): Promise<void> {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(dataBytes);
  await handle.write(size, 0, 4, dataSizeAt);
  const whole = Buffer.alloc(4);
  whole.writeUInt32LE(recordingHeaderBytes - 8 + dataBytes);
  await handle.write(whole, 0, 4, riffSizeAt);
}

export interface MendedRecording {
  readonly note: RecordingNote;
  readonly bytes: number;
  readonly wasMended: boolean;
}

/** What an earlier run left: its header is made to say all that is there. null: nothing of ours, or nothing was said; the latter is removed. */
export async function mendRecording(path: string): Promise<MendedRecording | null> {
  await using handle = await open(path, 'r+');
  const header = Buffer.alloc(recordingHeaderBytes);
  const { bytesRead } = await handle.read(header, 0, recordingHeaderBytes, 0);
  const { size } = await handle.stat();
  // Killed between its name and its first bytes.
  if (bytesRead < recordingHeaderBytes || size <= recordingHeaderBytes) {
    const isOurs = bytesRead === 0 || noteOf(header) !== null;
    if (isOurs) await rm(path, { force: true });
    return null;
  }
  const note = noteOf(header);
  if (note === null) return null;
  const dataBytes = size - recordingHeaderBytes - (size % 2);
  if (header.readUInt32LE(dataSizeAt) === dataBytes && size % 2 === 0) return { note, bytes: size, wasMended: false };
  if (size % 2 !== 0) await handle.truncate(recordingHeaderBytes + dataBytes);
  await writeSizes(handle, dataBytes);
  await handle.sync();
  return { note, bytes: recordingHeaderBytes + dataBytes, wasMended: true };
}
