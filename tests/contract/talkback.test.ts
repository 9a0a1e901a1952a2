import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { Talkbacks } from '#edge/drivers/sip/talkback.ts';
import { layOutWav } from '#edge/media/wav.ts';
import { startTalkLine } from '#edge/processes/broadcast-talk.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { startSipSpeaker } from '#edge/simulators/sip-speaker.ts';
import { dominantTone } from '#edge/simulators/tone.ts';
import { sine } from '../unit/broadcast/talk-rig.ts';
import { order, startRig } from '../unit/sip/rig.ts';
import { type Browser, startPeopleRoom } from '../unit/web/people-room.ts';

/*
 * A room answers a live page: from the microphone of a terminal (ours, and Debian's baresip) over SIP, the process of loudspeakers and web to
 * the socket of the browser that speaks. Core is played: it hands the order to the driver and keeps the audit.
 */

const patient = { timeout: 20_000, interval: 20 };
const modules = '/usr/lib/baresip/modules';
const hasBaresip =
  spawnSync('baresip', ['-h'], { timeout: 10_000 }).error === undefined && existsSync(join(modules, 'aufile.so'));
if (!hasBaresip) console.warn('SKIPPED: no foreign telephone answered a page (apt-get install baresip-core)');

const items = new Set<string>();
let room: Awaited<ReturnType<typeof startPeopleRoom>>;
let rig: Awaited<ReturnType<typeof startRig>>;
let line: ReturnType<typeof startTalkLine>;
let phone: Awaited<ReturnType<typeof rig.open>> | null = null;
const talkbacks = new Talkbacks();

beforeAll(async () => {
  rig = await startRig({ onTalk: ({ id }, talk, session) => void talkbacks.take(id, talk, session) });
  const methods = {
    'broadcast.play': async (params: unknown) => {
      const { source } = params as { source: { session: string } };
      const item = newHappeningId(systemClock);
      items.add(item);
      void phone?.write(order(`live:${source.session} item=${item} class=page`));
      return { outcome: 'taken', item, refusal: null, refusedOn: [], message: '' };
    },
    'broadcast.renew': async (params: unknown) => ({ goesOn: items.has((params as { item: string }).item) }),
    'broadcast.item': async () => ({ parts: [{ state: 'playing' }] }),
    'broadcast.stop': async (params: unknown) => {
      items.delete((params as { item: string }).item);
      await phone?.write(order(''));
      return { outcome: 'stopped', item: null, askers: [] };
    },
  };
  room = await startPeopleRoom({ methods });
  line = startTalkLine({ data: room.data, studio: rig.studio, answers: talkbacks, clock: systemClock, log: silentLog });
  await line.opened;
}, 60_000);
afterAll(async () => {
  await line?.[Symbol.asyncDispose]();
  await room?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await room.reset();
  await room.addPerson('guard', 'security', { zones: 'all' });
  await room.addPerson('teacher', 'timetable', { zones: ['teaching'] });
});
afterEach(async () => {
  await vi.waitFor(() => expect(items.size).toBe(0), patient);
  await phone?.[Symbol.asyncDispose]();
  phone = null;
});

interface Speaking {
  readonly item: string;
  readonly listens: boolean;
  readonly said: { readonly kind: string; readonly device?: string }[];
  /** 8 kHz. */
  heard(): Int16Array;
  end(): Promise<void>;
}

async function speak(browser: Browser, body: object): Promise<Speaking> {
  const answer = await browser.post('broadcast/talk', { devices: ['speaker-teaching'], ...body });
  expect(answer.status).toBe(200);
  const { session, item, listens } = (await answer.json()) as { session: string; item: string; listens: boolean };
  const socket = new WebSocket(`${room.url().replace('http', 'ws')}/api/v1/broadcast/talk/${session}`, {
    headers: { cookie: browser.cookie, origin: room.url() },
  });
  const said: Speaking['said'] = [];
  const pieces: Buffer[] = [];
  socket.on('message', (content: Buffer, isBinary) => {
    if (isBinary) pieces.push(Buffer.from(content));
    else said.push(JSON.parse(content.toString()));
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ kind: 'format', codec: 'pcm', rate: 48_000 }));
  const sending = setInterval(() => socket.send(sine(700, 48_000, 60)), 60);
  socket.once('close', () => clearInterval(sending));
  await vi.waitFor(() => expect(said.map(({ kind }) => kind)).toContain('speak'), patient);
  return {
    ...{ item, listens, said },
    heard() {
      const bytes = Buffer.concat(pieces);
      return Int16Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readInt16LE(2 * i));
    },
    async end() {
      socket.send(JSON.stringify({ kind: 'end' }));
      await vi.waitFor(() => expect(said.map(({ kind }) => kind)).toContain('over'), patient);
    },
  };
}

/** The tone of the last quarter of a second that came. */
const toneOf = (pcm: Int16Array) => Math.round(dominantTone(pcm.subarray(-2_000), 8_000) ?? 0);

