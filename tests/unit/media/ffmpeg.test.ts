import { spawn } from 'node:child_process';
import { chmod, copyFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { FfmpegChild } from '#edge/media/ffmpeg-child.ts';
import { findFfmpeg, readVersion } from '#edge/media/ffmpeg-find.ts';
import { endOrphans, ffmpegTitle } from '#edge/media/ffmpeg-orphans.ts';
import { isLoopbackAddress, rtspOrder } from '#edge/media/ffmpeg-rtsp.ts';
import { troubleOf, withoutSecrets } from '#edge/media/ffmpeg-words.ts';
import { childrenOf, readText } from './stream-rig.ts';

const patient = { timeout: 20_000, interval: 20 };

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'campus-ffmpeg-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A programme that says what an ffmpeg of this version says. */
async function fakeFfmpeg(file: string, version: string, years = '2000-2023'): Promise<string> {
  await writeFile(file, `#!/bin/sh\necho "ffmpeg version ${version} Copyright (c) ${years} the FFmpeg developers"\n`);
  await chmod(file, 0o755);
  return file;
}

describe('ffmpeg', () => {
  it.each([
    ['ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026 the FFmpeg developers', '5.1.9-0+deb12u1', false],
    ['ffmpeg version n7.0 Copyright (c) 2000-2024 the FFmpeg developers', 'n7.0', false],
    ['ffmpeg version 4.4.2-0ubuntu0 Copyright (c) 2000-2021 the FFmpeg developers', '4.4.2-0ubuntu0', true],
    ['ffmpeg version N-47683-g0e8eb07980-static x Copyright (c) 2000-2018 the', 'N-47683-g0e8eb07980-static', true],
    ['ffmpeg version N-109000-gabc Copyright (c) 2000-2022 the FFmpeg developers', 'N-109000-gabc', false],
  ])('is new enough or not by what it says: %s', (text, version, isOld) => {
    expect(readVersion(text)).toEqual({ version, isOld });
  });

  it('of the system is taken before the bundled one, unless it is old', async () => {
    await using at = await folder();
    const bundled = await fakeFfmpeg(join(at.path, 'bundled'), 'N-1', '2000-2018');
    const good = await fakeFfmpeg(join(at.path, 'good'), '5.1');
    const old = await fakeFfmpeg(join(at.path, 'old'), '4.3');
    expect(await findFfmpeg({ folder: at.path, program: good, bundled })).toMatchObject({ path: good, isOld: false });
    expect(await findFfmpeg({ folder: at.path, program: old, bundled })).toMatchObject({ path: bundled, isOld: true });
    expect(await findFfmpeg({ folder: at.path, program: '/nowhere', bundled: null })).toBeNull();
  });

  it('of npm without its executable bit is copied to the data folder, once', async () => {
    await using at = await folder();
    const bundled = await fakeFfmpeg(join(at.path, 'bundled'), 'N-1', '2000-2018');
    await chmod(bundled, 0o644);
    const data = join(at.path, 'data');
    const found = await findFfmpeg({ folder: data, program: '/nowhere', bundled });
    expect(found).toMatchObject({ path: join(data, 'ffmpeg-bundled'), version: 'N-1', isOld: true });
    const { mtimeMs, mode } = await stat(join(data, 'ffmpeg-bundled'));
    expect(mode & 0o777).toBe(0o700);
    await findFfmpeg({ folder: data, program: '/nowhere', bundled });
    expect((await stat(join(data, 'ffmpeg-bundled'))).mtimeMs).toBe(mtimeMs);
  });

  it.each([
    ['[rtsp @ 0x5] method DESCRIBE failed: 401 Unauthorized', 'password'],
    ['[rtsp @ 0x5] method DESCRIBE failed: 404 Not Found\npipe:3: Server returned 404 Not Found', 'missing'],
    ['[rtsp @ 0x5] method SETUP failed: 453 Not Enough Bandwidth', 'busy'],
    ['[tcp @ 0x5] Connection to tcp://10.0.3.7:554?timeout=5000000 failed: Connection refused', 'unreachable'],
    ['pipe:3: Connection timed out', 'unreachable'],
    ['[mp4 @ 0x5] dimensions not set', 'codec'],
    ["Stream map '0:v:0' matches no streams.", 'codec'],
    ['', 'ended'],
  ])('says in its own words: %s', (said, reason) => {
    expect(troubleOf(said).reason).toBe(reason);
    expect(troubleOf(said).message).not.toMatch(/10\.0\.3\.7|pipe:/);
  });

  it('leaves no password in what it said', () => {
    const said = 'rtsp://u:p@ss/w@10.0.3.7:554/main and rtsp://10.0.3.7/x and "hunter2"';
    expect(withoutSecrets(said, ['hunter2'])).not.toMatch(/p@ss|hunter2|u:p/);
  });
});

describe('the order to fetch a stream', () => {
  const gate = 'rtsp://127.0.0.1:4711/0f3a';

  it('names a gate of ours in a script, and never an address that could say more than that', () => {
    const wish = { gate, transport: 'tcp', depth: 'full' } as const;
    const { args, secretInput } = rtspOrder(wish, { isOld: false });
    const lines = secretInput.split('\n');
    expect(lines[1]).toBe(`file '${gate}'`);
    expect(lines.filter((line) => line.startsWith('file'))).toHaveLength(1);
    expect(lines).toContain('option rtsp_transport tcp');
    expect(args.join(' ')).not.toContain('rtsp://');
    const bad = ["rtsp://127.0.0.1/x'\nfile 'http://10.0.0.1/", 'file:///etc/passwd', 'rtsp://a:b@10.0.0.1/x'];
    for (const uri of bad) {
      for (const isOld of [false, true]) expect(() => rtspOrder({ ...wish, gate: uri }, { isOld })).toThrow(TypeError);
    }
  });

  it('has its options among the arguments for a build that takes none in a script', () => {
    const { args, secretInput } = rtspOrder({ gate, transport: 'udp', depth: 'short' }, { isOld: true });
    expect(args.join(' ')).toMatch(/-rtsp_transport udp .*-probesize 32 -i rtsp:\/\/127\.0\.0\.1:4711\/0f3a /);
    expect(secretInput).toBe('');
  });

  it.each([
    ['rtsp://127.0.0.1:8554/a', true],
    ['rtsp://[::1]/a', true],
    ['rtsp://localhost/a', true],
    ['rtsp://127.0.0.1.example.org/a', false],
    ['rtsp://10.0.3.7/a', false],
    ['rtsp://localhost@10.0.3.7/a', false],
    ['nonsense', false],
  ])('%s: is loopback is %s', (uri, isLoopback) => {
    expect(isLoopbackAddress(uri)).toBe(isLoopback);
  });
});

describe('a child', () => {
  it('that ignores SIGTERM is ended with everything it started', async () => {
    await using at = await folder();
    const file = join(at.path, 'deaf');
    await writeFile(file, '#!/bin/sh\ntrap "" TERM\nsleep 300 &\necho $!\nwait\nwait\n');
    await chmod(file, 0o755);
    const output: Buffer[] = [];
    const child = new FfmpegChild({ path: file, title: 'x', args: [], onOutput: (chunk) => void output.push(chunk) });
    await vi.waitFor(() => expect(String(output)).toMatch(/\d+\n/), patient);
    const said = String(output);
    await child[Symbol.asyncDispose]();
    await vi.waitFor(() => expect(readText(`/proc/${said.trim()}/cmdline`)).toBe(''), patient);
    expect(readText(`/proc/${child.pid}/cmdline`)).toBe('');
  });

  it('that cannot be started says so', async () => {
    await using child = new FfmpegChild({ path: '/nowhere/ffmpeg', title: 'x', args: [], onOutput: () => {} });
    expect(await child.ended).toMatchObject({ code: null, said: expect.stringMatching(/ENOENT/) });
  });

  it('left behind by a killed run is ended by the next of the same data folder, and nobody else’s', async () => {
    await using at = await folder();
    const file = join(at.path, 'sleeps');
    await copyFile('/bin/sleep', file);
    const left = spawn(file, ['300'], { argv0: ffmpegTitle(at.path), detached: true, stdio: 'ignore' });
    const other = spawn(file, ['300'], { argv0: ffmpegTitle(`${at.path}-2`), detached: true, stdio: 'ignore' });
    await vi.waitFor(() => expect(childrenOf(at.path)).toEqual([left.pid]), patient);
    expect(await endOrphans(at.path)).toBe(1);
    await vi.waitFor(() => expect(left.signalCode).toBe('SIGKILL'), patient);
    expect(other.exitCode ?? other.signalCode).toBeNull();
    other.kill('SIGKILL');
  });
});
