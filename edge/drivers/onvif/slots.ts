import type { DeviceId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { CameraMemory, KeptSubscription } from './memory.ts';
import type { PullPoint, PullPoints } from './pull-point.ts';
import { Trouble } from './trouble.ts';

export interface SlotsOptions {
  readonly device: DeviceId;
  readonly memory: CameraMemory;
  readonly points: PullPoints;
  readonly clock: Clock;
  readonly count: (outcome: string) => void;
}

/** A renewal that is lost with a crash only makes us give up a slot a little early: it may wait for the disk, ms. */
const lazily = 5_000;
/** As many as the file keeps. */
const most = 8;

/**
 * The event subscriptions of this campus at one camera, kept on disk from the moment they are had until they are given back: a
 * camera has about eight, and seventeen that crashed clients left have made a camera deaf (danielwoz/ONVIF #47).
 */
export class Slots {
  readonly #options: SlotsOptions;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  /** `serial`: of the camera that gave it. */
  take(point: PullPoint, serial: string): void {
    const { address, path, reference } = point;
    const kept = { address, path, reference, serial, until: this.#lapse(point) };
    this.#put([kept, ...this.#others(point)].slice(0, most), 0);
  }

  renew(point: PullPoint): void {
    const until = this.#lapse(point);
    const mine = (kept: KeptSubscription) => isSame(kept, point);
    this.#put(
      this.#kept.map((kept) => (mine(kept) ? { ...kept, until } : kept)),
      lazily,
    );
  }

  /** Given back, or lost: nothing is owed any more. */
  free(point: { readonly path: string; readonly reference: string }): void {
    const rest = this.#others(point);
    if (rest.length !== this.#kept.length) this.#put(rest, 0);
  }

  /**
   * Unsubscribes what an earlier run of ours left at this camera, and nothing else: other clients' slots are theirs. What has
   * lapsed by itself is not touched, for its name may be somebody else's by now. Throws Trouble only where nobody answers.
   */
  async giveBack(current: PullPoint | null, serial: string, timing: { timeout: number; signal: AbortSignal }) {
    const { clock, points, count } = this.#options;
    for (const kept of this.#kept) {
      if (current !== null && isSame(kept, current)) continue;
      const now = clock.now();
      if (kept.serial === serial && kept.until > now) {
        try {
          await points.unsubscribe(
            { ...kept, since: clock.monotonic(), life: kept.until - now, renews: false },
            timing,
          );
          count('leftover-unsubscribed');
        } catch (error) {
          // It stays kept: the camera will be there again.
          if (error instanceof Trouble && (error.kind === 'unreachable' || error.kind === 'aborted')) throw error;
          count('leftover-lost');
        }
      }
      this.free(kept);
    }
  }

  get #kept(): readonly KeptSubscription[] {
    return this.#options.memory.of(this.#options.device).subscriptions;
  }

  #others(point: { readonly path: string; readonly reference: string }): KeptSubscription[] {
    return this.#kept.filter((kept) => !isSame(kept, point));
  }

  #put(subscriptions: KeptSubscription[], delay: number): void {
    const { memory, device } = this.#options;
    memory.change(device, { subscriptions }, delay);
  }

  #lapse({ since, life }: PullPoint): number {
    const { clock } = this.#options;
    return Math.round(clock.now() + since + life - clock.monotonic());
  }
}

function isSame(a: { path: string; reference: string }, b: { path: string; reference: string }): boolean {
  return a.path === b.path && a.reference === b.reference;
}
