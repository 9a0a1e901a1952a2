import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { z } from 'zod';
import type { EnergyPlanView } from '../energy-schemas.ts';
import type { rulesSchema } from '../rule-schemas.ts';
import { api } from './api.ts';
import { domainText } from './domain-words.ts';
import { useLanguage } from './kit/language.tsx';
import { pointLabel } from './kit/values.ts';
import { type NamePair, nameIn } from './kit/words.ts';
import { type Names, ownerText, sentence } from './sentences.ts';
import { useCampus, usePoints } from './use-live.tsx';

/* Ids become the names that people gave, in the language of the screen. What has no name is shown by its id. */

/** All of it at once: device, point and interlock names, and sentences made of them. */
export function useNames(): Names {
  const language = useLanguage();
  const campus = useCampus();
  const points = usePoints();
  const rules = useRuleNames();
  const meters = useMeterNames();
  return useMemo(() => {
    const devices = new Map(campus?.devices.map((device) => [device.id, device.name]));
    const interlocks = new Map([...(campus?.interlocks ?? []), ...rules].map((rule) => [rule.id, rule.name]));
    const places = new Map(placesOf(campus).map((place) => [place.id, place.name]));
    const known = new Map(points?.map((point) => [point.id, point]));
    // The flows speak for themselves as a device would.
    const deviceName = (id: string) => nameIn(language, devices.get(id)) || domainText('process', id, language);
    return {
      language,
      deviceName,
      interlockName: (id) => nameIn(language, interlocks.get(id)) || id,
      placeName: (id) => nameIn(language, places.get(id)) || deviceName(id),
      meterName: (id) => nameIn(language, meters.find((meter) => meter.id === id)?.name) || id,
      pointName: (ref) => {
        const point = known.get(ref);
        if (point === undefined) return ref;
        return `${nameIn(language, point.deviceName)} · ${pointLabel(point.point, point.label, language)}`;
      },
    };
  }, [language, campus, points, rules, meters]);
}

const noRules: readonly { readonly id: string; readonly name: NamePair }[] = [];

/** Of all rules; those of safety come with the campus, so that nothing waits for it. */
function useRuleNames() {
  const { data } = useQuery({
    queryKey: ['rules', 'names'],
    queryFn: async ({ signal }) => {
      const { rules } = await api.get<z.infer<typeof rulesSchema>>('rules', signal);
      return rules.map(({ id, name }) => ({ id, name }));
    },
    staleTime: 300_000,
    retry: 1,
  });
  return data ?? noRules;
}

const noMeters: EnergyPlanView['meters'] = [];

/** Of the meter tree: limits of demand and findings are told by the meter. */
function useMeterNames() {
  const { data } = useQuery({
    queryKey: ['energy', 'plan'],
    queryFn: ({ signal }) => api.get<EnergyPlanView>('energy/plan', signal),
    staleTime: 300_000,
    retry: 1,
  });
  return data?.meters ?? noMeters;
}

function placesOf(campus: ReturnType<typeof useCampus>) {
  if (campus === undefined) return [];
  const spaces = campus.buildings.flatMap(({ floors }) => floors.flatMap((floor) => floor.spaces));
  return [...campus.zones, ...spaces];
}

export function useDeviceName(): (id: string) => string {
  return useNames().deviceName;
}

export function usePointName(): (ref: string) => string {
  return useNames().pointName;
}

/** Name of a zone; '' for something that lies in none. */
export function useZoneName(): (id: string | undefined | null) => string {
  const language = useLanguage();
  const zones = useCampus()?.zones;
  return useMemo(() => {
    const names = new Map(zones?.map((zone) => [zone.id, zone.name]));
    return (id) => (id === undefined || id === null ? '' : nameIn(language, names.get(id)) || id);
  }, [language, zones]);
}

/** Machine English (a driver's message, a rule's evidence) as people's words. */
export function useSentence(): (text: string | null | undefined) => string {
  const names = useNames();
  return useMemo(() => (text) => sentence(text, names), [names]);
}

/** Who holds an output: `联锁“火灾疏散”`. */
export function useOwnerText(): (owner: string) => string {
  const names = useNames();
  return useMemo(() => (owner) => ownerText(owner, names), [names]);
}
