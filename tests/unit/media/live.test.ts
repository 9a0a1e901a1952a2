import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { boxesIn } from '#edge/media/mp4-boxes.ts';
import { openMediaSocket } from '#edge/media/socket.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { camera, childrenOf, clipOf, hasFfmpeg } from './stream-rig.ts';
import { streamOf, viewerRig } from './viewer-rig.ts';

const patient = { timeout: 20_000, interval: 25 };

describe.skipIf(!hasFfmpeg).concurrent('a viewer', () => {
  it('is told what comes, and gets an init and then fragments from a key frame', async () => {
    await using it = await viewerRig();
    const seen = it.watch();
    await vi.waitFor(() => expect(seen.binary.length).toBeGreaterThan(20), patient);
    expect(streamOf(seen)).toMatchObject({ source: 'copy', width: 640, height: 360, generation: 1 });
    expect(streamOf(seen)).toMatchObject({ mime: expect.stringMatching(/^video\/mp4; codecs="avc1\.[0-9a-f]{6}"$/) });
    expect(seen.binary.slice(0, 3).map((bytes) => boxesIn(bytes).map(({ type }) => type))).toEqual([
      ['ftyp', 'moov'],
      ['moof', 'mdat'],
      ['moof', 'mdat'],
    ]);
    expect(seen.said).toContainEqual({ kind: 'state', state: 'running', reason: '', message: '' });
  });

  it('who comes second has a picture at once, and the camera no second session', async () => {
    await using it = await viewerRig();
    const first = it.watch();
    await vi.waitFor(() => expect(first.binary.length).toBeGreaterThan(10), patient);
    const began = systemClock.monotonic();
    const second = it.watch(`/live/${camera}/main`);
    await vi.waitFor(() => expect(second.binary.length).toBeGreaterThan(1), { timeout: 20_000, interval: 2 });
    expect(systemClock.monotonic() - began).toBeLessThan(1_000);
    expect(it.rtsp.played).toBe(1);
    expect(it.streams.health()[0]?.viewers).toBe(2);
    second.socket.terminate();
    await vi.waitFor(() => expect(it.streams.health()[0]?.viewers).toBe(1), patient);
  });

  it('who does not read misses pictures up to a key frame, and holds up nobody', async () => {
    const heavy = await clipOf({ width: 1280, height: 720 });
    await using it = await viewerRig({ rtsp: { streams: { '/main': () => heavy, '/sub': () => heavy } } });
    const good = it.watch();
    const slow = it.watch();
    await vi.waitFor(() => expect(slow.binary.length).toBeGreaterThan(3), patient);
    slow.socket.pause();
    const before = good.binary.length;
    await vi.waitFor(() => expect(good.binary.length).toBeGreaterThan(before + 150), patient);
    slow.socket.resume();
    await vi.waitFor(() => expect(slow.said.some(({ kind }) => kind === 'skipped')).toBe(true), patient);
    expect(good.said.some(({ kind }) => kind === 'skipped')).toBe(false);
    const times = good.binary.length;
    expect(times).toBeGreaterThan(slow.binary.length);
  });

  it('who shows no H.265 gets it recoded, small and from a key frame, with no second session of the camera', async () => {
    const h265 = await clipOf({ codec: 'h265', width: 1280, height: 800, seconds: 4 });
    await using it = await viewerRig({ rtsp: { streams: { '/main': () => h265, '/sub': () => h265 } } });
    const able = it.watch(`/live/${camera}/main?codecs=avc1,hvc1`);
    const unable = it.watch(`/live/${camera}/main?codecs=avc1`);
    await vi.waitFor(() => expect(unable.binary.length).toBeGreaterThan(10), patient);
    expect(streamOf(able)).toMatchObject({ source: 'copy', codec: expect.stringMatching(/^hvc1/), width: 1280 });
    const { codec, original, source, width, height } = { ...streamOf(unable) } as Record<string, unknown>;
    expect({ source, width, height }).toEqual({ source: 'transcode', width: 1152, height: 720 });
    expect(codec).toMatch(/^avc1/);
    expect(original).toMatch(/^hvc1/);
    expect(it.rtsp.played).toBe(1);
    expect(childrenOf(it.data)).toHaveLength(2);
    unable.socket.close();
    await vi.waitFor(() => expect(childrenOf(it.data)).toHaveLength(1), patient);
  });

  it('who shows no H.265 gets a picture a second where as many are recoded as may', async () => {
    const h265 = await clipOf({ codec: 'h265' });
    await using it = await viewerRig({ transcodes: 0, rtsp: { streams: { '/main': () => h265, '/sub': () => h265 } } });
    const seen = it.watch();
    await vi.waitFor(() => expect(seen.binary.length).toBeGreaterThan(2), patient);
    expect(streamOf(seen)).toMatchObject({ source: 'pictures', mime: 'image/jpeg' });
    for (const bytes of seen.binary) {
      expect(bytes.subarray(0, 3).toString('hex')).toBe('ffd8ff');
      expect(bytes.subarray(-2).toString('hex')).toBe('ffd9');
    }
    const probe = spawnSync('ffmpeg', ['-v', 'error', '-f', 'mjpeg', '-i', 'pipe:0', '-f', 'null', '-'], {
      input: seen.binary[0],
      timeout: 20_000,
    });
    expect({ status: probe.status, said: probe.stderr.toString() }).toEqual({ status: 0, said: '' });
  });

  it('is told why there is nothing to see, and stays for when there is', async () => {
    await using it = await viewerRig();
    it.rtsp.fault('missing');
    const seen = it.watch();
    const refusal = expect.objectContaining({ kind: 'state', state: 'refused', reason: 'missing' });
    await vi.waitFor(() => expect(seen.said).toContainEqual(refusal), patient);
    it.rtsp.fault('none');
    await vi.waitFor(() => expect(seen.binary.length).toBeGreaterThan(2), patient);
  });

  it('has a new init after the stream began anew', async () => {
    await using it = await viewerRig();
    const seen = it.watch();
    await vi.waitFor(() => expect(seen.binary.length).toBeGreaterThan(3), patient);
    for (const pid of childrenOf(it.data)) process.kill(pid, 'SIGKILL');
    const second = expect.objectContaining({ kind: 'stream', generation: 2 });
    await vi.waitFor(() => expect(seen.said).toContainEqual(second), patient);
  });
});

