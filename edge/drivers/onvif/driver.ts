import type { Device, Point } from '#edge/domain/device.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Driver, Session, Sink } from '../driver.ts';
import { Caller } from './caller.ts';
import type { OnvifConfig } from './config.ts';
import { parseOnvifConfig } from './config.ts';
import type { Edge } from './edges.ts';
import { Edges } from './edges.ts';
import { npmOnvif } from './library.ts';
import { EventLoop } from './loop.ts';
import { readNotification } from './notification.ts';
import { Report } from './report.ts';
import { Snapshots } from './snapshots.ts';
import type { Xml } from './soap.ts';
import { atOf, States } from './states.ts';
import type { OnvifTimings } from './timings.ts';
import { defaultTimings } from './timings.ts';
import { typeRules } from './topics-table.ts';
import type { Endpoint } from './transport.ts';

export interface OnvifDriverOptions {
  /** `<data>/snapshots`; pictures go to `<yyyy-mm-dd, UTC>/<event id>.jpg` below it. */
  readonly snapshotFolder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Overrides the paces; tests only. */
  readonly timings?: Partial<OnvifTimings>;
}

/** Cameras by ONVIF: events, a picture with each, and whether they are there. */
export function onvifDriver(options: OnvifDriverOptions): Driver<OnvifConfig> {
  const sessions = new Set<CameraSession>();
  return {
    protocol: 'onvif',
    config: { parse: parseOnvifConfig },
    async open(device, config, sink, signal) {
      const session = new CameraSession(options, device, config, sink, signal, () => sessions.delete(session));
      sessions.add(session);
      return session;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...sessions].map((session) => session[Symbol.asyncDispose]()));
    },
  };
}

/** The button that takes a picture. */
const button = 'snapshot';
const lifePoints = new Set(['online', 'events', 'clock_skew', button]);
/** A clock that is further away than this is worth telling with the event, ms. */
const notableSkew = 2_000;
const maxSources = 12;
const unsubscribeWithin = 2_000;

class CameraSession implements Session {
  readonly #clock: Clock;
  readonly #sink: Sink;
  readonly #log: Log;
  readonly #stop = new AbortController();
  readonly #caller: Caller;
  readonly #states: States;
  readonly #edges: Edges;
  readonly #snapshots: Snapshots;
  readonly #loop: EventLoop;
  readonly #running: Promise<void>;
  readonly #device: Device;
  readonly #forget: () => void;
  readonly #parent: AbortSignal;
  readonly #onAbort = () => this.#stop.abort();
  #wantsPictures: boolean;
  #closed: Promise<void> | null = null;

  constructor(
    options: OnvifDriverOptions,
    device: Device,
    config: OnvifConfig,
    sink: Sink,
    signal: AbortSignal,
    forget: () => void,
  ) {
    const { clock } = options;
    const timings = { ...defaultTimings, ...options.timings };
    const count = (outcome: string) => sink.count(outcome);
    const endpoint: Endpoint = { host: config.host.replace(/^\[|\]$/g, ''), port: config.port, tls: config.tls };
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
    this.#caller = new Caller({ endpoint, clock, count });
    this.#edges = new Edges({
      clock,
      timings,
      count,
      onEdge: (edge) => this.#emit(edge),
      onState: (type, active) => this.#states.set(type, active),
    });
    this.#snapshots = new Snapshots({
      folder: options.snapshotFolder,
      endpoint,
      port: config.snapshotPort,
      clock,
      timings,
      tries: this.#caller.tries,
      signal: this.#stop.signal,
      count,
      onTrouble: (message) => report.remark(message === null ? null : `no pictures: ${message}`),
    });
    this.#loop = new EventLoop({
      config,
      caller: this.#caller,
      calls: npmOnvif(this.#caller, { path: config.path, timeout: timings.answer }),
      clock,
      timings,
      report,
      count,
      onClock: (skew) => this.#states.set('clock_skew', Math.round(skew / 1000)),
      onServices: (services, credentials) => this.#snapshots.use(services.snapshot, credentials),
      onSubscribed: () => this.#edges.subscribed(),
      onMessage: (message) => this.#hear(message),
    });
    const unknown = this.#states.unknownPoints((at) => lifePoints.has(at) || at in typeRules);
    if (unknown.length > 0) this.#log.warn({ points: unknown }, 'profile names camera states that do not exist');
    this.#running = this.#loop.run(this.#stop.signal);
  }

  async read(points: readonly Point[]): Promise<ReturnType<States['sample']>[]> {
    return points.map((point) => this.#states.sample(point));
  }

  /** Takes a picture when its button is pressed (`true`): an event `snapshot` tells where it is once it is whole. */
  async write(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const { id, device, point, value, expires } = command;
    const time = () => this.#clock.now();
    const answer = (outcome: CommandResult['outcome'], message: string): CommandResult => {
      return { id, device, point, outcome, message, time: time() };
    };
    const found = this.#device.points.find(({ name }) => name === point);
    if (found === undefined || atOf(found) !== button) {
      return answer('refused', `"${point}" cannot be written; the picture button can`);
    }
    if (value !== true) return answer('refused', 'a button is pressed with true');
    if (!this.#wantsPictures) return answer('refused', 'the site file turns the pictures of this camera off');
    const left = expires - time();
    if (left < 0) return answer('expired', `came ${-left} ms too late`);
    try {
      const event = newHappeningId(this.#clock);
      const patience = AbortSignal.any([signal, this.#stop.signal, AbortSignal.timeout(left)]);
      const snapshot = await this.#snapshots.press(event, patience);
      this.#sink.count('event');
      this.#sink.event({ id: event, type: 'snapshot', time: time(), data: { command: id }, snapshot });
      return { ...answer('done', snapshot), value };
    } catch (error) {
      return answer('failed', messageOf(error));
    }
  }

  /** A bulkhead: whatever one message does, the stream goes on. */
  #hear(message: Xml): void {
    try {
      const notification = readNotification(message);
      if (notification) this.#edges.hear(notification);
      else this.#sink.count('notification-without-topic');
    } catch (error) {
      this.#sink.count('notification-failed');
      this.#log.error({ error }, 'notification could not be handled');
    }
  }

  #emit(edge: Edge): void {
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
    this.#stop.abort();
    this.#parent.removeEventListener('abort', this.#onAbort);
    await this.#running;
    this.#edges[Symbol.dispose]();
    try {
      await within(unsubscribeWithin + 1000, 'leaving the camera', this.#loop.release(unsubscribeWithin));
      await this.#snapshots.idle();
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'camera was left without goodbye');
    }
    this.#forget();
  }
}
