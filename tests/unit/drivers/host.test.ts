import { describe, expect, it, vi } from 'vitest';
import type { Device, Point } from '#edge/domain/device.ts';
import type { ProcessHealth } from '#edge/domain/health.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { Driver, DriverEvent, Session, Sink } from '#edge/drivers/driver.ts';
import type { Host, HostLink, HostOptions } from '#edge/drivers/host.ts';
import { startHost } from '#edge/drivers/host.ts';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { startModbusCampus } from '#edge/simulators/modbus.ts';

const poll = { fast: 100, normal: 200, slow: 1_000 };
const patience = { timeout: 15_000, interval: 20 };
const shelf = await loadProfiles(new URL('../../../device-profiles', import.meta.url).pathname);

/** The bus as a host sees it, in memory: what was published, and a switch that takes it away. */
class FakeLink implements HostLink {
  readonly samples: { device: string; samples: readonly Sample[]; time: number }[] = [];
  readonly events: { device: string; event: DriverEvent }[] = [];
  readonly healths: { health: ProcessHealth; at: number }[] = [];
  readonly results: CommandResult[] = [];
  #away = false;
  #command: (command: Command) => void = () => {};
  #connect: () => void = () => {};

  async publishSamples(device: DeviceId, samples: readonly Sample[], time: number): Promise<void> {
    this.#check();
    this.samples.push({ device, samples, time });
  }

  async publishEvent(device: DeviceId, event: DriverEvent): Promise<void> {
    this.#check();
    this.events.push({ device, event });
  }

  async publishHealth(health: ProcessHealth): Promise<void> {
    this.#check();
    this.healths.push({ health, at: systemClock.monotonic() });
  }

  async publishResult(result: CommandResult): Promise<void> {
    this.#check();
    this.results.push(result);
  }

  onCommand(handler: (command: Command) => void): void {
    this.#command = handler;
  }

  onConnect(handler: () => void): void {
    this.#connect = handler;
  }

  connected(): boolean {
    return !this.#away;
  }

  command(command: Command): void {
    this.#command(command);
  }

  setAway(away: boolean): void {
    this.#away = away;
    if (!away) this.#connect();
  }

  last(device: string, point: string): Sample | undefined {
    const all = this.samples.filter((message) => message.device === device).flatMap((message) => message.samples);
    return all.findLast((sample) => sample.point === point);
  }

  #check(): void {
    if (this.#away) throw new CodedError('BUS_AWAY', 'no connection');
  }
}

const point = (name: string, more: Partial<Point> = {}): Point => ({
  name: name as PointName,
  label: { zh: name, en: name },
  type: 'number',
  unit: '1',
  poll: 'fast',
  deadband: 0,
  staleAfter: 10_000,
  address: {},
  ...more,
});

const device = (id: string, more: Partial<Device> = {}): Device => ({
  id: id as DeviceId,
  name: { zh: id, en: id },
  profile: 'x/y',
  protocol: 'test',
  zone: 'z' as ZoneId,
  points: [point('a'), point('b', { poll: 'normal' })],
  address: {},
  ...more,
});

interface Behaviour {
  read?(points: readonly Point[], sink: Sink): Promise<readonly Sample[]> | readonly Sample[];
  write?: Session['write'];
  opened?(sink: Sink, signal: AbortSignal): void;
}

const good = (points: readonly Point[]): Sample[] =>
  points.map(({ name }) => ({ point: name, value: 1, quality: 'good' }));
const silent = (points: readonly Point[]): Sample[] =>
  points.map(({ name }) => ({ point: name, value: null, quality: 'bad', reason: 'no-communication' }));

