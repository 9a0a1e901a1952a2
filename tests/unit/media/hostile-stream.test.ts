import { execFileSync } from 'node:child_process';
import { chmod, mkdtempDisposable, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { FfmpegChild } from '#edge/media/ffmpeg-child.ts';
import type { StreamHub } from '#edge/media/hub.ts';
import { LiveHub } from '#edge/media/hub-live.ts';
import { openMediaSocket } from '#edge/media/socket.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { camera, hasFfmpeg, streamRig, Watcher } from './stream-rig.ts';

/* One bad stream, or one bad programme in ffmpeg's place, costs itself and nobody else. */

const patient = { timeout: 20_000, interval: 20 };
const fromKeyFrame = { fromKeyFrame: true };

async function programme(folder: string, script: string) {
  const path = join(folder, `fake-${Math.random().toString(36).slice(2)}`);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return { path, version: '5.1', isOld: false };
}

/** What a camera's stream becomes behind ffmpeg: so many pictures a second, as fast as they can be read. */
async function clip(folder: string, rate: number, seconds: number): Promise<string> {
  const file = join(folder, `${rate}.mp4`);
  const source = ['-f', 'lavfi', '-i', `testsrc2=size=32x32:rate=${rate}`, '-t', String(seconds)];
  const mux = ['-movflags', 'frag_every_frame+empty_moov+default_base_moof', '-f', 'mp4', file];
  const coder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '100000', '-pix_fmt', 'yuv420p'];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...source, ...coder, ...mux], { timeout: 60_000 });
  return file;
}

function watch(hub: StreamHub) {
  const watcher = new Watcher();
  const subscription = hub.subscribe(watcher, fromKeyFrame);
  return { watcher, [Symbol.dispose]: () => subscription[Symbol.dispose]() };
}

describe.skipIf(!hasFfmpeg)('a stream', () => {
  it('of a thousand pictures a second is ended with words, and asked again in a minute', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'flood-'));
    const ffmpeg = await programme(folder.path, `cat ${await clip(folder.path, 1_000, 3)}; exec sleep 60`);
    await using it = await streamRig({ ffmpeg });
    using one = watch(it.hub());
    await vi.waitFor(() => expect(one.watcher.last).toMatchObject({ kind: 'refused', reason: 'codec' }), patient);
    expect(one.watcher.last?.message).toMatch(/more pictures, or larger ones/);
    expect(one.watcher.fragments.length).toBeLessThanOrEqual(1_000);
    expect(one.watcher.inits).toHaveLength(1);
  });

  it('of sixty pictures a second that come in a burst is none of these', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'burst-'));
    const ffmpeg = await programme(folder.path, `cat ${await clip(folder.path, 60, 10)}; exec sleep 60`);
    await using it = await streamRig({ ffmpeg });
    using one = watch(it.hub());
    await vi.waitFor(() => expect(one.watcher.fragments.length).toBeGreaterThan(590), patient);
    expect(one.watcher.last?.kind).toBe('running');
  });

  it('without a second key frame is kept for later viewers only so far', async () => {
    let give: (index: number) => void = () => {};
    await using hub = new LiveHub({
      ...{ camera, role: 'main', clock: systemClock, log: silentLog },
      source: {
        run: (sink, signal) => {
          sink.init({ bytes: Buffer.alloc(8), codec: 'avc1.64001f', width: 1, height: 1, timescale: 1_000 });
          const bytes = Buffer.alloc(100);
          give = (index) => sink.fragment({ bytes, isKey: index === 0, time: index, duration: 1, arrived: 0 });
          return new Promise((resolve) => signal.addEventListener('abort', () => resolve({ reason: '', message: '' })));
        },
      },
    });
    using one = watch(hub);
    await vi.waitFor(() => expect(one.watcher.inits).toHaveLength(1), patient);
    for (let index = 0; index < 20_000; index++) give(index);
    expect(one.watcher.fragments).toHaveLength(20_000);
    expect(hub.recent.length).toBeLessThanOrEqual(4_096);
  });

  it.each([
    ['is gone', null, 'no-ffmpeg', /cannot be started/],
    ['writes what is no video', 'head -c 2000000 /dev/urandom; exec sleep 60', 'codec', /no video/],
    ['says a box of 4 GB is coming', "printf '\\377\\377\\377\\377moov'; exec sleep 60", 'codec', /at most/],
  ])('whose ffmpeg %s says so in words', async (what, script, reason, words) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'broken-'));
    const ffmpeg = await programme(folder.path, script ?? '');
    if (script === null) ffmpeg.path = join(folder.path, 'nothing');
    await using it = await streamRig({ ffmpeg });
    using one = watch(it.hub());
    const refused = expect.objectContaining({ reason, message: expect.stringMatching(words) });
    await vi.waitFor(() => expect(one.watcher.states, what).toContainEqual(refused), patient);
  });

  it('whose source fails in a way that nobody thought of is asked for again, and nothing else happens', async () => {
    let runs = 0;
    await using hub = new LiveHub({
      ...{ camera, role: 'main', clock: systemClock, log: silentLog, pauses: { first: 10, cap: 20 } },
      source: {
        run: async () => {
          runs += 1;
          throw new Error('spawn EMFILE');
        },
      },
    });
    using one = watch(hub);
    await vi.waitFor(() => expect(runs).toBeGreaterThan(3), patient);
    expect(one.watcher.last?.message).not.toContain('EMFILE');
  });
});

