import type { DeviceId, PointRef, SpaceId, ZoneId } from './ids.ts';
import type { Name } from './place.ts';

/*
 * What a campus consumes and what it costs: the meter tree, who it is for, the tariffs, and the limit of its demand. Classes and
 * sub-items are those of 分类能耗 and 分项能耗 (MOHURD guidelines for public and university buildings), with their codes.
 */

/** 分类能耗. Codes: 01 electricity, 02 water, 03 gas, 04 heat, 05 cold. */
export const media = ['electricity', 'water', 'gas', 'heat', 'cold'] as const;
export type Medium = (typeof media)[number];

/** 分项能耗 of electricity. Codes: A lighting and sockets, B air conditioning, C motive power (lifts, pumps, fans), D special. */
export const subItems = ['lighting_sockets', 'air_conditioning', 'motive_power', 'special'] as const;
export type SubItem = (typeof subItems)[number];

/** A meter of the tree: a real one that counts, or a virtual one that is a sum of others. Amounts: kW.h, or m3 for water and gas. */
export interface EnergyMeter {
  readonly id: string;
  readonly name: Name;
  readonly medium: Medium;
  /** The meter whose line this one hangs on; absent: nothing above it (a main meter). */
  readonly under?: string;
  readonly subItem?: SubItem;
  /** Whose consumption it is: shares that sum to 1 at most. Empty: of the campus as a whole. */
  readonly buildings: readonly { readonly building: string; readonly share: number }[];
  readonly source: MeterSource;
  /** Largest error of a real meter as a share of what it shows: 0.01 of class 1 (GB/T 17215); absent: what is usual for the medium. */
  readonly accuracy?: number;
  /** The meters under it are meant to count all that goes through it: a difference is then something to look for. */
  readonly complete?: true;
}

export type MeterSource =
  | {
      readonly kind: 'real';
      readonly device: DeviceId;
      /** The counter; `factor` makes kW.h or m3 of its unit. */
      readonly energy: { readonly ref: PointRef; readonly factor: number };
      /** Total active power, kW after `factor`; null: the meter does not tell it. */
      readonly power: { readonly ref: PointRef; readonly factor: number } | null;
      /** Active power of each phase, kW after `factor`; absent: the meter does not tell it. */
      readonly phases?: readonly { readonly ref: PointRef; readonly factor: number }[];
      /** Power factor, -1 to 1, and the counter of reactive energy taken in, kvar.h after `factor`. */
      readonly powerFactor?: PointRef;
      readonly reactive?: { readonly ref: PointRef; readonly factor: number };
    }
  /** A meter that the campus says it has and that cannot be read as it says: its amounts are never known, and so is seen. */
  | { readonly kind: 'missing'; readonly why: string }
  | { readonly kind: 'virtual'; readonly terms: readonly { readonly meter: string; readonly sign: 1 | -1 }[] };

/** Prices of one medium from a day on until the next one of the same medium. */
export interface Tariff {
  readonly medium: Medium;
  readonly name: Name;
  /** First local day, ISO. */
  readonly from: string;
  /** ISO 4217. */
  readonly currency: string;
  /** Price per kW.h or m3 where no period below applies. */
  readonly price: number;
  /** 尖峰平谷: the first that applies counts. */
  readonly periods: readonly TariffPeriod[];
  /** 基本电费 by the month's highest demand: per kW and month. */
  readonly demandPrice?: number;
  /** 功率因数考核: below this the bill is raised (GB: 0.85 or 0.9 by kind of customer). */
  readonly powerFactor?: number;
}

export interface TariffPeriod {
  readonly id: string;
  readonly name: Name;
  readonly price: number;
  /** 1 to 12; empty: all. */
  readonly months: readonly number[];
  /** 1 = Monday; empty: all. */
  readonly days: readonly number[];
  /** Minutes after local midnight, `to` up to 1,440; `from` > `to` runs over midnight. */
  readonly times: readonly { readonly from: number; readonly to: number }[];
}

/** What stands behind the figures per m2 and per head. */
export interface EnergyBuilding {
  readonly building: string;
  /** m2. */
  readonly area: number | null;
  /** Pupils and staff. */
  readonly people: number | null;
}

/** Keeping the mean power of a window below what the transformer or the contract allows. */
export interface DemandPlan {
  readonly meter: string;
  /** kW, mean over the window. */
  readonly limit: number;
  /** ms; 15 min in China's contracts. */
  readonly window: number;
  /** `fixed`: windows begin at the quarter hours, as the utility counts; `sliding`: any stretch of that length. */
  readonly kind: 'fixed' | 'sliding';
  /** Shed in this order, restored in the reverse one. */
  readonly tiers: readonly DemandTier[];
  /** Never touched, whatever a tier names. */
  readonly protected: {
    readonly outputs: readonly PointRef[];
    readonly zones: readonly ZoneId[];
    readonly spaces: readonly SpaceId[];
  };
  /** Pause between two loads that come back, ms. */
  readonly stagger: number;
  /** How far what cannot be shed may rise within a window, kW: so much is kept free. Absent: 5 % of the limit. */
  readonly reserve?: number;
}

export interface DemandTier {
  readonly id: string;
  readonly name: Name;
  readonly loads: readonly DemandLoad[];
}

export interface DemandLoad {
  readonly output: PointRef;
  /** What is written to shed it. */
  readonly value: number | boolean | string;
  /** What shedding it saves, kW. */
  readonly power: number;
  /** Off at least so long (a compressor needs its pause), and at most so long (a cold room needs its cold), ms. */
  readonly minOff: number;
  readonly maxOff: number;
  /** On at least so long between two sheddings, ms. */
  readonly minOn: number;
}

/** What looks odd and deserves a person: told as an alarm, shown on the energy page. */
export const findingKinds = [
  'leak', // something flows all night that should not
  'high-night', // the base load of the night is above what is usual
  'high-day', // far above the same weekdays before
  'low-day', // far below: a meter that lost a phase, a feeder that is off
  'unaccounted', // main minus subs is more than losses explain
  'imbalance', // one phase carries far more than the others
  'power-factor', // below what the tariff asks for
  'over-demand', // the demand limit was passed
] as const;
export type FindingKind = (typeof findingKinds)[number];

export interface EnergyFinding {
  readonly kind: FindingKind;
  readonly meter: string;
  /** Since when it is so, and until when it was looked at, ms. */
  readonly from: number;
  readonly to: number;
  /** What was found, what was to be expected, and in which unit. */
  readonly found: number;
  readonly expected: number;
  readonly unit: string;
  /** What it costs a day if it stays, in the tariff's currency; null: no tariff. */
  readonly costPerDay: number | null;
}

/** The plan of one campus, references checked. */
export interface EnergyPlan {
  readonly meters: readonly EnergyMeter[];
  readonly buildings: readonly EnergyBuilding[];
  readonly tariffs: readonly Tariff[];
  readonly demand: readonly DemandPlan[];
}
