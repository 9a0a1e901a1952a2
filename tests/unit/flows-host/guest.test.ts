import { describe, expect, it, vi } from 'vitest';
import type { Bus } from '#edge/bus/bus.ts';
import { decodeRequest } from '#edge/bus/codec.ts';
import { answerTopic, matchesFilter, readingTopic, requestTopic } from '#edge/bus/topics.ts';
import type { DeviceId, PointName } from '#edge/domain/ids.ts';
import { pointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { openGuest, parsePattern } from '#edge/flows-host/guest.ts';
import { tokenReader } from '#edge/flows-host/settings.ts';
import { ManualClock, systemClock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { silentLog } from '#edge/runtime/log.ts';

/** The bus of one process, without a network: the guest is what is tested here, the network in tests/system. */
class LocalBus implements Bus {
  readonly published: { topic: string; payload: object | null }[] = [];
  readonly #handlers = new Set<{ filter: string; handler: (topic: string, payload: Buffer) => void }>();

  async publish(topic: string, payload: object | null): Promise<void> {
    this.published.push({ topic, payload });
    for (const { filter, handler } of [...this.#handlers]) {
      if (matchesFilter(filter, topic)) handler(topic, Buffer.from(JSON.stringify(payload)));
    }
  }

  async subscribe(filter: string, handler: (topic: string, payload: Buffer) => void) {
    const entry = { filter, handler };
    this.#handlers.add(entry);
    return { [Symbol.asyncDispose]: async () => void this.#handlers.delete(entry) };
  }
}

const ac = pointRef('relay-1' as DeviceId, 'relay_1' as PointName);
const open = (bus: Bus, answerTimeout = 5000) =>
  openGuest({ bus, client: 'flows', clock: systemClock, log: silentLog, answerTimeout });
const reading = (device: string, point: string, receivedTime: number): Reading => ({
  ref: pointRef(device as DeviceId, point as PointName),
  device: device as DeviceId,
  point: point as PointName,
  value: true,
  unit: '',
  quality: 'good',
  sourceTime: receivedTime,
  receivedTime,
});
/** Answers each request as core does. */
const answering = (bus: LocalBus) =>
  bus.subscribe(requestTopic('flows'), (_topic, payload) => {
    const decoded = decodeRequest(payload);
    if (!decoded.ok) throw new Error(decoded.message);
    const { id, point } = decoded.value;
    void bus.publish(answerTopic('flows'), { id, accepted: true, outcome: 'holding', message: `${point} is held` });
  });

describe('the guest', () => {
  it('asks as automation, whatever it is told, and resolves with the answer to its own request', async () => {
    const bus = new LocalBus();
    await using guest = await open(bus);
    await answering(bus);
    const wishes = [1, 2, 3].map((n) => guest.request({ ref: ac, value: n, seconds: 60, reason: 'test' }));
    for (const result of await Promise.all(wishes))
      expect(result).toMatchObject({ accepted: true, outcome: 'holding' });
    const sent = bus.published.filter(({ topic }) => topic === requestTopic('flows'));
    expect(sent.map(({ payload }) => payload)).toEqual(
      [1, 2, 3].map((value) => ({
        id: expect.any(String),
        point: ac,
        value,
        priority: 12,
        seconds: 60,
        reason: 'test',
      })),
    );
  });

  it('says when no answer comes, and when the broker refuses', async () => {
    const bus = new LocalBus();
    await using guest = await open(bus, 50);
    const wish = { ref: ac, value: true, seconds: 60, reason: 'test' };
    await expect(guest.request(wish)).rejects.toMatchObject({ code: 'FLOWS_NO_ANSWER' });
    const refused = guest.request(wish);
    await bus.publish(answerTopic('flows'), { error: 'forbidden-topic', message: 'not granted', topic: 'x' });
    await expect(refused).rejects.toMatchObject({ code: 'FLOWS_REFUSED', message: 'not granted' });
  });

  it('bounds what a flow in a loop can ask: 50 at once, 10 a second, 100 that wait', async () => {
    const bus = new LocalBus();
    const clock = new ManualClock(1_800_000_000_000);
    const guest = await openGuest({ bus, client: 'flows', clock, log: silentLog });
    const codes: string[] = [];
    const ask = (times: number) => {
      for (let i = 0; i < times; i++) {
        guest
          .request({ ref: ac, value: true, seconds: 1, reason: 'loop' })
          .catch((error: unknown) => codes.push(`${codeOf(error)} ${messageOf(error).replace(/;.*/, '')}`));
      }
    };
    ask(60);
    await vi.waitFor(() => expect(codes).toHaveLength(10));
    expect(new Set(codes)).toEqual(new Set(['FLOWS_BUSY more than 10 requests a second']));
    clock.advance(1000);
    ask(11);
    await vi.waitFor(() => expect(codes).toHaveLength(11));
    clock.advance(60_000);
    ask(50);
    await vi.waitFor(() => expect(codes).toHaveLength(21));
    expect(codes.at(-1)).toBe('FLOWS_BUSY 100 requests wait for an answer');
    expect(bus.published).toHaveLength(100);
    await guest[Symbol.asyncDispose]();
    await vi.waitFor(() => expect(codes.filter((code) => code.startsWith('FLOWS_STOPPING'))).toHaveLength(100));
  });

  it('passes on the readings of its pattern, each once, until the subscription ends', async () => {
    const bus = new LocalBus();
    await using guest = await open(bus);
    const heard: Reading[] = [];
    const watching = await guest.watch('pir-*/occupancy', (one) => heard.push(one));
    for (const one of [
      reading('pir-101', 'occupancy', 1),
      reading('pir-101', 'occupancy', 1),
      { ...reading('pir-101', 'occupancy', 1), value: false },
      reading('door-1', 'occupancy', 2),
      reading('pir-101', 'battery', 3),
      reading('pir-102', 'occupancy', 4),
    ]) {
      await bus.publish(readingTopic(one.ref), one);
    }
    await bus.publish(readingTopic(reading('pir-103', 'occupancy', 1).ref), { garbage: true });
    await watching[Symbol.asyncDispose]();
    await bus.publish(readingTopic(reading('pir-104', 'occupancy', 5).ref), reading('pir-104', 'occupancy', 5));
    // Two readings of one millisecond are two readings.
    expect(heard.map((one) => [one.ref, one.value])).toEqual([
      ['pir-101/occupancy', true],
      ['pir-101/occupancy', false],
      ['pir-102/occupancy', true],
    ]);
  });

  it.each(['', 'pir-101', 'a/b/c', '#', '+/x', 'PIR/x', 'a/b$', `${'a'.repeat(200)}/b`, 'a /b'])(
    'refuses the pattern %j',
    (pattern) => {
      expect(() => parsePattern(pattern)).toThrow('is not <device>/<point>');
    },
  );
});

describe('the token of the web process', () => {
  const read = tokenReader('0123456789abcdef');
  it('names the user behind the secret', () => {
    expect(read('0123456789abcdef:edit:wang.li')).toEqual({ user: 'wang.li', mayEdit: true });
    expect(read('0123456789abcdef:view:王力')).toEqual({ user: '王力', mayEdit: false });
    expect(read('0123456789abcdef:view:token:ci')).toEqual({ user: 'token:ci', mayEdit: false });
  });
  it.each([
    undefined,
    '',
    ':',
    'wang',
    '0123456789abcdef',
    '0123456789abcdef:',
    '0123456789abcdef:wang',
    '0123456789abcdef:edit:',
    '0123456789abcdef:root:wang',
    '0123456789abcdeg:edit:w',
    ':edit:w',
    '0123456789abcdef:edit:a b',
    '0123456789abcdef:edit:a:b',
    '0123456789abcdef:view:edit:wang',
  ])('is nothing when it is %j', (token) => {
    expect(read(token)).toBeNull();
  });
});
