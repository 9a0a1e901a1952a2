import type { QueryClient } from '@tanstack/react-query';
import type { z } from 'zod';
import type { incidentBriefSchema } from '../incident-schemas.ts';
import {
  type AlarmView,
  api,
  type DeviceHealthView,
  type EventView,
  type OutputView,
  type PointView,
  type ProcessView,
} from './api.ts';
import { LatestStore } from './coalesce.ts';
import { fromHere } from './kit/download.tsx';
import { now } from './kit/ticker.ts';

/*
 * One stream for the whole page. What it tells goes into stores outside of React; the states before it are asked for when it
 * opens, so that nothing falls between. React reads them with the hooks of use-live.ts.
 */

export type IncidentBrief = z.infer<typeof incidentBriefSchema>;

export interface LiveReading {
  readonly value: number | boolean | string | null;
  readonly quality: 'good' | 'uncertain' | 'bad';
  readonly reason: string | null;
  readonly sourceTime: number;
  readonly receivedTime: number;
}

export interface Link {
  /** `lost`: nothing is heard of the box; `core-away`: the box answers, but what it shows is not told anew. */
  readonly state: 'connecting' | 'live' | 'core-away' | 'lost';
  /** When something was heard last while all was well, ms. */
  readonly lastWell: number;
}

type ReadingRow = readonly [string, LiveReading['value'], LiveReading['quality'], string | null, number, number];

/** Without a word of the stream for this long it is opened anew, ms: a dead connection does not always say that it is dead. */
const silence = 45_000;
const firstPause = 1_000;
const longestPause = 15_000;
/** A stutter is not worth a banner, ms. */
const patience = 2_500;
const mostEvents = 300;
/** As many as the API gives at once: a dead switch takes hundreds of devices with it. */
const mostAlarms = 1_000;

export class Live implements Disposable {
  readonly readings = new LatestStore<LiveReading>(nextFrame);
  readonly outputs = new LatestStore<OutputView>(nextFrame);
  readonly alarms = new LatestStore<AlarmView>(nextFrame, 5_000);
  readonly devices = new LatestStore<DeviceHealthView>(nextFrame);
  readonly processes = new LatestStore<ProcessView>(nextFrame, 100);
  readonly #eventListeners = new Set<(event: EventView) => void>();
  readonly #incidentListeners = new Set<(incident: IncidentBrief) => void>();
  readonly #emergencyListeners = new Set<() => void>();
  readonly #soundListeners = new Set<() => void>();
  readonly #linkListeners = new Set<() => void>();
  readonly #queries: QueryClient;
  /** Newest first. */
  #events: readonly EventView[] = [];
  #link: Link = { state: 'connecting', lastWell: now() };
  #source: EventSource | null = null;
  #lastEventId: string | undefined;
  #isCoreThere = true;
  #pause = firstPause;
  #reopening: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #complaint: ReturnType<typeof setTimeout> | undefined;
  #asking: ReturnType<typeof setTimeout> | undefined;
  /** A stream that does not open must not keep the names of things from anybody. */
  readonly #waiting: ReturnType<typeof setTimeout>;
  #loading: Promise<void> | null = null;
  /** What the stream told while answers were on their way is applied after them. */
  #held: (() => void)[] | null = null;
  #isEnded = false;
  /** The points as they are asked for first: the largest answer of all. */
  readonly #firstPoints = promised<readonly PointView[]>();

