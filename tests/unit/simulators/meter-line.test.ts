import { describe, expect, test } from 'vitest';
import { ManualClock } from '#edge/runtime/clock.ts';
import { createCjt188Meter } from '#edge/simulators/meter-cjt188.ts';
import { createDlt645Meter } from '#edge/simulators/meter-dlt645.ts';
import { faultMix, meterFaultKinds } from '#edge/simulators/meter-faults.ts';
import { hasFrame, hearFrame } from '#edge/simulators/meter-frames.ts';
import { type MeterLineOptions, startMeterLine } from '#edge/simulators/meter-line.ts';
import { Wire } from '#edge/simulators/meter-wire.ts';
import { fixedFace, hex, listenTo, spaced } from './bench.ts';

const clock = new ManualClock(Date.parse('2026-11-23T12:00:00+08:00'));
const electric = (address: string, energy: number) =>
  createDlt645Meter({ clock, address, model: 'DTS100', face: fixedFace({ energies: [energy] }) });
const water = createCjt188Meter({
  clock,
  type: 0x10,
  address: '78330011223344',
  face: { volume: () => 123_456, settled: () => 0 },
});
const line = (options: Partial<MeterLineOptions> = {}) =>
  startMeterLine({
    host: '127.0.0.1',
    port: 0,
    baud: null,
    preamble: 0,
    meters: [electric('000000000161', 26), electric('000102030425', 120_642), water],
    ...options,
  });

const first = hex('68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16');
const firstAnswer = '68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16';
const second = hex('68 25 04 03 02 01 00 68 11 04 33 33 34 33 E1 16');
const secondAnswer = '68 25 04 03 02 01 00 68 91 08 33 33 34 33 75 39 45 33 8B 16';
const third = hex('68 10 44 33 22 11 00 33 78 01 03 1F 90 00 80 16');

describe('a line with meters', () => {
  test('hears both protocols, behind preambles and noise, in pieces and joined', async () => {
    await using one = await line();
    await using client = await listenTo(one.port);
    client.socket.write(Buffer.concat([hex('00 FF 68 12 FE FE FE FE'), first.subarray(0, 9)]));
    client.socket.write(Buffer.concat([first.subarray(9), third, second]));
    await expect.poll(() => client.heard().length).toBe(20 + 35 + 20);
    const all = spaced(client.heard()) ?? '';
    expect(all.startsWith(firstAnswer)).toBe(true);
    expect(all.endsWith(secondAnswer)).toBe(true);
    expect(one.stats).toMatchObject({ frames: 3, collisions: 0 });
  });

  test('tells everybody who is connected, as a serial server does', async () => {
    await using one = await line();
    await using asking = await listenTo(one.port);
    await using other = await listenTo(one.port);
    asking.socket.write(first);
    await expect.poll(() => spaced(other.heard())).toBe(firstAnswer);
    expect(spaced(asking.heard())).toBe(firstAnswer);
  });

  test('says nothing to a broken question', async () => {
    await using one = await line();
    await using client = await listenTo(one.port);
    const broken = Buffer.from(first);
    broken[12] = 0x35;
    client.socket.write(Buffer.concat([broken, second]));
    await expect.poll(() => spaced(client.heard())).toBe(secondAnswer);
  });

  test('two meters with one address talk at once, and nothing whole comes of it', async () => {
    await using one = await line();
    one.add(electric('000000000161', 98_765));
    await using client = await listenTo(one.port);
    for (let i = 1; i <= 50; i++) {
      client.socket.write(first);
      await expect.poll(() => client.heard().length, { interval: 2 }).toBe(20 * i);
      expect(hasFrame(client.heard().subarray(-20))).toBe(false);
    }
    expect(one.stats.collisions).toBe(50);
  });

  test('a cut cable carries nothing; joined again it does', async () => {
    await using one = await line();
    await using client = await listenTo(one.port);
    one.cut(true);
    client.socket.write(first);
    await expect.poll(() => one.stats.received).toBe(first.length);
    one.cut(false);
    client.socket.write(second);
    await expect.poll(() => spaced(client.heard()) ?? '').toContain('75 39 45');
    expect(spaced(client.heard())).not.toContain('59 33 33 33');
  });
});

