import { type QueryClient, useQuery } from '@tanstack/react-query';
import type { z } from 'zod';
import type { Name } from '#edge/domain/place.ts';
import type { SchoolEntry } from '#edge/domain/school.ts';
import type * as shapes from '../../../school-schemas.ts';
import { ApiError, api, query } from '../../api.ts';

/* What the school day's API answers. Everything lies below the key `school`, so that one change makes all of it asked anew. */

export type NowView = z.infer<typeof shapes.nowView>;
export type PlanView = z.infer<typeof shapes.planView>;
export type DayView = PlanView['days'][number];
export type OccurrenceView = DayView['occurrences'][number];
export type LayerDay = z.infer<typeof shapes.dayView>['layers'][number];
export type ConflictView = DayView['conflicts'][number];
export type Assumption = PlanView['assumptions'][number];
export type ReasonView = Assumption['reason'];
export type ReleaseView = z.infer<typeof shapes.releaseView>;
export type OverrideView = z.infer<typeof shapes.overrideView>;
export type LedgerLineView = z.infer<typeof shapes.ledgerView>['lines'][number];

/** An entry of the draft as the API gives it; its body is checked there. */
export interface EntryView {
  readonly id: string;
  readonly rev: number;
  readonly time: number;
  readonly who: string;
  readonly body: SchoolEntry;
}
export interface EntriesView {
  readonly entries: readonly EntryView[];
  readonly mistakes: z.infer<typeof shapes.entriesView>['mistakes'];
  readonly years: z.infer<typeof shapes.entriesView>['years'];
}

/** As `school/compare.ts` gives it. */
export interface ComparedDay {
  readonly date: string;
  readonly days: readonly { readonly layer: string; readonly before: LayerDay; readonly after: LayerDay }[];
  readonly occurrences: readonly OccurrenceChangeView[];
}
export type OccurrenceChangeView =
  | { readonly kind: 'added'; readonly after: OccurrenceView }
  | { readonly kind: 'gone'; readonly before: OccurrenceView }
  | { readonly kind: 'moved'; readonly before: OccurrenceView; readonly after: OccurrenceView }
  | {
      readonly kind: 'changed';
      readonly before: OccurrenceView;
      readonly after: OccurrenceView;
      readonly parts: readonly string[];
    };

/** `draft`, `signed`, or the id of a release. */
export type PlanName = string;

/** What rings by itself is looked at this often, ms; a day that somebody else paints meanwhile, less so. */
const nowEvery = 5_000;
const planEvery = 30_000;
/** Of today: somebody else may have said that it rains, ms. */
export const todayEvery = 10_000;

export function useEntries() {
  return useQuery({
    queryKey: ['school', 'entries'],
    queryFn: ({ signal }) => api.get<EntriesView>('school/entries', signal),
    staleTime: 15_000,
    refetchInterval: planEvery,
  });
}

export function useSchoolNow() {
  return useQuery({
    queryKey: ['school', 'now'],
    queryFn: ({ signal }) => api.get<NowView>('school/now', signal),
    refetchInterval: nowEvery,
  });
}

export function usePlan(of: PlanName, from: string, to: string, every = planEvery) {
  return useQuery({
    queryKey: ['school', 'plan', of, from, to],
    queryFn: ({ signal }) => api.get<PlanView>(`school/plan${query({ of, from, to })}`, signal),
    refetchInterval: every,
    enabled: from !== '',
  });
}

export function useCompared(before: PlanName, after: PlanName, from: string, to: string, isWanted = true) {
  return useQuery({
    queryKey: ['school', 'compare', before, after, from, to],
    queryFn: async ({ signal }) => {
      const answer = await api.get<{ readonly days: readonly ComparedDay[] }>(
        `school/compare${query({ before, after, from, to })}`,
        signal,
      );
      return answer.days;
    },
    refetchInterval: planEvery,
    enabled: isWanted && from !== '',
  });
}

/** What became of a day's occurrences, ms since epoch. */
export function useLedger(from: number, to: number, isWanted = true) {
  return useQuery({
    queryKey: ['school', 'ledger', from, to],
    queryFn: async ({ signal }) => {
      const answer = await api.get<z.infer<typeof shapes.ledgerView>>(
        `school/ledger${query({ from, to, limit: 1_000 })}`,
        signal,
      );
      return answer.lines;
    },
    refetchInterval: nowEvery,
    enabled: isWanted,
  });
}

export function useReleases() {
  return useQuery({
    queryKey: ['school', 'releases'],
    queryFn: ({ signal }) => api.get<readonly ReleaseView[]>('school/releases', signal),
    refetchInterval: planEvery,
  });
}

export function useOverrides() {
  return useQuery({
    queryKey: ['school', 'overrides'],
    queryFn: ({ signal }) => api.get<readonly OverrideView[]>('school/overrides', signal),
    refetchInterval: todayEvery,
  });
}

/** Modes by id, for their names. */
export function useModeNames() {
  return useQuery({
    queryKey: ['modes'],
    queryFn: ({ signal }) => api.get<readonly { readonly id: string; readonly name: Name }[]>('modes', signal),
    staleTime: 60_000,
  }).data;
}

/** After something was changed: everything of the school day is asked anew. */
export function askAnew(queries: QueryClient): Promise<void> {
  return queries.invalidateQueries({ queryKey: ['school'] });
}

export function isChangedMeanwhile(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409 && error.code === 'document-changed';
}