  constructor(queries: QueryClient) {
    this.#queries = queries;
    // Pages want them at once, and here they are wanted when the stream is open: asked for once, they serve both.
    void queries.prefetchQuery({ queryKey: ['points'], queryFn: () => this.#firstPoints.promise });
    this.#waiting = setTimeout(() => this.#firstPoints.resolve(api.get('points')), patience);
    this.#open();
  }

  get link(): Link {
    return this.#link;
  }

  get events(): readonly EventView[] {
    return this.#events;
  }

  onLink(listener: () => void): () => void {
    this.#linkListeners.add(listener);
    return () => this.#linkListeners.delete(listener);
  }

  /** Each event once, also those that happened while the connection was lost. */
  onEvent(listener: (event: EventView) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  /** Each incident as it now is, when something about it changed. What was told while the connection was lost is not told again. */
  onIncident(listener: (incident: IncidentBrief) => void): () => void {
    this.#incidentListeners.add(listener);
    return () => this.#incidentListeners.delete(listener);
  }

  /** An emergency began, changed or ended: ask for them. */
  onEmergency(listener: () => void): () => void {
    this.#emergencyListeners.add(listener);
    return () => this.#emergencyListeners.delete(listener);
  }

  /** What sounds has changed, or may have while nothing was heard. */
  onSound(listener: () => void): () => void {
    this.#soundListeners.add(listener);
    return () => this.#soundListeners.delete(listener);
  }

  [Symbol.dispose](): void {
    this.#isEnded = true;
    this.#source?.close();
    const timers = [this.#reopening, this.#watchdog, this.#complaint, this.#asking, this.#waiting];
    for (const timer of timers) clearTimeout(timer);
    this.#firstPoints.reject(new Error('the session is over'));
  }

  #open(): void {
    this.#source?.close();
    clearTimeout(this.#reopening);
    if (this.#isEnded) return;
    // The browser resumes by itself with Last-Event-ID; a stream that we open anew says it in the address.
    const resume = this.#lastEventId === undefined ? '' : `?lastEventId=${encodeURIComponent(this.#lastEventId)}`;
    const source = new EventSource(fromHere(`api/v1/stream${resume}`));
    this.#source = source;
    source.onopen = () => {
      this.#pause = firstPause;
      this.#heard();
      void this.#load();
    };
    source.onerror = () => {
      this.#lose();
      // CONNECTING: the browser tries again by itself. CLOSED: it was refused, so we ask why and try again.
      if (source.readyState === EventSource.CLOSED) this.#reopenLater();
    };
    for (const [kind, hear] of Object.entries(this.#handlers())) {
      source.addEventListener(kind, (message: MessageEvent<string>) => {
        this.#heard();
        if (message.lastEventId !== '') this.#lastEventId = message.lastEventId;
        // What our own server says; its shapes are those of the schemas.
        hear(JSON.parse(message.data) as never);
      });
    }
    this.#watch();
  }

  #reopenLater(): void {
    clearTimeout(this.#reopening);
    const pause = this.#pause * (0.75 + Math.random() / 2);
    this.#pause = Math.min(this.#pause * 2, longestPause);
    this.#reopening = setTimeout(() => {
      // 401 tells the page that the session is over.
      void api.get('me').catch(() => {});
      void this.#queries.invalidateQueries({ queryKey: ['me'] });
      this.#open();
    }, pause);
  }

  #watch(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      this.#lose();
      this.#open();
    }, silence);
  }

  #heard(): void {
    this.#watch();
    clearTimeout(this.#complaint);
    this.#complaint = undefined;
    if (this.#isCoreThere) this.#setLink('live');
  }

  #lose(): void {
    this.#complaint ??= setTimeout(() => this.#setLink('lost'), patience);
  }

  #setLink(state: Link['state']): void {
    if (state === 'live' || state !== this.#link.state) {
      const lastWell = state === 'live' ? now() : this.#link.lastWell;
      const isNew = state !== this.#link.state;
      this.#link = { state, lastWell };
      if (isNew) for (const listener of this.#linkListeners) listener();
    }
  }

  /** Typed by hand: these are the messages of web/stream.ts. */
  #handlers(): Record<string, (body: never) => void> {
    return {
      readings: (rows: readonly ReadingRow[]) => this.#apply(() => this.#takeReadings(rows)),
      output: (output: OutputView) => this.#apply(() => this.outputs.set(output.ref, output)),
      alarm: (alarm: AlarmView) => this.#apply(() => this.#takeAlarm(alarm)),
      event: (event: EventView) => this.#apply(() => this.#takeEvent(event)),
      incident: (incident: IncidentBrief) => {
        for (const listener of this.#incidentListeners) listener(incident);
      },
      emergency: () => {
        for (const listener of this.#emergencyListeners) listener();
      },
      sound: () => this.#tellSound(),
      health: () => this.#loadDevicesSoon(),
      processes: (all: readonly ProcessView[]) => this.processes.replace(all.map((child) => [child.name, child])),
      core: ({ connected }: { readonly connected: boolean }) => this.#takeCore(connected),
      missed: () => void this.#load(),
    };
  }

  #tellSound(): void {
    for (const listener of this.#soundListeners) listener();
  }

  #apply(change: () => void): void {
    if (this.#held === null) change();
    else this.#held.push(change);
  }

  #takeCore(connected: boolean): void {
    const cameBack = connected && !this.#isCoreThere;
    this.#isCoreThere = connected;
    this.#setLink(connected ? 'live' : 'core-away');
    // What ended while core was away is not told again.
    if (cameBack) void this.#load();
  }

  #takeReadings(rows: readonly ReadingRow[]): void {
    for (const [ref, value, quality, reason, sourceTime, receivedTime] of rows) {
      this.readings.set(ref, { value, quality, reason, sourceTime, receivedTime });
    }
  }

