import { type FileHandle, mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { SoundClass } from '#edge/domain/broadcast.ts';
import { recordingHeaderBytes, recordingLength } from '#edge/domain/voice-recording.ts';
import { recordingHeader } from '#edge/drivers/sound/talk-file.ts';
import { TalkRecorder } from '#edge/drivers/sound/talk-recorder.ts';
import { Recordings } from '#edge/drivers/sound/talk-recordings.ts';
import { planRecordings, recordingLimits, roomFor, type StoredRecording } from '#edge/drivers/sound/talk-retention.ts';
import { layOutWav } from '#edge/media/wav.ts';
import { ManualClock, systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { temporaryFolder } from './speakers.ts';

const patient = { timeout: 20_000, interval: 20 };
const day = 86_400_000;
const now = 1_795_394_273_767;
const minute = 60_000 * 32;

const one = (file: string, soundClass: SoundClass, begin: number, bytes: number): StoredRecording => ({
  ...{ file, note: { class: soundClass, begin }, bytes: recordingHeaderBytes + bytes },
});

it('recordings go when they are a month old, but for the latest emergency announcements', () => {
  const all = [
    one('old-page', 'page', now - 31 * day, minute),
    one('page', 'page', now - 29 * day, minute),
    one('old-danger', 'danger', now - 400 * day, 45 * minute),
    one('older-danger', 'danger', now - 500 * day, 45 * minute),
    one('oldest-danger', 'danger', now - 600 * day, 45 * minute),
  ];
  const gone = planRecordings(all, now, recordingLimits);
  expect(gone.map(({ file, reason }) => `${file} ${reason}`)).toEqual(['oldest-danger age', 'old-page age']);
});

it('nobody believes the clock: nothing is old', () => {
  expect(planRecordings([one('old', 'page', 0, minute)], null, recordingLimits)).toEqual([]);
});

it('too much is too much: the oldest go until the rest fits, and emergencies last of all never', () => {
  const all = [
    one('microphone', 'microphone', now - 5 * day, 10 * minute),
    ...[4, 3, 2, 1].map((ago) => one(`page-${ago}`, 'page', now - ago * day, 10 * minute)),
  ];
  const limits = { ...recordingLimits, bytes: 31 * minute };
  const gone = planRecordings(all, now, limits);
  expect(gone.map(({ file, reason }) => `${file} ${reason}`)).toEqual(['page-4 room', 'page-3 room']);
  expect(planRecordings(all, now, { ...limits, bytes: 0 }).map(({ file }) => file)).not.toContain('microphone');
  expect(planRecordings(all, now, { ...recordingLimits, files: 2 })).toHaveLength(3);
});

it('a disk that others have filled takes the oldest back until enough is free', () => {
  const all = [4, 3, 2, 1].map((ago) => one(`page-${ago}`, 'page', now - ago * day, 10 * minute));
  const limits = { ...recordingLimits, free: 100 * minute };
  expect(roomFor(all, null, limits)).toBe(recordingLimits.bytes);
  expect(roomFor(all, 1e12, limits)).toBe(recordingLimits.bytes);
  const bytes = roomFor(all, 85 * minute, limits);
  const gone = planRecordings(all, now, { ...limits, bytes });
  expect(gone.map(({ file, reason }) => `${file} ${reason}`)).toEqual(['page-4 room', 'page-3 room']);
  expect(roomFor([], 0, limits)).toBe(0);
});

it('on a disk without room pages go, and what was said at emergencies stays', async () => {
  await using folder = await temporaryFolder();
  for (const [name, soundClass] of [
    ['page', 'page'],
    ['danger', 'danger'],
  ] as const) {
    const sound = Buffer.alloc(minute);
    const header = recordingHeader({ class: soundClass, begin: now - day }, sound.length);
    await writeFile(join(folder.path, `${name}.wav`), Buffer.concat([header, sound]));
  }
  const limits = { ...recordingLimits, free: 1e18 };
  await using recordings = new Recordings({
    ...{ folder: folder.path, clock: new ManualClock(now), log: silentLog, limits },
  });
  await recordings.load();
  expect(await readdir(folder.path)).toEqual(['danger.wav']);
});

it('a disk that is full stops the recording alone: it says so, and goes on when there is room', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'one.wav');
  const problems: (string | null)[] = [];
  let isFull = true;
  const recorder = new TalkRecorder({
    note: { class: 'page', begin: now },
    clock: systemClock,
    // A device of the kernel's on which every byte is one too many.
    open: (): Promise<FileHandle> => (isFull ? open('/dev/full', 'r+') : open(path, 'w+')),
    onProblem: (problem) => problems.push(problem),
    onWritten: () => {},
  });
  const frame = new Int16Array(960).fill(9_000);
  const speaking = setInterval(() => recorder.take(frame), 20);
  await vi.waitFor(() => expect(recorder.problem).toMatch(/ENOSPC/), patient);
  isFull = false;
  await vi.waitFor(() => expect(recorder.problem).toBeNull(), patient);
  clearInterval(speaking);
  await recorder[Symbol.asyncDispose]();
  expect(problems).toEqual([expect.stringContaining('ENOSPC'), null]);
  expect(recorder.lost).toBe(0);
  const file = await readFile(path);
  expect(layOutWav(file).length).toBe(file.length - recordingHeaderBytes);
  // From its first word on: what waited is there too.
  expect(Math.abs(file.readInt16LE(recordingHeaderBytes + 640))).toBeGreaterThan(8_000);
  expect(recordingLength(file.length)).toBe(recorder.recorded);
});

it('a disk that is full for long costs what does not fit into memory, and that is counted', async () => {
  const clock = new ManualClock(now);
  const recorder = new TalkRecorder({
    ...{ note: { class: 'page', begin: now }, clock, onProblem: () => {}, onWritten: () => {} },
    open: () => open('/dev/full', 'r+'),
  });
  for (let n = 0; n < 1_500; n++) {
    recorder.take(new Int16Array(960));
    clock.advance(20);
  }
  expect(recorder.lost).toBe(10_000);
  await recorder[Symbol.asyncDispose]();
  expect(recorder.lost).toBe(30_000);
});

it('files are deleted one by one, told and counted; strangers are left alone; a clock that was set deletes nothing', async () => {
  await using folder = await temporaryFolder();
  const at = join(folder.path, 'recordings');
  await mkdir(at);
  const put = (name: string, begin: number) => {
    const sound = Buffer.alloc(minute);
    return writeFile(join(at, name), Buffer.concat([recordingHeader({ class: 'page', begin }, sound.length), sound]));
  };
  await put('old.wav', now - 29.9 * day);
  await put('new.wav', now - day);
  await writeFile(join(at, 'stranger.wav'), 'not a recording of ours, but somebody wants to keep it'.repeat(5));
  await writeFile(join(at, 'empty.wav'), '');
  const clock = new ManualClock(now);
  // How full this disk is has nothing to do with it.
  const limits = { ...recordingLimits, free: 0 };
  await using recordings = new Recordings({ folder: at, clock, log: silentLog, limits });
  await recordings.load();
  expect((await readdir(at)).sort()).toEqual(['new.wav', 'old.wav', 'stranger.wav']);
  clock.step(day);
  await recordings.tidy();
  expect(recordings.figures()).toMatchObject({ files: 2, deleted: 0 });
  clock.advance(3_600_000);
  await recordings.tidy();
  expect((await readdir(at)).sort()).toEqual(['new.wav', 'stranger.wav']);
  expect(recordings.figures()).toMatchObject({ files: 1, deleted: 1, deletedBytes: minute + recordingHeaderBytes });
});
