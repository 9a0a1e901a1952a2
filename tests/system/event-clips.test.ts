import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { Clip, FootageRange } from '#edge/domain/recording.ts';
import { camera, complaintsOf, filesOnDisk, hasFfmpeg, startRecordingCampus } from './recording-campus.ts';

/* A camera that records by event, by real processes: what happens becomes a clip, and the clip footage that plays, also over a kill of media. */

const patient = { timeout: 180_000, interval: 500 };
const roll = { before: 6_000, after: 8_000 };

/** How long ffprobe says a file plays, ms. */
function playsFor(path: string): number {
  const { stdout } = spawnSync(
    'ffprobe',
    ['-v', 'error', '-show_entries', 'packet=pts_time,duration_time', '-of', 'csv=p=0', path],
    { encoding: 'utf8', timeout: 60_000 },
  );
  const packets = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number));
  const starts = packets.map(([time = 0]) => time);
  return Math.round((Math.max(...starts) + (packets[0]?.[1] ?? 0) - Math.min(...starts)) * 1_000);
}

const covered = (ranges: readonly FootageRange[], { from, to }: FootageRange) =>
  ranges.reduce((sum, one) => sum + Math.max(0, Math.min(one.to, to) - Math.max(one.from, from)), 0);

test.skipIf(!hasFfmpeg)(
  'an event becomes a clip that is ready when its footage is, and its files play for as long as they say',
  async () => {
    await using room = await startRecordingCampus({
      cameras: { record: { mode: 'event', preRoll: roll.before, postRoll: roll.after }, byCamera: {} },
    });
    const { campus } = room;
    const clips = async () => {
      const said = await campus.get<{ clips: Clip[] }>(`clips?camera=${camera}`);
      return said.clips.filter(({ why }) => why === 'event');
    };
    const recording = () =>
      vi.waitFor(async () => expect(await room.health()).toMatchObject({ mode: 'event', state: 'recording' }), patient);
    await recording();
    // The past before it has been seen, and none of it is kept.
    await vi.waitFor(() => {
      const past = readdirSync(join(room.folder, 'spool')).filter((name) => name.endsWith('.mp4'));
      expect(past.length).toBeGreaterThan(0);
    }, patient);
    expect((await room.footage()).ranges).toEqual([]);
    expect(filesOnDisk(room.folder).segments).toEqual([]);

    room.onvif.lineCrossed();
    await vi.waitFor(async () => expect(await clips()).toMatchObject([{ state: 'pending' }]), patient);
    const [first] = await clips();
    if (first === undefined) throw new Error('there is no clip');
    const there = async (clip: FootageRange) => covered((await room.footage()).ranges, clip);
    await vi.waitFor(async () => expect(await there(first)).toBeGreaterThan(first.to - first.from - 4_000), patient);
    // An event within it would make it longer, and its end would be what media loses.
    await vi.waitFor(
      async () => expect((await clips()).find(({ id }) => id === first.id)?.state).toBe('ready'),
      patient,
    );

    // media dies between an event and the end of its post-roll: what was before is kept, and what comes when media is back.
    const killed = campus.pid('media');
    room.onvif.lineCrossed();
    const second = await vi.waitFor(async () => {
      const clip = (await clips()).find(({ id, to }) => id !== first.id || to > first.to);
      if (clip === undefined) throw new Error('there is no second clip yet');
      return clip;
    }, patient);
    process.kill(killed, 'SIGKILL');
    await vi.waitFor(() => expect(campus.pid('media')).not.toBe(killed), patient);
    await recording();
    await vi.waitFor(async () => expect(await there(second)).toBeGreaterThan(roll.before - 2_000), patient);

    const { segments } = filesOnDisk(room.folder);
    expect(segments.length).toBeGreaterThan(1);
    for (const { path, from, to } of segments) {
      expect(complaintsOf(path), path).toBe('');
      expect(Math.abs(playsFor(path) - (to - from)), path).toBeLessThan(1_500);
    }
    const { ranges } = await room.footage();
    expect(covered(ranges, { from: 0, to: Number.MAX_SAFE_INTEGER })).toBeLessThan(120_000);
  },
  400_000,
);
