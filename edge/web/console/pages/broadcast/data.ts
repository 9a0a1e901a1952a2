import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { z } from 'zod';
import type * as shapes from '../../../broadcast-schemas.ts';
import type * as clips from '../../../clip-schemas.ts';
import type { PlanView } from '../../../place-schemas.ts';
import { api, query } from '../../api.ts';
import { useCampus, useLive } from '../../use-live.tsx';

/* What the API of broadcast answers. Everything lies below the key `broadcast`. */

export type NowView = z.infer<typeof shapes.broadcastNow>;
export type RoomView = z.infer<typeof shapes.soundRoom>;
export type ItemView = z.infer<typeof shapes.soundItem>;
export type PartView = z.infer<typeof shapes.soundPart>;
export type BlockerView = NonNullable<PartView['blocker']>;
export type WhyView = z.infer<typeof shapes.whyView>;
export type SoundClass = ItemView['class'];
export type PlayedView = z.infer<typeof shapes.played>;
export type StoppedView = z.infer<typeof shapes.stopped>;
export type LevelsView = z.infer<typeof shapes.levelsView>;
export type QuietView = z.infer<typeof shapes.quietView>[number];
export type ItemsPage = z.infer<typeof shapes.itemsPage>;
export type PastItem = ItemsPage['items'][number];
export type StoryView = z.infer<typeof shapes.itemStory>;
export type DeliveryView = z.infer<typeof shapes.delivery>;
export type ReportView = z.infer<typeof shapes.reportView>;
export type TemplateView = z.infer<typeof clips.templateView>;
export type VoiceView = z.infer<typeof clips.voicesView>[number];

/** A loudspeaker. Its sound is told by when it began, so that a room in which nothing changed is the same as before. */
export interface Room extends Omit<RoomView, 'playing'> {
  readonly playing: Playing | null;
}
export interface Playing extends Omit<PartView, 'position'> {
  /** ms since epoch, to the second; null: not begun. */
  readonly began: number | null;
  /** ms; null: until it is stopped. */
  readonly length: number | null;
}
export interface SoundNow {
  readonly rooms: readonly Room[];
  readonly items: readonly ItemView[];
}
export interface Clip {
  readonly id: string;
  readonly name: { readonly zh: string; readonly en: string };
  readonly length: number | null;
  readonly problem: string | null;
}

/** Without any word of the stream it is looked at so often, ms. */
const calmly = 15_000;
/** Core tells at most four times a second; a page need not ask as often, ms. */
const soonest = 400;

export function roundedNow({ rooms, items, time }: NowView): SoundNow {
  const lengths = new Map(items.map(({ id, length }) => [id, length]));
  return {
    items,
    rooms: rooms.map(({ playing, ...room }) => {
      if (playing === null) return { ...room, playing };
      const { position, ...part } = playing;
      const began = position === null ? null : Math.round((time - position) / 1_000) * 1_000;
      return { ...room, playing: { ...part, began, length: lengths.get(part.item) ?? null } };
    }),
  };
}

/** What sounds where, asked anew when the stream says that it changed. */
export function useSoundNow() {
  const live = useLive();
  const queries = useQueryClient();
  useEffect(() => {
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const forget = live.onSound(() => {
      waiting ??= setTimeout(() => {
        waiting = undefined;
        void queries.invalidateQueries({ queryKey: ['broadcast', 'now'] });
        void queries.invalidateQueries({ queryKey: ['broadcast', 'why'] });
      }, soonest);
    });
    return () => {
      clearTimeout(waiting);
      forget();
    };
  }, [live, queries]);
  return useQuery({
    queryKey: ['broadcast', 'now'],
    queryFn: async ({ signal }) => roundedNow(await api.get<NowView>('broadcast/now', signal)),
    refetchInterval: calmly,
  });
}

export function useWhy(device: string) {
  return useQuery({
    queryKey: ['broadcast', 'why', device],
    queryFn: ({ signal }) => api.get<WhyView>(`broadcast/why/${device}`, signal),
    refetchInterval: calmly,
  });
}

/** The library; while it cannot be had, those of the site file by their ids. */
export function useClips(): readonly Clip[] {
  const campus = useCampus();
  const { data } = useQuery({
    queryKey: ['broadcast', 'clips'],
    queryFn: ({ signal }) => api.get<readonly Clip[]>('broadcast/clips', signal),
    staleTime: 30_000,
    retry: 1,
  });
  return data ?? (campus?.clips ?? []).map((id) => ({ id, name: { zh: id, en: id }, length: null, problem: null }));
}

export function useTemplates(isWanted: boolean) {
  return useQuery({
    queryKey: ['broadcast', 'templates'],
    queryFn: ({ signal }) => api.get<readonly TemplateView[]>('announcement-templates', signal),
    enabled: isWanted,
    retry: 1,
  }).data;
}

export function useVoices(isWanted: boolean) {
  return useQuery({
    queryKey: ['broadcast', 'voices'],
    queryFn: ({ signal }) => api.get<readonly VoiceView[]>('voices', signal),
    enabled: isWanted,
    staleTime: 60_000,
    retry: 1,
  }).data;
}

export function useLevels(isWanted = true) {
  return useQuery({
    queryKey: ['broadcast', 'levels'],
    queryFn: ({ signal }) => api.get<LevelsView>('broadcast/levels', signal),
    enabled: isWanted,
  });
}

export function useQuiets() {
  return useQuery({
    queryKey: ['broadcast', 'quiet'],
    queryFn: ({ signal }) => api.get<readonly QuietView[]>('broadcast/quiet', signal),
    refetchInterval: calmly,
  });
}

/** What sounded in a span, newest first. */
export function useItems(from: number, until: number) {
  return useQuery({
    queryKey: ['broadcast', 'items', from, until],
    queryFn: ({ signal }) => api.get<ItemsPage>(`broadcast/items${query({ from, until, limit: 500 })}`, signal),
    refetchInterval: calmly,
  });
}

export function useStory(id: string) {
  return useQuery({
    queryKey: ['broadcast', 'story', id],
    queryFn: ({ signal }) => api.get<StoryView>(`broadcast/items/${id}`, signal),
    refetchInterval: calmly,
  });
}

export function useReport(date: string) {
  return useQuery({
    queryKey: ['broadcast', 'report', date],
    queryFn: ({ signal }) => api.get<ReportView>(`broadcast/report${query({ date })}`, signal),
    refetchInterval: calmly,
  });
}

/** After something was changed: everything of broadcast is asked anew. */
/** Shared with the page of the map. Without an answer there is no map, and the grid is there all the same. */
export function usePlans(): readonly PlanView[] {
  const { data } = useQuery({
    queryKey: ['plans'],
    queryFn: ({ signal }) => api.get<readonly PlanView[]>('plans', signal),
    staleTime: 30_000,
  });
  return data ?? [];
}

export function askAnew(queries: QueryClient): Promise<void> {
  return queries.invalidateQueries({ queryKey: ['broadcast'] });
}