describe('faults', () => {
  const answerTo = async (kind: (typeof meterFaultKinds)[number], ms = 5) => {
    const one = await line();
    one.fault(kind === 'slow' || kind === 'late' || kind === 'doubled' || kind === 'split' ? { kind, ms } : { kind });
    const client = await listenTo(one.port);
    client.socket.write(first);
    return {
      one,
      client,
      async [Symbol.asyncDispose]() {
        await client[Symbol.asyncDispose]();
        await one[Symbol.asyncDispose]();
      },
    };
  };

  test.each(['slow', 'late', 'split'] as const)('%s: the whole answer, in its time', async (kind) => {
    await using run = await answerTo(kind);
    await expect.poll(() => spaced(run.client.heard())).toBe(firstAnswer);
  });

  test('doubled: twice; with noise: behind half a frame of somebody else', async () => {
    await using twice = await answerTo('doubled');
    await expect.poll(() => spaced(twice.client.heard())).toBe(`${firstAnswer} ${firstAnswer}`);
    await using noisy = await answerTo('noise');
    await expect.poll(() => spaced(noisy.client.heard()) ?? '').toContain(firstAnswer);
    expect(noisy.client.heard().length).toBe(25);
  });

  test.each(['garbage', 'truncated', 'checksum', 'collision'] as const)('%s: bytes without a frame', async (kind) => {
    await using run = await answerTo(kind);
    await expect.poll(() => run.client.heard().length).toBeGreaterThan(0);
    expect(hasFrame(run.client.heard())).toBe(false);
    expect(run.one.stats.faults).toEqual({ [kind]: 1 });
  });

  test('stranger: a good answer of another address', async () => {
    await using run = await answerTo('stranger');
    await expect.poll(() => run.client.heard().length).toBe(20);
    const { heard } = hearFrame(run.client.heard());
    expect(heard?.frame.subarray(1, 7)).not.toEqual(first.subarray(1, 7));
  });

  test('reset and close end the connection; half-open leaves one that is dead, and a new one works', async () => {
    for (const kind of ['reset', 'close'] as const) {
      await using run = await answerTo(kind);
      await expect.poll(() => run.client.socket.readyState).not.toBe('open');
    }
    await using run = await answerTo('half-open');
    await expect.poll(() => run.one.stats.faults['half-open']).toBe(1);
    run.one.fault(null);
    run.client.socket.write(first);
    await using again = await listenTo(run.one.port);
    again.socket.write(second);
    await expect.poll(() => spaced(again.heard())).toBe(secondAnswer);
    expect([run.client.heard().length, run.client.socket.readyState]).toEqual([0, 'open']);
  });

  test('are given to one meter, and taken back, while all runs', async () => {
    await using one = await line();
    one.fault({ kind: 'silent' }, '000000000161');
    await using client = await listenTo(one.port);
    client.socket.write(Buffer.concat([first, second]));
    await expect.poll(() => spaced(client.heard())).toBe(secondAnswer);
    one.fault(null, '000000000161');
    client.socket.write(first);
    await expect.poll(() => spaced(client.heard())).toBe(`${secondAnswer} ${firstAnswer}`);
  });

  test('mixed by a seed are the same every time, and as many as was asked for', () => {
    const series = () => {
      const mix = faultMix({ seed: 7, share: 0.05, kinds: meterFaultKinds, ms: 100 });
      return Array.from({ length: 20_000 }, (_, i) => mix(i + 1)?.kind ?? '');
    };
    const kinds = series();
    expect(series()).toEqual(kinds);
    expect(new Set(kinds).size).toBe(meterFaultKinds.length + 1);
    expect(kinds.filter((kind) => kind !== '').length / kinds.length).toBeCloseTo(0.05, 2);
  });
});

describe('the pace of a line', () => {
  test('2400 8E1: a question and its answer take as long as their bits', async () => {
    const wire = new Wire({ baud: 2_400, bits: 11 });
    expect(wire.duration(20)).toBeCloseTo(91.67, 1);
    await using one = await line({ baud: 2_400, think: 30 });
    await using client = await listenTo(one.port);
    const start = performance.now();
    client.socket.write(Buffer.concat([first, second]));
    await expect.poll(() => client.heard().length, { interval: 5, timeout: 5_000 }).toBe(40);
    const due = 2 * (wire.duration(16) + 30 + wire.duration(20));
    expect(performance.now() - start).toBeGreaterThan(due - 5);
    expect(one.wire.busy).toBeCloseTo(due, 3);
  });
});
