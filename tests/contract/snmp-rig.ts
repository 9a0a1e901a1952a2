import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Sample, Value } from '#edge/domain/reading.ts';
import type { Session } from '#edge/drivers/driver.ts';
import { createSnmpDriver } from '#edge/drivers/snmp/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { checkProfileShape } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';

/* One SNMP session on a real socket, with the values of a profile made for the test. */

export interface SnmpRig extends AsyncDisposable {
  readonly session: Session;
  readonly states: string[];
  readonly messages: string[];
  readonly counts: Record<string, number>;
  read(signal?: AbortSignal): Promise<Record<string, Sample>>;
  write(point: string, value: Value): ReturnType<NonNullable<Session['write']>>;
}

export async function openSnmp(values: object, address: object): Promise<SnmpRig> {
  const profile = checkProfileShape({
    profile: 'peer',
    name: { zh: '对端', en: 'Peer' },
    kind: 'switch',
    protocol: 'snmp',
    values,
  });
  const points: readonly Point[] = pointsOf(profile, { fast: 1_000, normal: 1_000, slow: 1_000 });
  const device: Device = {
    id: 'peer' as DeviceId,
    name: { zh: '对端', en: 'Peer' },
    profile: 'switch/peer',
    protocol: 'snmp',
    zone: 'zone' as ZoneId,
    points,
    address,
  };
  const driver = createSnmpDriver({ clock: systemClock });
  const ending = new AbortController();
  const states: string[] = [];
  const messages: string[] = [];
  const counts: Record<string, number> = {};
  const sink = {
    sample: () => {},
    event: () => {},
    health: (state: string, message: string) => {
      states.push(state);
      messages.push(message);
    },
    count: (word: string) => {
      counts[word] = (counts[word] ?? 0) + 1;
    },
  };
  const session = await driver.open(device, driver.config.parse(address), sink, ending.signal);
  return {
    session,
    states,
    messages,
    counts,
    read: async (signal = ending.signal) => {
      const samples = await session.read(points, signal);
      return Object.fromEntries(samples.map((sample) => [sample.point, sample]));
    },
    write: (point, value) => {
      const now = systemClock.now();
      const command: Command = {
        id: newHappeningId(systemClock),
        device: device.id,
        point: point as PointName,
        value,
        priority: 8,
        issued: now,
        expires: now + 10_000,
        until: null,
      };
      if (session.write === undefined) throw new Error('the session takes no commands');
      return session.write(command, ending.signal);
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await session[Symbol.asyncDispose]();
      await driver[Symbol.asyncDispose]();
    },
  };
}
