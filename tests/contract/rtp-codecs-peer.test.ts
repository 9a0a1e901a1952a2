import { createSocket } from 'node:dgram';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Session } from '#edge/drivers/driver.ts';
import { codecs, formats } from '#edge/drivers/sound/codecs.ts';
import { dominantTone } from '#edge/simulators/tone.ts';
import { demoDriver, HeardSink, playCommand, speakerDevice, temporaryFolder } from '../unit/broadcast/speakers.ts';
import {
  hasFfmpeg,
  hasGstreamer,
  heardRate,
  type ReceiverOptions,
  startFfmpegReceiver,
  startGstReceiver,
} from './rtp-peers/receivers.ts';

/** Every codec, judged by two decoders nobody here wrote: Debian's ffmpeg and GStreamer. */
const never = new AbortController().signal;
if (!hasFfmpeg)
  console.warn('SKIPPED: ffmpeg is not installed, so it did not judge our codecs (apt-get install ffmpeg)');
if (!hasGstreamer) {
  const packages = 'gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-libav';
  console.warn(`SKIPPED: GStreamer is not whole, so it did not judge our codecs (apt-get install ${packages})`);
}

/** An even port whose next one is free too: RTCP has it. */
async function freePair(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    await using first = createSocket('udp4');
    await new Promise<void>((resolve) => first.bind(0, '127.0.0.1', resolve));
    const { port } = first.address();
    if (port % 2 !== 0) continue;
    await using second = createSocket('udp4');
    const isFree = await new Promise<boolean>((resolve) => {
      second.once('error', () => resolve(false));
      second.bind(port + 1, '127.0.0.1', () => resolve(true));
    });
    if (isFree) return port;
  }
  throw new Error('no two free ports side by side');
}

/** Decoding it anew at its rate may take a busy machine longer than a command waits. */
async function play(session: Session): Promise<void> {
  await vi.waitFor(
    async () => {
      const result = await session.write?.(playCommand('tones'), never);
      expect(result?.message).toContain('plays');
    },
    { timeout: 30_000 },
  );
}

/** How often each tone was the strongest of a tenth of a second. */
function tonesOf(pcm: Int16Array, rate: number): Map<number, number> {
  const windows = new Map<number, number>();
  const size = rate / 10;
  for (let at = 0; at + size <= pcm.length; at += size) {
    const tone = dominantTone(pcm.subarray(at, at + size), rate);
    if (tone !== null) windows.set(tone, (windows.get(tone) ?? 0) + 1);
  }
  return windows;
}

const peers = [
  ['ffmpeg', hasFfmpeg, startFfmpegReceiver],
  ['GStreamer', hasGstreamer, async (options: ReceiverOptions) => startGstReceiver(options)],
] as const;

for (const [peer, isHere, start] of peers) {
  describe.skipIf(!isHere)(peer, () => {
    it.concurrent.each(codecs)('decodes our %s to the right tones', { timeout: 60_000 }, async (codec) => {
      await using folder = await temporaryFolder();
      await using demo = await demoDriver();
      const port = await freePair();
      const config = demo.driver.config.parse({ rtp: { host: '127.0.0.1', port }, codec, probe: 'none' });
      const { payloadType } = config;
      const file = join(folder.path, 'heard.raw');
      await using receiver = await start({ codec, payloadType, port, folder: folder.path, file });
      await using session = await demo.driver.open(speakerDevice({}), config, new HeardSink(), never);
      await play(session);
      const rate = heardRate(codec);
      // The clip is played round and round until the receiver, however late it starts, has its 3.8 s.
      await vi.waitFor(
        async () => expect((await stat(file)).size, receiver.complaints()).toBeGreaterThan(2 * 3.8 * rate),
        { timeout: 40_000, interval: 100 },
      );
      const bytes = await readFile(file);
      const pcm = new Int16Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 2));
      const windows = tonesOf(pcm, rate);
      console.info(`${peer} heard ${codec}:`, Object.fromEntries(windows), receiver.complaints().trim());
      // Each tone lasts a second in every 3.6; 5 Hz are the step of the search.
      for (const tone of [440, 1000, 1880]) {
        const near = [...windows].filter(([hertz]) => Math.abs(hertz - tone) <= 5).reduce((sum, [, n]) => sum + n, 0);
        expect(near, `${tone} Hz`).toBeGreaterThanOrEqual(4);
      }
    });
  });
}

