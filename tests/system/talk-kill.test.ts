import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { layOutWav } from '#edge/media/wav.ts';
import { makePerson, password, waitForCampus } from '../e2e/people.ts';
import { sine } from '../unit/broadcast/talk-rig.ts';
import { type RunningCampus, startCampus } from './campus.ts';
import { buildTalkPage, seenBy, startFront, startTalkingBrowser, writeBursts } from './talk-rig.ts';

/* A live page while processes are killed in the middle of it: a campus of real processes, and loudspeakers over real sockets. */

const patient = { timeout: 60_000, interval: 50 };
const hertz = 900;

let campus: RunningCampus;
beforeAll(async () => {
  campus = await startCampus({ only: ['broadcast', 'web'], city: false });
  await waitForCampus(campus);
  await vi.waitFor(async () => expect((await heard('speaker-teaching')).name).toBe('speaker-teaching'), patient);
});
afterAll(async () => {
  await campus?.[Symbol.asyncDispose]();
});

async function heard(name: string) {
  const found = (await campus.heard()).find((speaker) => speaker.name === name);
  if (found === undefined) throw new Error(`there is no speaker ${name}`);
  return found;
}

interface Talking {
  readonly socket: WebSocket;
  readonly item: string;
  readonly said: { readonly kind: string; readonly reason?: string }[];
  readonly end: () => void;
}

