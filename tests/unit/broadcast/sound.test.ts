import { execFileSync, spawnSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type ClipLibraryOptions, openClipLibrary } from '#edge/drivers/sound/clips.ts';
import { codecs, formats, type Rate, samplesIn, startDecoder, startEncoder } from '#edge/drivers/sound/codecs.ts';
import { liveProgramme } from '#edge/drivers/sound/frames.ts';
import { G722Decoder, G722Encoder } from '#edge/drivers/sound/g722.ts';
import { gainOf } from '#edge/drivers/sound/level.ts';
import { createLiveSources } from '#edge/drivers/sound/live.ts';
import { startFrameResampling } from '#edge/drivers/sound/live-resample.ts';
import { startPacketising } from '#edge/drivers/sound/rtp.ts';
import { openStudio } from '#edge/drivers/sound/studio.ts';
import { ManualClock, systemClock } from '#edge/runtime/clock.ts';
import { writeClips } from '#edge/simulators/clips/generate.ts';
import { dominantTone, levelOf } from '#edge/simulators/tone.ts';
import { temporaryFolder } from './speakers.ts';

const hasFfmpeg = spawnSync('ffmpeg', ['-version'], { timeout: 10_000 }).status === 0;
if (!hasFfmpeg) console.warn('SKIPPED: without ffmpeg no G.722 of its own, no mp3, ogg, m4a or flac');

const tone = (hertz: number, rate: number, seconds: number, loud = 12_000): Int16Array =>
  Int16Array.from({ length: Math.round(rate * seconds) }, (_, i) =>
    Math.round(loud * Math.sin((2 * Math.PI * hertz * i) / rate)),
  );

/** A sweep under noise, and noise alone: every code of G.722 occurs. */
function everything(): Int16Array {
  let state = 1;
  return Int16Array.from({ length: 32_000 }, (_, i) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const noise = state / 2_147_483_648 - 0.5;
    if (i >= 16_000) return Math.round(noise * 60_000);
    return Math.round(12_000 * Math.sin((2 * Math.PI * (200 + i / 5) * i) / 16_000) + noise * 4_000);
  });
}

describe('G.722', () => {
  it.skipIf(!hasFfmpeg)('encodes and decodes as ffmpeg does, bit for bit', async () => {
    await using folder = await temporaryFolder();
    const [raw, theirs, ours, heard] = ['in.raw', 'ff.g722', 'ours.g722', 'ff.raw'].map((n) => join(folder.path, n));
    const pcm = everything();
    const encoded = new G722Encoder().encode(pcm);
    await writeFile(raw ?? '', Buffer.from(pcm.buffer));
    await writeFile(ours ?? '', encoded);
    const run = (...args: (string | undefined)[]) =>
      execFileSync('ffmpeg', ['-y', '-v', 'error', ...args.map((arg) => arg ?? '')], { timeout: 30_000 });
    run('-f', 's16le', '-ar', '16000', '-ac', '1', '-i', raw, '-f', 'g722', theirs);
    run('-f', 'g722', '-i', ours, '-f', 's16le', heard);
    expect(encoded.equals(await readFile(theirs ?? ''))).toBe(true);
    expect(Buffer.from(new G722Decoder().decode(encoded).buffer).equals(await readFile(heard ?? ''))).toBe(true);
  });

  it('goes on in the same state in a copy, and the copy leaves the first alone', () => {
    const pcm = everything();
    const [first, whole] = [new G722Encoder(), new G722Encoder().encode(pcm)];
    first.encode(pcm.subarray(0, 16_320));
    const copy = first.copy();
    const rest = whole.subarray(8_160);
    expect(copy.encode(pcm.subarray(16_320)).equals(rest)).toBe(true);
    expect(first.encode(pcm.subarray(16_320)).equals(rest)).toBe(true);
  });
});