  #takeAlarm(alarm: AlarmView): void {
    if (alarm.state === 'normal') this.alarms.delete(alarm.id);
    else this.alarms.set(alarm.id, alarm);
  }

  #takeEvent(event: EventView): void {
    if (this.#events.some(({ id }) => id === event.id)) return;
    this.#events = [event, ...this.#events].slice(0, mostEvents);
    for (const listener of this.#eventListeners) listener(event);
  }

  /** Asks for everything that is true now. Fails quietly: the next opening, or a person, asks again. */
  #load(): Promise<void> {
    this.#loading ??= this.#loadOnce().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async #loadOnce(): Promise<void> {
    this.#held = [];
    this.#tellSound();
    try {
      const asked = api.get<readonly PointView[]>('points');
      this.#firstPoints.resolve(asked);
      clearTimeout(this.#waiting);
      const [points, outputs, alarms, events] = await Promise.all([
        asked,
        api.get<readonly OutputView[]>('outputs'),
        api.get<readonly AlarmView[]>(`alarms?open=true&limit=${mostAlarms}`),
        api.get<readonly EventView[]>('events?newest=true&limit=100'),
        this.#loadDevices(),
      ]);
      this.readings.replace(points.map((point) => [point.id, readingOf(point)]));
      this.outputs.replace(outputs.map((output) => [output.ref, output]));
      this.alarms.replace(alarms.map((alarm) => [alarm.id, alarm]));
      for (const event of events.toReversed()) this.#takeEvent(event);
      this.#lastEventId ??= events[0]?.id;
      this.#queries.setQueryData(['points'], points);
    } catch {
      // While core makes its database the API answers 503: asked again for as long as the stream is there.
      if (!this.#isEnded) setTimeout(() => void this.#load(), 2_000);
    } finally {
      const held: readonly (() => void)[] = this.#held ?? [];
      this.#held = null;
      for (const change of held) change();
    }
  }

  /** Every driver says how it is every few seconds: one question answers all of them. */
  #loadDevicesSoon(): void {
    this.#asking ??= setTimeout(() => {
      this.#asking = undefined;
      void this.#loadDevices();
    }, 1_000);
  }

  async #loadDevices(): Promise<void> {
    const devices = await api.get<readonly DeviceHealthView[]>('devices').catch(() => null);
    if (devices !== null) this.devices.replace(devices.map((device) => [device.device, device]));
  }
}

/** Promise.withResolvers is not in all browsers that this is built for. */
function promised<T>() {
  let resolve: (value: T | Promise<T>) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  // Nobody may be waiting for it.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

function nextFrame(flush: () => void): void {
  // A page that is not seen gets no frames, and still has to know.
  if (document.visibilityState === 'hidden') setTimeout(flush, 1_000);
  else requestAnimationFrame(flush);
}

export function readingOf({ value, quality, reason, sourceTime, receivedTime }: PointView): LiveReading {
  return { value, quality, reason: reason ?? null, sourceTime, receivedTime };
}
