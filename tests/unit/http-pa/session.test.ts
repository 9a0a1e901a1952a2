import { describe, expect, it } from 'vitest';
import type { Sample } from '#edge/domain/reading.ts';
import { parsePaConfig } from '#edge/drivers/http-pa/config.ts';
import { httpPaDriver } from '#edge/drivers/http-pa/driver.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { type HttpPaFault, startHttpPa } from '#edge/simulators/http-pa.ts';
import { addressOf, order, paDevice, passwordFile, zoned } from './rig.ts';

const never = new AbortController().signal;
const patience = { timeout: 20_000, interval: 20 };

async function start(more?: object, password?: string) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startHttpPa());
  const secret = stack.use(await passwordFile(password));
  const driver = stack.use(httpPaDriver({ clock: systemClock, probeEvery: 100 }));
  const told: Sample[] = [];
  const states: string[] = [];
  const sink = {
    sample: (sample: Sample) => void told.push(sample),
    event: () => {},
    health: (state: string, words: string) => void states.push(`${state}: ${words}`),
    count: () => {},
  };
  const device = paDevice(addressOf(server.url, secret.file, more));
  const session = stack.use(await driver.open(device, driver.config.parse(device.address), sink, never));
  const write = session.write?.bind(session);
  if (write === undefined) throw new Error('a loudspeaker can be written');
  return {
    server,
    states,
    tell: (value: string, changes = {}) => write(order(value, changes), never),
    last: (point: string) => told.findLast(({ point: name }) => name === point)?.value,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('a loudspeaker told by HTTP', () => {
  it('plays a clip by the name its server has for it, at the level of the order, and stops', async () => {
    await using it = await start();
    expect(await it.tell('bell level=60')).toMatchObject({ outcome: 'sent' });
    expect([...it.server.playing.values()]).toEqual(['3']);
    await expect.poll(() => [it.last('clip'), it.last('proof')], patience).toEqual(['bell level=60', 'acknowledged']);
    expect(await it.tell('')).toMatchObject({ outcome: 'sent' });
    expect(it.server.done).toEqual(['play  3 60 0', 'stop']);
    expect(it.last('playing')).toBe(false);
  });

  it('does not begin again what is said again, and repeats what is endless', async () => {
    await using it = await start();
    await it.tell('siren loop item=a1');
    await it.tell('siren loop item=a1', { until: systemClock.now() + 60_000 });
    expect(it.server.done).toEqual(['play  7 100 -1']);
  });

  it('is silent at the end of the hold, whoever is gone', async () => {
    await using it = await start();
    await it.tell('siren loop', { until: systemClock.now() + 2_000 });
    expect(it.server.playing.size).toBe(1);
    await expect.poll(() => it.server.playing.size, patience).toBe(0);
  });

  it('is silent when its session ends', async () => {
    await using server = await (async () => {
      await using it = await start();
      await it.tell('siren loop');
      return { done: it.server.done, async [Symbol.asyncDispose]() {} };
    })();
    expect(server.done.at(-1)).toBe('stop');
  });

  it('refuses in words what its server cannot do', async () => {
    await using it = await start();
    for (const [text, words] of [
      ['live:abc', 'live voice'],
      ['bell+siren', 'one clip at a time'],
      ['unknown', 'does not say'],
      ['bell nonsense=1', 'no order'],
    ] as const) {
      const { outcome, message } = await it.tell(text);
      expect([outcome, message]).toEqual(['refused', expect.stringContaining(words)]);
    }
    expect(it.server.done).toEqual([]);
  });

  it('goes on with a new nonce when the old one is too old, asking once more and no more', async () => {
    await using it = await start();
    await it.tell('bell');
    const before = it.server.challenges;
    it.server.forgetNonces();
    expect(await it.tell('siren')).toMatchObject({ outcome: 'sent' });
    // A look at the same time may be challenged too.
    expect(it.server.challenges - before).toBeLessThanOrEqual(2);
  });

  it('does not try a wrong password again and again', async () => {
    await using it = await start(undefined, 'wrong');
    await expect.poll(() => it.states.at(-1), patience).toContain('refuses our login');
    const before = it.server.challenges;
    expect(await it.tell('bell')).toMatchObject({ outcome: 'failed', message: expect.stringContaining('login') });
    expect(it.server.challenges).toBe(before);
  });
});

describe('a zone of a server that says what plays', () => {
  it('says within seconds that it is silent when its server said yes and plays nothing', async () => {
    await using it = await start(zoned);
    it.server.fault = 'lies';
    expect(await it.tell('bell')).toMatchObject({ outcome: 'sent' });
    await expect.poll(() => it.last('evidence'), patience).toContain('was not seen to play');
    expect([it.last('playing'), it.last('clip')]).toEqual([false, '']);
  });

  it('begins an endless clip again when it came to its end', async () => {
    await using it = await start(zoned);
    await it.tell('siren loop');
    await expect.poll(() => it.last('playing'), patience).toBe(true);
    it.server.finish('east wing');
    await expect.poll(() => it.server.done.length, patience).toBe(2);
  });

  it('says again what has surely not begun, until it is taken', async () => {
    await using it = await start(zoned);
    it.server.fault = 'busy';
    expect(await it.tell('bell')).toMatchObject({ outcome: 'failed', message: expect.stringContaining('503') });
    it.server.fault = 'none';
    await expect.poll(() => it.server.done, patience).toEqual(['play east wing 3']);
  });

  it.for<[HttpPaFault, string]>([
    ['mute', 'in time'],
    ['torn', ''],
    ['garbage', 'html'],
    ['huge', 'too long'],
    ['moved', '302'],
    ['refuses', 'terminal offline'],
  ])('does not believe a server that is %s', async ([fault, words]) => {
    await using it = await start(zoned);
    it.server.fault = fault;
    const { outcome, message } = await it.tell('bell');
    expect([outcome, message]).toEqual(['failed', expect.stringContaining(words)]);
    // Nothing good comes from it before it is believed; null while it is not there.
    expect(it.last('clip') ?? '').toBe('');
    expect(it.last('playing') ?? false).toBe(false);
    it.server.fault = 'none';
  });
});

describe('the address of a loudspeaker told by HTTP', () => {
  it.for<[object, string]>([
    [{ preset: 'axsi' }, 'preset'],
    [{}, 'calls'],
    [{ calls: { ...zoned.calls, play: { path: '//elsewhere/play' } } }, 'calls.play.path'],
    [{ calls: { ...zoned.calls, play: { path: '/play/{secret}' } } }, 'calls.play.path'],
  ])('names what is wrong: %j', ([more, key]) => {
    expect(() => parsePaConfig(addressOf('http://192.0.2.32', '/p', more))).toThrow(key);
  });

  it('takes no password and no path in the URL of its server', () => {
    expect(() => parsePaConfig(addressOf('http://a:b@192.0.2.32', '/p'))).toThrow('server.url');
    expect(() => parsePaConfig(addressOf('http://192.0.2.32/x', '/p'))).toThrow('server.url');
  });
});
