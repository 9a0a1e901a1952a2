import type { Device } from '#edge/domain/device.ts';
import type { BusHealth, DeviceHealth, ProcessHealth } from '#edge/domain/health.ts';
import type { DeviceId, HappeningId } from '#edge/domain/ids.ts';
import { type Command, type CommandResult, sessionPoint } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { Ticker, within } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Site } from '#edge/runtime/site.ts';
import { DeviceRunner } from './device-runner.ts';
import type { Driver, DriverEvent } from './driver.ts';
import { Outgoing } from './outgoing.ts';

/** What a host needs of the bus. The composition root adapts it: no topic is spelled here. */
export interface HostLink {
  /** Rejects when the bus is away. `time` is when the samples were had, ms since epoch UTC. */
  publishSamples(device: DeviceId, samples: readonly Sample[], time: number): Promise<void>;
  /** QoS 1: resolves when it is committed. */
  publishEvent(device: DeviceId, event: DriverEvent): Promise<void>;
  /** Retained. */
  publishHealth(health: ProcessHealth): Promise<void>;
  /** QoS 1. */
  publishResult(result: CommandResult): Promise<void>;
  onCommand(handler: (command: Command) => void): void;
  /** Called after every connection, the first included. */
  onConnect(handler: () => void): void;
  connected(): boolean;
}

export interface HostOptions {
  readonly process: 'fieldbus' | 'camera' | 'broadcast';
  readonly link: HostLink;
  /** The host disposes them. Devices of protocols that none of them speaks are left to other processes. */
  readonly drivers: readonly Driver<unknown>[];
  readonly devices: readonly Device[];
  /** Devices whose profile cannot be had; they are shown as misconfigured. */
  readonly broken?: readonly { readonly device: string; readonly message: string }[];
  readonly poll: Site['poll'];
  /** Lines that devices share, for diagnostics. */
  readonly buses?: () => readonly BusHealth[];
  readonly clock: Clock;
  readonly log: Log;
  /** New at each start of the process. */
  readonly instance: string;
  /** Samples kept while the bus is away. Default 10,000 messages. */
  readonly sampleRing?: number;
}

export interface Host extends AsyncDisposable {
  health(): ProcessHealth;
}

interface SampleMessage {
  readonly device: DeviceId;
  readonly samples: readonly Sample[];
  readonly time: number;
}

type Urgent =
  | { readonly kind: 'event'; readonly device: DeviceId; readonly event: DriverEvent }
  | { readonly kind: 'result'; readonly result: CommandResult };

/** The bus takes at most 512 samples in a message. */
const maxSamples = 256;
const eventRing = 1_000;
const sendTimeout = 10_000;
const healthPeriod = 10_000;
const healthGap = 1_000;
const maxKnownCommands = 256;

/**
 * Runs the devices of one process: polls, health, events, commands. One broken device costs itself only. Resolves when
 * every device has been started; none is waited for.
 */
export async function startHost(options: HostOptions): Promise<Host> {
  const host = new RunningHost(options);
  host.start();
  return host;
}

class RunningHost implements Host {
  readonly #options: HostOptions;
  readonly #runners = new Map<string, DeviceRunner>();
  readonly #samples: Outgoing<SampleMessage>;
  readonly #urgent: Outgoing<Urgent>;
  /** Samples forced out while the bus was away, by device. */
  readonly #lost = new Map<DeviceId, number>();
  /** Commands of the last minutes: QoS 1 may deliver one twice, and it must not be done twice. */
  readonly #commands = new Map<HappeningId, CommandResult | null>();
  readonly #ticker: Ticker;
  readonly #started: number;
  #healthTimer: NodeJS.Timeout | undefined;
  #healthSent = Number.NEGATIVE_INFINITY;
  #state: ProcessHealth['state'] = 'ready';

