import type { Device, Point } from '#edge/domain/device.ts';
import { type PointRef, pointRef, type ZoneId } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Occurrence } from '#edge/domain/school.ts';

/* What the campus has to carry a plan out with: points, clips, loudspeakers, modes. */

export type ClipNames = Pick<ReadonlySet<string>, 'has'>;

export interface SiteFacts {
  readonly points: ReadonlyMap<PointRef, Point>;
  /** Of the site file, and what people made: that changes while a campus runs. */
  readonly clips: ClipNames;
  /** Where there is a loudspeaker. */
  readonly soundZones: ReadonlySet<ZoneId>;
  readonly modes: ReadonlySet<string>;
}

/** Why something can never work on this campus, with its place in an action. */
export interface SiteProblem {
  readonly path: string;
  readonly code:
    | 'unknown-output'
    | 'unknown-point'
    | 'not-writable'
    | 'wrong-value'
    | 'unknown-clip'
    | 'no-loudspeaker'
    | 'unknown-mode';
  readonly params: Readonly<Record<string, string | number>>;
}

/** A loudspeaker is told by its output `clip` (domain/broadcast.ts). */
const loudspeaker = 'clip';
const longestText = 256;

export function siteFacts(
  devices: readonly Pick<Device, 'id' | 'zone' | 'points'>[],
  clips: ClipNames,
  modes: Iterable<string>,
): SiteFacts {
  const points = devices.flatMap(({ id, points }) => points.map((point) => [pointRef(id, point.name), point] as const));
  const sounding = devices.filter((device) => device.points.some(isLoudspeaker));
  return {
    points: new Map(points),
    clips,
    soundZones: new Set(sounding.map(({ zone }) => zone)),
    modes: new Set(modes),
  };
}

export function isLoudspeaker({ name, type, write }: Pick<Point, 'name' | 'type' | 'write'>): boolean {
  return name === loudspeaker && type === 'text' && write !== undefined && write.momentary !== true;
}

/** null: the output can have this value. */
export function outputProblem({ points }: SiteFacts, ref: PointRef, value: Value, path: string): SiteProblem | null {
  const point = points.get(ref);
  if (point === undefined) return { path, code: 'unknown-output', params: { ref } };
  const { write, type } = point;
  if (write === undefined || write.momentary === true) return { path, code: 'not-writable', params: { ref } };
  const wrong = (more: SiteProblem['params']): SiteProblem => ({
    ...{ path, code: 'wrong-value' },
    params: { ref, value: String(value).slice(0, 40), ...more },
  });
  if ((typeof value === 'string' ? 'text' : typeof value) !== type) return wrong({ type });
  if (typeof value === 'string') return value.length > longestText ? wrong({ max: longestText }) : null;
  if (typeof value !== 'number') return null;
  const { min, max, step } = write;
  const bounds = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
  if (!Number.isFinite(value) || value < (min ?? value) || value > (max ?? value)) return wrong(bounds);
  if (step === undefined) return null;
  const steps = (value - (min ?? 0)) / step;
  // Tolerates what decimal fractions lose in binary.
  return Math.abs(steps - Math.round(steps)) < 1e-6 ? null : wrong({ ...bounds, step });
}

/** A sensor that is asked; null: it is there, and says what can be used. */
export function sensorProblem(
  { points }: SiteFacts,
  ref: PointRef,
  types: readonly Point['type'][],
  path: string,
): SiteProblem | null {
  const point = points.get(ref);
  if (point === undefined) return { path, code: 'unknown-point', params: { ref } };
  return types.includes(point.type) ? null : { path, code: 'wrong-value', params: { ref, type: point.type } };
}

/** Why nothing of it can be done here. `zones`: where it is to sound, after layers are worked out. */
export function actionProblems(
  facts: SiteFacts,
  action: Occurrence['do'],
  zones: readonly ZoneId[],
): readonly SiteProblem[] {
  switch (action.kind) {
    case 'sound': {
      const { clip } = action;
      const found: SiteProblem[] = [];
      if (!facts.clips.has(clip)) found.push({ path: 'clip', code: 'unknown-clip', params: { clip } });
      if (zones.length > 0 && !zones.some((zone) => facts.soundZones.has(zone)))
        found.push({ path: 'zones', code: 'no-loudspeaker', params: { zones: zones.slice(0, 10).join(' ') } });
      return found;
    }
    case 'hold':
      return action.outputs.flatMap(({ ref, value }, n) => outputProblem(facts, ref, value, `outputs[${n}]`) ?? []);
    case 'mode':
      return facts.modes.has(action.mode)
        ? []
        : [{ path: 'mode', code: 'unknown-mode', params: { mode: action.mode } }];
    case 'show':
      return [];
  }
}
