import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import {
  childrenOf,
  complaintsOf,
  filesOnDisk,
  hasFfmpeg,
  type RecordingCampus,
  startRecordingCampus,
} from '../system/recording-campus.ts';

/* kill -9 of everything that has a part in recording, while it records. At most the last unfinished file is lost, and here not even that. */

const patient = { timeout: 60_000, interval: 250 };

/** The end of what is recorded by now. */
async function recordedUntil({ footage }: RecordingCampus): Promise<number> {
  const { ranges } = await footage();
  return Math.max(0, ...ranges.map(({ to }) => to));
}

/** Recording has gone on for so many ms after that moment. */
async function goesOn(room: RecordingCampus, from: number, ms: number): Promise<void> {
  await vi.waitFor(async () => expect(await recordedUntil(room)).toBeGreaterThan(from + ms), patient);
}

test.skipIf(!hasFfmpeg)(
  'ffmpeg, the camera process, core and media are killed while recording: every file plays and nothing is left over',
  async () => {
    const data = mkdtempSync(join(tmpdir(), 'recording-'));
    try {
      const { spans, folder } = await playAndKill(data);
      expect(childrenOf(data)).toEqual([]);
      const { segments, parts, others } = filesOnDisk(folder);
      expect(others.filter((path) => !path.endsWith('modes.json'))).toEqual([]);
      expect(parts).toEqual([]);
      expect(segments.length).toBeGreaterThanOrEqual(3);
      for (const { path } of segments) expect(complaintsOf(path), path).toBe('');
      // Nothing lies twice at one time, and what was there before each kill is there still.
      for (const [i, { from }] of segments.entries())
        expect(from).toBeGreaterThanOrEqual((segments[i - 1]?.to ?? 0) - 1_000);
      for (const { from, to } of spans) {
        const there = segments.reduce(
          (sum, one) => sum + Math.max(0, Math.min(one.to, to) - Math.max(one.from, from)),
          0,
        );
        expect(there / (to - from), `of ${to - from} ms`).toBeGreaterThan(0.9);
      }
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  },
  240_000,
);

/** Spans of time that were said to be recorded, each until something was killed. */
async function playAndKill(data: string): Promise<{ spans: { from: number; to: number }[]; folder: string }> {
  await using room = await startRecordingCampus({ data });
  const { campus } = room;
  const spans: { from: number; to: number }[] = [];
  const note = async () => {
    const { ranges } = await room.footage();
    const last = ranges.at(-1);
    if (last !== undefined) spans.push({ from: last.from, to: last.to });
    return last?.to ?? 0;
  };
  await vi.waitFor(async () => expect((await room.footage()).ranges.length).toBe(1), patient);
  await goesOn(room, await recordedUntil(room), 5_000);

  // ffmpeg: the stream begins anew, with a new file.
  let until = await note();
  const [child = 0] = room.children();
  process.kill(child, 'SIGKILL');
  await goesOn(room, until, 6_000);
  expect(room.children()).not.toContain(child);

  // The camera process: media has its own way to the camera, and does not even notice.
  until = await note();
  process.kill(campus.pid('camera'), 'SIGKILL');
  await goesOn(room, until, 6_000);
  expect(await gapsAfter(room, until)).toBe(0);

  // core: nobody else records, and nothing of recording waits for it.
  until = await note();
  const [before] = room.children();
  process.kill(campus.pid('core'), 'SIGKILL');
  await goesOn(room, until, 6_000);
  expect(room.children()).toEqual([before]);
  expect(await gapsAfter(room, until)).toBe(0);

  // media itself: its ffmpeg goes with it, and what it was writing is kept up to its last second.
  until = await note();
  const killed = campus.pid('media');
  process.kill(killed, 'SIGKILL');
  await vi.waitFor(() => expect(campus.pid('media')).not.toBe(killed), patient);
  await goesOn(room, until, 5_000);
  expect(room.children().length).toBe(1);
  expect(filesOnDisk(room.folder).parts.length).toBeLessThanOrEqual(1);
  await note();
  expect(existsSync(join(data, 'footage', '.exports'))).toBe(false);
  return { spans, folder: room.folder };
}

async function gapsAfter({ footage }: RecordingCampus, moment: number): Promise<number> {
  return (await footage()).ranges.filter(({ from }) => from > moment).length;
}
