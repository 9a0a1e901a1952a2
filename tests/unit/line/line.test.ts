import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as afterMs } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { Device } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import { parseLineConfig } from '#edge/drivers/line/config.ts';
import { findPlayer, playerArguments } from '#edge/drivers/line/player.ts';
import { HeardSink, playCommand, temporaryFolder } from '../broadcast/speakers.ts';
import { hasAplay, hasFfmpegAlsa, lineRig, toneIn } from './line-rig.ts';

const never = new AbortController().signal;
const patience = { timeout: 10_000, interval: 5 };
type Rig = Awaited<ReturnType<typeof lineRig>>;

async function open({ driver, device, address }: Rig, sink = new HeardSink(), more: Partial<Device> = {}) {
  const session = await driver.open({ ...device, ...more }, driver.config.parse(address), sink, never);
  const play = (text: string, changes = {}) => {
    if (session.write === undefined) throw new Error('a line takes commands');
    return session.write(playCommand(text, changes), never);
  };
  const clip = async () => {
    const point = device.points.find(({ name }) => name === ('clip' as PointName));
    return (await session.read(point === undefined ? [] : [point], never))[0];
  };
  return { session, sink, play, clip, [Symbol.asyncDispose]: () => session[Symbol.asyncDispose]() };
}

/** The last 100 ms that the card got. */
async function latest(rig: Rig): Promise<Int16Array> {
  return (await rig.heard()).slice(-4_800);
}

describe('the address of a line', () => {
  it('names what is wrong, and takes no command or path of ALSA as a device', () => {
    expect(parseLineConfig({})).toEqual({ device: 'default', program: 'auto', buffer: 80, probe: 'open' });
    for (const device of ['-D', "file:'|reboot',null", 'file:/etc/passwd', ''])
      expect(() => parseLineConfig({ device }), device).toThrow('device');
    expect(() => parseLineConfig({ config: 'asound.conf' })).toThrow('config');
    expect(() => parseLineConfig({ buffer: 10 })).toThrow('buffer');
    expect(() => parseLineConfig({ devise: 'x' })).toThrow('devise');
  });

  it('finds the programme that is there, and only that', async () => {
    await using folder = await temporaryFolder();
    expect(await findPlayer('auto', folder.path)).toBeNull();
    await symlink(process.execPath, join(folder.path, 'ffmpeg'));
    expect(await findPlayer('auto', `:${folder.path}`)).toEqual({
      program: 'ffmpeg',
      file: join(folder.path, 'ffmpeg'),
    });
    expect(await findPlayer('aplay', folder.path)).toBeNull();
    const [program, card] = ['aplay', parseLineConfig({ device: 'plughw:CARD=PCH,DEV=0' })] as const;
    expect(playerArguments(program, card, '-').slice(-3)).toEqual(['-D', 'plughw:CARD=PCH,DEV=0', '-']);
  });

  it('says that nothing is installed that could play', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'empty'));
    await using rig = await lineRig(null, join(folder.path, 'empty'));
    await using line = await open(rig);
    expect(line.sink.states.at(-1)).toMatchObject({ state: 'offline' });
    expect(line.sink.states.at(-1)?.message).toContain('neither aplay (alsa-utils) nor ffmpeg');
    expect(await line.play('low')).toMatchObject({ outcome: 'failed' });
  });
});

