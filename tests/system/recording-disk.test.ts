import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { camera, complaintsOf, filesOnDisk, hasFfmpeg, startRecordingCampus } from './recording-campus.ts';

/* A disk that is full, and one that can only be read: a small file system in memory, made larger and read-only while a campus records on it. */

const folder = mkdtempSync(join(tmpdir(), 'small-disk-'));
const mount = (...args: string[]): boolean => spawnSync('mount', args, { stdio: 'ignore' }).status === 0;
/** Of pages that nobody may take: a few seconds of video. */
const canMount = hasFfmpeg && mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder);
if (hasFfmpeg && !canMount)
  console.warn('SKIPPED: disks are filled on a file system of their own, which only root may mount');

afterAll(() => {
  if (canMount) spawnSync('umount', ['-l', folder]);
  rmSync(folder, { recursive: true, force: true });
});

const patient = { timeout: 100_000, interval: 500 };

test.skipIf(!canMount)(
  'recording stops on a full and on a read-only disk and goes on by itself, while the stream, events and rules do not notice',
  async () => {
    await using room = await startRecordingCampus({ cameras: { folder } });
    const { campus, rtsp } = room;
    const state = async () => {
      const recording = await room.health();
      return `${recording?.state}: ${recording?.message}`;
    };
    await vi.waitFor(
      async () => expect(await state()).toBe('stopped: the disk is full; tried again within a minute'),
      patient,
    );
    // Nobody lost the picture: one session, still playing; and the rest of the campus answers and acts.
    const played = rtsp.played;
    expect(rtsp.playing).toBe(1);
    expect(await campus.get<{ media: { problem: string } }>('cameras')).toMatchObject({
      media: { problem: 'the disk is full; tried again within a minute' },
    });
    expect(Array.isArray(await campus.get('events?newest=true'))).toBe(true);
    for (const { path } of filesOnDisk(join(folder, camera)).segments) expect(complaintsOf(path), path).toBe('');

    expect(mount('-o', 'remount,ro,size=60m', folder), 'nothing is open for writing on it').toBe(true);
    await vi.waitFor(
      async () => expect(await state()).toBe('stopped: the disk can only be read; tried again within a minute'),
      patient,
    );

    expect(mount('-o', 'remount,rw,size=60m', folder)).toBe(true);
    await vi.waitFor(async () => expect(await state()).toBe('recording: '), patient);
    const from = Date.now();
    await vi.waitFor(async () => {
      const { ranges } = await room.footage();
      expect(Math.max(0, ...ranges.map(({ to }) => to))).toBeGreaterThan(from + 3_000);
    }, patient);
    expect(rtsp.played).toBe(played);
    expect(campus.status('media').restarts).toBe(0);
  },
  300_000,
);
