import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { api, query } from '../../api.ts';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useOutputs } from '../../use-live.tsx';
import type { Speech } from './reasons.ts';
import type { Entries, Plan, PowerCircuits, PowerWeeks, Slot } from './shapes.ts';
import { words } from './words.ts';

/* What this page asks of the campus. Outputs come by the stream; what the schedule makes of them is asked every few seconds. */

export type PlanName = 'signed' | 'draft';

const often = 10_000;

/** What circuits do by the signed schedule. Asked anew at once when an output is held by somebody else. */
export function usePowerNow() {
  const holders = useOutputs()
    .map(({ ref, holder, value }) => `${ref} ${holder ?? ''} ${String(value)}`)
    .join();
  const power = useQuery({
    queryKey: ['school', 'power', 'now'],
    queryFn: ({ signal }) => api.get<PowerCircuits>('school/power', signal),
    refetchInterval: often,
    retry: 1,
  });
  const { refetch } = power;
  useEffect(() => {
    if (holders !== '') void refetch();
  }, [holders, refetch]);
  return power;
}

export function useWeeks(of: PlanName, from: string, to: string, isWanted = true) {
  return useQuery({
    enabled: isWanted,
    queryKey: ['school', 'power', 'weeks', of, from, to],
    queryFn: ({ signal }) => api.get<PowerWeeks>(`school/power/weeks${query({ of, from, to })}`, signal),
    refetchInterval: 60_000,
    retry: 1,
  });
}

export function useEntries() {
  return useQuery({
    queryKey: ['school', 'entries'],
    queryFn: ({ signal }) => api.get<Entries>('school/entries', signal),
    retry: 1,
  });
}

const noSlots: readonly Slot[] = [];

/** The slots of today for a layer, as signed; none when nothing is. */
export function useTodaySlots(layer: string, isWanted: boolean): readonly Slot[] {
  const today = useDateOf()(now());
  const { data } = useQuery({
    queryKey: ['school', 'plan', 'signed', today],
    queryFn: ({ signal }) => api.get<Plan>(`school/plan${query({ of: 'signed', from: today, to: today })}`, signal),
    enabled: isWanted,
    staleTime: 60_000,
    retry: 1,
  });
  const layers = data?.days[0]?.layers;
  return (layers?.find((one) => one.layer === layer) ?? layers?.[0])?.slots ?? noSlots;
}

/** The local day of a moment, ISO. */
export function useDateOf(): (time: number) => string {
  const { timeZone } = useFormats();
  return useMemo(() => {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
    const format = new Intl.DateTimeFormat('en-CA', { ...parts, ...(timeZone === undefined ? {} : { timeZone }) });
    return (time) => format.format(time);
  }, [timeZone]);
}

export function useSpeech(): Speech {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  return { say, language, formats, now: now() };
}