describe('what ffmpeg says', () => {
  it('is kept only so far, however much it is', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'loud-'));
    const { path } = await programme(folder.path, 'head -c 30000000 /dev/zero | tr "\\0" "e" >&2; echo the end >&2');
    await using child = new FfmpegChild({ path, title: 'x', args: [], onOutput: () => {} });
    const { said } = await child.ended;
    expect(said.length).toBeLessThanOrEqual(8_192);
    expect(said).toMatch(/the end\n$/);
  });
});

describe('the socket of media', () => {
  async function opened() {
    const folder = await mkdtempDisposable(join(tmpdir(), 'sock-'));
    const [socketFile, keyFile] = [join(folder.path, 'media.sock'), join(folder.path, 'media.key')];
    const media = await openMediaSocket({ socketFile, keyFile, handlers: [], socketHandlers: [], log: silentLog });
    const key = execFileSync('cat', [keyFile]).toString().trim();
    return {
      ...{ socketFile, keyFile, key },
      async [Symbol.asyncDispose]() {
        await media[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  }

  const say = (file: string, text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(file);
      let said = '';
      socket.on('data', (chunk: Buffer) => {
        said += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(said));
      socket.end(text);
    });

  it('and its key are for nobody but their owner, and a wrong key gets nothing', async () => {
    await using media = await opened();
    for (const file of [media.socketFile, media.keyFile]) expect((await stat(file)).mode & 0o777).toBe(0o600);
    for (const key of ['', 'x', `${media.key}x`, media.key.slice(1)]) {
      const upgrade =
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
      for (const more of ['Connection: close\r\n', upgrade]) {
        expect(
          await say(media.socketFile, `GET /live/a/main HTTP/1.1\r\nHost: x\r\nx-media-key: ${key}\r\n${more}\r\n`),
        ).toMatch(/^HTTP\/1\.1 403/);
      }
    }
  });

  it('outlives requests that are none, headers without end and hundreds that hang up', async () => {
    await using media = await opened();
    const bad = [
      '\0\0\0',
      'GET / HTTP/9.9\r\n\r\n',
      `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(20_000)}\r\n`,
      'GET /%zz HTTP/1.1\r\n',
    ];
    for (const text of bad) expect(await say(media.socketFile, text)).toMatch(/^(HTTP\/1\.1 (400|431|403)|$)/);
    await Promise.all(Array.from({ length: 300 }, () => say(media.socketFile, 'GET / HT')));
    const answer = await say(
      media.socketFile,
      `GET /x HTTP/1.1\r\nHost: x\r\nx-media-key: ${media.key}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 404/);
  });

  it('outlives frames that are none from somebody who asks for a stream that is not there', async () => {
    await using media = await opened();
    for (const garbage of [Buffer.alloc(64, 0xff), Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4])]) {
      const viewer = new WebSocket(`ws+unix:${media.socketFile}:/live/none/main`, {
        headers: { 'x-media-key': media.key },
      });
      viewer.on('error', () => {});
      const closed = new Promise<void>((resolve) => viewer.on('close', () => resolve()));
      viewer.on('upgrade', ({ socket }) => socket.write(garbage));
      await closed;
    }
    const answer = await say(
      media.socketFile,
      `GET /x HTTP/1.1\r\nHost: x\r\nx-media-key: ${media.key}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 404/);
  });
});
