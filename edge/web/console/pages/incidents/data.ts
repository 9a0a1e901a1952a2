import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { z } from 'zod';
import type { Case as StoredCase } from '#edge/domain/case.ts';
import type * as shapes from '../../../incident-schemas.ts';
import { api } from '../../api.ts';
import { useLink, useLive } from '../../use-live.tsx';
import { type Filter, listQuery, passes } from './filter.ts';

/* Incidents as they are now: pages of the past as they were asked for, and over them what the stream has told since. */

export type IncidentView = z.infer<typeof shapes.incidentBriefSchema>;
export type IncidentPage = z.infer<typeof shapes.incidentPageSchema>;
export type Whole = IncidentPage['incident'];
export type Clip = z.infer<typeof shapes.clipSchema>;
/** As GET /api/v1/cases tells it. */
export type Case = StoredCase;
type ListPage = z.infer<typeof shapes.incidentListSchema>;
type Counts = z.infer<typeof shapes.incidentCountsSchema>;

const pageSize = 100;
const headSize = 50;
/** Latest forms that are remembered beside the pages. */
const mostLatest = 2_000;
/** The list is asked for anew at once, and then no more often than this, ms. */
const calm = 400;
/** Should a word of the stream get lost, ms. */
const again = 30_000;

const nothingYet: ListPage = { incidents: [], next: null };

export interface IncidentList {
  /** Latest opened first. */
  readonly incidents: readonly IncidentView[];
  /** Nothing was answered yet. */
  readonly isUnknown: boolean;
  readonly error: unknown;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  loadMore(): void;
  retry(): void;
}

export function useIncidents(filter: Filter): IncidentList {
  const asked = listQuery(filter, pageSize);
  const pages = useInfiniteQuery({
    queryKey: ['incidents', 'pages', asked],
    queryFn: ({ signal, pageParam }) => api.get<ListPage>(`incidents${listQuery(filter, pageSize, pageParam)}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const head = useQuery({
    queryKey: ['incidents', 'head', asked],
    queryFn: ({ signal }) => api.get<ListPage>(`incidents${listQuery(filter, headSize)}`, signal),
    // The pages have just said it: it is asked for when the stream has told of something, and now and then.
    initialData: nothingYet,
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: again,
    gcTime: 0,
  });
  const latest = useLatest();
  const { data, refetch } = pages;
  const newest = head.data;
  const incidents = useMemo(() => {
    if (data === undefined) return [];
    const known = new Map<string, IncidentView>();
    for (const incident of [...newest.incidents, ...data.pages.flatMap((page) => page.incidents)]) {
      const before = known.get(incident.id);
      if (before === undefined || before.rev < incident.rev) known.set(incident.id, incident);
    }
    const asked = [...known.values()].map((incident) => newerOf(incident, latest.get(incident.id)));
    return [...unasked(asked, latest, filter), ...asked];
  }, [data, newest, latest, filter]);
  // More came at once than are asked for: what lies between is not known, so that all is asked for anew.
  const isTorn = useMemo(() => {
    const first = data?.pages[0]?.incidents ?? [];
    const ids = new Set(first.map(({ id }) => id));
    const heads = newest.incidents;
    return first.length > 0 && heads.length >= headSize && !heads.some(({ id }) => ids.has(id));
  }, [data, newest]);
  useEffect(() => {
    if (isTorn) void refetch();
  }, [isTorn, refetch]);
  return {
    incidents,
    isUnknown: data === undefined && pages.error === null,
    error: pages.error,
    hasMore: pages.hasNextPage,
    isLoadingMore: pages.isFetchingNextPage,
    loadMore: () => void pages.fetchNextPage(),
    retry: () => void refetch(),
  };
}

/** What the stream told of and no answer has yet: a picture at the desk waits for no round trip. Latest opened first. */
function unasked(
  asked: readonly IncidentView[],
  latest: ReadonlyMap<string, IncidentView>,
  filter: Filter,
): readonly IncidentView[] {
  const ids = new Set(asked.map(({ id }) => id));
  const [first] = asked;
  return [...latest.values()]
    .filter((told) => !ids.has(told.id) && (first === undefined || opensAfter(told, first)) && passes(told, filter))
    .sort((a, b) => (opensAfter(a, b) ? -1 : 1));
}

/** As the server sorts. */
function opensAfter(one: IncidentView, other: IncidentView): boolean {
  return one.from === other.from ? one.id > other.id : one.from > other.from;
}

function newerOf(known: IncidentView, told: IncidentView | undefined): IncidentView {
  return told !== undefined && told.rev > known.rev ? { ...known, ...told } : known;
}

/** What the stream has told of each; it also has the head of the list, the counts and the open incident asked for anew. */
function useLatest(): ReadonlyMap<string, IncidentView> {
  const live = useLive();
  const queries = useQueryClient();
  const { state } = useLink();
  const [latest, setLatest] = useState<ReadonlyMap<string, IncidentView>>(new Map());
  const waiting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const isOwed = useRef(false);
  useEffect(() => {
    const ask = () => {
      for (const key of ['head', 'counts']) void queries.invalidateQueries({ queryKey: ['incidents', key] });
    };
    const askSoon = () => {
      isOwed.current = true;
      if (waiting.current !== undefined) return;
      const turn = () => {
        waiting.current = undefined;
        if (!isOwed.current) return;
        isOwed.current = false;
        ask();
        waiting.current = setTimeout(turn, calm);
      };
      turn();
    };
    const stop = live.onIncident((incident) => {
      setLatest((before) => {
        const after = new Map(before);
        after.delete(incident.id);
        after.set(incident.id, incident);
        const [oldest] = after.keys();
        if (after.size > mostLatest && oldest !== undefined) after.delete(oldest);
        return after;
      });
      void queries.invalidateQueries({ queryKey: ['incidents', 'one', incident.id] });
      askSoon();
    });
    return () => {
      stop();
      clearTimeout(waiting.current);
      waiting.current = undefined;
    };
  }, [live, queries]);
  useEffect(() => {
    if (state === 'live') void queries.invalidateQueries({ queryKey: ['incidents'] });
  }, [state, queries]);
  return latest;
}

export function useIncidentCounts() {
  return useQuery({
    queryKey: ['incidents', 'counts'],
    queryFn: ({ signal }) => api.get<Counts>('incidents/counts', signal),
    refetchInterval: again,
  }).data;
}

export function useIncident(id: string) {
  return useQuery({
    queryKey: ['incidents', 'one', id],
    queryFn: ({ signal }) => api.get<IncidentPage>(`incidents/${id}`, signal),
  });
}
