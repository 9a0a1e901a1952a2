import { createSocket } from 'node:dgram';
import { createReadStream, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import alawmulaw from 'alawmulaw';
import { chromium, type Page } from 'playwright-core';
import { startTalkLine } from '#edge/processes/broadcast-talk.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { parseRtp } from '#edge/simulators/speaker.ts';
import { levelOf } from '#edge/simulators/tone.ts';
import { prepareChromium } from '../e2e/browser.ts';
import { demoDriver, HeardSink, playCommand, speakerDevice } from '../unit/broadcast/speakers.ts';
import { startPeopleRoom } from '../unit/web/people-room.ts';

/*
 * Mouth to loudspeaker: a real Chromium whose microphone is a file, the web process, the socket and studio of `broadcast`, its driver, and a
 * loudspeaker that keeps each packet with the time it came. Core alone is played: it hands the order to the driver.
 */

/** Builds the page of two buttons (`tests/unit/console/talk-page`) as the console is built; the folder is removed at the end. */
export async function buildTalkPage(): Promise<{ readonly folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'campus-talk-page-'));
  const { build } = await import('vite');
  await build({
    root: join(import.meta.dirname, '../unit/console/talk-page'),
    base: './',
    publicDir: join(import.meta.dirname, '../../edge/web/console/public'),
    configFile: false,
    envDir: false,
    logLevel: 'error',
    mode: 'production',
    oxc: { jsx: { runtime: 'automatic' } },
    build: { outDir: folder, emptyOutDir: false, modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  });
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** In front of a campus: `/talk-page/` is the page of two buttons, all else (WebSockets too) is the campus's own answer. */
export async function startFront(campus: string, folder: string) {
  const { port, hostname } = new URL(campus);
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (!path.startsWith('/api/')) {
      const name = path.replace('/talk-page/', '');
      const type = name.endsWith('.js') ? 'text/javascript' : name.endsWith('.svg') ? 'image/svg+xml' : 'text/html';
      response.writeHead(200, { 'content-type': type });
      // The page asks for the API beside itself, and here it lies above.
      if (name === '') {
        const html = readFileSync(join(folder, 'index.html'), 'utf8').replaceAll('./', '/talk-page/');
        response.end(html.replace('<head>', '<head><base href="/" />'));
      } else
        createReadStream(join(folder, name))
          .on('error', () => response.destroy())
          .pipe(response);
      return;
    }
    const { method, headers, url } = request;
    const asked = httpRequest({ hostname, port, path: url, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    request.pipe(asked);
  });
  server.on('upgrade', (request, socket, head) => {
    const lines = request.rawHeaders.flatMap((name, i, all) => (i % 2 === 0 ? [`${name}: ${all[i + 1]}`] : []));
    const behind = connect(Number(port), hostname, () => {
      behind.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      behind.write(head);
      behind.pipe(socket).pipe(behind);
    });
    behind.on('error', () => socket.destroy());
    socket.on('error', () => behind.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the front has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export interface HeardPacket {
  /** ms since epoch. */
  readonly at: number;
  readonly pcm: Int16Array;
  readonly level: number;
}

/** A loudspeaker of G.711 that remembers when it heard what. */
async function startEar() {
  const socket = createSocket('udp4');
  const packets: HeardPacket[] = [];
  socket.on('message', (message) => {
    const packet = message.length === 0 ? null : parseRtp(message);
    if (packet === null) return;
    const pcm = alawmulaw.alaw.decode(packet.payload);
    packets.push({ at: performance.timeOrigin + performance.now(), pcm, level: levelOf(pcm) });
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    port: socket.address().port,
    packets,
    last: (ms: number) => Int16Array.from(packets.slice(-ms / 20).flatMap(({ pcm }) => [...pcm])),
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

export async function talkCampus() {
  await using stack = new AsyncDisposableStack();
  const page = stack.use(await buildTalkPage());
  const ear = stack.use(await startEar());
  const { driver, studio } = stack.use(await demoDriver());
  const address = { rtp: { host: '127.0.0.1', port: ear.port }, probe: 'none', rtcp: 'none' };
  const never = new AbortController().signal;
  const session = stack.use(
    await driver.open(speakerDevice(address), driver.config.parse(address), new HeardSink(), never),
  );
  const order = (value: string) => session.write?.(playCommand(value, { priority: 8 }), never);
  const items = new Set<string>();
  const methods = {
    'broadcast.play': async (params: unknown) => {
      const { source } = params as { source: { session: string } };
      const item = newHappeningId(systemClock);
      items.add(item);
      await order(`live:${source.session} item=${item} class=page`);
      return { outcome: 'taken', item, refusal: null, refusedOn: [], message: '' };
    },
    'broadcast.renew': async (params: unknown) => ({ goesOn: items.has((params as { item: string }).item) }),
    'broadcast.item': async () => ({ parts: [{ state: 'playing' }] }),
    'broadcast.stop': async (params: unknown) => {
      items.delete((params as { item: string }).item);
      await order('');
      return { outcome: 'stopped', item: null, askers: [] };
    },
  };
  const people = stack.use(await startPeopleRoom({ methods, consoleFolder: page.folder }));
  const openLine = async () => {
    const line = startTalkLine({ data: people.data, studio, clock: systemClock, log: silentLog });
    await line.opened;
    return line;
  };
  const state = { line: await openLine() };
  stack.defer(() => state.line[Symbol.asyncDispose]());
  await people.addPerson('guard', 'security', { zones: 'all' });
  const guard = await people.signedIn('guard');
  const cookies = [...guard.cookies].map(([name, value]) => ({ name, value, url: people.url() }));
  const owned = stack.move();
  return {
    people,
    guard,
    ear,
    items,
    cookies,
    folder: page.folder,
    url: people.url(),
    async stopBroadcast() {
      await state.line[Symbol.asyncDispose]();
    },
    async startBroadcast() {
      state.line = await openLine();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Chromium with a file for a microphone; null: with none at all. */
export async function startTalkingBrowser(sound: string | null) {
  const { executablePath, env } = await prepareChromium();
  const microphone =
    sound === null ? [] : ['--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${sound}`];
  const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', ...microphone];
  return chromium.launch({ executablePath, args, env: { ...process.env, ...env } });
}

/** Bursts of a tone that rises and falls a little, as a voice does, so that no suppression of noise takes it for a fan. */
export async function writeBursts(file: string, hertz: number, on: number, off: number, seconds: number) {
  const rate = 48_000;
  const pcm = new Int16Array(rate * seconds);
  for (let i = 0; i < pcm.length; i++) {
    const at = ((i / rate) * 1_000) % (on + off);
    if (at < on) pcm[i] = Math.round(20_000 * Math.sin((2 * Math.PI * hertz * i) / rate));
  }
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + pcm.byteLength, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(pcm.byteLength, 40);
  await writeFile(file, Buffer.concat([header, Buffer.from(pcm.buffer)]));
}

export interface SeenTalk {
  readonly problem: string | null;
  readonly states: readonly { readonly kind: string; readonly reason?: string }[];
  readonly texts: readonly string[];
  readonly onsets: readonly number[];
  readonly loudest: number;
  readonly figures: { readonly recorded: number; readonly level: number; readonly underruns: number } | null;
  readonly dropped: number;
}

export const seenBy = (page: Page): Promise<SeenTalk> => page.evaluate('window.talk');

/**
 * Of each onset at the microphone, how long until the first packet in which it is loud left for the loudspeaker, ms. The microphone's is the
 * end of its frame of 20 ms, so that a mouth is up to 20 ms longer.
 */
export function delaysOf(onsets: readonly number[], packets: readonly HeardPacket[]): readonly number[] {
  const loud: number[] = [];
  let wasQuiet = true;
  for (const { at, level } of packets) {
    if (level > -26 && wasQuiet) {
      wasQuiet = false;
      loud.push(at);
    } else if (level < -45) wasQuiet = true;
  }
  return onsets.flatMap((onset) => {
    const next = loud.find((at) => at > onset);
    return next === undefined || next - onset > 900 ? [] : [next - onset];
  });
}
