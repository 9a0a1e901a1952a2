import type { Clock } from '#edge/runtime/clock.ts';

/** One notification as a camera keeps it. */
export interface CameraMessage {
  readonly topic: string;
  readonly source: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
  /** Absent for a message without a state. */
  readonly operation?: 'Initialized' | 'Changed' | 'Deleted';
  /** The camera's clock, ms. */
  readonly time: number;
}

export interface CameraSubscription {
  readonly id: string;
  /** Monotonic ms. */
  until: number;
  readonly queue: CameraMessage[];
  /** Wakes the long poll that waits, if one does. */
  wake: () => void;
}

const longestQueue = 1000;

/** A camera's table of pull points: few slots, each with a life of its own, and the state of every property. */
export class CameraSubscriptions {
  readonly #clock: Clock;
  readonly #slots: number;
  readonly #table = new Map<string, CameraSubscription>();
  readonly #properties = new Map<string, CameraMessage>();
  #next = 1;

  constructor(clock: Clock, slots: number) {
    this.#clock = clock;
    this.#slots = slots;
  }

  get size(): number {
    this.#lapse();
    return this.#table.size;
  }

  /** Null when every slot is taken. A new pull point starts with the state of all properties. */
  create(life: number): CameraSubscription | null {
    this.#lapse();
    if (this.#table.size >= this.#slots) return null;
    const id = String(this.#next++);
    const subscription = { id, until: this.#clock.monotonic() + life, queue: [], wake: () => {} };
    this.#table.set(id, subscription);
    this.synchronise(subscription);
    return subscription;
  }

  find(id: string): CameraSubscription | undefined {
    this.#lapse();
    return this.#table.get(id);
  }

  remove(id: string): boolean {
    this.#table.get(id)?.wake();
    return this.#table.delete(id);
  }

  synchronise(subscription: CameraSubscription): void {
    for (const message of this.#properties.values()) {
      this.#push(subscription, { ...message, operation: 'Initialized' });
    }
  }

  /** To every subscriber, and kept when it is a state. */
  publish(message: CameraMessage): void {
    const key = JSON.stringify([message.topic, message.source]);
    if (message.operation === 'Deleted') this.#properties.delete(key);
    else if (message.operation !== undefined) this.#properties.set(key, message);
    for (const subscription of this.#table.values()) this.#push(subscription, message);
  }

  /** A camera that reboots forgets its subscribers; its properties are known again at once. */
  clear(): void {
    for (const subscription of this.#table.values()) subscription.wake();
    this.#table.clear();
  }

  #push(subscription: CameraSubscription, message: CameraMessage): void {
    if (subscription.queue.length >= longestQueue) subscription.queue.shift();
    subscription.queue.push(message);
    subscription.wake();
  }

  #lapse(): void {
    const now = this.#clock.monotonic();
    for (const [id, { until }] of this.#table) if (until <= now) this.remove(id);
  }
}
