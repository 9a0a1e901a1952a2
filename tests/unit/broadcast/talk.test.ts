import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Encoder } from '@evan/opus/wasm/index.mjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { recordingHeaderBytes } from '#edge/domain/voice-recording.ts';
import { samplesIn } from '#edge/drivers/sound/codecs.ts';
import { startTalkVoice, talkRates } from '#edge/drivers/sound/talk-voice.ts';
import { layOutWav } from '#edge/media/wav.ts';
import { dominantTone, levelOf } from '#edge/simulators/tone.ts';
import { sine, Talker, type TalkRig, talkRig } from './talk-rig.ts';

const patient = { timeout: 20_000, interval: 20 };

let rig: TalkRig;
/** Waited for by one of the tests, while the others run. */
let abandoned: Talker;
beforeAll(async () => {
  rig = await talkRig();
  abandoned = await rig.talk();
  abandoned.say({ kind: 'format', codec: 'pcm', rate: 48_000 });
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

/** Listens as a loudspeaker does: a frame a tick. */
function listen(session: string) {
  const source = rig.studio.live.listen(session);
  const heard: Int16Array[] = [];
  const state = { isOver: false };
  const stream = {
    onTick(tick: number) {
      const frame = source.frame(tick);
      if (frame === null) {
        state.isOver = true;
        rig.studio.pacer.remove(stream);
      } else heard.push(frame);
    },
  };
  rig.studio.pacer.add(stream);
  const last = (ms: number) => Int16Array.from(heard.slice(-ms / 20).flatMap((frame) => [...frame]));
  return { heard, state, tone: () => dominantTone(last(200), 48_000), last };
}

const recorded = async (item: string) => {
  const file = await readFile(join(rig.data, 'recordings', `${item}.wav`));
  const { rate, offset, length } = layOutWav(file);
  const pcm = Int16Array.from({ length: length / 2 }, (_, i) => file.readInt16LE(offset + 2 * i));
  return { rate, pcm, ms: length / 32, file };
};

describe('a voice', () => {
  it.each(talkRates)('at %i Hz comes out in whole frames at 48 kHz, as high and as loud as it went in', (rate) => {
    using voice = startTalkVoice({ codec: 'pcm', rate });
    const whole = sine(1_000, rate, 600);
    const frames: Int16Array[] = [];
    // In bits of a length that fits nothing.
    for (let at = 0; at < whole.length; at += 1_234) frames.push(...voice.take(whole.subarray(at, at + 1_234)));
    expect(frames.length).toBeGreaterThanOrEqual(29);
    expect(new Set(frames.map((frame) => frame.length))).toEqual(new Set([960]));
    const pcm = Int16Array.from(frames.slice(5, 25).flatMap((frame) => [...frame]));
    expect(dominantTone(pcm, 48_000)).toBe(1_000);
    expect(Math.abs(levelOf(pcm) - 20 * Math.log10(12_000 / 32_768 / Math.SQRT2))).toBeLessThan(0.5);
  });

  it('as Opus packets is decoded; what is no packet is said to be none, and costs nothing after it', () => {
    const encoder = new Encoder({ channels: 1, sample_rate: 48_000, application: 'voip' });
    using voice = startTalkVoice({ codec: 'opus', rate: 48_000 });
    const frames: Int16Array[] = [];
    for (let n = 0; n < 30; n++) {
      const pcm = new Int16Array(sine(700, 48_000, 20, 12_000, n * 960).buffer.slice(0));
      const packet = encoder.encode(Int16Array.from(pcm.subarray(0, samplesIn(48_000))));
      frames.push(...voice.take(Buffer.from(packet)));
    }
    for (const bad of [Buffer.alloc(0), Buffer.from([255, 255, 255]), Buffer.alloc(1_300, 3)]) {
      expect(() => voice.take(bad)).toThrow();
    }
    encoder.drop();
    const pcm = Int16Array.from(frames.slice(10).flatMap((frame) => [...frame]));
    expect(dominantTone(pcm, 48_000)).toBe(700);
  });

  it('of half a sample is refused', () => {
    using voice = startTalkVoice({ codec: 'pcm', rate: 16_000 });
    expect(() => voice.take(Buffer.alloc(641))).toThrow(/641 bytes/);
  });
});

describe('a live page', () => {
  it('is heard as it was spoken, recorded as it was spoken, and over when it is ended', async () => {
    const talker = await rig.talk({ class: 'microphone' });
    const room = listen(talker.session);
    talker.say({ kind: 'format', codec: 'pcm', rate: 16_000 });
    await vi.waitFor(() => expect(talker.kinds()).toContain('speak'), patient);
    const stop = talker.speak((n) => sine(800, 16_000, 20, 12_000, n * 320));
    await vi.waitFor(() => expect(room.tone()).toBe(800), patient);
    await vi.waitFor(() => expect(talker.figures).toMatchObject({ recordingProblem: null }), patient);
    await vi.waitFor(() => expect(talker.figures?.recorded).toBeGreaterThan(900), patient);
    expect(talker.figures?.level).toBeCloseTo(12_000 / 32_768 / Math.SQRT2, 1);
    stop();
    talker.say({ kind: 'end' });
    await vi.waitFor(() => expect(talker.code).toBe(1_000), patient);
    expect(talker.over).toBe('ended');
    await vi.waitFor(() => expect(room.state.isOver).toBe(true), patient);
    await vi.waitFor(async () => expect((await recorded(talker.item)).ms).toBeGreaterThan(900), patient);
    const { rate, pcm, file } = await recorded(talker.item);
    expect(rate).toBe(16_000);
    expect(dominantTone(pcm.subarray(3_200, 9_600), rate)).toBe(800);
    expect(file.toString('latin1', 56, 110)).toMatch(/^class=microphone begin=\d{13}\0/);
  });

  it('begins with its chime, and nobody is heard over it', async () => {
    const clip = await rig.studio.library.load('chime', 48_000);
    const talker = await rig.talk({ chime: 'chime' });
    const room = listen(talker.session);
    const stop = talker.speak((n) => sine(3_100, 16_000, 20, 12_000, n * 320));
    talker.say({ kind: 'format', codec: 'pcm', rate: 16_000 });
    await vi.waitFor(() => expect(talker.kinds().filter((kind) => kind !== 'figures')).toEqual(['speak']), patient);
    const sounding = room.heard.filter((frame) => levelOf(frame) > -60).length;
    expect(sounding).toBeGreaterThan(Math.min(clip.frames, 400) / 2);
    const heard = Int16Array.from(room.heard.flatMap((frame) => [...frame]));
    expect(dominantTone(heard.subarray(0, 48_000), 48_000)).not.toBe(3_100);
    await vi.waitFor(() => expect(room.tone()).toBe(3_100), patient);
    stop();
    talker.say({ kind: 'end' });
    await vi.waitFor(() => expect(talker.over).toBe('ended'), patient);
  });

  it.each(['broken', 'unknown'])('with a chime that is %s begins without it', async (chime) => {
    const talker = await rig.talk({ chime });
    talker.say({ kind: 'format', codec: 'pcm', rate: 48_000 });
    await vi.waitFor(() => expect(talker.kinds()).toContain('speak'), patient);
    talker.socket.terminate();
  });

  it('survives a gap: silence, then the voice again, and the recording keeps time', async () => {
    const talker = await rig.talk();
    const room = listen(talker.session);
    talker.say({ kind: 'format', codec: 'pcm', rate: 48_000 });
    await vi.waitFor(() => expect(talker.kinds()).toContain('speak'), patient);
    const begun = performance.now();
    let stop = talker.speak((n) => sine(600, 48_000, 20, 12_000, n * 960));
    await vi.waitFor(() => expect(room.tone()).toBe(600), patient);
    stop();
    await vi.waitFor(() => expect(levelOf(room.last(500))).toBeLessThan(-60), patient);
    stop = talker.speak((n) => sine(900, 48_000, 20, 12_000, n * 960));
    await vi.waitFor(() => expect(room.tone()).toBe(900), patient);
    stop();
    const spoken = performance.now() - begun;
    talker.say({ kind: 'end' });
    await vi.waitFor(() => expect(talker.over).toBe('ended'), patient);
    await vi.waitFor(async () => expect((await recorded(talker.item)).ms).toBeGreaterThan(spoken * 0.6), patient);
    const { pcm, ms } = await recorded(talker.item);
    expect(ms).toBeLessThan(spoken * 1.3 + 300);
    expect(dominantTone(pcm.subarray(-3_200), 16_000)).toBe(900);
    expect(dominantTone(pcm.subarray(0, 3_200), 16_000)).toBe(600);
  });

  it('of somebody who is gone is over at once', async () => {
    const talker = await rig.talk();
    const room = listen(talker.session);
    talker.say({ kind: 'format', codec: 'pcm', rate: 48_000 });
    await vi.waitFor(() => expect(talker.kinds()).toContain('speak'), patient);
    talker.speak((n) => sine(600, 48_000, 20, 12_000, n * 960));
    await vi.waitFor(() => expect(room.tone()).toBe(600), patient);
    talker.socket.terminate();
    await vi.waitFor(() => expect(room.state.isOver).toBe(true), patient);
    await vi.waitFor(async () => expect((await recorded(talker.item)).ms).toBeGreaterThan(0), patient);
  });

  it('with much more sound than time is thrown away down to what time allows, and ended', async () => {
    const talker = await rig.talk();
    talker.say({ kind: 'format', codec: 'pcm', rate: 8_000 });
    await vi.waitFor(() => expect(talker.kinds()).toContain('speak'), patient);
    const second = sine(500, 8_000, 250);
    for (let i = 0; i < 120; i++) talker.socket.send(second);
    await vi.waitFor(() => expect(talker.over).toBe('too-fast'), patient);
  });

  it.each([
    ['no JSON', (talker: Talker) => talker.socket.send('format')],
    ['another rate', (talker: Talker) => talker.say({ kind: 'format', codec: 'pcm', rate: 22_050 })],
    ['sound before its format', (talker: Talker) => talker.socket.send(Buffer.alloc(640))],
    [
      'two formats',
      (talker: Talker) => {
        talker.say({ kind: 'format', codec: 'pcm', rate: 16_000 });
        talker.say({ kind: 'format', codec: 'pcm', rate: 16_000 });
      },
    ],
  ])('is ended by %s', async (_, send) => {
    const talker = await rig.talk();
    send(talker);
    await vi.waitFor(() => expect(talker.over).toBe('bad-sound'), patient);
    await vi.waitFor(() => expect(talker.code).toBe(1_000), patient);
  });

  it('has one who speaks; who has no key of this start is not heard at all', async () => {
    const first = await rig.talk({ session: 'the-one' });
    const second = await rig.talk({ session: 'the-one' });
    await vi.waitFor(() => expect(second.over).toBe('taken'), patient);
    expect(first.over).toBeNull();
    first.socket.terminate();
    await expect(Talker.connect(rig.data, { key: 'guess' })).rejects.toThrow('403');
  });
});

describe('a page that nothing comes for', () => {
  it('is over after a while', async () => {
    await vi.waitFor(() => expect(abandoned.over).toBe('silent'), patient);
  });
});

describe('a recording', () => {
  it('of a process that was killed is whole at the next start', async () => {
    const script = `
      import { Recordings } from '${join(import.meta.dirname, '../../../edge/drivers/sound/talk-recordings.ts')}';
      const clock = { now: () => 1795394273767, monotonic: () => performance.now() };
      const log = { info() {}, warn() {}, error() {} };
      const recordings = new Recordings({ folder: process.argv[1], clock, log });
      await recordings.load();
      const recorder = recordings.begin('killed', { class: 'danger', begin: clock.now() });
      const frame = new Int16Array(960).fill(5000);
      setInterval(() => {
        recorder.take(frame);
        if (recorder.recorded > 400) process.kill(process.pid, 'SIGKILL');
      }, 20);`;
    const folder = join(rig.data, 'killed');
    const run = spawnSync(
      process.execPath,
      ['--experimental-strip-types', '--no-warnings', '--input-type=module', '-e', script, folder],
      { timeout: 60_000, cwd: join(import.meta.dirname, '../../..') },
    );
    expect(run.signal).toBe('SIGKILL');
    const path = join(folder, 'killed.wav');
    // Playable as it lies there, and whole after the next start.
    const before = layOutWav(await readFile(path));
    expect(before.length).toBeGreaterThan(400 * 32);
    const { Recordings } = await import('#edge/drivers/sound/talk-recordings.ts');
    const { systemClock } = await import('#edge/runtime/clock.ts');
    const { silentLog } = await import('#edge/runtime/log.ts');
    const { recordingLimits: limits } = await import('#edge/drivers/sound/talk-retention.ts');
    await using again = new Recordings({ folder, clock: systemClock, log: silentLog, limits: { ...limits, free: 0 } });
    await again.load();
    const file = await readFile(path);
    expect(layOutWav(file).length).toBe(file.length - recordingHeaderBytes);
    expect(again.figures()).toMatchObject({ files: 1, bytes: file.length });
  });
});
