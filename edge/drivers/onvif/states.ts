import type { Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Quality, Reason, Sample, Value } from '#edge/domain/reading.ts';

/** What a camera point can be about: the camera's life, its clock (s ahead of ours), or a state by its event type. */
export function atOf(point: Point): string {
  const { address } = point;
  if (typeof address === 'string') return address;
  if (typeof address === 'object' && address !== null && 'at' in address) return String(address.at);
  return '';
}

interface State {
  value: Value | null;
  quality: Quality;
  reason: Reason | undefined;
}

/** The points of one camera as they are now; tells the sink when one changes. */
export class States {
  readonly #points: readonly Point[];
  readonly #tell: (sample: Sample) => void;
  readonly #states = new Map<string, State>();
  #silence: Reason | null = 'never-read';

  constructor(points: readonly Point[], tell: (sample: Sample) => void) {
    this.#points = points;
    this.#tell = tell;
  }

  /** Names what the profile asked for that a camera does not have. */
  unknownPoints(known: (at: string) => boolean): readonly PointName[] {
    return this.#points.filter((point) => !known(atOf(point))).map((point) => point.name);
  }

  set(at: string, value: Value): void {
    const state = this.#states.get(at);
    if (state?.quality === 'good' && state.value === value) return;
    this.#states.set(at, { value, quality: 'good', reason: undefined });
    this.#publish(at);
  }

  /** Everything the camera tells, but what is in `keep`, becomes bad: nobody knows any more. */
  lose(reason: Reason, keep: ReadonlySet<string>): void {
    this.#silence = reason;
    for (const [at, state] of this.#states) {
      if (keep.has(at) || (state.quality === 'bad' && state.reason === reason)) continue;
      this.#states.set(at, { value: null, quality: 'bad', reason });
      this.#publish(at);
    }
  }

  regain(): void {
    this.#silence = null;
  }

  sample(point: Point): Sample {
    const at = atOf(point);
    const state = this.#states.get(at);
    if (!state) return { point: point.name, value: null, quality: 'bad', reason: this.#silence ?? 'never-read' };
    const { value, quality, reason } = state;
    return { point: point.name, value, quality, ...(reason === undefined ? {} : { reason }) };
  }

  #publish(at: string): void {
    for (const point of this.#points) {
      if (atOf(point) === at) this.#tell(this.sample(point));
    }
  }
}
