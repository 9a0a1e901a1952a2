import { expect, test } from 'vitest';
import type { GatehouseCore } from './gatehouse-core.ts';
import { lin, startGatehouse, wang } from './gatehouse-core.ts';
import { type FakeDriver, temporaryData, until } from './safety-core.ts';

/* What a bad contact, a bad moment and two people at once do to the one-key alarm. */

const source = 'interlock:panic.gatehouse';
const reset = (at: GatehouseCore, person = lin) =>
  at.rpc.call('emergency.reset', { id: 'gatehouse', outcome: 'test', reason: 'tried', ...person }) as Promise<{
    reset: boolean;
    incident: { id: string } | null;
  }>;
const samples = (at: GatehouseCore, ...s: readonly unknown[][]) =>
  at.loop.publishAsync('v1/in/loop-gate/samples', JSON.stringify({ s }), { qos: 1 });
const sounds = async (at: GatehouseCore, speaker: FakeDriver) => {
  await until(() => expect(speaker.told('speaker-gate').at(-1)).toBe('evacuation'));
  await until(() => expect(at.core.alarms.get(source)).toMatchObject({ active: true, class: 'critical' }));
};
const ended = async (at: GatehouseCore, speaker: FakeDriver) => {
  await at.line('normal');
  await until(() => expect(at.core.readings.get('loop-gate/line')).toMatchObject({ value: 'normal' }));
  expect((await reset(at)).reset).toBe(true);
  await until(() => expect(speaker.told('speaker-gate').at(-1)).toBe(''));
};

test('a press is heard however short it was, out of whatever state of the line, and within one message', async () => {
  using data = temporaryData();
  await using at = await startGatehouse({ data: data.path });
  const speaker = await at.core.drive('broadcast');
  const presses: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['in the first message ever', () => at.line('alarm')],
    ['out of a cut wire', async () => [await at.line('open'), await at.line('alarm')]],
    [
      'after nonsense',
      async () => [await samples(at, ['line', null, 'bad', 'device-failure']), await at.line('alarm')],
    ],
    ['and let go at once', async () => [await at.line('alarm'), await at.line('normal')]],
    ['and let go within one message', () => samples(at, ['line', 'alarm'], ['line', 'normal'])],
    ['and the wire cut at once', () => samples(at, ['line', 'alarm'], ['line', 'open'])],
  ];
  for (const [what, press] of presses) {
    const before = at.reader.incidents({ limit: 50 }).length;
    await press();
    await sounds(at, speaker).catch((error: unknown) => {
      throw new Error(`not heard: a press ${what}`, { cause: error });
    });
    await until(() => expect(at.reader.incidents({ limit: 50 })).toHaveLength(before + 1));
    await ended(at, speaker);
  }
}, 120_000);

test('a contact that flaps fifty times a second is one alarm, and one more after each time somebody ended it', async () => {
  using data = temporaryData();
  await using at = await startGatehouse({ data: data.path });
  const speaker = await at.core.drive('broadcast');
  let isOver = false;
  const flapping = (async () => {
    for (let i = 0; !isOver; i++) {
      await at.line(i % 2 === 0 ? 'alarm' : 'normal');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await sounds(at, speaker);
  let resets = 0;
  for (let i = 0; i < 40; i++) if ((await reset(at)).reset) resets++;
  isOver = true;
  await flapping;
  await at.line('alarm');
  await sounds(at, speaker);
  const incidents = at.reader.incidents({ limit: 500 });
  expect(resets).toBeGreaterThan(0);
  expect(incidents.filter(({ state }) => state === 'escalated')).toHaveLength(1);
  expect(incidents.length).toBeLessThanOrEqual(resets + 1);
  await ended(at, speaker);
}, 120_000);

test('ended by two people at once it is ended once, and pressed in that very moment it sounds', async () => {
  using data = temporaryData();
  await using at = await startGatehouse({ data: data.path });
  const speaker = await at.core.drive('broadcast');
  await at.line('alarm');
  await sounds(at, speaker);
  await at.line('normal');
  await until(() => expect(at.core.readings.get('loop-gate/line')).toMatchObject({ value: 'normal' }));
  const both = await Promise.all([reset(at), reset(at, wang)]);
  expect(both.filter(({ incident }) => incident !== null)).toHaveLength(1);
  for (let i = 0; i < 10; i++) {
    await at.line('alarm');
    await sounds(at, speaker);
    await at.line('normal');
    await Promise.all([reset(at), at.line('alarm'), reset(at, wang)]);
    // Whichever was first: it is pressed now.
    await sounds(at, speaker);
    expect(at.reader.incidents({ states: ['escalated', 'claimed'], limit: 9 })).toHaveLength(1);
    await ended(at, speaker);
  }
}, 120_000);
