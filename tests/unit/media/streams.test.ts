import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { findFfmpeg } from '#edge/media/ffmpeg-find.ts';
import type { Fragment } from '#edge/media/hub.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import {
  camera,
  childrenOf,
  clipOf,
  factsOf,
  hasFfmpeg,
  password,
  readText,
  streamRig,
  Watcher,
} from './stream-rig.ts';

const patient = { timeout: 20_000, interval: 25 };
const fromKeyFrame = { fromKeyFrame: true };

describe.skipIf(!hasFfmpeg).concurrent('a stream of a camera', () => {
  it('comes as an init and fragments whose times go on, from a key frame', async () => {
    await using it = await streamRig();
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, fromKeyFrame);
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(30), patient);
    expect(watcher.inits).toMatchObject([{ width: 640, height: 360, generation: 1 }]);
    expect(watcher.inits[0]?.codec).toMatch(/^avc1\.[0-9a-f]{6}$/);
    expect(watcher.fragments[0]?.isKey).toBe(true);
    expectSteadyTimes(watcher.fragments);
    expect(watcher.states.map(({ kind }) => kind)).toEqual(['connecting', 'running']);
    await vi.waitFor(() => expect(it.hub().frameRate).toBeGreaterThan(15), patient);
    expect(it.hub().frameRate).toBeLessThan(40);
  });

  it('is fetched once for all who want it, and ends some time after the last of them', async () => {
    await using it = await streamRig();
    const watchers = Array.from({ length: 5 }, () => new Watcher());
    const subscriptions = watchers.map((watcher) => it.hub().subscribe(watcher, fromKeyFrame));
    await vi.waitFor(() => expect(watchers.every(({ fragments }) => fragments.length > 3)).toBe(true), patient);
    expect(it.rtsp.played).toBe(1);
    expect(childrenOf(it.data)).toHaveLength(1);
    for (const subscription of subscriptions) subscription[Symbol.dispose]();
    expect(childrenOf(it.data)).toHaveLength(1);
    await vi.waitFor(() => expect(it.rtsp.playing).toBe(0), patient);
    await vi.waitFor(() => expect(childrenOf(it.data)).toEqual([]), patient);
    await vi.waitFor(() => expect(it.hub().state.kind).toBe('idle'), patient);
  });

  it('gives a second viewer the key frame that has been, in the same turn', async () => {
    await using it = await streamRig();
    const first = new Watcher();
    using _ = it.hub().subscribe(first, fromKeyFrame);
    await vi.waitFor(() => expect(it.hub().recent.length).toBeGreaterThan(5), patient);
    const [second, third] = [new Watcher(), new Watcher()];
    using _second = it.hub().subscribe(second, fromKeyFrame);
    using _third = it.hub().subscribe(third, { fromKeyFrame: false });
    expect(second.inits).toHaveLength(1);
    expect(second.fragments[0]?.isKey).toBe(true);
    expect(second.fragments).toEqual(it.hub().recent);
    expect(third.fragments).toEqual([]);
    await vi.waitFor(() => expect(third.fragments.length).toBeGreaterThan(0), patient);
    expect(third.fragments[0]?.isKey).toBe(true);
  });

  it('comes over UDP where the camera knows nothing else', async () => {
    await using it = await streamRig({ rtsp: { transports: ['udp'] } });
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, fromKeyFrame);
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(10), patient);
    expect(it.rtsp.lastTransport).toBe('udp');
    expect(it.rtsp.requests).toContainEqual({ method: 'SETUP', path: '/main/trackID=1', status: 461 });
  });

  it('in H.265 is named as browsers ask for it', async () => {
    const h265 = await clipOf({ codec: 'h265' });
    await using it = await streamRig({ rtsp: { streams: { '/main': () => h265, '/sub': () => h265 } } });
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, fromKeyFrame);
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(10), patient);
    expect(watcher.inits[0]?.codec).toMatch(/^hvc1\.1\.6\.L\d+/);
    expect(watcher.inits[0]?.bytes.includes('hev1')).toBe(false);
    expect(it.streams.codecOf(camera, 'main')).toBe('h265');
  });

  it('goes on by itself after ffmpeg was killed, as a new generation', async () => {
    await using it = await streamRig();
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, fromKeyFrame);
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(3), patient);
    const [pid] = childrenOf(it.data);
    process.kill(pid ?? 0, 'SIGKILL');
    await vi.waitFor(() => expect(watcher.inits).toHaveLength(2), patient);
    const before = watcher.fragments.length;
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(before + 3), patient);
    expect(watcher.inits[1]?.generation).toBe(2);
    expect(watcher.states.map(({ kind }) => kind)).toEqual([
      'connecting',
      'running',
      'waiting',
      'connecting',
      'running',
    ]);
    expect(childrenOf(it.data)).toHaveLength(1);
  });

  it('of another size is a new generation, whether the camera ends the session or not', async () => {
    const [small, large] = [await clipOf(), await clipOf({ width: 960, height: 540 })];
    let now = small;
    await using it = await streamRig({ rtsp: { streams: { '/main': () => now, '/sub': () => now } } });
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, fromKeyFrame);
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(3), patient);
    now = large;
    await vi.waitFor(() => expect(watcher.inits.at(-1)).toMatchObject({ generation: 2, width: 960 }), patient);
    // The same size by name, but other parameter sets in the pictures: only these tell.
    const quiet = { ...(await clipOf({ width: 704, height: 396 })), width: 960, height: 540 };
    now = quiet;
    await vi.waitFor(() => expect(watcher.inits.at(-1)).toMatchObject({ width: 704, height: 396 }), patient);
    const { generation } = watcher.inits.at(-1) ?? {};
    const others = watcher.fragments.length;
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(others + 30), patient);
    expect(watcher.inits.at(-1)?.generation).toBe(generation);
  });

  it('that sends no more pictures is stalled, and asked for anew', async () => {
    await using it = await streamRig({ streams: { timings: { stall: 1_000 } } });
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, fromKeyFrame);
    await vi.waitFor(() => expect(watcher.last?.kind).toBe('running'), patient);
    it.rtsp.fault('stall');
    await vi.waitFor(
      () => expect(watcher.states).toContainEqual(expect.objectContaining({ kind: 'stalled', reason: 'stalled' })),
      patient,
    );
    it.rtsp.fault('none');
    await vi.waitFor(() => expect(watcher.last?.kind).toBe('running'), patient);
  });

  it.each([
    ['missing', 'missing', /no stream of this name/],
    ['busy', 'busy', /busy/],
    ['full', 'busy', /busy/],
  ] as const)(
    'that is refused (%s) says why, and is there when the camera thinks better of it',
    async (fault, reason, words) => {
      await using it = await streamRig();
      it.rtsp.fault(fault);
      const watcher = new Watcher();
      using _ = it.hub().subscribe(watcher, fromKeyFrame);
      const refused = expect.objectContaining({ kind: 'refused', reason, message: expect.stringMatching(words) });
      await vi.waitFor(() => expect(watcher.states).toContainEqual(refused), patient);
      it.rtsp.fault('none');
      await vi.waitFor(() => expect(watcher.last?.kind).toBe('running'), patient);
    },
  );

  it.each(['drop', 'garbage'] as const)('survives a camera that does this: %s', async (fault) => {
    await using it = await streamRig({ streams: { timings: { stall: 1_500, first: 3_000 } } });
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, fromKeyFrame);
    await vi.waitFor(() => expect(watcher.last?.kind).toBe('running'), patient);
    it.rtsp.fault(fault);
    await vi.waitFor(() => expect(watcher.last?.kind).not.toBe('running'), patient);
    it.rtsp.fault('none');
    const before = watcher.inits.length;
    await vi.waitFor(() => expect(watcher.inits.length).toBeGreaterThan(before), patient);
    await vi.waitFor(() => expect(watcher.last?.kind).toBe('running'), patient);
  });

  it('is asked for at once when somebody wants to look, however long the pause would be', async () => {
    await using it = await streamRig({ streams: { pauses: { first: 120_000, cap: 120_000 } } });
    it.rtsp.fault('busy');
    const recorder = new Watcher();
    using _ = it.hub().subscribe(recorder, fromKeyFrame);
    await vi.waitFor(() => expect(recorder.last?.kind).toBe('refused'), patient);
    it.rtsp.fault('none');
    const since = recorder.last?.since ?? 0;
    await vi.waitFor(() => expect(systemClock.now() - since).toBeGreaterThan(3_100), patient);
    const viewer = new Watcher();
    using _viewer = it.hub().subscribe(viewer, { fromKeyFrame: true, isViewer: true });
    await vi.waitFor(() => expect(viewer.last?.kind).toBe('running'), patient);
  });

  it('moves with the camera to another address', async () => {
    await using it = await streamRig();
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, fromKeyFrame);
    await vi.waitFor(() => expect(watcher.last?.kind).toBe('running'), patient);
    it.streams.setFacts([factsOf([{ role: 'main', uri: it.rtsp.url('/sub') }])]);
    await vi.waitFor(() => expect(watcher.inits).toHaveLength(2), patient);
    expect(it.rtsp.requests.at(-1)?.path).toMatch(/^\/sub/);
    expect(it.streams.hub(camera, 'sub')).toBe(it.streams.hub(camera, 'main'));
  });
});

