import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceHealth } from '#edge/domain/health.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Reason, Sample } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay, within } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { Driver, DriverEvent, Session, Sink } from './driver.ts';
import { Schedule } from './schedule.ts';

export interface RunnerOptions {
  readonly device: Device;
  readonly driver: Driver<unknown>;
  readonly poll: Site['poll'];
  /** 0..1, spreads the devices over the poll periods. */
  readonly place: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly samples: (samples: readonly Sample[], time: number) => void;
  readonly event: (event: DriverEvent) => void;
  /** Called on every transition. */
  readonly changed: () => void;
}

/** Session methods settle by themselves; these are the bulkhead against one that does not. */
const openTimeout = 15_000;
/** So long a command waits for a session that is just being opened, ms. */
const openPatience = 1_000;
const readTimeout = 60_000;
const writeTimeout = 60_000;
/** Reads in a row without any answer after which a device is left alone but for one probe. */
const silentReads = 2;
const probe = { first: 500, cap: 10_000 };
const maxWaitingWrites = 16;
const maxCounters = 64;

/** Runs one device: opens its session, polls it, leaves it alone while it is silent, and writes to it in order. */
export class DeviceRunner implements AsyncDisposable {
  readonly #options: RunnerOptions;
  readonly #end = new AbortController();
  readonly #counters = new Map<string, number>();
  /** Last sample of each watched point, sent again when the bus comes back. */
  readonly #watched = new Map<PointName, { sample: Sample; time: number }>();
  /** Samples that a session told without being asked, gathered until the end of the turn. */
  #told: Sample[] = [];
  #toldAt = 0;
  #state: DeviceHealth['state'] = 'starting';
  #message = 'not heard yet';
  #since: number;
  #session: Session | null = null;
  /** The attempt to open it that is under way, or was last, has ended. */
  #opened: Promise<void> = Promise.resolve();
  #schedule: Schedule | null = null;
  #isQuarantined = false;
  /** The session speaks for itself; until it has, the runner judges by what reads bring. */
  #sessionSpeaks = false;
  #writes: Promise<unknown> = Promise.resolve();
  #waitingWrites = 0;
  #done: Promise<void> = Promise.resolve();
  /** Ends the present session and no more. */
  #attempt = new AbortController();

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#since = options.clock.now();
  }

  start(): void {
    this.#done = this.#run();
  }

  health(): DeviceHealth {
    return {
      device: this.#options.device.id,
      state: this.#state,
      message: this.#message,
      since: this.#since,
      counters: Object.fromEntries(this.#counters),
    };
  }

  count(word: string, by = 1): void {
    if (!this.#counters.has(word) && this.#counters.size >= maxCounters) return;
    this.#counters.set(word, (this.#counters.get(word) ?? 0) + by);
  }

  /** The bus is back and core may have forgotten everything: say it all again, with the time it was true. */
  repeat(): void {
    for (const { sample, time } of this.#watched.values()) {
      this.#options.samples([{ ...sample, sourceTime: sample.sourceTime ?? time }], this.#options.clock.now());
    }
    if (this.#state === 'misconfigured') this.#allBad('configuration-error', this.#options.device.points);
    else if (this.#isQuarantined) this.#allBad('no-communication', this.#schedule?.points ?? []);
    else this.#schedule?.reset(this.#options.clock.monotonic());
  }

  /** Writes in the order of arrival. Never rejects: what did not happen is an outcome. */
  write(command: Command): Promise<CommandResult> {
    const fail = (outcome: CommandResult['outcome'], message: string): CommandResult => {
      const { id, device, point } = command;
      return { id, device, point, outcome, message, time: this.#options.clock.now() };
    };
    if (this.#waitingWrites >= maxWaitingWrites) {
      return Promise.resolve(fail('failed', `${maxWaitingWrites} writes already wait for this device`));
    }
    this.#waitingWrites++;
    const turn = this.#writes.then(async () => {
      try {
        return await this.#writeNow(command, fail);
      } catch (error) {
        return fail('failed', messageOf(error));
      } finally {
        this.#waitingWrites--;
      }
    });
    this.#writes = turn;
    return turn;
  }

  /** Drops the session and opens it anew, now. False for a device that cannot be had as it is configured. */
  reopen(): boolean {
    if (this.#state === 'misconfigured' && this.#session === null) return false;
    this.count('reopen');
    this.#attempt.abort();
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#done;
  }

  async #writeNow(
    command: Command,
    fail: (outcome: CommandResult['outcome'], message: string) => CommandResult,
  ): Promise<CommandResult> {
    // Opening takes some ms: an alarm that comes meanwhile is not sent back to come again a second later.
    if (this.#session === null) await Promise.race([this.#opened, delay(openPatience, this.#end.signal)]);
    const session = this.#session;
    if (this.#options.clock.now() > command.expires) return fail('expired', 'its time was over when its turn came');
    if (session === null) return fail('failed', `not connected: ${this.#message}`);
    if (session.write === undefined) return fail('refused', 'this device takes no commands');
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(writeTimeout)]);
    const result = await within(writeTimeout + 1_000, 'the write', session.write(command, signal));
    this.count(`write-${result.outcome}`);
    return result;
  }

  async #run(): Promise<void> {
    const { device, driver } = this.#options;
    let config: unknown;
    try {
      config = driver.config.parse(device.address);
    } catch (error) {
      return this.#misconfigured(error);
    }
    const backoff = new Backoff({ first: 1_000, cap: 60_000 });
    while (!this.#end.signal.aborted) {
      const attempt = new AbortController();
      this.#attempt = attempt;
      const opened = Promise.withResolvers<void>();
      this.#opened = opened.promise;
      const signal = AbortSignal.any([this.#end.signal, attempt.signal]);
      try {
        const opening = driver.open(device, config, this.#sink(signal), signal);
        await using session = await within(openTimeout, 'opening the device', opening);
        this.#session = session;
        opened.resolve();
        await this.#poll(session, signal);
      } catch (error) {
        opened.resolve();
        // Told to open it anew: at once, and no fault.
        if (attempt.signal.aborted) continue;
        if (codeOf(error) === 'DEVICE_CONFIG') return this.#misconfigured(error);
        // A bulkhead: whatever a driver throws stays with this device, and is tried again ever more rarely.
        const pause = backoff.next();
        this.count('open-failed');
        this.#options.log.warn({ device: device.id, error }, 'device session failed');
        this.#set('offline', `${messageOf(error)}; next try in ${Math.ceil(pause / 1000)} s`);
        this.#allBad('no-communication', device.points);
        await delay(pause, signal);
      } finally {
        this.#session = null;
        opened.resolve();
        attempt.abort();
      }
    }
  }

  #misconfigured(error: unknown): void {
    this.#set('misconfigured', messageOf(error));
    this.#allBad('configuration-error', this.#options.device.points);
  }

  /** `signal` ends with the session: what it says afterwards is not heard. */
  #sink(signal: AbortSignal): Sink {
    this.#sessionSpeaks = false;
    const heard =
      <A extends unknown[]>(listen: (...what: A) => void) =>
      (...what: A) =>
        signal.aborted ? undefined : listen(...what);
    return {
      sample: heard((sample: Sample) => this.#tell(sample)),
      event: heard((event: DriverEvent) => this.#options.event(event)),
      health: heard((state: DeviceHealth['state'], message: string) => {
        this.#sessionSpeaks = true;
        this.#set(state, message);
      }),
      count: (outcome) => this.count(outcome),
    };
  }

  #tell(sample: Sample): void {
    const point = this.#options.device.points.find(({ name }) => name === sample.point);
    if (point === undefined) {
      this.count('unknown-point');
      return;
    }
    if (this.#told.length === 0) {
      this.#toldAt = this.#options.clock.now();
      queueMicrotask(() => {
        const told = this.#told;
        this.#told = [];
        this.#options.samples(told, this.#toldAt);
      });
    }
    this.#told.push(sample);
    if (point.poll === 'watch') this.#watched.set(point.name, { sample, time: this.#toldAt });
  }

  async #poll(session: Session, signal: AbortSignal): Promise<void> {
    const { clock, poll, place, device } = this.#options;
    const schedule = new Schedule(device.points, poll, clock.monotonic(), place);
    this.#schedule = schedule;
    let silent = 0;
    while (!signal.aborted) {
      const wait = schedule.next - clock.monotonic();
      // Timers hold 24 days; a device that is never polled just waits for its end.
      if (wait > 0) await delay(Math.min(wait, 3_600_000), signal);
      const { points, missed } = schedule.take(clock.monotonic());
      if (missed > 0) this.count('overrun', missed);
      if (points.length === 0 || signal.aborted) continue;
      silent = (await this.#readOnce(session, points, signal)) === 'silent' ? silent + 1 : 0;
      if (silent < silentReads) continue;
      await this.#quarantine(session, schedule, signal);
      silent = 0;
    }
  }

  /** Leaves a silent device alone: everything is bad once, then one value is asked for, ever more rarely. */
  async #quarantine(session: Session, schedule: Schedule, signal: AbortSignal): Promise<void> {
    const [first] = schedule.points;
    if (first === undefined) return;
    this.count('quarantine');
    this.#isQuarantined = true;
    if (!this.#sessionSpeaks) this.#set('offline', 'does not answer');
    this.#allBad('no-communication', schedule.points);
    const backoff = new Backoff(probe);
    do {
      await delay(backoff.next(), signal);
    } while (!signal.aborted && (await this.#readOnce(session, [first], signal, 'probe')) === 'silent');
    this.#isQuarantined = false;
    schedule.reset(this.#options.clock.monotonic());
  }

  async #readOnce(
    session: Session,
    points: readonly Point[],
    ending: AbortSignal,
    kind: 'poll' | 'probe' = 'poll',
  ): Promise<'heard' | 'silent'> {
    const { clock, device, log } = this.#options;
    let samples: readonly Sample[];
    try {
      const signal = AbortSignal.any([ending, AbortSignal.timeout(readTimeout)]);
      samples = await within(readTimeout + 1_000, 'the read', session.read(points, signal));
    } catch (error) {
      // A bulkhead: sessions promise not to throw for a point; one that does costs its own device only.
      if (this.#counters.get('read-failed') === undefined)
        log.error({ device: device.id, error }, 'session read failed');
      this.count('read-failed');
      samples = points.map(({ name }) => ({ point: name, value: null, quality: 'bad', reason: 'communication-error' }));
    }
    if (ending.aborted) return 'heard';
    this.count(kind);
    const isSilent = samples.length > 0 && samples.every(isSilence);
    // A probe that fails says nothing new.
    if (samples.length > 0 && !(isSilent && kind === 'probe')) this.#options.samples(samples, clock.now());
    if (!isSilent && !this.#sessionSpeaks) this.#judge(samples);
    return isSilent ? 'silent' : 'heard';
  }

  #judge(samples: readonly Sample[]): void {
    const bad = samples.filter((sample) => sample.quality === 'bad');
    if (bad.length === 0) this.#set('online', 'answers');
    else this.#set('degraded', `${bad.length} of ${samples.length} values are bad: ${bad[0]?.reason ?? 'unknown'}`);
  }

  #allBad(reason: Reason, points: readonly Point[]): void {
    const bad = points.map(({ name }): Sample => ({ point: name, value: null, quality: 'bad', reason }));
    if (bad.length > 0) this.#options.samples(bad, this.#options.clock.now());
  }

  #set(state: DeviceHealth['state'], message: string): void {
    if (this.#state === state && this.#message === message) return;
    if (this.#state !== state) {
      this.#since = this.#options.clock.now();
      const { device, log } = this.#options;
      log.info({ device: device.id, from: this.#state, to: state, why: message }, 'device changed state');
    }
    this.#state = state;
    this.#message = message;
    this.#options.changed();
  }
}

function isSilence(sample: Sample): boolean {
  return sample.quality === 'bad' && (sample.reason === 'no-communication' || sample.reason === 'held');
}
