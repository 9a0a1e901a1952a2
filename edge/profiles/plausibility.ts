import { z } from 'zod';
import type { Name } from '#edge/domain/place.ts';
import type { Value as PointValue } from '#edge/domain/reading.ts';
import { expandValues } from './expand.ts';
import { type Explanation, explain, unadjusted } from './plausibility-factors.ts';
import { wiringFaults } from './plausibility-phases.ts';
import { proposalOfFactors, proposalOfReading, proposalOfWiring } from './plausibility-proposals.ts';
import {
  areTwins,
  changesIn,
  isAsSaid,
  type Place,
  placesOf,
  type Reading,
  type Registers,
  readingsOf,
  valueBy,
} from './plausibility-readings.ts';
import { type Evidence, type Finding, type RelationId, weigh } from './plausibility-relations.ts';
import { type Quantity, type Snapshot, slotOf, snapshotOf, unitOf } from './plausibility-snapshot.ts';
import type { ModbusProfile, Profile } from './profile.ts';

/*
 * Whether what an electricity meter says can be, and which mistake of the installation or of the profile would make it possible:
 * byte order, addresses one off, the other register table, a decimal place, kW for W, a current or voltage transformer that is
 * left out, one that is put on the wrong way round or on another phase. Nothing here asks a device or knows a clock.
 */

export type SuspicionKind = RelationId | 'refused' | 'turned' | 'swapped' | 'missing';

export interface Suspicion {
  readonly kind: SuspicionKind;
  readonly points: readonly string[];
  readonly says: Name;
}

export type ProposalKind =
  | 'order'
  | 'base'
  | 'table'
  | 'scale'
  | 'current-ratio'
  | 'voltage-ratio'
  | 'turned'
  | 'swapped';

export interface Proposal {
  /** One proposal may put several things right. */
  readonly kinds: readonly ProposalKind[];
  readonly points: readonly string[];
  /** `possible`: other explanations are as good, or there is little to compare. */
  readonly sure: 'certain' | 'likely' | 'possible';
  readonly says: Name;
  /** What was compared, with the figures as they would be. */
  readonly compared: readonly Name[];
  /** By how much values would have to be multiplied. */
  readonly factors: readonly { readonly points: readonly string[]; readonly factor: number }[];
  /** What a profile of its own would have to say, as YAML; empty where no profile can help. */
  readonly profile: string;
}

export interface Plausibility {
  /** `true`: it is an electricity meter and could be judged at all. */
  readonly isJudged: boolean;
  /** How much holds, in bits: what tells one profile from another that fits as well. */
  readonly bits: number;
  readonly suspicions: readonly Suspicion[];
  /** The likeliest first. */
  readonly proposals: readonly Proposal[];
  /** What was compared in the values as they are. */
  readonly compared: readonly Name[];
}

export interface RawValues {
  /** As the driver said them, by point. */
  readonly values: ReadonlyMap<string, PointValue | null>;
  /** Of a Modbus device: its registers, where the profile says that they are and beside that (`spansWanted`). */
  readonly registers?: Registers;
  /** Which of the profile's variants it is, where that is known. */
  readonly variant?: string | null;
  /** Path of the profile, for what is proposed: `meter/eastron-sdm630`. */
  readonly path?: string;
}

interface Read {
  readonly reading: Reading;
  readonly snapshot: Snapshot;
  readonly evidence: Evidence;
  /** Quantities that the meter did not give. */
  readonly missing: readonly string[];
  /** What speaks for and against it besides its relations. */
  readonly extra: number;
  readonly score: number;
}

const nothing: Plausibility = { isJudged: false, bits: 0, suspicions: [], proposals: [], compared: [] };

/** A quantity that a reading does not give speaks against it. */
const perMissing = 1.5;
/** Floats that a meter rounded look so only when they are read rightly. */
const perShort = 1.5;
/** Each thing that would be wrong with the profile has to be earned. */
const perChange = 3;
/** Less evidence than this proposes nothing: a voltage and a frequency are 13. */
const leastBits = 12;
const leastGain = 8;

export function judgePlausibility(raw: RawValues, profile: Profile): Plausibility {
  if (raw.registers !== undefined && profile.protocol === 'modbus' && profile.bus.sunspec === undefined) {
    const places = placesOf(profile);
    if (places.length > 0) return judgeRegisters(raw, raw.registers, profile, places);
  }
  return judgeValues(raw, profile);
}