describe.skipIf(!hasFfmpeg).concurrent('a password', () => {
  it('is nowhere to be seen: not among arguments, environment or log, and not in words for people', async () => {
    await using it = await streamRig();
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, fromKeyFrame);
    await vi.waitFor(() => expect(watcher.last?.kind).toBe('running'), patient);
    const [pid = 0] = childrenOf(it.data);
    const seen = readText(`/proc/${pid}/cmdline`) + readText(`/proc/${pid}/environ`);
    expect(seen).toContain('concat');
    it.rtsp.changePassword('another');
    it.rtsp.fault('drop');
    it.rtsp.fault('none');
    await vi.waitFor(() => expect(watcher.last).toMatchObject({ kind: 'refused', reason: 'password' }), patient);
    const all = `${seen}\n${it.said.join('\n')}\n${JSON.stringify(watcher.states)}`;
    for (const form of [password, encodeURIComponent(password), 'w%25rd', '127.0.0.1:'])
      expect(all).not.toContain(form);
  });

  it('that is wrong is tried twice and then left alone, until there is another', async () => {
    let login = { username: 'campus', password: 'wrong', version: '1' };
    await using it = await streamRig({ streams: { login: async () => login } });
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, fromKeyFrame);
    const held = expect.objectContaining({
      kind: 'refused',
      reason: 'password',
      message: expect.stringMatching(/30 min/),
    });
    await vi.waitFor(() => expect(watcher.last).toEqual(held), patient);
    // Each try asks without a password first, and once with it.
    const refused = () => it.rtsp.requests.filter(({ status }) => status === 401).length;
    expect(refused()).toBe(4);
    await it.streams.lookForNewLogins();
    expect(watcher.last).toEqual(held);
    login = { username: 'campus', password, version: '2' };
    await it.streams.lookForNewLogins();
    await vi.waitFor(() => expect(watcher.last?.kind).toBe('running'), patient);
    expect(refused()).toBeLessThanOrEqual(6);
  });
});