/** A protocol without a wire: each device does what its test says. */
function testDriver(behaviours: Record<string, Behaviour>): Driver<unknown> {
  return {
    protocol: 'test',
    config: {
      parse(input) {
        if (typeof input === 'object' && input !== null && 'wrong' in input) {
          throw new CodedError('DEVICE_CONFIG', 'address.wrong: unknown key');
        }
        return input;
      },
    },
    async open(opened, _config, sink, signal) {
      const behaviour = behaviours[opened.id] ?? {};
      behaviour.opened?.(sink, signal);
      return {
        read: async (points) => behaviour.read?.(points, sink) ?? good(points),
        ...(behaviour.write === undefined ? {} : { write: behaviour.write }),
        async [Symbol.asyncDispose]() {},
      };
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function hostOf(
  link: HostLink,
  devices: readonly Device[],
  driver: Driver<unknown>,
  more: Partial<HostOptions> = {},
): Promise<Host> {
  return startHost({
    process: 'fieldbus',
    link,
    drivers: [driver],
    devices,
    poll,
    clock: systemClock,
    log: silentLog,
    instance: 'instance-1',
    ...more,
  });
}

const commandFor = (id: string, more: Partial<Command> = {}): Command => ({
  id: newHappeningId(systemClock),
  device: id as DeviceId,
  point: 'a' as PointName,
  value: 2,
  priority: 8,
  issued: systemClock.now(),
  expires: systemClock.now() + 5_000,
  until: null,
  ...more,
});
const stateOf = (host: Host, id: string) => host.health().devices.find((entry) => entry.device === id)?.state;

describe('a host', () => {
  it('polls each class at its own pace, with one message per device and poll', async () => {
    const link = new FakeLink();
    await using host = await hostOf(link, [device('d1')], testDriver({}));
    await vi.waitFor(() => expect(link.samples.length).toBeGreaterThan(6), patience);
    const counts = { a: 0, b: 0 };
    for (const { samples } of link.samples) for (const { point: name } of samples) counts[name === 'a' ? 'a' : 'b']++;
    expect(counts.a).toBeGreaterThan(counts.b);
    expect(link.samples.some(({ samples }) => samples.length === 2)).toBe(true);
    expect(stateOf(host, 'd1')).toBe('online');
  });

  it('shows a wrong address as misconfigured, naming the key, and runs the others', async () => {
    const link = new FakeLink();
    const broken = [{ device: 'd3', message: 'profile x/z: there is no such profile' }];
    const devices = [device('d1', { address: { wrong: 1 } }), device('d2')];
    await using host = await hostOf(link, devices, testDriver({}), { broken });
    await vi.waitFor(() => expect(stateOf(host, 'd2')).toBe('online'), patience);
    expect(host.health().devices[0]).toMatchObject({ state: 'misconfigured', message: 'address.wrong: unknown key' });
    expect(host.health().devices[2]).toMatchObject({ device: 'd3', state: 'misconfigured' });
    expect(link.last('d1', 'a')).toMatchObject({ quality: 'bad', reason: 'configuration-error' });
  });

  it('leaves a silent device alone but for one probe, and takes it back when it answers', async () => {
    const link = new FakeLink();
    const asked: number[] = [];
    let isAlive = false;
    const driver = testDriver({
      d1: {
        read: (points) => {
          asked.push(points.length);
          return isAlive ? good(points) : silent(points);
        },
      },
    });
    await using host = await hostOf(link, [device('d1'), device('d2')], driver);
    await vi.waitFor(() => expect(stateOf(host, 'd1')).toBe('offline'), patience);
    await vi.waitFor(() => expect(asked.at(-1)).toBe(1), patience);
    expect(link.last('d1', 'b')).toMatchObject({ value: null, quality: 'bad', reason: 'no-communication' });
    const before = link.samples.filter((message) => message.device === 'd1').length;
    const others = link.samples.filter((message) => message.device === 'd2').length;
    await vi.waitFor(
      () => expect(link.samples.filter((message) => message.device === 'd2').length).toBeGreaterThan(others + 5),
      patience,
    );
    // Silence is said once, not at every probe.
    expect(link.samples.filter((message) => message.device === 'd1').length).toBe(before);
    isAlive = true;
    await vi.waitFor(() => expect(link.last('d1', 'b')).toMatchObject({ quality: 'good' }), patience);
    expect(stateOf(host, 'd1')).toBe('online');
  });

  it('is not stopped by a session that throws or never answers', async () => {
    const link = new FakeLink();
    const driver = testDriver({
      d1: { read: () => Promise.reject(new Error('boom')) },
      d2: { read: () => new Promise(() => {}) },
    });
    await using host = await hostOf(link, [device('d1'), device('d2'), device('d3')], driver);
    await vi.waitFor(() => expect(link.last('d3', 'a')?.quality).toBe('good'), patience);
    await vi.waitFor(() => expect(link.last('d1', 'a')?.reason).toBe('communication-error'), patience);
    expect(host.health().devices[0]?.counters['read-failed']).toBeGreaterThan(0);
    // The one that never answers would hold its disposal for a minute; the host gives it 8 seconds.
  }, 30_000);

  it('keeps what it read while the bus is away, with its time, drops the oldest, and says so', async () => {
    const link = new FakeLink();
    await using host = await hostOf(link, [device('d1', { points: [point('a')] })], testDriver({}), { sampleRing: 3 });
    await vi.waitFor(() => expect(link.samples.length).toBeGreaterThan(0), patience);
    link.setAway(true);
    const dropped = () => host.health().devices[0]?.counters['dropped-sample'] ?? 0;
    await vi.waitFor(() => expect(dropped()).toBeGreaterThan(2), patience);
    const [before, back] = [link.samples.length, systemClock.now()];
    link.setAway(false);
    await vi.waitFor(() => expect(link.samples.length).toBeGreaterThanOrEqual(before + 3), patience);
    const kept = link.samples.slice(before, before + 3);
    for (const { time } of kept) expect(time).toBeLessThanOrEqual(back);
    await vi.waitFor(() => expect(link.events.map(({ event }) => event.type)).toContain('samples_lost'), patience);
    expect(link.events[0]?.event.data.count).toBeGreaterThan(2);
  });

  it('sends an event again until the bus has taken it, once, with its id', async () => {
    const link = new FakeLink();
    let tell: (event: DriverEvent) => void = () => {};
    const driver = testDriver({
      d1: {
        opened: (sink) => {
          tell = (event) => sink.event(event);
        },
      },
    });
    await using _host = await hostOf(link, [device('d1', { points: [] })], driver);
    await vi.waitFor(() => expect(tell).toBeTypeOf('function'));
    link.setAway(true);
    const id = newHappeningId(systemClock);
    await vi.waitFor(() => tell({ id, type: 'motion', time: systemClock.now(), data: {} }));
    expect(link.events).toHaveLength(0);
    link.setAway(false);
    await vi.waitFor(() => expect(link.events.map(({ event }) => event.id)).toEqual([id]), patience);
  });

  it('says watched values again when the bus comes back, with the time they were true', async () => {
    const link = new FakeLink();
    const driver = testDriver({
      d1: { opened: (sink) => sink.sample({ point: 'w' as PointName, value: true, quality: 'good' }) },
    });
    const watched = device('d1', { points: [point('w', { type: 'boolean', poll: 'watch' })] });
    await using _host = await hostOf(link, [watched], driver);
    await vi.waitFor(() => expect(link.samples).toHaveLength(1), patience);
    const first = link.samples[0]?.time ?? 0;
    link.setAway(true);
    link.setAway(false);
    await vi.waitFor(() => expect(link.samples.length).toBeGreaterThan(1), patience);
    expect(link.samples.at(-1)?.samples[0]?.sourceTime).toBe(first);
  });

  it('publishes health at each transition, at most once a second', async () => {
    const link = new FakeLink();
    let flip = 0;
    const driver = testDriver({
      d1: {
        read: (points, sink) => {
          sink.health(flip++ % 2 === 0 ? 'degraded' : 'online', `change ${flip}`);
          return good(points);
        },
      },
    });
    await using _host = await hostOf(link, [device('d1')], driver);
    await vi.waitFor(() => expect(link.healths.length).toBeGreaterThan(3), patience);
    const gaps = link.healths.slice(1).map(({ at }, i) => at - (link.healths[i]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(900);
    expect(link.healths[0]?.health).toMatchObject({ process: 'fieldbus', instance: 'instance-1', state: 'ready' });
  });
});

describe('commands', () => {
  it('are done once, in order, and answered with what came of them', async () => {
    const link = new FakeLink();
    const done: unknown[] = [];
    const write = async (command: Command): Promise<CommandResult> => {
      done.push(command.value);
      const { id, device: to, point: at } = command;
      return { id, device: to, point: at, outcome: 'done', value: command.value, time: systemClock.now() };
    };
    await using host = await hostOf(link, [device('d1')], testDriver({ d1: { write } }));
    await vi.waitFor(() => expect(stateOf(host, 'd1')).toBe('online'), patience);
    const first = commandFor('d1', { value: 1 });
    link.command(first);
    link.command(first);
    link.command(commandFor('d1', { value: 2 }));
    await vi.waitFor(() => expect(link.results).toHaveLength(2), patience);
    expect(done).toEqual([1, 2]);
    link.command(first);
    await vi.waitFor(() => expect(link.results).toHaveLength(3), patience);
    expect(link.results[2]?.id).toBe(first.id);
    expect(done).toEqual([1, 2]);
  });

  it.each([
    ['expired', 'd1', { expires: 1 }, 'expired'],
    ['for an unknown device', 'nobody', {}, 'refused'],
    ['for a device that takes none', 'd2', {}, 'refused'],
    ['for a device that is not open', 'd3', {}, 'failed'],
  ] as const)('that are %s are answered and not done', async (_name, id, more, outcome) => {
    const link = new FakeLink();
    const write = vi.fn<NonNullable<Session['write']>>();
    const devices = [device('d1'), device('d2'), device('d3', { address: { wrong: 1 } })];
    await using host = await hostOf(link, devices, testDriver({ d1: { write }, d3: { write } }));
    await vi.waitFor(() => expect(stateOf(host, 'd2')).toBe('online'), patience);
    const command = commandFor(id, more);
    link.command(command);
    await vi.waitFor(() => expect(link.results).toHaveLength(1), patience);
    expect(link.results[0]).toMatchObject({ id: command.id, outcome });
    expect(link.results[0]?.message).toBeTruthy();
    expect(write).not.toHaveBeenCalled();
  });
});

describe('a whole Modbus campus behind a host', () => {
  it('delivers values, switches a relay, and the meter feels it', async () => {
    const { profiles } = shelf;
    const link = new FakeLink();
    await using campus = await startModbusCampus({ clock: systemClock, host: '::1', tcpPort: 0, rtuPort: 0, profiles });
    const modbus = (id: string, profile: string, address: object): Device => {
      const found = profiles.get(profile);
      if (found === undefined) throw new Error(`no profile ${profile}`);
      return device(id, { profile, protocol: 'modbus', points: pointsOf(found, poll), address });
    };
    const tcp = { host: '::1', port: campus.tcpPort };
    const devices = [
      modbus('main', 'meter/eastron-sdm630', { tcp, unit: 1 }),
      modbus('relays', 'relay/waveshare-relay-8', { tcp, unit: 10 }),
      modbus('dormitory', 'meter/chint-dtsu666', { rtuOverTcp: { host: '::1', port: campus.rtuPort }, unit: 1 }),
    ];
    await using host = await hostOf(link, devices, createModbusDriver({ clock: systemClock, profiles }));
    await vi.waitFor(
      () => expect(devices.map(({ id }) => stateOf(host, id))).toEqual(['online', 'online', 'online']),
      patience,
    );
    await vi.waitFor(() => expect(link.last('dormitory', 'energy_import')?.quality).toBe('good'), patience);
    campus.control.setOverload(true);
    await vi.waitFor(() => expect(Number(link.last('main', 'current_l1')?.value)).toBeGreaterThan(70), patience);
    link.command(commandFor('relays', { point: 'relay_8' as PointName, value: false }));
    await vi.waitFor(() => expect(link.results[0]).toMatchObject({ outcome: 'done', value: false }), patience);
    await vi.waitFor(() => expect(Number(link.last('main', 'current_l1')?.value)).toBeLessThan(70), patience);
    expect(link.last('relays', 'relay_8')).toMatchObject({ value: false, quality: 'good' });
  }, 30_000);
});
