import type { CameraFacts } from '#edge/domain/camera.ts';
import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { Ticker, within } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Session, Sink } from '../driver.ts';
import type { WriteOutcome } from '../read-back.ts';
import { Caller } from './caller.ts';
import type { OnvifConfig } from './config.ts';
import type { Edge } from './edges.ts';
import { Edges } from './edges.ts';
import { Abilities, abilityPoints } from './facts-abilities.ts';
import { type AbilityTimings, defaultAbilityTimings } from './facts-timings.ts';
import { createSlotOf, Habit } from './habit.ts';
import type { AskWho } from './identity.ts';
import { type CameraIdentity, npmOnvif } from './library.ts';
import { Listening } from './listening.ts';
import { EventLoop } from './loop.ts';
import { type CameraMemory, type CameraPlace, noMemory } from './memory.ts';
import { readNotification } from './notification.ts';
import type { Home } from './ptz.ts';
import { type CameraState, Report } from './report.ts';
import { Snapshots } from './snapshots.ts';
import type { Xml } from './soap.ts';
import { atOf, States } from './states.ts';
import type { OnvifTimings } from './timings.ts';
import { defaultTimings } from './timings.ts';
import { typeRules } from './topics-table.ts';
import { endpointName } from './transport.ts';
import { type Sighting, Whereabouts } from './whereabouts.ts';

export interface SessionOptions {
  /** `<data>/snapshots`; pictures go to `<yyyy-mm-dd, UTC>/<event id>.jpg` below it. */
  readonly snapshotFolder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Overrides the paces; tests only. */
  readonly timings?: Partial<OnvifTimings & AbilityTimings>;
  /** What a camera is and can do: told at each connection and every hour. */
  readonly onFacts?: (facts: CameraFacts) => void;
  /** Where a camera is to look when nobody moves it (site file `cameras.byCamera[id].home`); default: nowhere. */
  readonly homeOf?: (device: DeviceId) => Home | null;
  /** Clocks that are set by hand and are off by more than 5 s may be put right; default: they are only told. */
  readonly setClocks?: boolean;
  /** What is kept of cameras over a crash; default: nothing. */
  readonly memory?: CameraMemory;
  /** Asks one host by WS-Discovery who it is; default: nobody is asked so. */
  readonly askWho?: AskWho;
  /** The site file looks for cameras at this address: one that has moved there is followed. Default: nowhere. */
  readonly isListed?: (host: string) => boolean;
  /** Of the campus, for what is usual at an hour; default UTC. */
  readonly timeZone?: string;
}

/** The button that takes a picture. */
const button = 'snapshot';
const lifePoints = new Set(['online', 'events', 'listening', 'clock_skew', button]);
/** A clock that is further away than this is worth telling with the event, ms. */
const notableSkew = 2_000;
const maxSources = 12;
const unsubscribeWithin = 2_000;
const minute = 60_000;
/** A camera that is heard of again and again is not gone after more often, ms. */
const hurryEvery = 30_000;
/** What is usual may wait for the disk, ms. */
const lazily = 60_000;

/** One camera: its parts, put together, and what they tell. */
export class CameraSession implements Session {
  readonly #clock: Clock;
  readonly #sink: Sink;
  readonly #log: Log;
  readonly #stop = new AbortController();
  readonly #caller: Caller;
  readonly #states: States;
  readonly #edges: Edges;
  readonly #snapshots: Snapshots;
  readonly #abilities: Abilities;
  readonly #where: Whereabouts;
  readonly #report: Report;
  readonly #listening: Listening;
  readonly #habit: Habit;
  readonly #memory: CameraMemory;
  readonly #minutes: Ticker;
  readonly #loop: EventLoop;
  readonly #running: Promise<void>;
  readonly #device: Device;
  readonly #forget: () => void;
  readonly #parent: AbortSignal;
  readonly #onAbort = () => this.#stop.abort();
  #wantsPictures: boolean;
  #hurried = Number.NEGATIVE_INFINITY;
  #closed: Promise<void> | null = null;

