import { describe, expect, it } from 'vitest';
import { parseSnapcastConfig } from '#edge/drivers/snapcast/config.ts';
import { LastSeen } from '#edge/drivers/snapcast/last-seen.ts';
import type { SnapClient } from '#edge/drivers/snapcast/status.ts';
import { startSnapcast } from '#edge/simulators/snapcast.ts';
import { addressOf, listen, order, patience, snapRig } from './snap-rig.ts';

const client = (id: string, seen: string, isConnected = true): SnapClient => ({
  ...{ id, seen, isConnected, name: id, isMuted: false, volume: 100 },
});

describe('a client that says no good-bye', () => {
  it('is silent when the server, which heard it each second, has not for 2.5 s', () => {
    const last = new LastSeen();
    for (let second = 0; second < 4; second++) last.take([client('left', `${second}`)], second * 1_000);
    last.take([client('left', '3')], 5_400);
    expect(last.isSilent('left')).toBe(false);
    last.take([client('left', '3')], 5_500);
    expect(last.isSilent('left')).toBe(true);
    last.take([client('left', '6')], 5_600);
    expect(last.isSilent('left')).toBe(false);
  });

  it('is not accused where the server keeps no time of it, or says that it is gone', () => {
    const last = new LastSeen();
    for (const now of [0, 5_000, 60_000]) last.take([client('left', '7'), client('right', '')], now);
    expect(last.isSilent('left')).toBe(false);
    expect(last.isSilent('right')).toBe(false);
    last.take([client('left', '8')], 61_000);
    last.take([client('left', '8', false)], 70_000);
    expect(last.isSilent('left')).toBe(false);
    // Back with an old word: that is where its time begins.
    last.take([client('left', '8')], 80_000);
    expect(last.isSilent('left')).toBe(false);
  });
});

describe('a spare stream', () => {
  it('is another one, at a port of its own', () => {
    const address = addressOf(1705, 4953);
    expect(parseSnapcastConfig({ ...address, spare: { name: 'cut', port: 4954 } })).toMatchObject({
      spare: { port: 4954 },
    });
    for (const port of [4953, 1705])
      expect(() => parseSnapcastConfig({ ...address, spare: { name: 'cut', port } })).toThrow(/spare.port/);
    expect(() => parseSnapcastConfig({ ...address, spare: { name: 'hall', port: 4954 } })).toThrow(/spare.name/);
  });

  it('that the server does not have is named, and the sound is played all the same', async () => {
    await using rig = await snapRig();
    await using server = await startSnapcast();
    const address = { ...addressOf(server.controlPort, server.streamPort), spare: { name: 'cut', port: 1 } };
    const heard = listen();
    await using session = await rig.driver.open(
      rig.device(address),
      parseSnapcastConfig(address),
      heard,
      new AbortController().signal,
    );
    await expect
      .poll(() => heard.states.at(-1), patience)
      .toBe('degraded: sounds are not cut: the server has no stream cut');
    const write = (value: string) => session.write?.(order(value), new AbortController().signal);
    expect(await write('low')).toMatchObject({ outcome: 'sent' });
    await expect.poll(() => heard.value('proof'), patience).toBe('acknowledged');
    const bytes = server.bytes;
    expect(await write('high')).toMatchObject({ outcome: 'sent' });
    await expect.poll(() => server.bytes, patience).toBeGreaterThan(bytes + 48_000);
    expect(server.clients.get('left')).toMatchObject({ stream: 'hall' });
  });
});
