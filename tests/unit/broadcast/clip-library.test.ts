import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openClipLibrary } from '#edge/drivers/sound/clips.ts';
import { writeClips } from '#edge/simulators/clips/generate.ts';
import { temporaryFolder } from './speakers.ts';

async function library(options: { readonly arrival?: number } = {}) {
  const folder = await temporaryFolder();
  await writeClips(folder.path);
  const clips = { bell: { file: 'class-bell.wav', loop: false }, siren: { file: 'evacuation.wav', loop: true } };
  const opened = openClipLibrary({ clips, folder: folder.path, cache: join(folder.path, 'cache'), ...options });
  return {
    opened,
    file: (name: string) => join(folder.path, name),
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const clip = (file: string, emergency = false) => ({ file, loop: false, emergency });

test('a clip that somebody makes can be played at once, and cannot any more when it is taken away', async () => {
  await using it = await library();
  await expect(it.opened.load('lunch', 8_000)).rejects.toMatchObject({ code: 'CLIP_UNKNOWN' });
  it.opened.hold({ lunch: clip(it.file('test-tones.wav')) });
  const lunch = await it.opened.load('lunch', 8_000);
  expect(it.opened.ready('lunch', 8_000)).toBe(lunch);
  it.opened.hold({});
  expect(it.opened.ready('lunch', 8_000)).toBeUndefined();
  await expect(it.opened.load('lunch', 8_000)).rejects.toThrow('there is no clip "lunch"; known: bell, siren');
  // Who plays it plays it to its end.
  for (let n = 0; n < lunch.frames; n++)
    await vi.waitFor(() => expect(lunch.frame(8_000, n)).not.toBeNull(), { interval: 1 });
});

test('one that is to be ahead is decoded without being asked for, at every rate that loudspeakers have', async () => {
  await using it = await library();
  await it.opened.prepare(16_000);
  it.opened.hold({ gas: clip(it.file('test-tones.wav'), true), later: clip(it.file('exercise.wav')) });
  await vi.waitFor(() => expect(it.opened.ready('gas', 16_000)).toBeDefined(), { timeout: 20_000 });
  expect(it.opened.ready('gas', 8_000)).toBeDefined();
  expect(it.opened.ready('later', 8_000)).toBeUndefined();
});

test('another file under the same name is another sound; whoever plays the first hears it to its end', async () => {
  await using it = await library();
  it.opened.hold({ call: clip(it.file('test-tones.wav')) });
  const first = await it.opened.load('call', 8_000);
  it.opened.hold({ call: clip(it.file('class-bell.wav')) });
  const second = await it.opened.load('call', 8_000);
  expect(second.frames).toBe((await it.opened.load('bell', 8_000)).frames);
  expect(first.frames).not.toBe(second.frames);
  expect(first.frame(8_000, 0)).not.toBeNull();
});

test('an order that comes a moment before its clip waits for it; one whose clip never comes is refused', async () => {
  await using it = await library({ arrival: 20_000 });
  const waits = it.opened.load('new', 8_000);
  it.opened.hold({ other: clip(it.file('test-tones.wav')) });
  it.opened.hold({ new: clip(it.file('test-tones.wav')) });
  expect((await waits).name).toBe('new');
  await using impatient = await library({ arrival: 50 });
  await expect(impatient.opened.load('never', 8_000)).rejects.toMatchObject({ code: 'CLIP_UNKNOWN' });
});

test('a name of the site stays the site’s', async () => {
  await using it = await library();
  const before = await it.opened.load('bell', 8_000);
  it.opened.hold({ bell: clip(it.file('test-tones.wav')) });
  expect(await it.opened.load('bell', 8_000)).toBe(before);
});

test('says how long clips are and what is wrong with them, until they are mended or gone', async () => {
  await using it = await library();
  await it.opened.prepare(8_000);
  it.opened.hold({ broken: clip(it.file('not-there.wav'), true) });
  await vi.waitFor(() => expect(it.opened.facts().map(({ name }) => name)).toContain('broken'), { timeout: 20_000 });
  const facts = new Map(it.opened.facts().map((fact) => [fact.name, fact]));
  expect(facts.get('bell')).toEqual({ name: 'bell', length: 4_000, problem: null });
  expect(facts.get('siren')).toEqual({ name: 'siren', length: null, problem: null });
  expect(facts.get('broken')).toMatchObject({ length: null, problem: expect.stringContaining('ENOENT') });
  const seen = it.opened.revision;
  it.opened.hold({});
  expect(it.opened.revision).toBeGreaterThan(seen);
  expect(it.opened.facts().map(({ name }) => name)).not.toContain('broken');
});

test('what was played once goes from memory when a hundred others were; what is ahead stays', async () => {
  await using it = await library();
  const names = Array.from({ length: 110 }, (_, i) => `say-${i}`);
  const content = await readFile(it.file('class-bell.wav'));
  for (const name of names) await writeFile(it.file(`${name}.wav`), content);
  it.opened.hold({
    ahead: clip(it.file('test-tones.wav'), true),
    ...Object.fromEntries(names.map((name) => [name, clip(it.file(`${name}.wav`))])),
  });
  await it.opened.load('ahead', 8_000);
  const { kept: before } = it.opened.memory();
  for (const name of names) await it.opened.load(name, 8_000);
  expect(it.opened.ready('say-0', 8_000)).toBeUndefined();
  expect(it.opened.ready('say-109', 8_000)).toBeDefined();
  expect(it.opened.ready('ahead', 8_000)).toBeDefined();
  const { kept } = it.opened.memory();
  expect(kept - before).toBeLessThanOrEqual(100 * 4.1 * 16_000);
  it.opened.hold({});
  expect(it.opened.memory().kept).toBe(0);
});
