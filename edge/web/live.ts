import type { Alarm } from '#edge/domain/alarm.ts';
import type { ClipFacts } from '#edge/domain/broadcast.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { ProcessHealth, ProcessStatus } from '#edge/domain/health.ts';
import type { IncidentBrief } from '#edge/domain/incident.ts';
import type { OutputState } from '#edge/domain/output.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';

/** What browsers are told as it happens. */
export type LiveMessage =
  | { readonly kind: 'reading'; readonly body: Reading }
  | { readonly kind: 'event'; readonly body: CampusEvent }
  | { readonly kind: 'alarm'; readonly body: Alarm | { readonly id: string; readonly state: 'normal' } }
  /** As it now is; what is resolved is told once, as such. */
  | { readonly kind: 'incident'; readonly body: IncidentBrief }
  | { readonly kind: 'output'; readonly body: OutputState }
  | { readonly kind: 'health'; readonly body: ProcessHealth }
  | { readonly kind: 'processes'; readonly body: readonly ProcessStatus[] }
  /** A hint: what sounds has changed; who may see it asks for it. */
  | { readonly kind: 'sound'; readonly body: { readonly time: number } }
  /** The same of emergencies. */
  | { readonly kind: 'emergency'; readonly body: { readonly time: number } }
  | { readonly kind: 'core'; readonly body: { readonly connected: boolean } };

const maxEntries = 50_000;

/** The campus as the bus last told it: kept in memory so that a page is there at once, even while core is away. */
export class LiveState {
  readonly readings = new Map<string, Reading>();
  readonly outputs = new Map<string, OutputState>();
  readonly health = new Map<string, ProcessHealth>();
  /** As they were told last, until they are cleared. What is open is asked of the store. */
  readonly alarms = new Map<string, Alarm>();
  processes: readonly ProcessStatus[] = [];
  /** What `broadcast` found clips to be, by name. */
  clipFacts: ReadonlyMap<string, ClipFacts> = new Map();
  readonly #listeners = new Set<(message: LiveMessage) => void>();
  readonly #clock: Clock;
  #connected = false;
  #awaySince: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#awaySince = clock.monotonic();
  }

  listen(listener: (message: LiveMessage) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** A value is not shown as good when core has been away for longer than a restart takes. */
  get isTrusted(): boolean {
    return this.#connected || this.#clock.monotonic() - this.#awaySince < 5_000;
  }

  setConnected(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    this.#awaySince = this.#clock.monotonic();
    this.#tell({ kind: 'core', body: { connected } });
  }

  accept(message: LiveMessage): void {
    switch (message.kind) {
      case 'reading':
        keep(this.readings, message.body.ref, message.body);
        break;
      case 'output':
        keep(this.outputs, message.body.ref, message.body);
        break;
      case 'health':
        keep(this.health, message.body.process, message.body);
        break;
      case 'processes':
        this.processes = message.body;
        break;
      case 'alarm':
      case 'event':
      case 'incident':
      case 'sound':
      case 'emergency':
      case 'core':
        break;
    }
    this.#tell(message);
    if (message.kind === 'alarm') this.#keepAlarm(message.body);
  }

  /** After it was told: who saw the alarm as it was must hear that it is gone, or gone elsewhere. */
  #keepAlarm(alarm: Extract<LiveMessage, { kind: 'alarm' }>['body']): void {
    if ('source' in alarm) keep(this.alarms, alarm.id, alarm);
    else this.alarms.delete(alarm.id);
  }

  #tell(message: LiveMessage): void {
    for (const listener of this.#listeners) listener(message);
  }
}

/** The bus names only declared points, so the bound is never met by an honest core. */
function keep<T>(map: Map<string, T>, key: string, entry: T): void {
  if (map.size < maxEntries || map.has(key)) map.set(key, entry);
}
