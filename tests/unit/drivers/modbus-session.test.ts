import { describe, expect, it } from 'vitest';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import type { SimUnit } from '#edge/simulators/modbus-server.ts';
import { relayUnit } from '#edge/simulators/modbus-units.ts';
import { makeRig, registers, shape } from './modbus-rig.ts';

const never = new AbortController().signal;
const shelf = await loadProfiles(new URL('../../../device-profiles', import.meta.url).pathname);

describe('reading', () => {
  it('splits a block the device refuses, and remembers where', async () => {
    const profile = shape({ a: { at: 0 }, b: { at: 10 }, c: { at: 11 } });
    await using rig = await makeRig(profile, registers([5]));
    expect(await rig.values()).toEqual({
      a: [0, 'good', undefined],
      b: [10, 'good', undefined],
      c: [11, 'good', undefined],
    });
    expect(rig.asked).toEqual(['3:0+12', '3:0+1', '3:10+2']);
    rig.asked.length = 0;
    await rig.values();
    expect(rig.asked).toEqual(['3:0+1', '3:10+2']);
  });

  it('marks a value the device does not know as a configuration error and stops asking for it', async () => {
    const profile = shape({ a: { at: 0 }, b: { at: 1 }, c: { at: 2 } });
    await using rig = await makeRig(profile, registers([1]));
    expect((await rig.values()).b).toEqual([null, 'bad', 'configuration-error']);
    expect((await rig.values()).c).toEqual([2, 'good', undefined]);
    rig.asked.length = 0;
    expect((await rig.values()).b).toEqual([null, 'bad', 'configuration-error']);
    expect(rig.asked).toEqual(['3:0+1', '3:2+1']);
    expect(rig.states.at(-1)).toMatch(/^degraded: 1 values: .*exception 2/);
  });

  it('learns that a device takes only short reads', async () => {
    const values = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`v${i}`, { at: i }]));
    await using rig = await makeRig(shape(values), registers([], 16));
    const first = await rig.values();
    expect(Object.values(first).every(([, quality]) => quality === 'good')).toBe(true);
    rig.asked.length = 0;
    await rig.values();
    expect(rig.asked).toHaveLength(4);
  });

  it('asks a busy device again, a broken one not', async () => {
    await using rig = await makeRig(shape({ a: { at: 0 } }), registers([]));
    let busy = 2;
    rig.fault = () => (busy-- > 0 ? { kind: 'exception', code: 6 } : null);
    expect((await rig.values()).a).toEqual([0, 'good', undefined]);
    rig.fault = () => ({ kind: 'exception', code: 4 });
    rig.asked.length = 0;
    expect((await rig.values()).a).toEqual([null, 'bad', 'device-failure']);
    expect(rig.asked).toHaveLength(1);
  });

  it('skips the rest of a device after one silence', async () => {
    const profile = shape({ a: { at: 0 }, b: { at: 500 }, c: { at: 1000 } });
    await using rig = await makeRig(profile, registers([]));
    rig.fault = () => ({ kind: 'dropped' });
    const values = await rig.values();
    expect(Object.values(values).map(([, , reason]) => reason)).toEqual(Array(3).fill('no-communication'));
    expect(rig.asked).toHaveLength(1);
  });
});

describe('the plausibility checks of a profile', () => {
  const values = {
    hz: { at: 0, scale: 0.01, unit: 'Hz' },
    p_l: { at: 1, phases: 3, unit: 'W' },
    p: { at: 4, unit: 'W' },
    other: { at: 9 },
  };
  const check = [
    { value: 'hz', in: [45, 65] },
    { sum: ['p_l1', 'p_l2', 'p_l3'], near: 'p', within: '3%' },
  ];

  it('keep everything uncertain until they pass once', async () => {
    const image = [0, 100, 200, 300, 600, 0, 0, 0, 0, 7];
    const unit: SimUnit = {
      read: (_table, at, count) => {
        const bytes = Buffer.alloc(2 * count);
        for (let i = 0; i < count; i++) bytes.writeUInt16BE(image[at + i] ?? 0, 2 * i);
        return bytes;
      },
      write: () => 0,
    };
    await using rig = await makeRig(shape(values, { check }), unit);
    // Only `other` is asked for; what the checks need is read along, and not told.
    expect(await rig.values(['other'])).toEqual({ other: [7, 'uncertain', 'not-accurate'] });
    expect(rig.states).toEqual(['degraded: the device does not look like its profile: hz is 0, expected 45 to 65']);
    image[0] = 5000;
    image[4] = 900;
    expect(await rig.values(['other'])).toEqual({ other: [7, 'uncertain', 'not-accurate'] });
    image[4] = 610;
    expect(await rig.values(['other'])).toEqual({ other: [7, 'good', undefined] });
    image[0] = 0;
    expect(await rig.values(['other'])).toEqual({ other: [7, 'good', undefined] });
    expect(rig.states.at(-1)).toBe('online: answers');
  });
});