  constructor(
    options: SessionOptions,
    device: Device,
    config: OnvifConfig,
    sink: Sink,
    signal: AbortSignal,
    forget: () => void,
  ) {
    const { clock, memory = noMemory() } = options;
    const timings = { ...defaultTimings, ...options.timings, ...ownTimings(config) };
    const count = (outcome: string) => sink.count(outcome);
    this.#clock = clock;
    this.#sink = sink;
    this.#log = options.log.child({ device: device.id });
    this.#device = device;
    this.#forget = forget;
    this.#parent = signal;
    this.#wantsPictures = config.snapshot;
    if (signal.aborted) this.#stop.abort();
    signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#states = new States(device.points, (sample) => sink.sample(sample));
    const report = new Report(sink, this.#states, this.#log);
    this.#report = report;
    const onMoved = (from: CameraPlace, to: CameraPlace | null) => this.#tellMoved(from, to);
    const { askWho = null, isListed = () => false } = options;
    const place = { device: device.id, config, memory, clock, timings, askWho, isListed };
    const where = new Whereabouts({ ...place, count, onMoved });
    this.#where = where;
    this.#remarkPlace();
    this.#memory = memory;
    const tell = (listening: boolean) => this.#states.set('listening', listening);
    this.#listening = new Listening({ clock, proof: timings.proof, tell });
    this.#habit = new Habit(createSlotOf(options.timeZone ?? 'UTC'), memory.of(device.id).habit, clock.now());
    this.#caller = new Caller({
      endpoint: where,
      clock,
      count,
      devicePath: config.path,
      onClock: (skew) => this.#states.set('clock_skew', Math.round(skew / 1000)),
    });
    this.#edges = new Edges({
      clock,
      timings,
      count,
      onEdge: (edge) => this.#emit(edge),
      onState: (type, active) => this.#states.set(type, active),
    });
    this.#snapshots = new Snapshots({
      folder: options.snapshotFolder,
      endpoint: where,
      port: config.snapshotPort,
      clock,
      timings,
      tries: this.#caller.tries,
      signal: this.#stop.signal,
      count,
      onTrouble: (message) => report.remark('pictures', message === null ? null : `no pictures: ${message}`),
    });
    this.#abilities = new Abilities({
      device: device.id,
      host: () => where.host,
      devicePath: config.path,
      caller: this.#caller,
      clock,
      timings: { ...defaultAbilityTimings, ...options.timings },
      answer: timings.answer,
      home: options.homeOf?.(device.id) ?? null,
      maySetClock: options.setClocks ?? false,
      log: this.#log,
      count,
      signal: this.#stop.signal,
      mayAsk: () => mayAsk(report.state, config),
      onFacts: (facts) => options.onFacts?.(facts),
      onState: (at, value) => this.#states.set(at, value),
      onSkew: (skew) => this.#states.set('clock_skew', Math.round(skew / 1000)),
      onRemark: (remark) => report.remark('clock', remark),
    });
    this.#loop = new EventLoop({
      device: device.id,
      memory,
      where,
      listening: this.#listening,
      config,
      caller: this.#caller,
      calls: npmOnvif(this.#caller, { path: config.path, timeout: timings.answer }),
      clock,
      timings,
      report,
      count,
      onClock: (skew) => this.#states.set('clock_skew', Math.round(skew / 1000)),
      onServices: (services, credentials) => {
        this.#snapshots.use(services.snapshot, credentials);
        this.#abilities.connected(credentials);
      },
      onSubscribed: () => this.#edges.subscribed(),
      onMessage: (message) => this.#hear(message),
      onReplaced: (now) => this.#tellReplaced(now),
    });
    this.#minutes = new Ticker(minute, () => this.#lookAtHabit());
    const unknown = this.#states.unknownPoints((at) => lifePoints.has(at) || abilityPoints.has(at) || at in typeRules);
    if (unknown.length > 0) this.#log.warn({ points: unknown }, 'profile names camera states that do not exist');
    this.#running = this.#loop.run(this.#stop.signal);
  }

  /** Not where it is looked for. */
  get isSilent(): boolean {
    return this.#report.state === 'unreachable';
  }

  /** True when what discovery heard is this camera. */
  hear(sighting: Sighting): boolean {
    const where = this.#where;
    const here = where.isAt(sighting);
    if (where.knows(sighting)) {
      const now = this.#clock.monotonic();
      if (where.see(sighting) && this.isSilent && now - this.#hurried > hurryEvery) {
        this.#hurried = now;
        this.#loop.hurry();
      }
      return true;
    }
    const { state } = this.#report;
    if (here && !where.isAway && (state === 'up' || state === 'streaming')) {
      void where.learn(sighting, this.#stop.signal);
    }
    return here;
  }

  async read(points: readonly Point[]): Promise<ReturnType<States['sample']>[]> {
    return points.map((point) => this.#states.sample(point));
  }

  /** Takes pictures, moves the camera, switches its relays. Never throws. */
  async write(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const { id, device, point } = command;
    const found = this.#device.points.find(({ name }) => name === point);
    const outcome = found === undefined ? notWritable(point) : await this.#write(found, command, signal);
    return { id, device, point, ...outcome, time: this.#clock.now() };
  }

  async #write(point: Point, command: Command, signal: AbortSignal): Promise<WriteOutcome> {
    const at = atOf(point);
    if (at === button) return this.#takePicture(command, signal);
    if (!Abilities.knows(at)) return notWritable(point.name);
    return this.#abilities.write(at, point, command, signal);
  }

  /** When its button is pressed (`true`): an event `snapshot` tells where it is once it is whole. */
  async #takePicture({ id, value, expires }: Command, signal: AbortSignal): Promise<WriteOutcome> {
    if (value !== true) return { outcome: 'refused', message: 'a button is pressed with true' };
    if (!this.#wantsPictures) {
      return { outcome: 'refused', message: 'the site file turns the pictures of this camera off' };
    }
    const left = expires - this.#clock.now();
    if (left < 0) return { outcome: 'expired', message: `came ${-left} ms too late` };
    try {
      const event = newHappeningId(this.#clock);
      const patience = AbortSignal.any([signal, this.#stop.signal, AbortSignal.timeout(left)]);
      const snapshot = await this.#snapshots.press(event, patience);
      this.#sink.count('event');
      this.#sink.event({ id: event, type: 'snapshot', time: this.#clock.now(), data: { command: id }, snapshot });
      return { outcome: 'done', message: snapshot, value };
    } catch (error) {
      return { outcome: 'failed', message: messageOf(error) };
    }
  }

  /** A bulkhead: whatever one message does, the stream goes on. */
  #hear(message: Xml): void {
    try {
      const notification = readNotification(message);
      if (notification === null) {
        this.#sink.count('notification-without-topic');
        return;
      }
      this.#edges.hear(notification);
      this.#abilities.hear(notification);
    } catch (error) {
      this.#sink.count('notification-failed');
      this.#log.error({ error }, 'notification could not be handled');
    }
  }

  #lookAtHabit(): void {
    if (!this.#listening.now) this.#habit.miss();
    if (this.#habit.tick(this.#clock.now())) {
      this.#memory.change(this.#device.id, { habit: this.#habit.kept }, lazily);
    }
    const hours = this.#habit.silence;
    const said = `deaf? it answers, but has told nothing for ${hours} hours in which it usually does`;
    this.#report.remark('habit', hours === 0 ? null : said);
  }

  #remarkPlace(): void {
    const { home, isAway } = this.#where;
    const said = `found at ${endpointName(this.#where)} instead of ${endpointName(home)}: correct its address`;
    this.#report.remark('place', isAway ? said : null);
  }

  #tellMoved(from: CameraPlace, to: CameraPlace | null): void {
    this.#remarkPlace();
    const data = { from: endpointName(from), to: endpointName(to ?? this.#where.home) };
    this.#tell('camera_moved', data);
  }

  #tellReplaced(now: CameraIdentity): void {
    this.#tell('camera_replaced', { maker: now.manufacturer, model: now.model, serial: now.serial });
  }

  /** Something that the driver itself has found out. */
  #tell(type: string, data: Record<string, Value>): void {
    this.#sink.count(type);
    this.#sink.event({ id: newHappeningId(this.#clock), type, time: this.#clock.now(), data });
  }

  #emit(edge: Edge): void {
    if (edge.note !== 'expired' && edge.type !== 'unknown') this.#habit.speak();
    const id = newHappeningId(this.#clock);
    const begins = edge.active !== false && typeRules[edge.type]?.picture === true;
    const snapshot = begins && this.#wantsPictures ? this.#snapshots.take(id) : undefined;
    this.#sink.count('event');
    this.#sink.event({
      id,
      type: edge.type,
      time: this.#clock.now(),
      data: this.#dataOf(edge),
      ...(edge.active === undefined ? {} : { active: edge.active }),
      ...(edge.sourceTime === undefined ? {} : { sourceTime: edge.sourceTime }),
      ...(snapshot === undefined ? {} : { snapshot }),
    });
  }

  /** Only what tells the source apart: items of the camera's own choosing may hold a person's name. */
  #dataOf(edge: Edge): Record<string, Value> {
    const skew = this.#caller.skew ?? 0;
    return {
      ...Object.fromEntries([...edge.source].slice(0, maxSources)),
      ...(edge.topic === '' ? {} : { topic: edge.topic }),
      ...(edge.note === undefined ? {} : { note: edge.note }),
      ...(edge.merged === undefined ? {} : { merged: edge.merged }),
      ...(edge.dropped === undefined ? {} : { dropped: edge.dropped }),
      ...(Math.abs(skew) < notableSkew ? {} : { clockSkew: Math.round(skew / 1000) }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    this.#wantsPictures = false;
    await this.#abilities.close();
    this.#stop.abort();
    this.#parent.removeEventListener('abort', this.#onAbort);
    await this.#running;
    await this.#abilities.idle();
    this.#minutes[Symbol.dispose]();
    this.#listening[Symbol.dispose]();
    this.#edges[Symbol.dispose]();
    try {
      await within(unsubscribeWithin + 1000, 'leaving the camera', this.#loop.release(unsubscribeWithin));
      await this.#snapshots.idle();
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'camera was left without goodbye');
    }
    await this.#memory.flush();
    this.#forget();
  }
}

/** Whether a camera in this state may be asked beside its events. */
function mayAsk(state: CameraState, { events }: OnvifConfig): 'now' | 'later' | 'no' {
  if (state === 'streaming' || state === 'starting' || (state === 'up' && events === 'off')) return 'now';
  return state === 'up' || state === 'reachable' ? 'later' : 'no';
}

function notWritable(point: string): WriteOutcome {
  return { outcome: 'refused', message: `"${point}" cannot be written` };
}

/** Paces that a site may set for a camera that needs others. */
function ownTimings({ pull, stuckAfter }: OnvifConfig): Partial<OnvifTimings> {
  return { ...(pull === undefined ? {} : { pull }), ...(stuckAfter === undefined ? {} : { stuck: stuckAfter }) };
}