describe('the ffmpeg that npm brings', () => {
  it('fetches a stream of loopback with its password hidden, where the system has none', async ({ skip }) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'campus-bundled-'));
    const ffmpeg = await findFfmpeg({ folder: folder.path, program: '/nowhere' });
    if (ffmpeg === null || !hasFfmpeg) skip('SKIPPED: npm has no ffmpeg for this machine');
    await using it = await streamRig({ ffmpeg });
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, fromKeyFrame);
    await vi.waitFor(() => expect(watcher.fragments.length).toBeGreaterThan(10), patient);
    expect(ffmpeg?.isOld).toBe(true);
    const [pid = 0] = childrenOf(it.data);
    const seen = readText(`/proc/${pid}/cmdline`);
    expect(seen).toContain('rtsp://127.0.0.1:');
    for (const form of [password, encodeURIComponent(password), 'w%25rd', `:${it.rtsp.port}`])
      expect(seen).not.toContain(form);
  });
});

describe('without a usable ffmpeg', () => {
  it('a stream is refused in words', async () => {
    const clip = { codec: 'h264', width: 1, height: 1, frameRate: 1, parameterSets: [], pictures: [] } as const;
    await using it = await streamRig({ ffmpeg: null, rtsp: { streams: { '/main': () => clip } } });
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, fromKeyFrame);
    await vi.waitFor(() => expect(watcher.last).toMatchObject({ kind: 'refused', reason: 'no-ffmpeg' }), patient);
    expect(watcher.last?.message).toMatch(/apt install ffmpeg/);
    expect(it.rtsp.requests).toEqual([]);
  });

  it('an old one sees loopback, and nothing else', async () => {
    const old = { path: 'ffmpeg', version: 'N-47683', isOld: true };
    await using it = await streamRig({ ffmpeg: old });
    it.streams.setFacts([factsOf([{ role: 'main', uri: 'rtsp://192.0.2.7/main' }])]);
    const watcher = new Watcher();
    using _ = it.hub().subscribe(watcher, fromKeyFrame);
    await vi.waitFor(() => expect(watcher.last).toMatchObject({ kind: 'refused', reason: 'old-ffmpeg' }), patient);
    expect(childrenOf(it.data)).toEqual([]);
  });

  it('no stream exists for a camera that the site file does not have', async () => {
    await using it = await streamRig({ ffmpeg: null, streams: { cameras: [] } });
    expect(it.streams.hub(camera, 'main')).toBeNull();
  });
});

function expectSteadyTimes(fragments: readonly Fragment[]): void {
  const steps = fragments.slice(1).map(({ time }, index) => time - (fragments[index]?.time ?? 0));
  expect(Math.min(...steps)).toBeGreaterThan(30);
  expect(Math.max(...steps)).toBeLessThan(50);
}
