import type { PointView } from '../../api.ts';
import type { EditSay } from './edit-words.ts';
import type { PowerBody } from './shapes.ts';

/* The form of an entry: what a new one begins as, and what is still missing. Pure. */

export const emptyPower: PowerBody = {
  ...{ part: 'power', name: { zh: '', en: '' }, layer: 'campus', kind: 'light', outputs: [], on: true, off: false },
  ...{ slots: { kinds: ['lesson', 'break', 'long-break'], before: 10, after: 10 }, weekly: [] },
  ...{ days: { kinds: [], weekdays: [] }, months: [], occupancy: null, prepare: null, setback: null },
  ...{ minimumOn: 0, minimumOff: 0 },
};

export const newOccupancy = { ref: '', offAfter: 15, toStart: 'needed' } as const;
export const newPrepare: NonNullable<PowerBody['prepare']> = {
  temperature: '',
  mode: 'heat',
  setpoint: 20,
  tolerance: 1,
  rate: 3,
  earliest: 90,
};

/** What keeps it from being saved; the server judges once more. */
export function missing(body: PowerBody, say: EditSay): readonly string[] {
  return [
    ...(body.name.zh.trim() === '' && body.name.en.trim() === '' ? [say.needName] : []),
    ...(body.outputs.length === 0 ? [say.needOutputs] : []),
    ...(body.on === body.off ? [say.sayOnOff] : []),
    ...(body.slots !== null && body.slots.kinds.length === 0 ? [say.needKinds] : []),
    ...(body.occupancy?.ref === '' ? [say.needSensor] : []),
    ...(body.prepare?.temperature === '' ? [say.needThermometer] : []),
  ];
}

/** As it is sent: a name in one language is that in the other too. */
export function ready(body: PowerBody): PowerBody {
  const zh = body.name.zh.trim();
  const en = body.name.en.trim();
  return { ...body, name: { zh: zh === '' ? en : zh, en: en === '' ? zh : en } };
}

const presence = /^(occupancy|presence|motion|person)/;

/** Sensors that tell whether somebody is there, and thermometers. */
export function isPresence({ point, type }: PointView): boolean {
  return presence.test(point) && (type === 'boolean' || type === 'number');
}

export function isThermometer({ unit, type }: PointView): boolean {
  return type === 'number' && unit === 'Cel';
}

/** A slug for a new entry that no other has: `power-203`, `power-203-2`. */
export function newId(name: string, known: ReadonlySet<string>): string {
  const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const base = `power${words.length === 0 ? '' : `-${words.join('-')}`}`.slice(0, 50);
  for (let n = 1; ; n++) {
    const id = n === 1 ? base : `${base}-${n}`;
    if (!known.has(id)) return id;
  }
}

/** Cel an hour that the slowest of the last starts took: what the next one reckons with. null: nothing is learned. */
export function learnedRate(runs: readonly { readonly pace: number }[] | undefined): number | null {
  if (runs === undefined || runs.length === 0) return null;
  return 60 / Math.max(...runs.map(({ pace }) => pace));
}
