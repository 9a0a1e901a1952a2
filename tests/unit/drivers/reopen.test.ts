import { expect, test, vi } from 'vitest';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import { type Command, type CommandResult, sessionPoint } from '#edge/domain/output.ts';
import type { Sample, Value } from '#edge/domain/reading.ts';
import type { Driver } from '#edge/drivers/driver.ts';
import { startHost } from '#edge/drivers/host.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';

const soon = { timeout: 10_000, interval: 10 };
const device: Device = {
  id: 'thing' as DeviceId,
  name: { zh: '物', en: 'Thing' },
  profile: 'meter/thing',
  protocol: 'thing',
  zone: 'zone' as ZoneId,
  points: [
    {
      name: 'power' as PointName,
      label: { zh: '功率', en: 'Power' },
      type: 'number',
      unit: 'W',
      poll: 'fast',
      deadband: 0,
      staleAfter: 0,
      address: null,
    },
  ],
  address: {},
};

/** A device whose first session hangs for good: only a new one helps. */
function startThing(mode: 'hangs' | 'cannot-open' | 'misconfigured') {
  const sessions: { closed: boolean }[] = [];
  const results: CommandResult[] = [];
  const heard: Sample[] = [];
  let hand: (command: Command) => void = () => {};
  const driver: Driver<unknown> = {
    protocol: 'thing',
    config: {
      parse: (input) => {
        if (mode === 'misconfigured') throw new CodedError('DEVICE_CONFIG', 'address: wrong');
        return input;
      },
    },
    async open() {
      const session = { closed: false };
      const first = sessions.push(session) === 1;
      if (mode === 'cannot-open' && first) throw new Error('no');
      return {
        read: async (points) =>
          points.map(
            ({ name }): Sample =>
              first
                ? { point: name, value: null, quality: 'bad', reason: 'no-communication' }
                : { point: name, value: 7, quality: 'good' },
          ),
        async [Symbol.asyncDispose]() {
          session.closed = true;
        },
      };
    },
    async [Symbol.asyncDispose]() {},
  };
  const host = startHost({
    process: 'fieldbus',
    link: {
      publishSamples: async (_, samples) => void heard.push(...samples),
      publishEvent: async () => {},
      publishHealth: async () => {},
      publishResult: async (result) => void results.push(result),
      onCommand: (handler) => {
        hand = handler;
      },
      onConnect: () => {},
      connected: () => true,
    },
    drivers: [driver],
    devices: [device],
    poll: { fast: 20, normal: 100, slow: 1_000 },
    clock: systemClock,
    log: silentLog,
    instance: 'one',
  });
  const tell = (value: Value) => {
    const now = systemClock.now();
    hand({
      id: newHappeningId(systemClock),
      device: device.id,
      point: sessionPoint as PointName,
      value,
      priority: 5,
      issued: now,
      expires: now + 5_000,
      until: null,
    });
  };
  return { sessions, results, heard, tell, host };
}

test('a device that hangs in its session is told to open a new one, and the old one is closed', async () => {
  const { sessions, results, heard, tell, host } = startThing('hangs');
  await using _ = await host;
  await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ reason: 'no-communication' }), soon);
  tell('reopen');
  await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ value: 7 }), soon);
  expect(results).toMatchObject([{ outcome: 'sent', point: sessionPoint }]);
  expect(sessions).toEqual([{ closed: true }, { closed: false }]);
});

test('one that could not be opened does not wait out its pause', async () => {
  const { heard, tell, host } = startThing('cannot-open');
  await using _ = await host;
  await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ reason: 'no-communication' }), soon);
  tell('reopen');
  await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ value: 7 }), soon);
});

test('what cannot be had as it is configured is refused, and so is another word', async () => {
  const { results, tell, host } = startThing('misconfigured');
  await using _ = await host;
  tell('reopen');
  tell('kick');
  await vi.waitFor(() => expect(results).toHaveLength(2), soon);
  expect(results.map(({ outcome }) => outcome)).toEqual(['refused', 'refused']);
});