/** As a browser does, with the token of the machine. */
async function talk(): Promise<Talking> {
  const body = { zones: ['teaching'], why: 'a test' };
  let begun: { session: string | null; item: string; message: string } | null = null;
  // Whatever was killed before is on its way back.
  await vi.waitFor(async () => {
    begun = await campus.post<{ session: string | null; item: string; message: string }>('broadcast/talk', body);
  }, patient);
  const { session, item } = begun ?? { session: null, item: '' };
  const token = readFileSync(join(campus.data, 'admin-token'), 'utf8').trim();
  const socket = new WebSocket(`${campus.url.replace('http', 'ws')}/api/v1/broadcast/talk/${session}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const said: Talking['said'] = [];
  socket.on('error', () => {});
  socket.on('message', (content: Buffer) => said.push(JSON.parse(content.toString())));
  socket.on('open', () => {
    socket.send(JSON.stringify({ kind: 'format', codec: 'pcm', rate: 16_000 }));
    const begunAt = performance.now();
    let sent = 0;
    const sending = setInterval(() => {
      while (sent * 20 < performance.now() - begunAt) socket.send(sine(hertz, 16_000, 20, 12_000, 320 * sent++));
    }, 10);
    socket.once('close', () => clearInterval(sending));
  });
  return { socket, item, said, end: () => socket.send(JSON.stringify({ kind: 'end' })) };
}

/** A talk that is heard. */
async function speaking(): Promise<Talking> {
  // A process that has just come back may not know its loudspeakers yet.
  for (const begun = performance.now(); ; ) {
    const it = await talk();
    try {
      await vi.waitFor(
        async () => {
          expect(it.said.map(({ kind }) => kind)).toContain('figures');
          expect((await heard('speaker-teaching')).tone).toBe(hertz);
        },
        { timeout: 8_000, interval: 50 },
      );
      return it;
    } catch (error) {
      it.socket.terminate();
      if (performance.now() - begun > 60_000) throw error;
    }
  }
}

const isSilent = async () => (await heard('speaker-teaching')).silentSince !== null;
const items = async () =>
  (await campus.get<{ items: { id: string; state: string }[] }>('broadcast/now')).items.filter(
    ({ state }) => state !== 'over',
  );

describe('a person at a browser', () => {
  it('pages the teaching building: what is spoken is what is heard there, and nowhere else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'talk-'));
    const sound = join(folder, 'voice.wav');
    await writeBursts(sound, 700, 500, 500, 20);
    const [page, browser] = await Promise.all([buildTalkPage(), startTalkingBrowser(sound)]);
    const front = await startFront(campus.url, page.folder);
    try {
      await makePerson(campus, 'guard', 'Guard', 'security');
      const signedIn = await fetch(`${campus.url}/api/v1/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id: 'guard', password }),
        signal: AbortSignal.timeout(30_000),
      });
      const [name = '', value = ''] = signedIn.headers.getSetCookie()[0]?.split(';')[0]?.split('=') ?? [];
      const context = await browser.newContext();
      await context.grantPermissions(['microphone'], { origin: front.url });
      await context.addCookies([{ name, value, url: front.url }]);
      const at = await context.newPage();
      await at.goto(`${front.url}/talk-page/#zones=teaching&class=microphone`);
      const elsewhere = (await heard('speaker-gate')).packets;
      await at.click('#start');
      await vi.waitFor(async () => expect((await heard('speaker-teaching')).tone).toBe(700), patient);
      await vi.waitFor(
        async () => expect((await seenBy(at)).figures).toMatchObject({ playing: 1, outputs: 1 }),
        patient,
      );
      await at.click('#end');
      await vi.waitFor(
        async () => expect((await seenBy(at)).states.at(-1)).toEqual({ kind: 'over', reason: 'ended' }),
        patient,
      );
      await vi.waitFor(async () => expect(await items()).toEqual([]), patient);
      expect((await heard('speaker-gate')).packets).toBe(elsewhere);
    } finally {
      await browser.close();
      await front[Symbol.asyncDispose]();
      await page[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('a live page', () => {
  it('of web that is killed is silent at once, and its item over within 10 s', async () => {
    const it = await speaking();
    process.kill(campus.pid('web'), 'SIGKILL');
    const killed = performance.now();
    await vi.waitFor(async () => expect(await isSilent()).toBe(true), patient);
    expect(performance.now() - killed).toBeLessThan(5_000);
    await vi.waitFor(async () => expect(await items()).toEqual([]), patient);
    // The lease is 10 s, and the machine is busy.
    expect(performance.now() - killed).toBeLessThan(20_000);
    const file = await readFile(join(campus.data, 'recordings', `${it.item}.wav`));
    expect(layOutWav(file).length).toBeGreaterThan(0);
  });

  it('of broadcast that is killed says so, and can begin again; its recording is whole', async () => {
    const it = await speaking();
    const { pid } = campus.status('broadcast');
    process.kill(campus.pid('broadcast'), 'SIGKILL');
    await vi.waitFor(() => expect(it.said.at(-1)).toEqual({ kind: 'over', reason: 'sound-away' }), patient);
    await vi.waitFor(() => expect(campus.status('broadcast').pid).not.toBe(pid), patient);
    const again = await speaking();
    again.end();
    await vi.waitFor(() => expect(again.said.at(-1)).toEqual({ kind: 'over', reason: 'ended' }), patient);
    await vi.waitFor(async () => expect(await items()).toEqual([]), patient);
    const names = await readdir(join(campus.data, 'recordings'));
    expect(names).toContain(`${it.item}.wav`);
    const file = await readFile(join(campus.data, 'recordings', `${it.item}.wav`));
    expect(layOutWav(file)).toMatchObject({ rate: 16_000, length: file.length - 128 });
  });

  it('of core that is killed goes on, and ends rightly afterwards', async () => {
    const it = await speaking();
    const before = (await heard('speaker-teaching')).packets;
    const { pid } = campus.status('core');
    process.kill(campus.pid('core'), 'SIGKILL');
    const killed = performance.now();
    let longest = 0;
    let [packets, changed] = [before, performance.now()];
    await vi.waitFor(async () => {
      const now = (await heard('speaker-teaching')).packets;
      if (now !== packets) [packets, changed] = [now, performance.now()];
      longest = Math.max(longest, performance.now() - changed);
      expect(campus.status('core')).toMatchObject({ state: 'ready' });
      expect(campus.status('core').pid).not.toBe(pid);
      expect(performance.now() - killed).toBeGreaterThan(8_000);
    }, patient);
    expect(longest).toBeLessThan(2_000);
    expect(it.said.filter(({ kind }) => kind === 'over')).toEqual([]);
    expect((await heard('speaker-teaching')).tone).toBe(hertz);
    it.end();
    await vi.waitFor(() => expect(it.said.at(-1)).toEqual({ kind: 'over', reason: 'ended' }), patient);
    await vi.waitFor(async () => expect(await isSilent()).toBe(true), patient);
    await vi.waitFor(async () => expect(await items()).toEqual([]), patient);
  });
});
