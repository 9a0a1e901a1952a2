import { useQueries, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { z } from 'zod';
import type * as shapes from '../../../incident-schemas.ts';
import { ApiError, api, type EventView, type HistoryView, query } from '../../api.ts';
import { useFormats } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useRight } from '../../session.tsx';
import { gapsOf, ledgerOf } from '../cameras/ledger.ts';
import { type Range, replaced, union } from './coverage.ts';
import type { FootageView } from './listing.ts';
import { eventMarks, type Mark } from './marks.ts';

/* What the timeline shows, asked for by the day of the campus's calendar: footage, what happened, what is kept, what was not heard. */

export interface LaneData {
  readonly camera: string;
  readonly ranges: readonly Range[];
  readonly kept: readonly Range[];
  readonly deaf: readonly Range[];
}

export interface TimelineData {
  readonly lanes: readonly LaneData[];
  /** In order of time. */
  readonly marks: readonly Mark[];
  readonly isPending: boolean;
  /** There are more events than can be listed. */
  readonly isCut: boolean;
  readonly error: unknown;
}

type IncidentPage = z.infer<typeof shapes.incidentListSchema>;
type Clips = { readonly clips: readonly z.infer<typeof shapes.clipSchema>[] };

interface Part<T> {
  readonly camera: string;
  readonly value: T;
}

const minute = 60_000;
const day = 86_400_000;
const mostEvents = 1_000;
const mostIncidents = 300;
/** What is today goes on: asked for again, ms. */
const again = { footage: 10_000, others: 20_000 } as const;
/** The end of what was known may have grown since. */
const overlap = 2 * minute;

export function useTimeline(cameras: readonly string[], from: number, to: number): TimelineData {
  const formats = useFormats();
  const maySeeIncidents = useRight('incidents');
  const first = formats.startOfDay(from);
  const last = formats.startOfDay(to);
  const days = useMemo(() => daysOf(first, last, formats.startOfDay), [first, last, formats]);
  const loadFootage = useLoadFootage();
  const footage = useDays('ranges', cameras, days, loadFootage, again.footage);
  const events = useDays('events', cameras, days, loadEvents, again.others);
  const clips = useDays('clips', cameras, days, loadClips, again.others);
  const deaf = useDays('deaf', cameras, days, loadDeaf, again.others * 3);
  const incidents = useDays('incidents', maySeeIncidents ? cameras : none, days, loadIncidents, again.others);
  const lanes = useMemo(
    () =>
      cameras.map((camera) => ({
        camera,
        ranges: union(of(footage.parts, camera).map(({ ranges }) => ranges)),
        kept: union(of(clips.parts, camera)),
        deaf: of(deaf.parts, camera).flat(),
      })),
    [cameras, footage.parts, clips.parts, deaf.parts],
  );
  const marks = useMemo(() => {
    const happened = eventMarks(events.parts.flatMap(({ value }) => value));
    const grave = new Map(incidents.parts.flatMap(({ value }) => value).map((mark) => [mark.id, mark]));
    return [...happened, ...grave.values()].toSorted((a, b) => a.time - b.time);
  }, [events.parts, incidents.parts]);
  return {
    lanes,
    marks,
    isPending: footage.isPending,
    isCut: events.parts.some(({ value }) => value.length >= mostEvents),
    error: footage.error ?? events.error ?? incidents.error ?? clips.error,
  };
}

const none: readonly string[] = [];

function of<T>(parts: readonly Part<T>[], camera: string): T[] {
  return parts.flatMap((part) => (part.camera === camera ? [part.value] : []));
}

/** Midnights from one day to another, by the campus's clock: a day may have 23 or 25 hours. */
function daysOf(first: number, last: number, startOfDay: (time: number) => number): Range[] {
  const days: Range[] = [];
  for (let from = first; from <= last && days.length < 4; ) {
    const to = startOfDay(from + day * 1.25);
    days.push({ from, to });
    from = to;
  }
  return days;
}

function useDays<T>(
  name: string,
  cameras: readonly string[],
  days: readonly Range[],
  load: (camera: string, span: Range, signal: AbortSignal) => Promise<T>,
  every: number,
) {
  return useQueries({
    queries: cameras.flatMap((camera) =>
      days.map((span) => ({
        queryKey: ['footage', name, camera, span.from],
        queryFn: async ({ signal }: { readonly signal: AbortSignal }): Promise<Part<T>> => ({
          camera,
          value: await load(camera, span, signal),
        }),
        // What is over changes only by what is let go.
        refetchInterval: () => (span.to > now() - overlap ? every : false),
        staleTime: every / 2,
        retry: 1,
      })),
    ),
    combine: (results) => ({
      parts: results.flatMap(({ data }) => data ?? []),
      isPending: results.some(({ isPending }) => isPending),
      error: results.find(({ error }) => error !== null)?.error ?? null,
    }),
  });
}

interface DayFootage {
  readonly ranges: readonly Range[];
  /** Until when it is known. */
  readonly until: number;
}

/** A day is asked for as a whole once, and then only for what may have come since. */
function useLoadFootage() {
  const queries = useQueryClient();
  return async (camera: string, span: Range, signal: AbortSignal): Promise<DayFootage> => {
    const before = queries.getQueryData<Part<DayFootage>>(['footage', 'ranges', camera, span.from])?.value;
    const from = before === undefined ? span.from : Math.max(span.from, before.until - overlap);
    const until = Math.min(span.to, Math.ceil(now()));
    if (until <= from) return before ?? { ranges: [], until };
    const asked = query({ from: Math.floor(from), to: span.to, segments: 'no' });
    const { ranges } = await api.get<FootageView>(`cameras/${camera}/footage${asked}`, signal);
    const part = { from, to: span.to };
    return { ranges: replaced(before?.ranges ?? [], ranges, part), until };
  };
}

async function loadEvents(camera: string, { from, to }: Range, signal: AbortSignal) {
  const asked = query({ device: camera, from, to, limit: mostEvents });
  const events = await api.get<EventView[]>(`events${asked}`, signal);
  // A picture that came by itself is no happening.
  return events
    .filter(({ type }) => type !== 'snapshot')
    .map(({ id, type, time, active, device }) => ({ id, type, time, active, device }));
}

async function loadClips(camera: string, { from, to }: Range, signal: AbortSignal): Promise<readonly Range[]> {
  const { clips } = await api.get<Clips>(`clips${query({ camera, from, to, protected: true, limit: 500 })}`, signal);
  return clips.map((clip) => ({ from: clip.from, to: clip.to }));
}

async function loadDeaf(camera: string, { from, to }: Range, signal: AbortSignal): Promise<readonly Range[]> {
  const end = Math.min(to, Math.floor(now()));
  if (end <= from) return [];
  const path = `points/${camera}/listening/history${query({ from, to: end, step: '1min' })}`;
  try {
    const { buckets = [] } = await api.get<HistoryView>(path, signal);
    return gapsOf(ledgerOf(buckets, from, end, minute).spans);
  } catch (error) {
    // A profile of its own may have no such point.
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}

async function loadIncidents(camera: string, { from, to }: Range, signal: AbortSignal): Promise<Mark[]> {
  const asked = query({ camera, from, to, limit: mostIncidents });
  const { incidents } = await api.get<IncidentPage>(`incidents${asked}`, signal);
  return incidents.flatMap((incident): Mark[] =>
    incident.mergedInto === undefined
      ? [
          {
            id: incident.id,
            kind: 'incident',
            time: incident.from,
            to: incident.to,
            types: incident.types,
            cameras: incident.devices,
            class: incident.class,
          },
        ]
      : [],
  );
}
