import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { layOutWav } from '#edge/media/wav.ts';
import { dominantTone } from '#edge/simulators/tone.ts';
import { delaysOf, seenBy, startTalkingBrowser, talkCampus, writeBursts } from './talk-rig.ts';

/* Somebody speaks into a browser, and a loudspeaker says it. */

const patient = { timeout: 40_000, interval: 50 };
const hertz = 800;

let folder: string;
let browser: Browser;
let campus: Awaited<ReturnType<typeof talkCampus>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'talk-'));
  const sound = join(folder, 'voice.wav');
  await writeBursts(sound, hertz, 400, 600, 20);
  [browser, campus] = await Promise.all([startTalkingBrowser(sound), talkCampus()]);
});
afterAll(async () => {
  await browser?.close();
  await campus?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  await vi.waitFor(() => expect(campus.items.size).toBe(0), patient);
});

async function open(hash = '', mayListen = true): Promise<{ page: Page; wrong: string[]; context: BrowserContext }> {
  const context = await browser.newContext();
  if (mayListen) await context.grantPermissions(['microphone'], { origin: campus.url });
  await context.addCookies(campus.cookies);
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(String(error)));
  await page.goto(`${campus.url}/#${hash}`);
  return { page, wrong, context };
}

const kinds = async (page: Page) => (await seenBy(page)).states.map(({ kind }) => kind);
const last = async (page: Page) => (await seenBy(page)).states.at(-1);

describe('a voice', () => {
  it('is heard in the room as it was spoken, soon, and recorded; after its chime, and without breaking a policy', async () => {
    const { page, wrong } = await open('chime=bell');
    await page.click('#start');
    await vi.waitFor(async () => expect(await kinds(page)).toEqual(['asking', 'chime', 'speaking']), patient);
    // The microphone hears the room during the chime too.
    const { onsets: before } = await seenBy(page);
    const spoken = async () => (await seenBy(page)).onsets.slice(before.length + 1);
    await vi.waitFor(async () => expect((await spoken()).length).toBeGreaterThan(4), patient);
    await vi.waitFor(
      async () => expect(delaysOf(await spoken(), campus.ear.packets).length).toBeGreaterThan(3),
      patient,
    );
    const { packets } = campus.ear;
    // Of the last second and a half: what is before may be the chime.
    const loud = packets.slice(-75).filter(({ level }) => level > -26);
    const pcm = Int16Array.from(loud.slice(2, 12).flatMap((packet) => [...packet.pcm]));
    expect(dominantTone(pcm, 8_000)).toBe(hertz);
    const delays = delaysOf(await spoken(), packets);
    expect(delays.toSorted((a, b) => a - b)[Math.floor(delays.length / 2)]).toBeLessThan(500);
    await page.click('#end');
    await vi.waitFor(async () => expect(await last(page)).toEqual({ kind: 'over', reason: 'ended' }), patient);
    await vi.waitFor(() => expect(campus.items.size).toBe(0), patient);
    const [file = ''] = await readdir(join(campus.people.data, 'recordings'));
    const recording = await readFile(join(campus.people.data, 'recordings', file));
    const { rate, length } = layOutWav(recording);
    expect([rate, length > 16_000 * 2 * 5]).toEqual([16_000, true]);
    expect((await seenBy(page)).texts.at(-1)).toBe('喊话已结束');
    expect(wrong).toEqual([]);
  });

  it('of a window that is closed is over', async () => {
    const { page, context } = await open();
    await page.click('#start');
    await vi.waitFor(async () => expect(await kinds(page)).toContain('speaking'), patient);
    expect(campus.items.size).toBe(1);
    await context.close();
    await vi.waitFor(() => expect(campus.items.size).toBe(0), patient);
  });

  it('is told why it is over when broadcast dies, and can begin again', async () => {
    const { page } = await open();
    await page.click('#start');
    await vi.waitFor(async () => expect(await kinds(page)).toContain('speaking'), patient);
    await campus.stopBroadcast();
    await vi.waitFor(async () => expect(await last(page)).toEqual({ kind: 'over', reason: 'sound-away' }), patient);
    await campus.startBroadcast();
    await page.click('#start');
    await vi.waitFor(async () => expect((await last(page))?.kind).toBe('speaking'), patient);
    await page.click('#end');
    await vi.waitFor(async () => expect(await last(page)).toEqual({ kind: 'over', reason: 'ended' }), patient);
  });
});

describe('nobody can speak', () => {
  it('without permission, and the rooms are left alone', async () => {
    const { page } = await open('', false);
    await page.click('#start');
    await vi.waitFor(async () => expect(await last(page)).toMatchObject({ kind: 'failed', reason: 'denied' }), patient);
    expect((await seenBy(page)).texts.at(-1)).toMatch(/允许话筒/);
    expect(campus.items.size).toBe(0);
  });

  it('without a microphone', async () => {
    const deaf = await startTalkingBrowser(null);
    try {
      const context = await deaf.newContext();
      await context.grantPermissions(['microphone'], { origin: campus.url });
      await context.addCookies(campus.cookies);
      const page = await context.newPage();
      await page.goto(campus.url);
      await page.click('#start');
      await vi.waitFor(
        async () => expect(await last(page)).toMatchObject({ kind: 'failed', reason: 'no-microphone' }),
        patient,
      );
    } finally {
      await deaf.close();
    }
  });

  it('on a page without encryption from elsewhere', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route('http://campus.example/**', async (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname.startsWith('/api/')) return route.fulfill({ json: { state: 'signed-in', csrf: 'x' } });
      const type = pathname.endsWith('.js') ? 'text/javascript' : 'text/html';
      const file = pathname === '/' ? 'index.html' : pathname;
      return route.fulfill({ path: join(campus.folder, file), contentType: type });
    });
    await page.goto('http://campus.example/');
    expect((await seenBy(page)).problem).toBe('insecure');
    await page.click('#start');
    await vi.waitFor(
      async () => expect(await last(page)).toMatchObject({ kind: 'failed', reason: 'insecure' }),
      patient,
    );
  });

  it('who speaks already in another window', async () => {
    const [one, two] = [await open(), await open()];
    await one.page.click('#start');
    await vi.waitFor(async () => expect(await kinds(one.page)).toContain('speaking'), patient);
    await two.page.click('#start');
    await vi.waitFor(
      async () => expect(await last(two.page)).toMatchObject({ kind: 'failed', reason: 'talk-open' }),
      patient,
    );
  });
});