describe('what a capture shows', () => {
  it.concurrent.each([
    ['PCMA', 8, 172, 160],
    ['PCMU', 0, 172, 160],
    ['G722', 9, 172, 160],
    ['L16/16000', 96, 652, 320],
    ['L16/44100', 11, 894, 441],
    ['L16/48000', 97, 972, 480],
    ['OPUS', 125, 172, 960],
  ] as const)(
    'of %s: payload type %i, whole packets of one size, 20 ms apart',
    { timeout: 30_000 },
    async (codec, type, size, step) => {
      await using demo = await demoDriver();
      await using receiver = createSocket('udp4');
      const packets: { at: number; bytes: Buffer }[] = [];
      receiver.on('message', (bytes) => packets.push({ at: performance.now(), bytes }));
      await new Promise<void>((resolve) => receiver.bind(0, '127.0.0.1', resolve));
      const rtp = { host: '127.0.0.1', port: receiver.address().port };
      const config = demo.driver.config.parse({ rtp, codec, probe: 'none', rtcp: 'none' });
      await using session = await demo.driver.open(speakerDevice({}), config, new HeardSink(), never);
      await play(session);
      await vi.waitFor(() => expect(packets.length).toBeGreaterThan(100), { timeout: 20_000, interval: 20 });
      const seen = packets.slice(0, 100);
      for (const { bytes } of seen) {
        expect(bytes.readUInt8(1) & 0x7f).toBe(type);
        expect(bytes.length).toBe(size);
        expect(bytes.length).toBeLessThan(1472);
      }
      const perFrame = formats[codec].packets;
      const times = seen.map(({ bytes }) => bytes.readUInt32BE(4));
      const steps = times.slice(1).map((time, i) => (time - (times[i] ?? 0)) >>> 0);
      // A stall of this machine may swallow frames, never a part of one.
      for (const passed of steps) expect(passed % step).toBe(0);
      expect(steps.filter((passed) => passed === step).length).toBeGreaterThan(80);
      const starts = seen.filter((_, i) => i % perFrame === 0).map(({ at }) => at);
      const gaps = starts
        .slice(1)
        .map((at, i) => at - (starts[i] ?? 0))
        .toSorted((a, b) => a - b);
      console.info(
        `${codec}: gaps p50 ${gaps[Math.floor(gaps.length / 2)]?.toFixed(1)} ms, longest ${gaps.at(-1)?.toFixed(1)} ms`,
      );
      expect(gaps[Math.floor(gaps.length / 2)]).toBeGreaterThan(10);
      expect(gaps[Math.floor(gaps.length / 2)]).toBeLessThan(40);
    },
  );
});

/** Between our RTCP and GStreamer's, which sends to a port it is told and not to where ours come from. */
async function relayRtcp(port: number, peer: number) {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
  const seen: Buffer[] = [];
  let ours: number | undefined;
  socket.on('message', (message, from) => {
    const isOurs = message.readUInt8(1) === 200;
    if (isOurs) {
      ours = from.port;
      seen.push(message);
    }
    const to = isOurs ? peer : ours;
    if (to !== undefined) socket.send(message, to, '127.0.0.1', () => {});
  });
  return { seen, [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose]() };
}

describe.skipIf(!hasGstreamer)('a receiver with RTCP', () => {
  it('proves that it hears, and is missed within 5 s when it goes', { timeout: 90_000 }, async () => {
    await using folder = await temporaryFolder();
    await using demo = await demoDriver();
    const [port, peer] = [await freePair(), await freePair()];
    await using relay = await relayRtcp(port + 1, peer);
    const file = join(folder.path, 'heard.raw');
    const rtcp = { listen: peer, sendTo: port + 1 };
    await using receiver = startGstReceiver({ codec: 'PCMA', payloadType: 8, port, folder: folder.path, file, rtcp });
    const config = demo.driver.config.parse({ rtp: { host: '127.0.0.1', port } });
    const sink = new HeardSink();
    await using session = await demo.driver.open(speakerDevice({}), config, sink, never);
    await play(session);
    const latest = (point: string) => sink.samples.findLast((sample) => sample.point === point);
    await vi.waitFor(() => expect(latest('proof'), receiver.complaints()).toMatchObject({ value: 'heard' }), {
      timeout: 60_000,
      interval: 50,
    });
    console.info('GStreamer:', latest('evidence')?.value);
    expect(latest('evidence')?.value).toMatch(/^a receiver reports that it arrives \(RTCP\), \d+ % lost$/);
    // Its clock against ours: the sender report's time is this machine's.
    const report = relay.seen.at(-1);
    expect(Math.abs((report?.readUInt32BE(8) ?? 0) - 2_208_988_800 - Date.now() / 1000)).toBeLessThan(10);
    await receiver[Symbol.asyncDispose]();
    const gone = performance.now();
    await vi.waitFor(() => expect(latest('clip')).toMatchObject({ quality: 'bad', reason: 'no-communication' }), {
      timeout: 20_000,
      interval: 20,
    });
    console.info(`known not to be heard after ${(performance.now() - gone).toFixed(0)} ms`);
    expect(performance.now() - gone).toBeLessThan(5_000);
    expect(await session.write?.(playCommand('tones'), never)).toMatchObject({ outcome: 'failed' });
  });
});
