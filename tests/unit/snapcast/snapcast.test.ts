import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '#edge/drivers/driver.ts';
import { parseSnapcastConfig } from '#edge/drivers/snapcast/config.ts';
import { readStatus } from '#edge/drivers/snapcast/status.ts';
import { type SnapcastServer, startSnapcast } from '#edge/simulators/snapcast.ts';
import { dominantTone } from '#edge/simulators/tone.ts';
import { addressOf, type Heard, listen, order, patience, snapRig } from './snap-rig.ts';

const never = new AbortController().signal;
let rig: Awaited<ReturnType<typeof snapRig>>;
let server: SnapcastServer;
let heard: Heard;
let session: Session;
beforeEach(async () => {
  rig = await snapRig();
  server = await startSnapcast({ clients: ['left', 'right'] });
  heard = listen();
  const address = addressOf(server.controlPort, server.streamPort, ['left', 'right']);
  session = await rig.driver.open(rig.device(address), parseSnapcastConfig(address), heard, never);
  await expect.poll(() => heard.states.at(-1), patience).toMatch(/^online/);
});
afterEach(async () => {
  await session[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const write = async (value: string, changes: Parameters<typeof order>[1] = {}) =>
  session.write?.(order(value, changes), never);

/** The strongest tone of the last 200 ms on one channel, Hz. */
function tone(channel: 0 | 1): number | null {
  const bytes = server.recording().subarray(-48_000 * 4 * 0.2);
  const samples = new Int16Array(Math.floor(bytes.length / 4));
  for (let n = 0; n < samples.length; n++) samples[n] = bytes.readInt16LE(n * 4 + channel * 2);
  return dominantTone(samples, 48_000);
}

describe('a stream of a Snapcast server', () => {
  it('takes the sound on both channels at the pace of the clock, from one sound to the next without a gap', async () => {
    expect(await write('low')).toMatchObject({ outcome: 'sent' });
    await expect.poll(() => tone(0), patience).toBeCloseTo(500, -2);
    expect(tone(1)).toBeCloseTo(500, -2);
    const [from, at] = [server.bytes, performance.now()];
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const seconds = (performance.now() - at) / 1_000;
    expect((server.bytes - from) / (48_000 * 4)).toBeGreaterThan(seconds - 0.6);
    expect((server.bytes - from) / (48_000 * 4)).toBeLessThan(seconds + 0.25);
    await write('high');
    await expect.poll(() => tone(0), patience).toBeCloseTo(1_500, -2);
    await expect.poll(() => heard.value('proof'), patience).toBe('acknowledged');
    await write('');
    await expect.poll(() => heard.value('clip'), patience).toBe('');
    const silent = server.bytes;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(server.bytes).toBe(silent);
  });

  it('puts its clients on our stream, and says by name who does not hear it', async () => {
    await expect
      .poll(() => [...server.clients.values()].map(({ stream }) => stream), patience)
      .toEqual(['hall', 'hall']);
    await write('low', { priority: 15 });
    server.change('right', { isMuted: true });
    await expect.poll(() => heard.value('evidence'), patience).toContain('right: muted');
    expect(heard.states.at(-1)).toBe('degraded: right: muted');
    server.change('left', { isConnected: false });
    await expect.poll(() => heard.states.at(-1), patience).toBe('offline: left: not connected; right: muted');
    expect(await write('high')).toMatchObject({ outcome: 'failed', message: 'left: not connected; right: muted' });
    server.change('left', { isConnected: true });
    await expect.poll(() => heard.states.at(-1), patience).toBe('degraded: right: muted');
  });

  it('is heard in an emergency whatever somebody turned down, and his knob is put back', async () => {
    server.change('right', { isMuted: true, volume: 20 });
    await write('evacuation class=fire', { priority: 1 });
    await expect.poll(() => server.clients.get('right'), patience).toMatchObject({ isMuted: false, volume: 100 });
    await expect.poll(() => heard.value('evidence'), patience).toContain('2 of 2');
    await write('');
    await expect.poll(() => server.clients.get('right'), patience).toMatchObject({ isMuted: true, volume: 20 });
  });

  it('ends by itself, and the same hold said again does not play it twice', async () => {
    const hold = { until: null };
    await write('short', hold);
    await expect.poll(() => heard.value('playing'), patience).toBe(true);
    await expect.poll(() => heard.value('playing'), patience).toBe(false);
    const bytes = server.bytes;
    expect(await write('short', hold)).toMatchObject({ message: 'played already' });
    expect(server.bytes).toBe(bytes);
  });

  it('is told to be away by a server that is mute, talks nonsense, or never ends a line, and comes back', async () => {
    for (const fault of ['mute', 'garbage', 'endless'] as const) {
      server.fault = fault;
      await expect.poll(() => heard.states.at(-1), patience).toMatch(/^offline/);
      server.fault = 'none';
      await expect.poll(() => heard.states.at(-1), patience).toMatch(/^online/);
    }
  }, 60_000);
});

describe('what a server says', () => {
  it('is read with care', () => {
    for (const one of [null, [], 'x', { server: null }, { server: { groups: [{}], streams: [] } }])
      expect(readStatus(one)).toBeNull();
    expect(readStatus({ server: { groups: [], streams: [] } })).toMatchObject({ groups: [] });
  });

  it('is asked where the address says, and nowhere else', () => {
    const address = addressOf(1705, 4953);
    expect(parseSnapcastConfig(address)).toMatchObject({ stream: { channels: 2 } });
    expect(() => parseSnapcastConfig({ ...address, control: 4953 })).toThrow(/stream.port/);
    expect(() => parseSnapcastConfig({ ...address, clients: ['a', 'a'] })).toThrow(/clients/);
    expect(() => parseSnapcastConfig({ ...address, host: 'a b' })).toThrow(/host/);
  });
});
