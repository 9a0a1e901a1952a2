import { createSocket } from 'node:dgram';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import alawmulaw from 'alawmulaw';
import { describe, expect, it, vi } from 'vitest';
import { orderText, parseOrder, type SoundOrder } from '#edge/domain/broadcast.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { parseRtp } from '#edge/simulators/speaker.ts';
import { dominantTone, levelOf } from '#edge/simulators/tone.ts';
import { demoDriver, HeardSink, playCommand, speakerDevice } from './speakers.ts';

const never = new AbortController().signal;

/** A port that keeps every packet with its time, and sessions that send to it. */
async function rig(address: Record<string, unknown> = {}) {
  const stack = new AsyncDisposableStack();
  const socket = stack.use(createSocket('udp4'));
  const packets: { at: number; ssrc: number; sequence: number; timestamp: number; pcm: Int16Array }[] = [];
  socket.on('message', (bytes) => {
    const rtp = parseRtp(bytes);
    if (rtp === null) return;
    const { ssrc, sequence, timestamp } = rtp;
    packets.push({ at: performance.now(), ssrc, sequence, timestamp, pcm: alawmulaw.alaw.decode(rtp.payload) });
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const demo = stack.use(await demoDriver(15_000, { hum: { file: 'hum.wav', loop: true } }));
  await writeFile(join(demo.folder, 'hum.wav'), humming());
  const rtp = { host: '127.0.0.1', port: socket.address().port };
  const config = demo.driver.config.parse({ rtp, rtcp: 'none', ...address });
  const open = async () => {
    const sink = new HeardSink();
    const session = stack.use(await demo.driver.open(speakerDevice({}), config, sink, never));
    const write = async (order: SoundOrder | string, ...more: [Partial<Parameters<typeof playCommand>[1]>?]) => {
      const text = typeof order === 'string' ? order : orderText(order);
      const result = await session.write?.(playCommand(text, more[0]), never);
      if (result === undefined) throw new Error('this session cannot write');
      return result;
    };
    return { session, sink, write, latest: (point: string) => sink.samples.findLast((s) => s.point === point)?.value };
  };
  const heardFor = async (count: number) => {
    const from = packets.length;
    await vi.waitFor(() => expect(packets.length).toBeGreaterThanOrEqual(from + count), {
      timeout: 20_000,
      interval: 5,
    });
    return packets.slice(from, from + count);
  };
  return { packets, open, heardFor, demo, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** A minute of 1 kHz. */
function humming(): Buffer {
  const pcm = Int16Array.from({ length: 480_000 }, (_, i) => Math.round(12_000 * Math.sin((2 * Math.PI * i) / 8)));
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + pcm.byteLength, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(pcm.byteLength, 40);
  return Buffer.concat([head, Buffer.from(pcm.buffer)]);
}

function joined(packets: readonly { pcm: Int16Array }[]): Int16Array {
  return Int16Array.from(packets.flatMap(({ pcm }) => [...pcm]));
}

const clips = (names: string[], more: Partial<SoundOrder> = {}, loop = false): SoundOrder => ({
  source: { kind: 'clips', clips: names, loop },
  ...more,
});

describe('an order', () => {
  it.each([
    clips(['siren', 'fire-zh'], { since: 1_795_394_273_767, level: 60, item: 'a-1', class: 'fire' }, true),
    { source: { kind: 'live', session: 'S-1' }, class: 'page' } satisfies SoundOrder,
  ])('says its class, and reads back what was said: %j', (order) => {
    expect(parseOrder(orderText(order))).toEqual(order);
  });

  it('with a class that is none is no order', () => {
    expect(parseOrder('siren class=lunch')).toBeNull();
  });
});

describe.concurrent('a loudspeaker that takes an order', () => {
  it('joins in the middle, at the place where all others are', async () => {
    await using it = await rig();
    const speaker = await it.open();
    // The tones last 1 s each, with pauses of 0.2 s: 440, 1000, 1880. 1.5 s after the start of the third round 1000 Hz sounds.
    const since = systemClock.now() - 3 * 3_600 - 1_500;
    await speaker.write(clips(['tones'], { since }));
    const heard = await it.heardFor(15);
    expect(dominantTone(joined(heard), 8000)).toBe(1000);
    expect(speaker.latest('clip')).toBe(`tones since=${since}`);
  });

  it('plays one clip after the other, and is silent at the end of the last', async () => {
    await using it = await rig();
    const speaker = await it.open();
    // 4 s of bell: this begins 0.3 s before its end; the tones come after it.
    await speaker.write(clips(['bell', 'tones'], { since: systemClock.now() - 3_700 }));
    // The 440 Hz begin 15 frames after that and last 50; a stall of this machine may swallow some.
    const place = ({ timestamp }: { timestamp: number }) => ((timestamp - (it.packets[0]?.timestamp ?? 0)) >>> 0) / 160;
    await vi.waitFor(() => expect(it.packets.some((packet) => place(packet) > 60)).toBe(true), { timeout: 20_000 });
    const heard = [...it.packets];
    expect(dominantTone(joined(heard.filter((packet) => place(packet) > 25 && place(packet) < 55)), 8000)).toBe(440);
    expect(new Set(heard.map(({ ssrc }) => ssrc)).size).toBe(1);
    await speaker.write(clips(['bell', 'tones'], { since: systemClock.now() - 4_000 - 3_600 + 200, item: 'late' }));
    await vi.waitFor(() => expect(speaker.latest('playing')).toBe(false), { timeout: 20_000 });
    expect(speaker.latest('clip')).toBe('');
  });

  it('that is over by its time plays nothing, however often it is said', async () => {
    await using it = await rig();
    const speaker = await it.open();
    const order = clips(['bell'], { since: systemClock.now() - 60_000 });
    await speaker.write(order);
    await vi.waitFor(() => expect(speaker.latest('playing')).toBe(false), { timeout: 20_000 });
    expect(await speaker.write(order)).toMatchObject({ message: 'played already' });
    expect(it.packets).toHaveLength(0);
  });

  it('changes its level in place, without a click and without beginning anew', async () => {
    await using it = await rig();
    const speaker = await it.open();
    const order = clips(['hum'], { since: systemClock.now() - 1_300 }, true);
    await speaker.write({ ...order, level: 100 });
    const loud = await it.heardFor(8);
    expect(await speaker.write({ ...order, level: 50 })).toMatchObject({ message: 'plays on' });
    const after = await it.heardFor(20);
    const [full, half] = [levelOf(joined(loud.slice(2))), levelOf(joined(after.slice(6)))];
    // Half as loud is 10 dB less.
    expect(full - half).toBeGreaterThan(8.5);
    expect(full - half).toBeLessThan(11.5);
    const all = [...loud, ...after];
    expect(new Set(all.map(({ ssrc }) => ssrc)).size).toBe(1);
    // No sample is further from the one before than the loud tone itself is: 1 kHz at 8 kHz turns 45 degrees a sample.
    const steps = (pcm: Int16Array) =>
      pcm.slice(1).reduce((most, value, i) => Math.max(most, Math.abs(value - (pcm[i] ?? 0))), 0);
    expect(steps(joined(all))).toBeLessThanOrEqual(steps(joined(loud.slice(2))) * 1.1);
  });

  it('of level 0 is silent, and sends all the same', async () => {
    await using it = await rig();
    const speaker = await it.open();
    await speaker.write(clips(['hum'], { level: 0 }));
    expect(levelOf(joined(await it.heardFor(10)))).toBeLessThan(-70);
  });

  it('ends one sound before the next begins, with less than 100 ms between them', async () => {
    await using it = await rig();
    const speaker = await it.open();
    await speaker.write('bell', { priority: 15 });
    await it.heardFor(10);
    await speaker.write(clips(['evacuation'], { class: 'fire' }), { priority: 1 });
    await it.heardFor(20);
    const [first] = it.packets;
    const change = it.packets.findIndex(({ ssrc }) => ssrc !== first?.ssrc);
    expect(it.packets.slice(change).every(({ ssrc }) => ssrc !== first?.ssrc)).toBe(true);
    const gap = (it.packets[change]?.at ?? Number.NaN) - (it.packets[change - 1]?.at ?? 0);
    console.info(`pre-emption: ${gap.toFixed(1)} ms between two sounds`);
    // A busy machine makes holes of its own into the sounds themselves: it must not be much longer than those.
    const others = it.packets.slice(1).map(({ at }, i) => at - (it.packets[i]?.at ?? 0));
    expect(gap).toBeLessThan(100 + Math.max(...others.filter((_, i) => i !== change - 1)) + 500);
  });

  it('leaves a gap between two sounds where the receiver needs one', async () => {
    await using it = await rig({ gap: 80 });
    const speaker = await it.open();
    await speaker.write('bell');
    await it.heardFor(5);
    await speaker.write('evacuation');
    await it.heardFor(10);
    const change = it.packets.findIndex(({ ssrc }) => ssrc !== it.packets[0]?.ssrc);
    expect((it.packets[change]?.at ?? 0) - (it.packets[change - 1]?.at ?? 0)).toBeGreaterThan(60);
  });

  it('with a word nobody knows is refused, and what plays plays on', async () => {
    await using it = await rig();
    const speaker = await it.open();
    await speaker.write('evacuation');
    expect(await speaker.write('bell loud=yes')).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('"bell loud=yes" is not an order'),
    });
    expect(speaker.latest('clip')).toBe('evacuation');
  });
});

describe.concurrent('two loudspeakers with one address', () => {
  it('make one stream of it: the stronger sound, and the weaker again when it is over', async () => {
    await using it = await rig();
    const [one, two] = [await it.open(), await it.open()];
    await one.write(clips(['tones'], { since: systemClock.now() }, true), { priority: 15 });
    await it.heardFor(5);
    expect(await two.write(clips(['evacuation'], { class: 'fire' }), { priority: 1 })).toMatchObject({
      outcome: 'sent',
    });
    await vi.waitFor(() => expect(one.latest('playing')).toBe(false));
    // Said again it still waits.
    for (let times = 0; times < 2; times++) {
      expect(await one.write('bell', { priority: 15 })).toMatchObject({
        outcome: 'failed',
        message: expect.stringContaining('plays something stronger'),
      });
    }
    await it.heardFor(5);
    await two.write('');
    await vi.waitFor(() => expect(one.latest('playing')).toBe(true));
    await it.heardFor(10);
    // Three streams, one after the other, never two at once.
    const order = it.packets.map(({ ssrc }) => ssrc).filter((ssrc, i, all) => ssrc !== all[i - 1]);
    expect(order.length).toBe(3);
    expect(new Set(order).size).toBe(3);
  });

  it('that are told the same share it', async () => {
    await using it = await rig();
    const [one, two] = [await it.open(), await it.open()];
    const order = clips(['evacuation'], { since: systemClock.now() });
    await one.write(order);
    await two.write(order);
    await it.heardFor(10);
    await one.write('');
    const heard = await it.heardFor(10);
    expect(new Set(it.packets.map(({ ssrc }) => ssrc)).size).toBe(1);
    expect(heard.length).toBe(10);
    expect(two.latest('playing')).toBe(true);
  });
});

describe.concurrent('a loudspeaker that is spoken through', () => {
  it('plays what comes over the session, falls silent when it ends, and an alarm breaks in', async () => {
    await using it = await rig();
    const speaker = await it.open();
    const writer = it.demo.studio.live.open('s-1', 8000);
    const speech = Int16Array.from({ length: 160 }, (_, i) => Math.round(10_000 * Math.sin((2 * Math.PI * i) / 8)));
    const timer = setInterval(() => writer.push(speech), 20);
    try {
      expect(await speaker.write({ source: { kind: 'live', session: 's-1' }, class: 'page' })).toMatchObject({
        outcome: 'sent',
        message: 'plays as page',
      });
      const heard = await it.heardFor(40);
      expect(dominantTone(joined(heard.slice(20)), 8000)).toBe(1000);
      expect(speaker.latest('clip')).toBe('live:s-1 class=page');
      await speaker.write('evacuation', { priority: 1 });
      await it.heardFor(5);
      expect(speaker.latest('clip')).toBe('evacuation');
      await speaker.write({ source: { kind: 'live', session: 's-1' }, class: 'page' });
      await it.heardFor(5);
      writer.end();
    } finally {
      clearInterval(timer);
    }
    await vi.waitFor(() => expect(speaker.latest('playing')).toBe(false), { timeout: 20_000 });
  });
});
