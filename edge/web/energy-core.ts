import { z } from 'zod';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { Device } from '#edge/domain/device.ts';
import { type EnergyPlan, type FindingKind, findingKinds } from '#edge/domain/energy.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { LocalClock } from '#edge/energy/local-days.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import type { Reader } from '#edge/store/reader.ts';
import { findingWords } from './energy-finding-words.ts';
import type { DemandNowView, EnergyFindingView } from './energy-schemas.ts';

/* What core knows of energy this moment: its demand limits, and what it found odd. */

const time = z.number();
const kilowatts = z.number().nullable();
const name = z.object({ zh: z.string(), en: z.string() });
const demandSchema = z.object({
  meter: z.string(),
  limit: z.number(),
  status: z.enum(['ok', 'shedding', 'short', 'blind']),
  prediction: z.object({
    from: time,
    to: time,
    used: z.number(),
    known: z.number(),
    power: kilowatts,
    predicted: kilowatts,
    unshed: kilowatts,
  }),
  sheds: z.array(
    z.object({
      ref: z.string(),
      tier: z.string(),
      since: time,
      notBefore: time,
      until: time,
      why: name,
      saves: z.number(),
      defies: z.boolean(),
    }),
  ),
  windows: z.array(
    z.object({ from: time, to: time, demand: kilowatts, unshed: kilowatts, shed: z.number(), exceeded: z.boolean() }),
  ),
});
const foundSchema = z.object({
  kind: z.enum(findingKinds),
  meter: z.string(),
  from: time,
  to: time,
  found: z.number(),
  expected: z.number(),
  unit: z.string(),
  costPerDay: z.number().nullable(),
});
const answerSchema = z.object({
  demand: z.array(demandSchema),
  findings: z.array(foundSchema).optional(),
  holidays: z.array(z.iso.date()).optional(),
});
type Told = z.infer<typeof answerSchema>;
export type Found = z.infer<typeof foundSchema>;

export interface CoreEnergy {
  readonly demand: Told['demand'];
  readonly findings: readonly EnergyFindingView[];
}

const hourMs = 3_600_000;
/** Not there, or of a time before it could tell. */
const away = ['RPC_AWAY', 'RPC_BUSY', 'TIMEOUT', 'RPC_UNKNOWN_METHOD'];

/** What core says of energy, asked for at most once a second however many look. */
export interface EnergyCore {
  ask(): Promise<CoreEnergy>;
  /** Local dates on which people said that there are no lessons, as core said last; it is asked when it never was. */
  holidays(): Promise<readonly string[]>;
}

export interface EnergyCoreOptions {
  readonly rpc: Pick<RpcClient, 'call'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly reader: Pick<Reader, 'alarms'>;
  readonly plan: EnergyPlan;
  /** ISO 4217 of a medium's tariff now; null: there is none. */
  readonly currencyOf: (meter: string) => string | null;
}

const keepMs = 1_000;

/** Asks core, at most for three seconds. While it is away: no demand, and the findings whose alarms stand. */
export function createEnergyCore({ rpc, reader, plan, currencyOf, clock }: EnergyCoreOptions): EnergyCore {
  const names = new Map<string, Name>(plan.meters.map((meter) => [meter.id, meter.name]));
  /** What core said last: an alarm has no figures. */
  let heard: readonly Found[] = [];
  let holidays: readonly string[] = [];
  let asked: { readonly at: number; readonly answer: Promise<CoreEnergy> } | null = null;
  const view = (found: Found): EnergyFindingView => ({
    ...found,
    name: names.get(found.meter) ?? { zh: found.meter, en: found.meter },
    currency: found.costPerDay === null ? null : currencyOf(found.meter),
    ...findingWords(found),
  });
  const askNow = async (): Promise<CoreEnergy> => {
    try {
      const told = answerSchema.parse(await rpc.call('energy.now', {}, 3_000));
      heard = told.findings ?? [];
      holidays = told.holidays ?? [];
      return { demand: told.demand, findings: heard.filter(({ meter }) => names.has(meter)).map(view) };
    } catch (error) {
      if (!away.includes(codeOf(error))) throw error;
      return { demand: [], findings: standing(reader, heard, names, view) };
    }
  };
  const ask = (): Promise<CoreEnergy> => {
    const at = clock.monotonic();
    if (asked === null || at - asked.at >= keepMs) asked = { at, answer: askNow() };
    return asked.answer;
  };
  return {
    ask,
    holidays: async () => {
      if (asked === null) await ask();
      return holidays;
    },
  };
}

function standing(
  reader: Pick<Reader, 'alarms'>,
  heard: readonly Found[],
  names: ReadonlyMap<string, Name>,
  view: (found: Found) => EnergyFindingView,
): EnergyFindingView[] {
  return reader.alarms({ open: true, limit: 5_000 }).flatMap((alarm) => {
    const about = alarm.active ? aboutOf(alarm) : null;
    const called = about === null ? undefined : names.get(about.meter);
    if (about === null || called === undefined) return [];
    const known = heard.find(({ kind, meter }) => kind === about.kind && meter === about.meter);
    return [known === undefined ? withoutFigures(alarm, about, called) : view(known)];
  });
}

/** `energy:<meter>/<kind>` */
function aboutOf({ source }: Alarm): { readonly kind: FindingKind; readonly meter: string } | null {
  const [, meter, told] = /^energy:([^/]+)\/(.+)$/.exec(source) ?? [];
  const kind = findingKinds.find((one) => one === told);
  return meter === undefined || kind === undefined ? null : { kind, meter };
}

/** No unit: the figures are not known. */
function withoutFigures(
  { message, next, came, raised }: Alarm,
  about: { readonly kind: FindingKind; readonly meter: string },
  called: Name,
): EnergyFindingView {
  const times = { from: raised, to: came ?? raised };
  const figures = { found: 0, expected: 0, unit: '', costPerDay: null, currency: null };
  return { ...about, ...times, ...figures, name: called, message, next };
}

/** As the page shows it. */
export function demandView(
  told: Told['demand'][number],
  plan: EnergyPlan,
  devices: ReadonlyMap<string, Device>,
  seesRef: (ref: string) => boolean,
  clock: LocalClock,
  now: number,
): DemandNowView {
  const { meter, limit, status, prediction, sheds, windows } = told;
  const { from, to, used, power, predicted, unshed } = prediction;
  const passed = Math.min(now, to) - from;
  const midnight = clock.dayStart(now);
  const today = windows.filter((window) => window.to > midnight);
  const tiers = plan.demand.find((one) => one.meter === meter)?.tiers ?? [];
  return {
    ...{ meter, limit, status, from, to, power, predicted, unshed },
    soFar: passed < 1_000 || power === null ? null : (used * hourMs) / passed,
    sheds: sheds
      .filter(({ ref }) => seesRef(ref))
      .map(({ ref, tier, ...rest }) => ({
        ...rest,
        output: ref,
        name: outputName(ref, devices),
        tier: tiers.find(({ id }) => id === tier)?.id ?? tier,
      })),
    windows: today.map(({ shed: _, ...window }) => window),
    saved: today.reduce((sum, { shed }) => sum + shed, 0),
  };
}

/** What a load is called where it is switched. */
export function outputName(ref: string, devices: ReadonlyMap<string, Device>): Name {
  const split = splitPointRef(ref);
  const device = split === null ? undefined : devices.get(split.device);
  const label = device?.points.find((point) => point.name === split?.point)?.label;
  if (device === undefined || label === undefined) return { zh: ref, en: ref };
  return { zh: `${device.name.zh} · ${label.zh}`, en: `${device.name.en} · ${label.en}` };
}
