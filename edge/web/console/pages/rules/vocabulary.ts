import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { z } from 'zod';
import { createGlob } from '#edge/domain/glob.ts';
import type { Selection } from '#edge/domain/rule.ts';
import type { modeSchema } from '../../../rule-schemas.ts';
import { api, type CampusView, type PointView } from '../../api.ts';
import { useLanguage } from '../../kit/language.tsx';
import { pointLabel } from '../../kit/values.ts';
import { type Language, type NamePair, nameIn } from '../../kit/words.ts';
import { useCampus, usePoints } from '../../use-live.tsx';
import { useRules } from './rules-api.ts';

export type ModeView = z.infer<typeof modeSchema>;

/** What the ids in a rule are called on this campus, in the language of the screen; an id that nobody knows is its own name. */
export interface Vocabulary {
  readonly language: Language;
  readonly points: readonly PointView[];
  point(ref: string): PointView | undefined;
  /** `Room 101 · CO2`. */
  pointName(ref: string): string;
  deviceName(id: string): string;
  zoneName(id: string): string;
  spaceName(id: string): string;
  ruleName(id: string): string;
  modeName(id: string): string;
  /** Every tag that a device of the campus has, by name. */
  readonly tags: readonly string[];
  fitting(selection: Selection): readonly PointView[];
  devicesLike(glob: string): readonly string[];
}

interface Known {
  readonly campus: CampusView | undefined;
  readonly points: readonly PointView[];
  readonly rules: readonly { readonly id: string; readonly name: NamePair }[];
  readonly modes: readonly ModeView[];
}

export function createVocabulary(language: Language, { campus, points, rules, modes }: Known): Vocabulary {
  const named = (some: readonly { readonly id: string; readonly name: NamePair }[] | undefined) => {
    const names = new Map(some?.map(({ id, name }) => [id, name]));
    return (id: string) => nameIn(language, names.get(id)) || id;
  };
  const byRef = new Map(points.map((point) => [point.id, point]));
  const spaces = new Map(campus?.devices.map(({ id, space }) => [id, space]));
  const tagsOf = new Map(campus?.devices.map(({ id, tags }) => [id, tags]));
  const deviceName = named(campus?.devices);
  const floors = campus?.buildings.flatMap(({ floors: all }) => all) ?? [];
  return {
    language,
    points,
    point: (ref) => byRef.get(ref),
    pointName: (ref) => {
      const point = byRef.get(ref);
      const own = ref.split('/')[1] ?? ref;
      const label = point === undefined ? own : pointLabel(point.point, point.label, language);
      return `${deviceName(ref.split('/')[0] ?? ref)} · ${label}`;
    },
    deviceName,
    zoneName: named(campus?.zones),
    spaceName: named(floors.flatMap((floor) => floor.spaces)),
    ruleName: named(rules),
    modeName: named(modes),
    tags: [...new Set(campus?.devices.flatMap(({ tags }) => tags))].sort(),
    fitting: (selection) => {
      if (selection.of === '') return [];
      const pattern = createGlob(selection.of);
      return points.filter(
        ({ id, zone, device }) =>
          pattern.test(id) &&
          (selection.zones === undefined || selection.zones.some((one) => one === zone)) &&
          (selection.spaces === undefined || selection.spaces.some((one) => one === spaces.get(device))) &&
          (selection.tags === undefined || selection.tags.some((one) => tagsOf.get(device)?.includes(one) === true)),
      );
    },
    devicesLike: (glob) => {
      const pattern = createGlob(glob);
      return (campus?.devices ?? []).filter(({ id }) => pattern.test(id)).map(({ id }) => id);
    },
  };
}

const none: readonly never[] = [];

export function useModes(): readonly ModeView[] {
  return (
    useQuery({ queryKey: ['modes'], queryFn: ({ signal }) => api.get<readonly ModeView[]>('modes', signal) }).data ??
    none
  );
}

export function useVocabulary(): Vocabulary {
  const language = useLanguage();
  const campus = useCampus();
  const points = usePoints() ?? none;
  const modes = useModes();
  const rules = useRules().data?.rules ?? none;
  return useMemo(
    () => createVocabulary(language, { campus, points, rules, modes }),
    [language, campus, points, rules, modes],
  );
}
