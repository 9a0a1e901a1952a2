import { execFileSync, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleepOnTheLoop } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { parseSpeakerConfig } from '#edge/drivers/broadcast/config.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { parseRtp, startSpeaker } from '#edge/simulators/speaker.ts';
import { demoDriver, HeardSink, playCommand, speakerDevice, speakerPoints } from './speakers.ts';

const never = new AbortController().signal;

/** A speaker on loopback, a driver, and a session between them. */
async function room(host = '127.0.0.1', codec: 'PCMA' | 'PCMU' = 'PCMA') {
  const stack = new AsyncDisposableStack();
  const speaker = stack.use(await startSpeaker({ host, port: 0, name: 'classroom' }));
  const { driver } = stack.use(await demoDriver());
  const address = { rtp: { host, port: speaker.port }, codec };
  const device = speakerDevice(address);
  const sink = new HeardSink();
  const session = stack.use(await driver.open(device, driver.config.parse(address), sink, never));
  const write = async (...args: Parameters<typeof playCommand>) => {
    const result = await session.write?.(playCommand(...args), never);
    if (result === undefined) throw new Error('this session cannot write');
    return result;
  };
  const read = async () =>
    Object.fromEntries((await session.read(speakerPoints, never)).map((sample) => [sample.point, sample.value]));
  return { speaker, session, sink, write, read, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

// Mostly waiting for sound to pass: side by side.
const hasFifos = spawnSync('mkfifo', ['--version'], { timeout: 10_000 }).error === undefined;
if (!hasFifos) console.warn('SKIPPED: a fifo stands for a disk that hangs, and there is no mkfifo here');

describe.concurrent('a loudspeaker', () => {
  it.each(['PCMA', 'PCMU'] as const)('hears the tones of a clip in %s, with nothing lost', async (codec) => {
    await using it = await room('127.0.0.1', codec);
    expect(await it.write('tones')).toMatchObject({ outcome: 'sent' });
    for (const tone of [440, 1000, 1880]) {
      await vi.waitFor(() => expect(it.speaker.heard().tone).toBe(tone), { timeout: 8000, interval: 40 });
    }
    expect(it.speaker.heard()).toMatchObject({ lost: 0, late: 0, duplicate: 0, garbage: 0, streams: 1 });
    expect(await it.read()).toMatchObject({ clip: 'tones', playing: true });
  });

  it('on IPv6 alone hears the same', async () => {
    await using it = await room('::1');
    await it.write('evacuation');
    await vi.waitFor(() => expect(it.speaker.heard().seconds).toBeGreaterThan(0.4), { timeout: 5000 });
    // The siren has pauses.
    await vi.waitFor(() => expect(it.speaker.heard().level).toBeGreaterThan(-20), { timeout: 5000, interval: 20 });
  });

  it('gets the first packet in the turn of the command', async () => {
    await using it = await room();
    const before = systemClock.monotonic();
    await it.write('evacuation');
    await vi.waitFor(() => expect(it.speaker.heard().firstPacketAt).not.toBeNull(), { interval: 1 });
    const latency = (it.speaker.heard().firstPacketAt ?? Number.NaN) - before;
    console.info(`command to first packet heard: ${latency.toFixed(2)} ms`);
    expect(latency).toBeLessThan(200);
  });

  it('falls silent when told, and stays silent', async () => {
    await using it = await room();
    await it.write('evacuation');
    await vi.waitFor(() => expect(it.speaker.heard().packets).toBeGreaterThan(5));
    expect(await it.write('')).toMatchObject({ outcome: 'sent' });
    await vi.waitFor(() => expect(it.speaker.heard().silentSince).not.toBeNull(), { timeout: 3000 });
    const { packets_sent } = await it.read();
    // On a busy machine the last one may still be in the socket.
    await vi.waitFor(() => expect(it.speaker.heard().packets).toBe(packets_sent));
    expect(await it.read()).toMatchObject({ clip: '', playing: false });
    expect(it.sink.samples.at(-1)).toMatchObject({ point: 'playing', value: false });
  });

  it('plays on without a click when the same hold is asserted again', async () => {
    await using it = await room();
    await it.write('evacuation');
    await vi.waitFor(() => expect(it.speaker.heard().packets).toBeGreaterThan(3));
    for (let i = 0; i < 5; i++) expect(await it.write('evacuation')).toMatchObject({ message: 'plays on' });
    await vi.waitFor(() => expect(it.speaker.heard().packets).toBeGreaterThan(15));
    expect(it.speaker.heard()).toMatchObject({ streams: 1, lost: 0, duplicate: 0 });
  });

  it('plays a bell once, and not again when its hold is asserted again', async () => {
    await using it = await room();
    const until = systemClock.now() + 60_000;
    await it.write('bell', { until, priority: 15 });
    // 4 s of bell; the stream ends by itself.
    await vi.waitFor(async () => expect(await it.read()).toMatchObject({ clip: '', playing: false }), {
      timeout: 8000,
    });
    expect(await it.write('bell', { until, priority: 15 })).toMatchObject({ message: 'played already' });
    expect(await it.read()).toMatchObject({ playing: false });
    // 4 s of bell are 200 frames, less what a stall of this machine swallowed.
    expect(it.speaker.heard().packets + (it.sink.counts.get('frame-skipped') ?? 0)).toBe(200);
    await it.write('bell', { until: until + 1, priority: 15 });
    expect(await it.read()).toMatchObject({ playing: true });
  });

  it('stops at the end of the hold', async () => {
    await using it = await room();
    await it.write('evacuation', { until: systemClock.now() + 300 });
    expect(await it.read()).toMatchObject({ playing: true });
    await vi.waitFor(async () => expect(await it.read()).toMatchObject({ playing: false }), { timeout: 5000 });
  });

  it.each([
    ['that came too late', 'evacuation', { expires: 1 }, 'expired', 'too late'],
    ['whose hold is over', 'evacuation', { until: 1 }, 'expired', 'hold behind'],
    ['for a clip nobody has', 'lullaby', {}, 'failed', 'no clip "lullaby"; known: evacuation, bell'],
    ['for a clip named like an inherited property', 'constructor', {}, 'failed', 'no clip "constructor"'],
  ])('refuses a command %s', async (_name, value, changes, outcome, message) => {
    await using it = await room();
    expect(await it.write(value, changes)).toMatchObject({ outcome, message: expect.stringContaining(message) });
    expect(await it.read()).toMatchObject({ playing: false, packets_sent: 0 });
  });

  it('is degraded while a clip of the site cannot be played, and plays it once the file is mended', async () => {
    await using speaker = await startSpeaker({ host: '127.0.0.1', port: 0, name: 'mute' });
    await using demo = await demoDriver(15_000, { assembly: { file: 'assembly.wav', loop: true } });
    const sink = new HeardSink();
    const config = demo.driver.config.parse({ rtp: { host: '127.0.0.1', port: speaker.port } });
    await using session = await demo.driver.open(speakerDevice({}), config, sink, never);
    const message = expect.stringContaining('assembly.wav');
    await vi.waitFor(() => expect(sink.states.at(-1)).toMatchObject({ state: 'degraded', message }), {
      timeout: 20_000,
    });
    expect(await session.write?.(playCommand('assembly'), never)).toMatchObject({ outcome: 'failed', message });
    await copyFile(join(demo.folder, 'evacuation.wav'), join(demo.folder, 'assembly.wav'));
    // Reading it may take a busy machine longer than a command waits.
    await vi.waitFor(
      async () => expect(await session.write?.(playCommand('assembly'), never)).toMatchObject({ outcome: 'sent' }),
      { timeout: 20_000 },
    );
    await vi.waitFor(() => expect(speaker.heard().packets).toBeGreaterThan(3), { timeout: 20_000 });
    expect(sink.states.at(-1)).toMatchObject({ state: 'online' });
  });

  it.skipIf(!hasFifos)(
    'evacuates while another clip lies on a disk that hangs',
    async () => {
      await using speaker = await startSpeaker({ host: '127.0.0.1', port: 0, name: 'classroom' });
      const { driver, folder, ...rest } = await demoDriver(15_000, { stuck: { file: 'stuck.wav', loop: false } });
      // Nobody writes into it: whoever reads it waits.
      const stuck = join(folder, 'stuck.wav');
      execFileSync('mkfifo', [stuck]);
      const address = { rtp: { host: '127.0.0.1', port: speaker.port } };
      const session = await driver.open(speakerDevice(address), driver.config.parse(address), new HeardSink(), never);
      expect(await session.write?.(playCommand('stuck'), never)).toMatchObject({
        outcome: 'failed',
        message: expect.stringContaining('still being read'),
      });
      expect(await session.write?.(playCommand('evacuation'), never)).toMatchObject({ outcome: 'sent' });
      await vi.waitFor(() => expect(speaker.heard().packets).toBeGreaterThan(3));
      await session[Symbol.asyncDispose]();
      await writeFile(stuck, 'this ends the waiting');
      await rest[Symbol.asyncDispose]();
    },
    20_000,
  );

  it('is asked at another address when the class is life safety', async () => {
    await using normal = await startSpeaker({ host: '127.0.0.1', port: 0, name: 'normal' });
    await using urgent = await startSpeaker({ host: '127.0.0.1', port: 0, name: 'urgent' });
    await using demo = await demoDriver();
    const config = demo.driver.config.parse({
      rtp: { host: '127.0.0.1', port: normal.port },
      zonePriority: { 'life-safety': { host: '127.0.0.1', port: urgent.port } },
    });
    await using session = await demo.driver.open(speakerDevice({}), config, new HeardSink(), never);
    await session.write?.(playCommand('bell', { priority: 8 }), never);
    await vi.waitFor(() => expect(normal.heard().packets).toBeGreaterThan(2));
    expect(urgent.heard().packets).toBe(0);
    await session.write?.(playCommand('evacuation', { priority: 1 }), never);
    await vi.waitFor(() => expect(urgent.heard().packets).toBeGreaterThan(2));
    await vi.waitFor(() => expect(normal.heard().silentSince).not.toBeNull(), { timeout: 3000 });
  });

  it('where nobody listens is offline, and heard again when somebody does', async () => {
    await using it = await room();
    const port = it.speaker.port;
    await it.speaker[Symbol.asyncDispose]();
    await it.write('evacuation');
    const address = `127.0.0.1:${port}`;
    await vi.waitFor(() =>
      expect(it.sink.states.at(-1)).toMatchObject({ state: 'offline', message: expect.stringContaining(address) }),
    );
    expect(await it.write('evacuation')).toMatchObject({ outcome: 'failed' });
    const [clip] = await it.session.read(speakerPoints.slice(0, 1), never);
    expect(clip).toMatchObject({ quality: 'bad', reason: 'no-communication' });
    await using back = await startSpeaker({ host: '127.0.0.1', port, name: 'back' });
    await vi.waitFor(() => expect(back.heard().packets).toBeGreaterThan(5), { timeout: 3000 });
    await vi.waitFor(() => expect(it.sink.states.at(-1)).toMatchObject({ state: 'online' }), { timeout: 8000 });
  });

  it('without a route is offline with a message, counted, and nothing crashes', async () => {
    await using demo = await demoDriver();
    const sink = new HeardSink();
    // 240.0.0.0/4 is reserved: no system routes it; an interface that is not there fails in the same way.
    const config = demo.driver.config.parse({
      rtp: { host: '239.1.1.1', port: 5004 },
      multicast: { interface: 'nope0' },
    });
    await using session = await demo.driver.open(speakerDevice({}), config, sink, never);
    expect(sink.states.at(-1)).toMatchObject({
      state: 'offline',
      message: expect.stringContaining('no interface "nope0"'),
    });
    expect(await session.write?.(playCommand('evacuation'), never)).toMatchObject({ outcome: 'failed' });
    await vi.waitFor(() => expect(sink.counts.get('not-sent') ?? 0).toBeGreaterThan(2));
    expect(sink.counts.get('reconnect')).toBeGreaterThan(0);
  });

  it.each([
    [{}, 'rtp: '],
    [{ rtp: { host: '127.0.0.1', port: 70_000 } }, 'rtp.port'],
    [{ rtp: { host: '127.0.0.1', port: 5004 }, codec: 'G729' }, 'codec'],
    [{ rtp: { host: '127.0.0.1', port: 5004 }, volume: 3 }, 'volume'],
    [{ rtp: { host: '239.1.1.1', port: 5004 } }, 'rtp.host: "239.1.1.1" is a multicast group: say multicast.interface'],
    [{ rtp: { host: 'ff15::1', port: 5004 } }, 'rtp.host: "ff15::1" is a multicast group'],
    [
      { rtp: { host: '10.0.0.1', port: 5004 }, multicast: { interface: 'eth0' } },
      'rtp.host: "10.0.0.1" is not a group',
    ],
  ])('with the address %j is refused with the key that is wrong', (address, message) => {
    expect(() => parseSpeakerConfig(address)).toThrow(message);
  });
});

describe('the pace', () => {
  it('is one packet per 20 ms over 5 s, without drift and without bursts, and the header counts right', async () => {
    await using demo = await demoDriver();
    await using receiver = createSocket('udp4');
    const arrivals: { at: number; message: Buffer }[] = [];
    receiver.on('message', (message) => {
      // The first one is the empty probe.
      if (message.length > 0) arrivals.push({ at: systemClock.monotonic(), message });
    });
    await new Promise<void>((resolve) => receiver.bind(0, '127.0.0.1', resolve));
    const config = demo.driver.config.parse({ rtp: { host: '127.0.0.1', port: receiver.address().port } });
    await using session = await demo.driver.open(speakerDevice({}), config, new HeardSink(), never);
    await session.write?.(playCommand('evacuation'), never);
    const start = systemClock.monotonic();
    await vi.waitFor(() => expect(systemClock.monotonic() - start).toBeGreaterThan(5000), {
      timeout: 9000,
      interval: 50,
    });
    await session.write?.(playCommand(''), never);
    const elapsed = systemClock.monotonic() - start;
    const packets = arrivals.map(({ message }) => parseRtp(message)).filter((packet) => packet !== null);
    const ideal = elapsed / 20;
    const [first] = packets;
    if (first === undefined) throw new Error('nothing came');
    const last = packets.at(-1) ?? first;
    const media = ((last.timestamp - first.timestamp) >>> 0) / 160 + 1;
    console.info(`pace: ${packets.length} packets, ${media} frames of time, ideal ${ideal.toFixed(1)}`);
    // The timestamps follow the clock even where a stall of this machine swallowed frames.
    expect(Math.abs(media - ideal)).toBeLessThan(5);
    expect(packets.length).toBeGreaterThan(ideal * 0.9);
    expect(packets.length).toBeLessThanOrEqual(media);
    packets.forEach((packet, i) => {
      expect(packet.sequence).toBe((first.sequence + i) & 0xffff);
      expect(packet.payload.length).toBe(160);
    });
    expect(first.marker).toBe(true);
    expect(arrivals.every(({ message }) => message.length === 172)).toBe(true);
  }, 15_000);

  it('after a stall skips by the timestamp instead of bursting', async () => {
    await using it = await room();
    await it.write('evacuation');
    await vi.waitFor(() => expect(it.speaker.heard().packets).toBeGreaterThan(3));
    const { packets_sent: before } = await it.read();
    const stallEnd = systemClock.monotonic() + 600;
    while (systemClock.monotonic() < stallEnd);
    // One turn of the timers and of the sockets after it.
    await sleepOnTheLoop(1);
    const { packets_sent: after } = await it.read();
    expect(Number(after) - Number(before)).toBeLessThanOrEqual(5);
    expect(it.sink.counts.get('frame-skipped')).toBeGreaterThan(20);
    await vi.waitFor(() => expect(it.speaker.heard().packets).toBeGreaterThan(Number(after) + 5));
    expect(it.speaker.heard()).toMatchObject({ lost: 0, streams: 1 });
  });

  it('of 200 speakers at once is kept, and costs this much', async () => {
    await using demo = await demoDriver();
    // Each room has an address of its own; one socket takes what comes to all of them.
    await using hole = createSocket('udp4');
    await new Promise<void>((resolve) => hole.bind(0, '0.0.0.0', resolve));
    const { port } = hole.address();
    await using stack = new AsyncDisposableStack();
    const sinks = Array.from({ length: 200 }, () => new HeardSink());
    const sessions = [];
    for (const [i, sink] of sinks.entries()) {
      const config = demo.driver.config.parse({ rtp: { host: `127.0.9.${i + 1}`, port }, rtcp: 'none' });
      sessions.push(stack.use(await demo.driver.open(speakerDevice({}), config, sink, never)));
    }
    const commandAt = systemClock.monotonic();
    for (const session of sessions) void session.write?.(playCommand('evacuation'), never);
    const allStarted = systemClock.monotonic() - commandAt;
    const cpu = process.cpuUsage();
    const start = systemClock.monotonic();
    await vi.waitFor(() => expect(systemClock.monotonic() - start).toBeGreaterThan(2000), {
      timeout: 6000,
      interval: 100,
    });
    const elapsed = systemClock.monotonic() - start;
    const { user, system } = process.cpuUsage(cpu);
    const sent = await Promise.all(
      sessions.map(async (s) => Number((await s.read(speakerPoints.slice(2), never))[0]?.value)),
    );
    const total = sent.reduce((sum, n) => sum + n, 0);
    const skipped = sinks.reduce((sum, sink) => sum + (sink.counts.get('frame-skipped') ?? 0), 0);
    const share = (user + system) / 10 / elapsed;
    console.info(
      `200 streams: ${share.toFixed(0)} % of one core, ${((user + system) / total).toFixed(1)} us a packet ` +
        `(${total} packets in ${elapsed.toFixed(0)} ms, ${skipped} skipped); all 200 first packets sent in ${allStarted.toFixed(1)} ms`,
    );
    expect(total + skipped).toBeGreaterThan((200 * elapsed) / 20 - 200 * 5);
    expect(share).toBeLessThan(100);
  });
});