/** By values alone: what the registers would say otherwise cannot be known. */
function judgeValues(raw: RawValues, profile: Profile): Plausibility {
  const quantities = expandValues(profile).flatMap(({ name, type, value }): Quantity[] => {
    if (type !== 'number') return [];
    const { range } = value;
    return [{ name, unit: unitOf(value.unit), ...(range === undefined ? {} : { range }) }];
  });
  const known = quantities.filter((quantity) => slotOf(quantity) !== null);
  const steps = new Map(expandValues(profile).map(({ name, address }) => [name, stepBy(address)]));
  const snapshot = snapshotOf(known, (name) => {
    const value = raw.values.get(name);
    return typeof value === 'number' ? { value, step: steps.get(name) ?? lastDigit(value) } : null;
  });
  if (snapshot === null) return nothing;
  const isSilent = known.every(({ name }) => typeof raw.values.get(name) !== 'number');
  if (isSilent) return { ...nothing, isJudged: true, suspicions: [refused(known.map(({ name }) => name))] };
  return judgeSnapshot(snapshot, raw, profile);
}

const scaledBy = z.object({ scale: z.number() });
const formatted = z.object({ format: scaledBy.extend({ as: z.string() }), scaleFrom: z.undefined().optional() });

/** What one step of its register or its last BCD digit is worth; undefined: that is not known before it is read. */
function stepBy(address: unknown): number | undefined {
  const registers = formatted.safeParse(address).data?.format;
  if (registers !== undefined) {
    const scale = Math.abs(registers.scale);
    return registers.as.startsWith('f') && scale >= 1 ? 0 : scale;
  }
  return scaledBy.safeParse(address).data?.scale;
}

/** The last digit of a decimal, where nothing else is known: 230.2 counts in tenths. */
function lastDigit(value: number): number {
  const [, fraction = ''] = String(value).split('.');
  return fraction.includes('e') ? 0 : 10 ** -Math.min(4, fraction.length);
}

function refused(points: readonly string[]): Suspicion {
  const more = points.length > 4 ? ' ...' : '';
  return {
    kind: 'refused',
    points,
    says: {
      zh: `设备没有给出档案中的量：${points.slice(0, 4).join(', ')}${more}`,
      en: 'the device gives none of the quantities that the profile names',
    },
  };
}

function readAs(reading: Reading, places: readonly Place[], registers: Registers): Read | null {
  const here = new Map(places.map((place) => [place.name, valueBy(place, reading, registers)]));
  const snapshot = snapshotOf(places, (name) => here.get(name) ?? null);
  if (snapshot === null) return null;
  const missing = places.flatMap(({ name }) => (here.get(name) === null ? [name] : []));
  const evidence = weigh(snapshot);
  const short = Math.min(12, [...here.values()].filter((value) => value?.isShort === true).length);
  const extra = perShort * short - perMissing * missing.length;
  return { reading, snapshot, evidence, extra, score: evidence.score + extra, missing };
}

function judgeRegisters(
  raw: RawValues,
  registers: Registers,
  profile: ModbusProfile,
  places: readonly Place[],
): Plausibility {
  const readings = readingsOf(profile, raw.variant ?? null);
  const readAll = (some: readonly Reading[]) => some.flatMap((reading) => readAs(reading, places, registers) ?? []);
  const [asSaid] = readAll(readings.filter(isAsSaid)).sort((a, b) => b.score - a.score);
  if (asSaid === undefined) return nothing;
  // What a device gives of a wrong place is no circuit: half of the quantities must be there.
  const isSilent = asSaid.missing.length >= places.length / 2;
  const judged = isSilent
    ? { ...nothing, isJudged: true, suspicions: [refused(asSaid.missing)] }
    : judgeSnapshot(asSaid.snapshot, raw, profile);
  if (!isSilent && !judged.suspicions.some(({ kind }) => isStructural(kind))) return judged;
  const reads = readAll(readings.filter((reading) => !isAsSaid(reading)));
  const start = isSilent ? Number.NEGATIVE_INFINITY : Math.max(asSaid.score, ...explainedScores(asSaid));
  const better = betterReadings(reads, start);
  const [best, second] = better;
  if (best === undefined) return judged;
  const context = { profile, path: raw.path ?? profile.profile, places, registers };
  const gap = second === undefined ? Number.POSITIVE_INFINITY : best.net - second.net;
  const proposals = better
    .filter(({ net }) => best.net - net < likelyGap)
    .slice(0, 3)
    .map(({ read, explanation }) => proposalOfReading(read.reading, explanation, gap, context));
  return { ...judged, proposals };
}

const likelyGap = 3;