describe.skipIf(!hasAplay)('a line over ALSA', () => {
  it('plays the right tone at its pace, and stops at once', async () => {
    await using rig = await lineRig();
    await using line = await open(rig);
    expect(line.sink.states.at(-1)?.state).toBe('online');
    const started = performance.now();
    expect(await line.play('low loop')).toMatchObject({ outcome: 'sent' });
    await expect.poll(async () => toneIn(await latest(rig), 500), patience).toBeGreaterThan(12_000);
    await afterMs(2_000);
    const seconds = (await rig.heard()).length / 48_000;
    const passed = (performance.now() - started) / 1_000;
    // Neither ahead of the clock nor far behind it.
    expect(seconds).toBeLessThanOrEqual(passed + 0.1);
    expect(seconds).toBeGreaterThan(passed - 1);
    expect(await line.clip()).toMatchObject({ value: 'low loop', quality: 'good' });
    await line.play('');
    await afterMs(100);
    const { length } = await rig.heard();
    await afterMs(300);
    expect((await rig.heard()).length).toBe(length);
    expect(await line.clip()).toMatchObject({ value: '', quality: 'good' });
  });

  it('is as loud as the order says, and gets louder while it plays', async () => {
    await using rig = await lineRig();
    await using line = await open(rig);
    await line.play('low loop level=50');
    // Half as loud is 10 dB less.
    const half = 16_000 * 10 ** -0.5;
    await expect.poll(async () => toneIn(await latest(rig), 500), patience).toBeGreaterThan(half * 0.9);
    expect(toneIn(await latest(rig), 500)).toBeLessThan(half * 1.1);
    await line.play('low loop level=100');
    await expect.poll(async () => toneIn(await latest(rig), 500), patience).toBeGreaterThan(14_000);
  });

  it('cuts the weaker sound within 100 ms, of which not a sample comes after', async () => {
    await using rig = await lineRig();
    const [weak, strong] = [await open(rig), await open(rig, new HeardSink())];
    await weak.play('low loop', { priority: 15 });
    await expect.poll(async () => toneIn(await latest(rig), 500), patience).toBeGreaterThan(12_000);
    const before = (await rig.heard()).length;
    const asked = performance.now();
    const done = strong.play('high loop', { priority: 1 });
    await vi.waitFor(
      async () => {
        if (toneIn((await rig.heard()).slice(-960), 1_500) < 8_000)
          throw new Error('the stronger one is not heard yet');
      },
      { timeout: 5_000, interval: 2 },
    );
    const soundsAfter = performance.now() - asked;
    expect(await done).toMatchObject({ outcome: 'sent' });
    const whole = (await rig.heard()).slice(before);
    const firstHigh = Array.from({ length: Math.floor(whole.length / 480) }, (_, n) =>
      whole.slice(n * 480, n * 480 + 480),
    ).findIndex((part) => toneIn(part, 1_500) > 8_000);
    // Of the weaker one 100 ms at most came after the word of the stronger one, and none after its first sample.
    expect(firstHigh).toBeGreaterThanOrEqual(0);
    expect(firstHigh * 10).toBeLessThanOrEqual(100);
    console.info(`cut after ${firstHigh * 10} ms of sound, the stronger one heard after ${soundsAfter.toFixed(0)} ms`);
    const after = whole.slice((firstHigh + 1) * 480);
    expect(toneIn(after, 500)).toBeLessThan(200);
    expect(await weak.clip()).toMatchObject({ value: '' });
    expect(await weak.play('low loop', { priority: 15 })).toMatchObject({ outcome: 'failed' });
    // It comes back when the stronger one is over.
    await strong.play('');
    await expect.poll(async () => toneIn(await latest(rig), 500), patience).toBeGreaterThan(12_000);
    await weak.session[Symbol.asyncDispose]();
    await strong.session[Symbol.asyncDispose]();
  });

  it('plays a clip to its last sample, also when its end is told a moment early', async () => {
    await using rig = await lineRig();
    await using line = await open(rig);
    await line.play('short');
    await expect.poll(async () => toneIn(await latest(rig), 800), patience).toBeGreaterThan(8_000);
    // A machine that stood still skips, and counts it.
    const whole = () => 48_000 - 960 * (line.sink.counts.get('frame-skipped') ?? 0);
    // Before it is the silence with which the card was looked at.
    const tone = async () => {
      const samples = await rig.heard();
      return samples.slice(samples.findIndex((sample) => sample !== 0) - 1);
    };
    await expect.poll(async () => (await tone()).length - 0.85 * whole(), patience).toBeGreaterThan(0);
    await line.play('');
    await expect.poll(async () => (await tone()).length - whole(), patience).toBeGreaterThanOrEqual(0);
    if (whole() === 48_000) expect(toneIn((await tone()).slice(0, 48_000), 800)).toBeGreaterThan(15_500);
    expect(await line.clip()).toMatchObject({ value: '' });
  });

  it('tells that its player died, and plays on where the sound is by now', async () => {
    await using rig = await lineRig();
    await using line = await open(rig);
    await line.play('low loop');
    await expect.poll(async () => toneIn(await latest(rig), 500), patience).toBeGreaterThan(12_000);
    await rig.card.gone();
    // The card is pulled: the player that has it ends, and no other one can open it.
    rig.killPlayers();
    await expect.poll(() => line.sink.states.at(-1)?.state, patience).toBe('offline');
    await expect.poll(() => line.sink.states.at(-1)?.message, patience).toMatch(/sound card hall .*No such file/);
    expect(await line.clip()).toMatchObject({ quality: 'bad', reason: 'no-communication' });
    expect(await line.play('low loop')).toMatchObject({ outcome: 'failed', message: expect.stringContaining('hall') });
    const { length } = await rig.heard();
    await rig.card.present();
    await expect.poll(async () => (await rig.heard()).length, patience).toBeGreaterThan(length + 48_000);
    expect(toneIn(await latest(rig), 500)).toBeGreaterThan(12_000);
    await expect.poll(() => line.sink.states.at(-1)?.state, patience).toBe('online');
    expect(line.sink.counts.get('player-ended')).toBeGreaterThanOrEqual(2);
  });

  it('notices a card that is unplugged while nothing plays', async () => {
    await using rig = await lineRig(200);
    await using line = await open(rig);
    expect(line.sink.states.at(-1)?.state).toBe('online');
    await rig.card.gone();
    await expect.poll(() => line.sink.states.at(-1)?.state, patience).toBe('offline');
    await rig.card.present();
    await expect.poll(() => line.sink.states.at(-1)?.state, patience).toBe('online');
    // A look is silent.
    expect((await rig.heard()).every((sample) => sample === 0)).toBe(true);
  });

  it('plays one sound once for two zones of one card', async () => {
    await using rig = await lineRig();
    const [first, second] = [await open(rig), await open(rig, new HeardSink())];
    await first.play('low loop item=a');
    expect(await second.play('low loop item=a')).toMatchObject({ outcome: 'sent' });
    await expect.poll(async () => toneIn(await latest(rig), 500), patience).toBeGreaterThan(12_000);
    expect([await first.clip(), await second.clip()]).toMatchObject([
      { value: 'low loop item=a' },
      { value: 'low loop item=a' },
    ]);
    await first.play('');
    await afterMs(300);
    expect(toneIn(await latest(rig), 500)).toBeGreaterThan(12_000);
    await first.session[Symbol.asyncDispose]();
    await second.session[Symbol.asyncDispose]();
  });
});

