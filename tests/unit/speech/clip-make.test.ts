import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test, vi } from 'vitest';
import { layOutWav } from '#edge/media/wav.ts';
import { type ClipJob, type MadeClip, makeClip } from '#edge/speech/clip-make.ts';
import { anyFfmpeg, judge, run, type TestFolder, testFolder } from './speech-room.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let sources: TestFolder;
let ffmpeg = '';
beforeAll(async () => {
  sources = testFolder();
  ffmpeg = await anyFfmpeg(sources.path);
  return () => sources[Symbol.dispose]();
});

/** Has ffmpeg make a sound file of a filter graph. */
async function sound(name: string, graph: string, ...options: string[]): Promise<string> {
  const file = sources.file(name);
  await run(ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', graph, ...options, '-y', file]);
  return file;
}

let jobs = 0;
function make(source: string, more: Partial<ClipJob> = {}): Promise<MadeClip> {
  const folder = sources.file(`job-${jobs++}`);
  mkdirSync(folder);
  return makeClip({ source, folder, ffmpeg, patience: 60_000, ...more });
}

const quietSine = "aevalsrc='0.03*sin(2*PI*700*t)':s=44100:d=5";
const speechLike = "aevalsrc='0.5*sin(2*PI*300*t)*pow(sin(2*PI*1.7*t),8)+0.02*sin(2*PI*1200*t)':s=22050:d=6";

test.each([
  ['a quiet tone, stereo, as flac', 'a.flac', quietSine, ['-ac', '2']],
  ['a loud tone as wav', 'b.wav', "aevalsrc='0.99*sin(2*PI*500*t)':s=48000:d=4", []],
  ['something like speech, with peaks', 'c.wav', speechLike, []],
  ['telephone sound, 8 kHz mu-law', 'd.wav', "aevalsrc='0.1*sin(2*PI*440*t)':s=8000:d=4", ['-c:a', 'pcm_mulaw']],
  ['a chime of 0.8 s', 'e.wav', "aevalsrc='0.2*sin(2*PI*880*t)*exp(-4*t)':s=44100:d=0.8", []],
])('%s becomes mono 48 kHz 16 bit, as loud as all others', async (_, name, graph, options) => {
  const clip = await make(await sound(name, graph, ...options));
  const wav = layOutWav(readFileSync(clip.file));
  expect(wav).toMatchObject({ rate: 48_000, channels: 1, encoding: 's16' });
  expect(clip.length).toBe(Math.round(wav.length / 2 / 48));
  expect(clip.bytes).toBe(readFileSync(clip.file).length);
  const judged = await judge(ffmpeg, clip.file);
  expect(judged.peak).toBeLessThanOrEqual(-1.4);
  // Of less than 3 s the judge hears too few of its blocks of 400 ms.
  if (clip.length >= 3_000) expect(Math.abs(judged.loudness + 16)).toBeLessThan(1);
  else expect(judged.loudness).toBeGreaterThan(-24);
});

test('says how loud it was before', async () => {
  const clip = await make(await sound('quiet.wav', quietSine));
  const before = await judge(ffmpeg, sources.file('quiet.wav'));
  expect(clip.loudness ?? 0).toBeCloseTo(before.loudness, 0);
  expect(before.loudness).toBeLessThan(-30);
});

test('cuts silence off at both ends but for 50 ms, and leaves pauses in the middle', async () => {
  const graph = "aevalsrc='if(between(t,2,3)+between(t,4.5,5.5),0.3*sin(2*PI*600*t),0)':s=44100:d=9";
  const clip = await make(await sound('pauses.wav', graph));
  // From 1.95 to 5.55 s.
  expect(Math.abs(clip.length - 3_600)).toBeLessThan(40);
});

test('the same file makes the same bytes', async () => {
  const source = await sound('same.mp3', speechLike, '-b:a', '96k');
  const [first, second] = await Promise.all([make(source), make(source)]);
  expect(second.sha256).toBe(first.sha256);
  expect(readFileSync(second.file).equals(readFileSync(first.file))).toBe(true);
});

/** Share of the power that a tone of this frequency has (Goertzel over the whole). */
function shareOf(samples: Int16Array, rate: number, frequency: number): number {
  const angle = (2 * Math.PI * frequency) / rate;
  let [real, imaginary, power] = [0, 0, 0];
  for (const [i, sample] of samples.entries()) {
    real += sample * Math.cos(angle * i);
    imaginary += sample * Math.sin(angle * i);
    power += sample * sample;
  }
  return (2 * (real * real + imaginary * imaginary)) / (samples.length * power);
}

test('keeps the tone that it was', async () => {
  const clip = await make(await sound('tone.wav', "aevalsrc='0.1*sin(2*PI*1000*t)':s=44100:d=4"));
  const content = readFileSync(clip.file);
  const { offset, rate } = layOutWav(content);
  const second = new Int16Array(Uint8Array.from(content.subarray(offset + 2 * rate, offset + 4 * rate)).buffer);
  expect(shareOf(second, rate, 1_000)).toBeGreaterThan(0.98);
});

test.each([
  ['an empty file', () => Buffer.alloc(0), 'no file of sound that is taken'],
  ['a text', () => Buffer.from('this is not a sound\n'.repeat(100)), 'no file of sound that is taken'],
  [
    'a playlist that names a file of this box',
    () => Buffer.from('#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n'),
    'no file of sound that is taken',
  ],
  [
    'a concat script',
    () => Buffer.from("ffconcat version 1.0\nfile '/etc/passwd'\n"),
    'no file of sound that is taken',
  ],
  [
    'a session description that asks for a network',
    () => Buffer.from('v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9999 RTP/AVP 0\n'),
    'no file of sound that is taken',
  ],
])('%s is refused in words, whatever it is called', async (_, content, words) => {
  const source = sources.file(`hostile-${jobs}.mp3`);
  writeFileSync(source, content());
  await expect(make(source)).rejects.toMatchObject({ code: 'BAD_SOUND', message: expect.stringContaining(words) });
});

test('a picture, a film without sound, and silence are refused', async () => {
  const picture = await sound('picture.png', 'color=c=red:s=64x64:d=1', '-frames:v', '1');
  await expect(make(picture)).rejects.toMatchObject({ code: 'BAD_SOUND' });
  const film = await sound('film.mkv', 'testsrc=s=64x64:d=1:r=5', '-c:v', 'mjpeg');
  await expect(make(film)).rejects.toMatchObject({ code: 'BAD_SOUND', message: 'there is no sound in this file' });
  const silent = await sound('silent.wav', 'anullsrc=r=8000:cl=mono', '-t', '3');
  await expect(make(silent)).rejects.toMatchObject({
    code: 'BAD_SOUND',
    message: expect.stringContaining('nothing but silence'),
  });
});

test('a file that ends in the middle is taken as far as it goes, or refused; never a crash', async () => {
  const whole = readFileSync(await sound('whole.flac', quietSine));
  const cut = sources.file('cut.flac');
  writeFileSync(cut, whole.subarray(0, Math.floor(whole.length / 2)));
  const made = await make(cut).catch((error: unknown) => error);
  if (made instanceof Error) expect(made).toMatchObject({ code: 'BAD_SOUND' });
  else expect(made).toHaveProperty('length', expect.any(Number));
  writeFileSync(cut, whole.subarray(0, 30));
  await expect(make(cut)).rejects.toMatchObject({ code: 'BAD_SOUND' });
});

test('a small file that unfolds to more than an hour is refused, and leaves nothing behind', async () => {
  const long = await sound('long.flac', "aevalsrc='0.1*lt(t,1)':s=8000:d=3700");
  await expect(make(long)).rejects.toMatchObject({ code: 'BAD_SOUND', message: 'it lasts longer than 60 minutes' });
});

test('a decoder that hangs is ended at its time', async () => {
  const source = await sound('hang.wav', quietSine);
  const slow = sources.file('slow-ffmpeg');
  writeFileSync(slow, '#!/bin/sh\nsleep 600\n', { mode: 0o755 });
  await expect(make(source, { ffmpeg: slow, patience: 300 })).rejects.toMatchObject({ code: 'TIMEOUT' });
});
