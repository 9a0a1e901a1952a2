import { describe, expect, test } from 'vitest';
import { parseOnvifConfig } from '#edge/drivers/onvif/config.ts';
import { createFoundMethods } from '#edge/processes/core/found-methods.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { InboxLine } from '#edge/store/reader.ts';
import { createSuggester } from '#edge/web/inbox/suggest.ts';

const camera = {
  key: 'onvif/5f5a69c2-e0ae-504f-829b-00fcdc1b7b0e',
  ...{ host: '10.0.3.7', port: 8000, path: '/onvif/device_service', maker: 'Lan Tian', model: 'LT-8' },
  ...{ fingerprint: null, endpoint: '5f5a69c2-e0ae-504f-829b-00fcdc1b7b0e' },
};

function core() {
  const batches: Batch[] = [];
  const clock = new ManualClock(1_800_000_000_000);
  const methods = createFoundMethods({ commit: async (batch) => void batches.push(batch), clock });
  return { batches, clock, found: async (params: unknown) => methods['device.found']?.(params) };
}

async function lineOf(params: object): Promise<InboxLine> {
  const { batches, found } = core();
  await found(params);
  const [entry] = batches[0]?.inbox ?? [];
  if (entry === undefined) throw new Error('nothing came into the inbox');
  const { time, ...rest } = entry;
  return { ...rest, count: 1, first: time, last: time };
}

const suggest = createSuggester([], [], new Set(['lan-tian-lt-8']));

describe('a camera that was found', () => {
  test('is in the inbox with a sentence, and its form lacks nothing but who may log in', async () => {
    const line = await lineOf(camera);
    expect(line).toMatchObject({ kind: 'unknown-device', client: 'camera', key: camera.key });
    expect(line.message).toBe('a camera that is not in the site file answers at 10.0.3.7:8000 (Lan Tian LT-8)');
    const suggestion = suggest(line);
    expect(suggestion).toEqual({
      id: 'lan-tian-lt-8-2',
      profile: 'camera/onvif-generic',
      address: { host: '10.0.3.7', port: 8000, username: '', password: '' },
    });
    const given = { ...suggestion?.address, username: 'campus', password: 'x' };
    expect(parseOnvifConfig(given)).toMatchObject({ host: '10.0.3.7', port: 8000, path: '/onvif/device_service' });
  });

  test('with TLS, IPv6 and a path of its own keeps all three', async () => {
    const fingerprint = 'AA:'.repeat(31).concat('AA');
    const line = await lineOf({ ...camera, host: 'fe80::1%eth0', path: '/dev', fingerprint, maker: '', model: '' });
    const suggestion = suggest(line);
    expect(suggestion?.id).toBe('camera');
    expect(parseOnvifConfig({ ...suggestion?.address, username: 'a', password: 'b' })).toMatchObject({
      ...{ host: '[fe80::1%eth0]', path: '/dev', tls: { fingerprint } },
    });
  });

  test.each([
    { ...camera, key: 'zigbee2mqtt/x' },
    { ...camera, key: 'onvif/a b' },
    { ...camera, extra: 1 },
    { ...camera, port: 0 },
  ])('is refused when it is said wrongly: %o', async (wrong) => {
    await expect(core().found(wrong)).rejects.toThrow();
  });

  test('is refused when there are more than anybody could look at', async () => {
    const { batches, clock, found } = core();
    for (let i = 0; i < 200; i++) await found({ ...camera, key: `onvif/camera-${i}` });
    await expect(found(camera)).rejects.toThrow(/more cameras than anybody/);
    clock.advance(1_000);
    await found(camera);
    expect(batches).toHaveLength(201);
  });

  test.each(['not json', '{"host":1}', '{"host":"10.0.0.1"'])('without sense (%s) suggests nothing', (excerpt) => {
    const line = { kind: 'unknown-device', client: 'camera', topic: '', key: 'onvif/x', message: '', excerpt };
    expect(suggest({ ...line, count: 1, first: 0, last: 0 })).toBeNull();
  });
});