describe('a codec', () => {
  it.each(['PCMA', 'PCMU', 'G722'] as const)('%s decodes its own frames to the same tone and level', (codec) => {
    const { rate } = formats[codec];
    using encoder = startEncoder(codec);
    const decode = startDecoder(codec);
    const frame = samplesIn(rate);
    const pcm = tone(1000, rate, 0.5);
    const heard = Array.from({ length: 25 }, (_, i) =>
      decode(encoder.encode(pcm.subarray(i * frame, (i + 1) * frame))),
    );
    const joined = Int16Array.from(heard.flatMap((part) => [...part])).subarray(rate / 10);
    expect(dominantTone(joined, rate)).toBe(1000);
    expect(Math.abs(levelOf(joined) - levelOf(pcm))).toBeLessThan(0.5);
  });

  it.each(codecs)('%s fits into an Ethernet frame, and its packets count right', (codec) => {
    const format = formats[codec];
    using encoder = startEncoder(codec);
    const stream = startPacketising(format, format.payloadType ?? 96);
    const payload = encoder.encode(tone(440, format.rate, 0.02));
    const [first, ...more] = [...stream.packets(payload, 0, true), ...stream.packets(payload, 1, false)];
    for (const packet of [first, ...more]) expect(packet?.length).toBeLessThanOrEqual(1_472);
    expect(first?.readUInt8(1)).toBe(0x80 | (format.payloadType ?? 96));
    const last = more.at(-1);
    const passed = ((last?.readUInt32BE(4) ?? 0) - (first?.readUInt32BE(4) ?? 0)) >>> 0;
    expect(passed).toBe((format.clock / 50) * (format.packets === 1 ? 1 : 1.5));
    expect(stream.sent()).toEqual({ packets: 2 * format.packets, octets: 2 * payload.length });
  });

  it('of Opus may be used by forty streams at once: none writes into the memory of another', () => {
    const pcm = tone(1000, 48_000, 0.02);
    const encoders = Array.from({ length: 40 }, () => startEncoder('OPUS'));
    const first = encoders.map((encoder) => encoder.encode(pcm).toString('hex'));
    const second = encoders.map((encoder) => encoder.encode(pcm).toString('hex'));
    expect(new Set(first).size).toBe(1);
    expect(new Set(second).size).toBe(1);
    for (const encoder of encoders) encoder[Symbol.dispose]();
  });
});

describe('the level', () => {
  it.each([
    [100, 0],
    [50, -10],
    [25, -20],
  ])('of %i %% is %i dB', (level, decibels) => {
    expect(20 * Math.log10(gainOf(level))).toBeCloseTo(decibels, 6);
  });

  it('of 0 % is silence', () => {
    expect(gainOf(0)).toBe(0);
  });
});