describe('writing', () => {
  const relay = shelf.profiles.get('relay/waveshare-relay-8');
  if (relay === undefined) throw new Error('no relay profile');

  it('proves a relay by reading it back, and says the new state at once', async () => {
    const channels = new Array<boolean>(8).fill(false);
    await using rig = await makeRig(relay, relayUnit(channels));
    expect(await rig.write('relay_2', true)).toMatchObject({ outcome: 'done', value: true });
    expect(channels[1]).toBe(true);
    expect(rig.told).toEqual([{ point: 'relay_2', value: true, quality: 'good' }]);
    expect(rig.asked).toEqual(['5:1+1', '1:0+8']);
  });

  it('does not believe an acknowledgement: a stuck relay is a mismatch, after one more try', async () => {
    const stuck: SimUnit = { read: () => Buffer.from([0]), write: () => 0 };
    await using rig = await makeRig(relay, stuck);
    expect(await rig.write('relay_1', true)).toMatchObject({ outcome: 'mismatch', value: false });
    expect(rig.asked.filter((request) => request === '5:0+1')).toHaveLength(2);
  }, 15_000);

  it('is done when the answer was lost but the relay moved', async () => {
    const channels = new Array<boolean>(8).fill(false);
    await using rig = await makeRig(relay, relayUnit(channels));
    let lost = false;
    rig.fault = ({ fc }) => {
      if (fc !== 5 || lost) return null;
      lost = true;
      return { kind: 'dropped' };
    };
    expect(await rig.write('relay_4', true)).toMatchObject({ outcome: 'done', value: true });
  });

  it('keeps the pause between two writes, and refuses what would be too late by then', async () => {
    const channels = new Array<boolean>(8).fill(false);
    await using rig = await makeRig(relay, relayUnit(channels));
    await rig.write('relay_1', true);
    const started = systemClock.monotonic();
    expect(await rig.write('relay_1', false, systemClock.now() + 100)).toMatchObject({ outcome: 'refused' });
    expect(channels[0]).toBe(true);
    expect(await rig.write('relay_1', false)).toMatchObject({ outcome: 'done', value: false });
    // Written once a second at most; the read-back of the first took 300 ms of it.
    expect(systemClock.monotonic() - started).toBeGreaterThan(500);
  });

  it('does not tell what a poll saw before the write', async () => {
    const channels = new Array<boolean>(8).fill(false);
    await using rig = await makeRig(relay, relayUnit(channels));
    rig.fault = ({ fc }) => (fc === 1 ? { kind: 'late', ms: 100 } : null);
    const poll = rig.session.read(rig.points, never);
    const write = rig.write('relay_1', true);
    const samples = await poll;
    await write;
    const later = await rig.session.read(rig.points, never);
    // The poll was asked before the write: whatever it says of relay_1 must not come after the write's own read-back.
    expect(samples.find(({ point }) => point === 'relay_1')?.value).not.toBe(true);
    expect(later.find(({ point }) => point === 'relay_1')?.value).toBe(true);
  });

  it('writes registers within their range and steps', async () => {
    const profile = shape(
      {
        set: {
          at: 5,
          as: 's16',
          scale: 0.01,
          unit: '°C',
          write: { range: [16, 30], step: 0.5, verify: { after: '10ms' } },
        },
      },
      { test: [{ value: 'set', hex: '0866', is: 21.5, write: true }] },
    );
    const memory = Buffer.alloc(20);
    const unit: SimUnit = {
      read: (_table, at, count) => Buffer.from(memory.subarray(2 * at, 2 * (at + count))),
      write: (at, values) => {
        if (!Buffer.isBuffer(values)) return 2;
        values.copy(memory, 2 * at);
        return 0;
      },
    };
    await using rig = await makeRig(profile, unit);
    expect(await rig.write('set', 21.5)).toMatchObject({ outcome: 'done', value: 21.5 });
    expect(memory.readInt16BE(10)).toBe(2150);
    expect(await rig.write('set', 35)).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('16 to 30'),
    });
    expect(await rig.write('set', 21.3)).toMatchObject({ outcome: 'refused', message: expect.stringContaining('0.5') });
    expect(await rig.write('set', true)).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('number'),
    });
  });
});