  constructor(options: HostOptions) {
    this.#options = options;
    const { link, log } = options;
    this.#started = options.clock.now();
    this.#samples = new Outgoing<SampleMessage>({
      send: ({ device, samples, time }) => link.publishSamples(device, samples, time),
      connected: () => link.connected(),
      limit: options.sampleRing ?? 10_000,
      window: 16,
      timeout: sendTimeout,
      dropped: ({ device, samples }) => this.#noteLoss(device, samples.length),
    });
    this.#urgent = new Outgoing<Urgent>({
      send: (item) =>
        item.kind === 'event' ? link.publishEvent(item.device, item.event) : link.publishResult(item.result),
      connected: () => link.connected(),
      limit: eventRing,
      window: 8,
      timeout: sendTimeout,
      dropped: (item) => {
        const device = item.kind === 'event' ? item.device : item.result.device;
        this.#runners.get(device)?.count('dropped-event');
        log.error({ device, limit: eventRing }, 'event dropped while the bus is away');
      },
    });
    this.#ticker = new Ticker(healthPeriod, () => this.#publishHealth());
  }

  start(): void {
    const { drivers, devices, link, poll, clock, log } = this.#options;
    const byProtocol = new Map(drivers.map((driver) => [driver.protocol, driver]));
    const ours = devices.filter((device) => byProtocol.has(device.protocol));
    ours.forEach((device, index) => {
      const driver = byProtocol.get(device.protocol);
      if (driver === undefined) return;
      const runner = new DeviceRunner({
        device,
        driver,
        poll,
        // The golden ratio spreads any number of devices evenly.
        place: (index * 0.618_034) % 1,
        clock,
        log,
        samples: (samples, time) => this.#takeSamples(device.id, samples, time),
        event: (event) => this.#urgent.push({ kind: 'event', device: device.id, event }),
        changed: () => this.#healthChanged(),
      });
      this.#runners.set(device.id, runner);
    });
    link.onCommand((command) => this.#command(command));
    link.onConnect(() => this.#connected());
    for (const runner of this.#runners.values()) runner.start();
    this.#healthChanged();
  }

  health(): ProcessHealth {
    const { process, clock, instance, buses, broken = [] } = this.#options;
    const devices: DeviceHealth[] = [...this.#runners.values()].map((runner) => runner.health());
    for (const { device, message } of broken) {
      devices.push({ device, state: 'misconfigured', message, since: this.#started, counters: {} });
    }
    const lines = buses === undefined ? {} : { buses: buses() };
    return { process, state: this.#state, time: clock.now(), instance, devices, ...lines };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ticker[Symbol.dispose]();
    clearTimeout(this.#healthTimer);
    const { drivers, log } = this.#options;
    const ends = [...this.#runners.values()].map((runner) => runner[Symbol.asyncDispose]());
    const closed = Promise.all(ends).then(() => Promise.all(drivers.map((driver) => driver[Symbol.asyncDispose]())));
    try {
      await within(8_000, 'closing the devices', closed);
    } catch (error) {
      // A bulkhead: a driver that cannot close must not keep the process from stopping.
      log.error({ error }, 'devices did not close');
    }
    await Promise.all([this.#urgent.drain(1_000), this.#samples.drain(1_000)]);
    this.#state = 'stopped';
    await this.#publishHealth();
    await Promise.all([this.#urgent[Symbol.asyncDispose](), this.#samples[Symbol.asyncDispose]()]);
  }

  #takeSamples(device: DeviceId, samples: readonly Sample[], time: number): void {
    for (let i = 0; i < samples.length; i += maxSamples) {
      this.#samples.push({ device, samples: samples.slice(i, i + maxSamples), time });
    }
  }

  #noteLoss(device: DeviceId, count: number): void {
    if (this.#lost.size === 0) this.#options.log.warn({ device }, 'samples dropped while the bus is away');
    this.#lost.set(device, (this.#lost.get(device) ?? 0) + count);
    this.#runners.get(device)?.count('dropped-sample', count);
  }

  #connected(): void {
    const { clock } = this.#options;
    // What a limit forced out leaves a visible gap.
    for (const [device, count] of this.#lost) {
      const event = { id: newHappeningId(clock), type: 'samples_lost', time: clock.now(), data: { count } };
      this.#urgent.push({ kind: 'event', device, event });
    }
    this.#lost.clear();
    this.#urgent.wake();
    this.#samples.wake();
    for (const runner of this.#runners.values()) runner.repeat();
    this.#healthChanged();
  }

  #command(command: Command): void {
    const known = this.#commands.get(command.id);
    if (known === null) return;
    if (known !== undefined) {
      this.#urgent.push({ kind: 'result', result: known });
      return;
    }
    this.#remember(command.id, null);
    void this.#execute(command).then((result) => {
      this.#remember(command.id, result);
      this.#urgent.push({ kind: 'result', result });
    });
  }

  async #execute(command: Command): Promise<CommandResult> {
    const { id, device, point, expires } = command;
    const time = this.#options.clock.now();
    const runner = this.#runners.get(device);
    if (runner === undefined) {
      return { id, device, point, outcome: 'refused', message: `there is no device ${device} in this process`, time };
    }
    if (time > expires) {
      return { id, device, point, outcome: 'expired', message: `came ${time - expires} ms too late`, time };
    }
    if (point === sessionPoint) return reopen(runner, command, time);
    return runner.write(command);
  }

  #remember(id: HappeningId, result: CommandResult | null): void {
    this.#commands.set(id, result);
    const oldest = this.#commands.keys().next();
    if (this.#commands.size > maxKnownCommands && !oldest.done) this.#commands.delete(oldest.value);
  }

  /** At most once a second, and not later than a second after the change. */
  #healthChanged(): void {
    if (this.#healthTimer !== undefined) return;
    const wait = Math.max(0, this.#healthSent + healthGap - this.#options.clock.monotonic());
    this.#healthTimer = setTimeout(() => {
      this.#healthTimer = undefined;
      void this.#publishHealth();
    }, wait);
  }

  async #publishHealth(): Promise<void> {
    const { link, clock, log } = this.#options;
    this.#healthSent = clock.monotonic();
    if (!link.connected()) return;
    try {
      await within(sendTimeout, 'publishing health', link.publishHealth(this.health()));
    } catch (error) {
      // It is published again within ten seconds and at the next connection: nothing to keep.
      log.debug({ error }, 'health not published');
    }
  }
}

function reopen(runner: DeviceRunner, { id, device, point, value }: Command, time: number): CommandResult {
  if (value !== 'reopen') {
    return { id, device, point, outcome: 'refused', message: `${sessionPoint} takes "reopen"`, time };
  }
  return runner.reopen()
    ? { id, device, point, outcome: 'sent', time }
    : { id, device, point, outcome: 'refused', message: 'it cannot be had as it is configured', time };
}