describe('the clips', () => {
  async function library(more: Partial<ClipLibraryOptions> & { names?: Record<string, string> } = {}) {
    const folder = await temporaryFolder();
    await writeClips(folder.path);
    const { names = {}, ...options } = more;
    const clips = Object.fromEntries(Object.entries(names).map(([name, file]) => [name, { file, loop: false }]));
    const cache = join(folder.path, 'cache');
    const opened = openClipLibrary({ clips, folder: folder.path, cache, ...options });
    return {
      opened,
      folder: folder.path,
      cache,
      async [Symbol.asyncDispose]() {
        await opened[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  }

  const formatsOfFiles = ['mp3', 'ogg', 'm4a', 'flac'].map((ending) => [ending] as const);
  it.skipIf(!hasFfmpeg).each(formatsOfFiles)('in a file of %s are decoded at every rate', async (ending) => {
    await using it = await library({ names: { tones: `tones.${ending}` } });
    const [from, to] = [join(it.folder, 'test-tones.wav'), join(it.folder, `tones.${ending}`)];
    execFileSync('ffmpeg', ['-y', '-v', 'error', '-i', from, to], { timeout: 30_000 });
    for (const rate of [8000, 16_000, 44_100, 48_000] satisfies Rate[]) {
      const clip = await it.opened.load('tones', rate);
      // 3.6 s, and what the format adds before and behind.
      expect(Math.abs(clip.frames - 180)).toBeLessThan(10);
      const half = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          vi.waitFor(() => clip.frame(rate, 70 + n) ?? Promise.reject(new Error('late'))),
        ),
      );
      expect(dominantTone(Int16Array.from(half.flatMap((part) => [...part])), rate)).toBe(1000);
    }
  });

  it('are decoded once: the next start finds them by what is in them', async () => {
    await using it = await library({ names: { bell: 'class-bell.wav' } });
    await it.opened.prepare(8000);
    const before = await readdir(it.cache);
    expect(before).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.8000\.v1\.pcm$/)]);
    // The same sound under another name.
    await writeFile(join(it.folder, 'copy.wav'), await readFile(join(it.folder, 'class-bell.wav')));
    const clips = { again: { file: 'copy.wav', loop: false } };
    await using second = openClipLibrary({ clips, folder: it.folder, cache: it.cache });
    expect((await second.load('again', 8000)).frames).toBe(200);
    expect(await readdir(it.cache)).toEqual(before);
  });

  it('that are broken are named with the reason, and the others play', async () => {
    const heard: string[] = [];
    const names = { bell: 'class-bell.wav', noise: 'noise.mp3', gone: 'gone.wav', page: 'page.wav' };
    await using it = await library({ names, onProblem: (clip) => heard.push(clip) });
    await writeFile(join(it.folder, 'noise.mp3'), 'this is no music');
    await writeFile(join(it.folder, 'page.wav'), 'RIFF');
    await it.opened.prepare(8000);
    expect(it.opened.ready('bell', 8000)).toBeDefined();
    expect(heard.toSorted()).toEqual(['gone', 'noise', 'page']);
    const problems = it.opened.problems().join('\n');
    expect(problems).toContain('page.wav): at byte 4: the file ends inside the RIFF header');
    expect(problems).toMatch(/gone\.wav\): ENOENT/);
    expect(problems).toMatch(
      hasFfmpeg ? /noise\.mp3\): ffmpeg cannot read it: / : /noise\.mp3\): only ffmpeg can read it/,
    );
  });

  it('of emergencies stay in memory whole; the others only their beginning when there is no room', async () => {
    const folder = await temporaryFolder();
    await writeClips(folder.path);
    const clips = {
      evacuation: { file: 'evacuation.wav', loop: true, emergency: true },
      exercise: { file: 'exercise.wav', loop: false },
    };
    await using opened = openClipLibrary({ clips, folder: folder.path, memory: { kept: 400_000, passing: 50_000 } });
    await opened.prepare(8000);
    const urgent = opened.ready('evacuation', 8000);
    const other = opened.ready('exercise', 8000);
    if (urgent === undefined || other === undefined) throw new Error('not decoded');
    for (let n = 0; n < urgent.frames; n++) expect(urgent.frame(8000, n)).not.toBeNull();
    // The first 2 s are there; what follows comes from the disk while it plays, and what was played goes.
    expect(other.frame(8000, 0)).not.toBeNull();
    expect(other.frame(8000, 120)).toBeNull();
    for (let n = 120; n < other.frames; n += 50) {
      await vi.waitFor(() => expect(other.frame(8000, n)).not.toBeNull(), { timeout: 20_000, interval: 1 });
    }
    expect(opened.memory().passing).toBeLessThanOrEqual(50_000 + 16_000);
    await folder[Symbol.asyncDispose]();
  });
});

