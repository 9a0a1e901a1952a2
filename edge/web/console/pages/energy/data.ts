import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { Medium } from '#edge/domain/energy.ts';
import type {
  EnergyFindingView,
  EnergyMeterView,
  EnergyNowView,
  EnergyPlanView,
  EnergyReportView,
} from '../../../energy-schemas.ts';
import { api, query } from '../../api.ts';

/* What the page asks the box for, and what it makes of it. */

export type Kind = EnergyReportView['kind'];
export type MediumReport = EnergyReportView['media'][number];
export type Course = MediumReport['course'];
export type Amount = MediumReport['total'];
export type MeterNow = EnergyNowView['meters'][number];

export function usePlan() {
  return useQuery({
    queryKey: ['energy', 'plan'],
    queryFn: ({ signal }) => api.get<EnergyPlanView>('energy/plan', signal),
    staleTime: 300_000,
    // The box may still be starting.
    refetchInterval: ({ state }) => (state.status === 'error' ? 5_000 : false),
  });
}

export function useEnergyNow() {
  return useQuery({
    queryKey: ['energy', 'now'],
    queryFn: ({ signal }) => api.get<EnergyNowView>('energy/now', signal),
    refetchInterval: 10_000,
    placeholderData: keepPreviousData,
  });
}

/** What stands now, whenever it was found. */
export function useFindings() {
  return useQuery({
    queryKey: ['energy', 'findings'],
    queryFn: async ({ signal }) => {
      const { findings } = await api.get<{ readonly findings: readonly EnergyFindingView[] }>(
        'energy/findings',
        signal,
      );
      return findings;
    },
    refetchInterval: 60_000,
  });
}

/** Without a date: the period that runs. What was shown stays until the next is there. */
export function useReport(kind: Kind, date?: string) {
  return useQuery({
    queryKey: ['energy', 'report', kind, date ?? ''],
    queryFn: ({ signal }) => api.get<EnergyReportView>(`energy/report${query({ kind, date })}`, signal),
    // A month costs more to add up than a day, and changes less.
    refetchInterval: kind === 'day' ? 60_000 : 300_000,
    staleTime: 20_000,
    placeholderData: keepPreviousData,
  });
}

/** Meters with nothing above them: of a person who sees some zones, nothing that he sees. */
export function rootsOf(meters: readonly EnergyMeterView[], medium: Medium): readonly EnergyMeterView[] {
  const seen = new Set(meters.map(({ id }) => id));
  return meters.filter((meter) => meter.medium === medium && (meter.under === null || !seen.has(meter.under)));
}

export interface Whole {
  readonly power: number | null;
  readonly today: Amount;
  readonly expected: number | null;
  readonly cost: number | null;
  /** The worst of its meters. */
  readonly quality: 'good' | 'uncertain' | 'bad';
}

/** All of a medium as its main meters say it: a sum of which one part is missing is not known. */
export function wholeOf(now: readonly MeterNow[], roots: readonly EnergyMeterView[]): Whole {
  const parts = roots.map(({ id }) => now.find(({ meter }) => meter === id));
  const sum = (of: (part: MeterNow) => number | null): number | null => {
    const values = parts.map((part) => (part === undefined ? null : of(part)));
    if (values.length === 0 || values.includes(null)) return null;
    return values.reduce<number>((total, value) => total + (value ?? 0), 0);
  };
  const known = parts.map((part) => part?.today.known ?? 0);
  const qualities = parts.map((part) => part?.quality ?? 'bad');
  return {
    power: sum(({ power }) => power),
    today: {
      value: sum(({ today }) => today.value),
      known: known.length === 0 ? 0 : Math.min(...known),
      estimated: sum(({ today }) => today.estimated) ?? 0,
    },
    expected: sum(({ expected }) => expected),
    cost: sum(({ cost }) => cost),
    quality: qualities.every((one) => one === 'good') ? 'good' : qualities.includes('bad') ? 'bad' : 'uncertain',
  };
}

/** Below it a part of the time is missing, and is said to be. */
export const wholeKnown = 0.995;
/** With less than this a comparison would compare the gap. */
export const fairlyKnown = 0.9;