/** What cannot be when the registers are read as they are meant, whatever is connected to the meter. */
const structural: ReadonlySet<SuspicionKind> = new Set([
  'frequency',
  'voltage',
  'voltage-alike',
  'garbage',
  'range',
  'energy',
  'sum',
]);
const isStructural = (kind: SuspicionKind) => structural.has(kind);

export interface Fit {
  /** Nothing speaks against it, and most of its quantities are there. */
  readonly fits: boolean;
  /** How much speaks for it. */
  readonly bits: number;
  readonly variant: string | null;
  readonly compared: readonly Name[];
}

/** Whether the registers of an unknown device may be those of a profile, read as it says; null: it is no electricity meter. */
export function fitOf(registers: Registers, profile: ModbusProfile): Fit | null {
  if (profile.bus.sunspec !== undefined) return null;
  const places = placesOf(profile);
  const reads = readingsOf(profile, null)
    .filter(isAsSaid)
    .flatMap((reading) => readAs(reading, places, registers) ?? []);
  const [best] = reads.sort((a, b) => b.score - a.score);
  if (best === undefined) return null;
  const { evidence, missing, reading } = best;
  const fits = evidence.broken === 0 && evidence.bits >= leastBits && missing.length < places.length / 3;
  const compared = holding(evidence).flatMap(({ bits, says }) => (bits > 0 ? [says()] : []));
  return { fits, bits: evidence.bits - missing.length, variant: reading.variant, compared };
}

/** How well the values as they are could be explained by factors alone. */
const explainedScores = ({ snapshot, extra }: Read): number[] => explain(snapshot).map(({ score }) => score + extra);

interface Better {
  readonly read: Read;
  readonly explanation: Explanation;
  readonly net: number;
}

/** Ways to read the registers that make much more sense than the profile's, the best first; those that come to the same once. */
function betterReadings(reads: readonly Read[], start: number): readonly Better[] {
  const all = reads.flatMap((read): Better[] => {
    // What is nonsense throughout is not looked at any further.
    if (read.evidence.bits < leastBits - 6) return [];
    const [explanation] = read.evidence.broken === 0 ? [unadjusted(read.snapshot)] : explain(read.snapshot, 1);
    if (explanation === undefined || explanation.evidence.broken > 0 || explanation.evidence.bits < leastBits)
      return [];
    const net = explanation.score + read.extra - perChange * changesIn(read.reading);
    return net - start >= leastGain ? [{ read, explanation, net }] : [];
  });
  const level = all.map((one) => {
    // Whatever noise makes of the relations: of twins only what tells them apart counts.
    const score = Math.max(
      ...all.filter(({ read }) => areTwins(read.reading, one.read.reading)).map(scoreOf),
      scoreOf(one),
    );
    return { ...one, net: score + one.read.extra - perChange * changesIn(one.read.reading) };
  });
  const seen = new Set<string>();
  return level
    .sort((a, b) => b.net - a.net || changesIn(a.read.reading) - changesIn(b.read.reading))
    .filter(({ explanation }) => {
      const key = JSON.stringify(explanation.snapshot.phases) + JSON.stringify(explanation.snapshot.power);
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
}

const scoreOf = ({ explanation }: Better) => explanation.score;

const holding = ({ findings }: Evidence): Finding[] => findings.filter(({ holds }) => holds);

function judgeSnapshot(snapshot: Snapshot, raw: RawValues, profile: Profile): Plausibility {
  const evidence = weigh(snapshot);
  const broken = evidence.findings.filter(({ holds }) => !holds);
  const wiring = broken.length === 0 ? wiringFaults(snapshot) : [];
  const suspicions: Suspicion[] = [
    ...broken.map(({ id, points, says }): Suspicion => ({ kind: id, points, says: says() })),
    ...wiring.map(({ kind, points, says }): Suspicion => ({ kind, points, says })),
  ];
  const compared = holding(evidence).map(({ says }) => says());
  const base = { isJudged: true, bits: evidence.bits, suspicions, compared };
  if (broken.length === 0) {
    return { ...base, proposals: wiring.flatMap((fault) => proposalOfWiring(fault, compared) ?? []) };
  }
  const explanations = explain(snapshot).filter(({ adjustments }) => adjustments.length > 0);
  const best = explanations[0]?.score ?? 0;
  const close = explanations.filter(({ score, evidence: { bits } }) => best - score <= 2.5 && bits >= leastBits - 4);
  return { ...base, proposals: close.map((one) => proposalOfFactors(one, close.length, snapshot, profile, raw.path)) };
}