describe('media’s socket', () => {
  it('answers nobody without the key of this start', async () => {
    await using it = await viewerRig({ ffmpeg: null });
    const wrong = it.watch(`/live/${camera}/main`, { 'x-media-key': 'of yesterday' });
    await vi.waitFor(() => expect(wrong.closed).toHaveLength(1), patient);
    expect(wrong.said).toEqual([]);
    expect(await ask(it.socketFile, '/health', 'wrong')).toMatchObject({ status: 403 });
    expect(await ask(it.socketFile, '/health', it.key)).toMatchObject({ status: 200 });
    expect(await ask(it.socketFile, '/nothing', it.key)).toMatchObject({ status: 404 });
    expect(((await stat(it.socketFile)).mode & 0o077) + ((await stat(join(it.data, 'media.key'))).mode & 0o077)).toBe(
      0,
    );
  });

  it('closes what asks for a camera or stream that is none', async () => {
    await using it = await viewerRig({ ffmpeg: null });
    const strangers = ['/live/camera-x/main', `/live/${camera}/third`, `/live/${camera}`, '/live/..%2f/main'].map(
      (path) => it.watch(path),
    );
    await vi.waitFor(
      () => expect(strangers.map(({ closed }) => closed[0]?.code)).toEqual([4004, 4004, 4004, 4004]),
      patient,
    );
  });

  it('takes the place of one that a killed process left', async () => {
    const data = await mkdtemp(join(tmpdir(), 'campus-media-'));
    const options = {
      socketFile: join(data, 's'),
      keyFile: join(data, 'k'),
      handlers: [],
      socketHandlers: [],
      log: pino({ level: 'silent' }),
    };
    const first = await openMediaSocket(options);
    const before = await readFile(options.keyFile, 'utf8');
    const second = await openMediaSocket(options);
    expect(await readFile(options.keyFile, 'utf8')).not.toBe(before);
    await second[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    await rm(data, { recursive: true });
  });
});

function ask(socketPath: string, path: string, key: string): Promise<{ status: number | undefined }> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, headers: { 'x-media-key': key }, timeout: 10_000 }, (response) => {
      response.resume();
      resolve({ status: response.statusCode });
    })
      .on('error', reject)
      .end();
  });
}