describe('somebody who speaks', () => {
  const session = () => {
    const clock = new ManualClock(0);
    const sources = createLiveSources(clock);
    return { clock, sources, frames: (count: number) => tone(1000, 48_000, count / 50) };
  };

  it('is heard after 60 ms, in order, at the rate of each loudspeaker, and it is over when it ends', () => {
    const { sources, frames } = session();
    const writer = sources.open('s-1');
    const programme = liveProgramme(sources.listen('s-1'));
    writer.push(frames(2));
    expect(levelOf(programme.frame(0, 8000) ?? new Int16Array())).toBe(Number.NEGATIVE_INFINITY);
    // In bits of any size, as a browser gives them.
    const speech = frames(18);
    for (let at = 0; at < speech.length; at += 700) writer.push(speech.subarray(at, at + 700));
    writer.end();
    const [narrow, wide]: [number[], number[]] = [[], []];
    let tick = 1;
    for (; !programme.isOver(tick) && tick < 100; tick++) {
      narrow.push(...(programme.frame(tick, 8000) ?? []));
      wide.push(...(programme.frame(tick, 48_000) ?? []));
      // Who catches up hears the same again.
      expect(programme.frame(tick, 8000)).toBe(programme.frame(tick, 8000));
    }
    expect(dominantTone(Int16Array.from(narrow), 8000)).toBe(1000);
    expect(dominantTone(Int16Array.from(wide), 48_000)).toBe(1000);
    expect(wide.length / 960).toBe(20);
    expect(programme.frame(tick, 8000)).toBeNull();
  });

  it('with a bad network leaves silence, and what comes in a heap is dropped', () => {
    const { sources, frames } = session();
    const writer = sources.open('s-2');
    const source = sources.listen('s-2');
    writer.push(frames(4));
    for (let tick = 0; tick < 10; tick++) source.frame(tick);
    expect(writer.figures()).toMatchObject({ heard: 4, underruns: 1 });
    writer.push(frames(200));
    expect(writer.figures()).toMatchObject({ waiting: 25, dropped: 175 });
  });

  it('whose clock is fast is caught up with, a frame at a time', () => {
    const { sources, frames } = session();
    const writer = sources.open('s-3');
    const source = sources.listen('s-3');
    writer.push(frames(12));
    for (let tick = 0; tick < 2_000; tick++) {
      writer.push(frames(1));
      source.frame(tick);
    }
    expect(writer.figures().waiting).toBeLessThanOrEqual(7);
    expect(writer.figures().underruns).toBe(0);
  });

  it('who never comes is waited for 10 s; one session has one speaker', () => {
    const { clock, sources } = session();
    const source = sources.listen('s-4');
    expect(source.frame(0)).not.toBeNull();
    clock.advance(10_500);
    expect(source.frame(525)).toBeNull();
    sources.open('s-5');
    expect(() => sources.open('s-5')).toThrow('somebody speaks on "s-5" already');
  });

  it.each([
    [8000, 48_000],
    [48_000, 44_100],
    [48_000, 16_000],
  ] as const)('at %i Hz is heard at %i Hz without what is above it', (from, to) => {
    const resample = startFrameResampling(from, to);
    const size = samplesIn(from);
    const run = (hertz: number) => {
      const pcm = tone(hertz, from, 0.4);
      const out = Array.from({ length: 20 }, (_, i) => [...resample(pcm.subarray(i * size, (i + 1) * size))]);
      return Int16Array.from(out.slice(2).flat());
    };
    const kept = run(1000);
    expect(dominantTone(kept, to)).toBe(1000);
    expect(Math.abs(levelOf(kept) - levelOf(tone(1000, from, 0.4)))).toBeLessThan(0.5);
    if (to < from / 2) expect(levelOf(run(to * 0.6))).toBeLessThan(levelOf(kept) - 30);
  });
});

describe('a studio', () => {
  it('encodes a frame once for all who play the same at one level, and gives each its own end', async () => {
    await using folder = await temporaryFolder();
    await writeClips(folder.path);
    const clips = { evacuation: { file: 'evacuation.wav', loop: true } };
    await using studio = openStudio({ clips, folder: folder.path, clock: systemClock });
    const order = {
      source: { kind: 'clips', clips: ['evacuation'], loop: false },
      since: systemClock.now() - 500,
    } as const;
    expect(studio.isReady(order, 16_000)).toBe(false);
    await studio.load(order, 16_000);
    using one = studio.play(order, formats.G722);
    using two = studio.play(order, formats.G722);
    using quiet = studio.play({ ...order, level: 40 }, formats.G722);
    const tick = studio.pacer.tick();
    expect(one.payload(tick)).toBe(two.payload(tick));
    expect(quiet.payload(tick)).not.toBe(one.payload(tick));
    one.setLevel(40);
    two.setLevel(40);
    expect(one.payload(tick + 5)).toBe(two.payload(tick + 5));
    expect(one.heard(tick)).toBe('evacuation');
  });
});
