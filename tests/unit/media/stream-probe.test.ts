import { execFileSync } from 'node:child_process';
import { describe, expect, it, vi } from 'vitest';
import { type RtspClip, readClip } from '#edge/simulators/rtsp-clip.ts';
import { clipOf, factsOf, hasFfmpeg, type RigOptions, streamRig, Watcher } from './stream-rig.ts';

/* How soon a stream is passed on, and that no camera is believed more than its parameter sets say. B-frames that are sent right: tests/contract/rtsp-peer. */

const patient = { timeout: 30_000, interval: 10 };

const rigOf = (clip: RtspClip, more: RigOptions = {}) =>
  streamRig({ ...more, rtsp: { streams: { '/main': () => clip, '/sub': () => clip } } });

/** 8 s whose parameter set says that pictures may be moved. */
function movedClip(): RtspClip {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-t', '8'];
  const coder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '25', '-sc_threshold', '0'];
  const args = ['-v', 'error', ...source, ...coder, '-pix_fmt', 'yuv420p', '-f', 'h264', 'pipe:1'];
  const bytes = execFileSync('ffmpeg', args, { timeout: 60_000, maxBuffer: 64e6, stdio: ['ignore', 'pipe', 'ignore'] });
  return { codec: 'h264', width: 320, height: 180, frameRate: 25, ...readClip(bytes, 'h264') };
}

describe.skipIf(!hasFfmpeg).concurrent('a stream of H.264', () => {
  // Where the machine stands still for a moment, what came meanwhile is passed on at once: that says nothing, and is looked at again.
  it('whose pictures stay in order is described before its first key frame is there, in one session', {
    retry: 2,
  }, async () => {
    await using it = await rigOf(await clipOf());
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, { fromKeyFrame: true });
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(10), patient);
    expect(watcher.inits).toHaveLength(1);
    expect(it.rtsp.played).toBe(1);
    // The first that is passed on has not waited for six more of its kind.
    const [first, second] = watcher.fragments;
    expect((second?.arrived ?? 0) - (first?.arrived ?? 0)).toBeGreaterThan(10);
  });

  it('whose pictures may be moved is looked at for longer, in a second session, and from then on at once', async () => {
    await using it = await rigOf(movedClip());
    const watcher = new Watcher();
    const subscription = it.hub().subscribe(watcher, { fromKeyFrame: true });
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(10), patient);
    expect(watcher.inits).toMatchObject([{ generation: 1, width: 320 }]);
    expect(watcher.states.map(({ kind }) => kind)).toEqual(['connecting', 'running']);
    const { played } = it.rtsp;
    expect(played).toBeLessThanOrEqual(2);
    subscription[Symbol.dispose]();
    await vi.waitFor(() => expect(it.hub().state.kind).toBe('idle'), patient);
    const again = new Watcher();
    using _ = it.hub().subscribe(again, { fromKeyFrame: true });
    await vi.waitFor(() => expect(again.fragments.length).toBeGreaterThan(10), patient);
    expect(it.rtsp.played).toBe(played + 1);
  });

  it('that is described without parameter sets comes all the same: they are in its pictures', async () => {
    await using it = await rigOf({ ...(await clipOf()), parameterSets: [] });
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, { fromKeyFrame: true });
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(30), patient);
    expect(watcher.inits).toMatchObject([{ codec: expect.stringMatching(/^avc1\./), width: 640, height: 360 }]);
    expect(watcher.fragments[0]?.isKey).toBe(true);
    expect(it.rtsp.played).toBeLessThanOrEqual(2);
    expect(it.said.filter((line) => line.includes('problem'))).toEqual([]);
  });

  it('that is described by old parameter sets is asked for once more, and then shown as it is', async () => {
    const [now, old] = [await clipOf(), await clipOf({ width: 960, height: 540 })];
    await using it = await rigOf({ ...now, parameterSets: old.parameterSets });
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, { fromKeyFrame: true });
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(60), patient);
    const { played } = it.rtsp;
    expect(played).toBeLessThanOrEqual(2);
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(120), patient);
    expect(it.rtsp.played).toBe(played);
  });

  it('that turns out to be H.265 is taken as what it is', async () => {
    await using it = await rigOf(await clipOf({ codec: 'h265' }));
    it.streams.setFacts([factsOf([{ role: 'main', uri: it.rtsp.url('/main'), codec: 'h264' }])]);
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, { fromKeyFrame: true });
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(30), patient);
    expect(watcher.inits.at(-1)?.codec).toMatch(/^hvc1/);
    expect(it.rtsp.played).toBeLessThanOrEqual(2);
  });
});
