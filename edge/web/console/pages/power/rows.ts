import type { CampusView, PointView } from '../../api.ts';
import { pointLabel } from '../../kit/values.ts';
import { type Language, nameIn } from '../../kit/words.ts';
import { placeOf } from '../devices/tree.ts';
import { type CircuitNow, type Kind, type PowerBody, powerOf } from './shapes.ts';
import { words } from './words.ts';

/* Every output of the power schedule, and those beside it: what each is called, where it is, what is looked for. Pure. */

export interface Row {
  readonly ref: string;
  readonly point: PointView;
  /** Of the signed schedule; null: none has it. */
  readonly entry: string | null;
  /** What the schedule makes of it; null: none has it, or nothing is decided while the clock is doubted. */
  readonly circuit: CircuitNow | null;
  readonly power: PowerBody | null;
  readonly kind: Kind;
  readonly title: string;
  readonly place: string;
  /** Building; '' is outside of all. */
  readonly building: string;
  /** Everything it is called by, in both languages. */
  readonly words: string;
}

/** Loudspeakers and sessions are no circuits. */
const noCircuit = /^(clip|volume|driver-session|mode|fan|setpoint|input|wake)/;

/** A circuit of the signed schedule, with or without what is decided now. */
export type Planned = Pick<CircuitNow, 'entry' | 'power'> & Partial<CircuitNow>;

/** By place, as the campus has it; those that are in no schedule come last. */
export function rowsOf(
  campus: CampusView,
  points: readonly PointView[],
  circuits: readonly Planned[],
  language: Language,
): Row[] {
  const byRef = new Map(points.map((point) => [point.id, point]));
  const planned = new Set<string>();
  const rows: Row[] = [];
  for (const circuit of circuits) {
    const power = powerOf(circuit.power);
    for (const ref of power?.outputs ?? []) {
      const point = byRef.get(ref);
      if (point === undefined) continue;
      planned.add(ref);
      rows.push(rowOf(campus, point, circuit, power, language));
    }
  }
  const order = new Map(campus.buildings.map(({ id }, index) => [id, index]));
  const rank = ({ building }: Row) => order.get(building) ?? order.size;
  rows.sort(
    (a, b) => rank(a) - rank(b) || a.place.localeCompare(b.place, 'zh') || a.title.localeCompare(b.title, 'zh'),
  );
  const others = points
    .filter((point) => point.write !== undefined && !planned.has(point.id) && !noCircuit.test(point.point))
    .map((point) => rowOf(campus, point, null, null, language));
  return [...rows, ...others];
}

function rowOf(
  campus: CampusView,
  point: PointView,
  circuit: Planned | null,
  power: PowerBody | null,
  language: Language,
): Row {
  const device = campus.devices.find(({ id }) => id === point.device);
  const place = device === undefined ? [] : placeOf(campus, device);
  const zone = campus.zones.find(({ id }) => id === point.zone);
  const where = place.length > 0 ? place : zone === undefined ? [] : [zone.name];
  const own = `${nameIn(language, point.deviceName)} · ${pointLabel(point.point, point.label, language)}`;
  const kind = power?.kind ?? 'other';
  return {
    ...{ ref: point.id, point, entry: circuit?.entry ?? null, circuit: decided(circuit), power, kind },
    title: power !== null && power.outputs.length === 1 ? nameIn(language, power.name) : own,
    place: where.map((one) => nameIn(language, one)).join(' · '),
    building: buildingOf(campus, device?.space ?? null),
    words: [
      ...[point.id, point.deviceName.zh, point.deviceName.en, point.label.zh, point.label.en],
      ...where.flatMap(({ zh, en }) => [zh, en]),
      ...[device?.space ?? '', zone?.name.zh ?? '', zone?.name.en ?? ''],
      ...(power === null ? [] : [power.name.zh, power.name.en, circuit?.entry ?? '']),
      ...(['zh', 'en'] as const).flatMap((one) => [words[one][`kind:${kind}`], words[one][`search:${kind}`]]),
    ]
      .join(' ')
      .toLowerCase(),
  };
}

function decided(circuit: Planned | null): CircuitNow | null {
  if (circuit?.decision === undefined || circuit.next === undefined) return null;
  const { entry, power, decision, next, learned } = circuit;
  return { entry, power, decision, next, ...(learned === undefined ? {} : { learned }) };
}

export function buildingOf(campus: CampusView, space: string | null): string {
  const found = campus.buildings.find(({ floors }) =>
    floors.some(({ spaces }) => spaces.some(({ id }) => id === space)),
  );
  return found?.id ?? '';
}

/** What people type around the thing they mean: "203 的灯为什么开着？", "why is the light in 203 on". */
const around =
  /为什么|怎么|还|开着|关着|亮着|没开|没关|现在|是|的|了|吗|呢|[?？，。,]|\b(?:why|what|is|are|the|an|a|in|of|on|off|at|does|do|still|room|now)\b/gi;
const chinese = /^[\u3400-\u9fff]+$/;

/** The words that count of what was typed; `room` alone is still a word. */
export function soughtOf(text: string): readonly string[] {
  const bare = text.replace(around, ' ').trim();
  return (bare === '' ? text : bare).toLowerCase().match(/[a-z][a-z_-]*|\d+|[\u3400-\u9fff]+|[^\s]/g) ?? [];
}

/** Every word occurs; of a Chinese one at least each character, so that 教室灯 finds 教室照明（灯）. */
export function fits(words: string, sought: readonly string[]): boolean {
  return sought.every(
    (word) => words.includes(word) || (chinese.test(word) && [...word].every((character) => words.includes(character))),
  );
}

export interface Filter {
  readonly text: string;
  /** '': everywhere; `outside`: in no building. */
  readonly building: string;
}

/** What is in no schedule is shown to those who look for it only. */
export function shown(rows: readonly Row[], { text, building }: Filter): readonly Row[] {
  const sought = soughtOf(text);
  return rows.filter(
    (row) =>
      (row.entry !== null || sought.length > 0) &&
      (building === '' || row.building === (building === 'outside' ? '' : building)) &&
      fits(row.words, sought),
  );
}