describe.skipIf(!hasFfmpegAlsa)('a line where only ffmpeg is installed', () => {
  it('plays through it, and names a missing card', async () => {
    await using folder = await temporaryFolder();
    const { file } = (await findPlayer('ffmpeg')) ?? { file: '' };
    await symlink(file, join(folder.path, 'ffmpeg'));
    await using rig = await lineRig(null, folder.path);
    await using line = await open(rig);
    await line.play('low loop');
    await expect.poll(async () => toneIn(await latest(rig), 500), patience).toBeGreaterThan(12_000);
    await rig.card.gone();
    rig.killPlayers();
    await expect.poll(() => line.sink.states.at(-1)?.message, patience).toContain('cannot open audio device hall');
  });
});

describe.skipIf(!hasAplay)('a process that is killed', () => {
  it('leaves no player behind that keeps the card', async () => {
    await using rig = await lineRig();
    const { file, program } = (await findPlayer('aplay')) ?? { file: '', program: 'aplay' };
    const config = parseLineConfig(rig.address);
    // A parent of its own, that is killed while its player has a pipe from it.
    const script = `
      const { Player } = await import(${JSON.stringify(new URL('../../../edge/drivers/line/player.ts', import.meta.url).href)});
      const player = new Player(${JSON.stringify({ file, program })}, ${JSON.stringify(config)});
      setInterval(() => player.write(Buffer.alloc(1920)), 20);
      console.log(player.pid);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(said.toString());
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => existsSync(`/proc/${pid}`), patience).toBe(false);
  });
});