describe('a room that answers', () => {
  it('is heard by whoever speaks and asked for it: named, in the audit, and not in the recording', async () => {
    await using terminal = await startSipSpeaker({ host: '127.0.0.1', behaviour: { talkback: 440 } });
    phone = await rig.open({ call: `sip:page@127.0.0.1:${terminal.port}`, talkback: true });
    const guard = await room.signedIn('guard');
    const it = await speak(guard, { listen: true });
    expect(it.listens).toBe(true);
    const lines = room.audit().map(({ who, what }) => `${who} ${what}`);
    expect(lines).toContain(`person:guard listen live ${it.item}`);
    await vi.waitFor(() => expect(it.heard().length).toBeGreaterThan(8_000), patient);
    expect(toneOf(it.heard())).toBe(440);
    expect(it.said).toContainEqual({ kind: 'answers', device: 'hall' });
    await it.end();
    const folder = join(room.data, 'recordings');
    const file = (await readdir(folder)).find((name) => name.includes(it.item)) ?? '';
    const recording = await readFile(join(folder, file));
    const { rate, offset } = layOutWav(recording);
    const pcm = Int16Array.from({ length: rate }, (_, i) => recording.readInt16LE(offset + 2 * i));
    expect(Math.round((dominantTone(pcm.subarray(rate / 2, rate), rate) ?? 0) / 10) * 10).toBe(700);
  }, 60_000);

  it.each([
    ['nobody asked for it', { talkback: true }, {}],
    ['its device does not say that it may', {}, { listen: true }],
  ])(
    'is not heard where %s',
    async (_, address, body) => {
      await using terminal = await startSipSpeaker({ host: '127.0.0.1', behaviour: { talkback: 440 } });
      phone = await rig.open({ call: `sip:page@127.0.0.1:${terminal.port}`, ...address });
      const it = await speak(await room.signedIn('guard'), body);
      const before = it.said.length;
      await vi.waitFor(() => expect(it.said.length).toBeGreaterThan(before + 2), patient);
      expect(it.heard()).toHaveLength(0);
      await it.end();
    },
    60_000,
  );

  it('is asked for in vain by whoever may not watch live', async () => {
    const teacher = await room.signedIn('teacher');
    const refused = await teacher.post('broadcast/talk', { devices: ['speaker-teaching'], listen: true });
    expect(refused.status).toBe(403);
    expect(items.size).toBe(0);
  });
});

/** It never speaks from the loopback when the machine has any other address. */
const here =
  Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';

describe.skipIf(!hasBaresip)('baresip', () => {
  it('sends a tone, and it arrives at the socket of the browser', async () => {
    const port = await freePort();
    await using _phone = await startBaresip(port, 600);
    phone = await rig.open({ call: `sip:hall@${here}:${port}`, talkback: true });
    await expect.poll(() => phone?.heard.states.at(-1)?.state, patient).toBe('online');
    const it = await speak(await room.signedIn('guard'), { listen: true });
    await vi.waitFor(() => expect(it.heard().length).toBeGreaterThan(8_000), patient);
    expect(toneOf(it.heard())).toBe(600);
    await it.end();
  }, 60_000);
});

async function freePort(): Promise<number> {
  await using socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket.address().port;
}

/** 30 s at 8 kHz. */
function toneFile(hertz: number): Buffer {
  const pcm = sine(hertz, 8_000, 30_000);
  const header = Buffer.from('RIFF    WAVEfmt                     data    ', 'latin1');
  header.writeUInt32LE(36 + pcm.length, 4);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8_000, 24);
  header.writeUInt32LE(16_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.writeUInt32LE(pcm.length, 40);
  return Buffer.concat([header, pcm]);
}

/** A telephone that answers by itself and whose microphone is a tone. */
async function startBaresip(port: number, hertz: number): Promise<AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'baresip-'));
  const config = [
    ...['poll_method epoll', `sip_listen ${here}:${port}`, `module_path ${modules}`],
    ...['audio_player aubridge,room', `audio_source aufile,${join(folder, 'tone.wav')}`, 'audio_alert aubridge,bell'],
    ...['module g711.so', 'module aubridge.so', 'module aufile.so', 'module_tmp uuid.so', 'module_tmp account.so'],
    ...['module_app menu.so', ''],
  ];
  await writeFile(join(folder, 'tone.wav'), toneFile(hertz));
  await writeFile(join(folder, 'config'), config.join('\n'));
  const account = `<sip:hall@${here}:${port}>;answermode=auto;regint=0;audio_codecs=PCMA`;
  await writeFile(join(folder, 'accounts'), `${account}\n`);
  await writeFile(join(folder, 'contacts'), '');
  const child: ChildProcess = spawn('baresip', ['-f', folder], { cwd: folder, stdio: 'ignore' });
  return {
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        const late = setTimeout(() => child.kill('SIGKILL'), 3_000);
        await exited;
        clearTimeout(late);
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}
