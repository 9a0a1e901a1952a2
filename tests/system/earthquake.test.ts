import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import { type Speaker, startSpeaker } from '#edge/simulators/speaker.ts';
import type * as shapes from '#edge/web/emergency-schemas.ts';
import { type RunningCampus, startCampus } from './campus.ts';
import { newPerson, newToken } from './people-client.ts';

/* The word of an earthquake terminal on a whole campus, until a loudspeaker is heard to count: each number is a tone of its own. */

const soon = { timeout: 30_000, interval: 50 };
const host = '127.0.0.1';
const folder = mkdtempSync(join(tmpdir(), 'earthquake-'));
const numbers = [5, 4, 3, 2, 1];
const toneOf = (number: number) => 400 + 200 * number;
const words = 2_000;

let speaker: Speaker;
let campus: RunningCampus;
let machine: Record<string, string>;
beforeAll(async () => {
  speaker = await startSpeaker({ host, port: 0, name: 'hall' });
  const clips = Object.fromEntries(numbers.map((n) => [`count-${n}`, { file: tone(`count-${n}`, toneOf(n)) }]));
  const hall = {
    ...{ id: 'speaker-hall', profile: 'speaker/rtp-speaker', zone: 'teaching', tags: [] },
    ...{ name: { zh: '礼堂', en: 'Hall' }, address: { rtp: { host, port: speaker.port }, codec: 'PCMA' } },
  };
  campus = await startCampus({
    ...{ only: ['core', 'broadcast', 'web'], simulators: false, city: false, onlyRules: {} },
    change: (site) => ({
      ...site,
      devices: [hall] as never,
      clips: { ...site.clips, ...clips, words: { file: tone('words', words) } } as never,
      emergency: {
        ...site.emergency,
        allClear: null,
        plans: { earthquake: { clips: ['words'], zones: 'all' } },
        earthquake: { from: 4, countdown: Object.fromEntries(numbers.map((n) => [`${n}`, `count-${n}`])) },
      },
    }),
  });
  await vi.waitFor(async () => expect((await list()).plans.length).toBe(5), { timeout: 80_000, interval: 200 });
  machine = await newToken(campus, 'early-warning', ['warn']);
}, 90_000);
afterAll(async () => {
  await campus?.[Symbol.asyncDispose]();
  await speaker?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const list = () => campus.get<z.infer<typeof shapes.emergenciesView>>('emergencies');

/** A second of it, as 16-bit samples at 8 kHz. */
function tone(name: string, frequency: number): string {
  const rate = 8_000;
  const body = Buffer.alloc(2 * rate);
  for (let i = 0; i < rate; i++)
    body.writeInt16LE(Math.round(9_000 * Math.sin((2 * Math.PI * frequency * i) / rate)), 2 * i);
  const head = Buffer.from(`RIFF....WAVEfmt ${'.'.repeat(20)}data....`, 'latin1');
  head.writeUInt32LE(36 + body.length, 4);
  for (const [value, at] of [
    [16, 16],
    [rate, 24],
    [2 * rate, 28],
    [body.length, 40],
  ] as const)
    head.writeUInt32LE(value, at);
  for (const [value, at] of [
    [1, 20],
    [1, 22],
    [2, 32],
    [16, 34],
  ] as const)
    head.writeUInt16LE(value, at);
  const file = join(folder, `${name}.wav`);
  writeFileSync(file, Buffer.concat([head, body]));
  return file;
}

async function quake(body: object): Promise<{ act: string; emergency: string | null }> {
  const headers = { ...machine, 'content-type': 'application/json' };
  const url = `${campus.url}/api/v1/earthquake`;
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return (await answer.json()) as { act: string; emergency: string | null };
}

/** What is heard at moments of the wall clock: the tone of the 200 ms before each. */
async function heardAt(times: readonly number[]): Promise<(number | null)[]> {
  const heard: (number | null)[] = [];
  for (const time of times) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, time - Date.now())));
    heard.push(speaker.heard().tone);
  }
  return heard;
}

const near = (frequency: number) => expect.closeTo(frequency, -1.5);

test('counts aloud to the second, whatever is said again meanwhile, and goes on with the words', async () => {
  const arrival = Date.now() + 9_000;
  const said = await quake({ event: 'q1', update: 1, intensity: 7, arrival });
  expect(said.act).toBe('sound');
  const repeat = setInterval(() => void quake({ event: 'q1', update: Date.now(), intensity: 7, arrival }), 700);
  // Three quarters into each second: what began late by 0.2 s is right, and what is a second wrong is not.
  const seconds = [7, 6, 5, 4, 3, 2, 1, 0];
  const heard = await heardAt(seconds.map((second) => arrival - second * 1_000 + 750));
  clearInterval(repeat);
  const expected = [words, words, ...numbers.map(toneOf), words];
  expect(heard).toEqual(expected.map(near));
  const [open] = (await list()).open;
  expect(open?.id).toBe(said.emergency);
  expect(await quake({ event: 'q1', update: 2, cancel: true, intensity: 0 })).toMatchObject({ act: 'end' });
  await vi.waitFor(() => expect(speaker.heard().silentSince).not.toBeNull(), soon);
  expect(await quake({ event: 'q1', update: 2 ** 40, intensity: 9, seconds: 9 })).toMatchObject({ act: 'over' });
}, 60_000);

test('stops counting when a person says that it is over, and is not begun again by the next word', async () => {
  const { cookie, csrf } = await newPerson(campus, 'guard', 'security');
  const said = await quake({ event: 'q2', update: 1, intensity: 7, seconds: 30 });
  await vi.waitFor(() => expect(speaker.heard().tone).toEqual(near(words)), soon);
  const headers = { 'content-type': 'application/json', cookie, 'x-csrf-token': csrf };
  const body = JSON.stringify({ why: 'the terminal is being tried', confirm: 'all-clear' });
  const answer = await fetch(`${campus.url}/api/v1/emergencies/${said.emergency}/all-clear`, {
    ...{ method: 'POST', headers, body },
  });
  expect(await answer.json()).toMatchObject({ cleared: true });
  expect(await quake({ event: 'q2', update: 2, intensity: 7, seconds: 29 })).toMatchObject({ act: 'ended' });
  // Whoever was answered may rely on it.
  process.kill(campus.pid('core'), 'SIGKILL');
  await vi.waitFor(
    async () => expect((await quake({ event: 'q2', update: Date.now(), intensity: 7, seconds: 25 })).act).toBe('ended'),
    soon,
  );
  expect((await list()).open).toEqual([]);
}, 60_000);
