import { useMemo } from 'react';
import { useFormats, useLanguage } from '../../kit/language.tsx';
import { valueText } from '../../kit/values.ts';
import { nameIn } from '../../kit/words.ts';
import { useDeviceName, useOwnerText, usePointName, useZoneName } from '../../names.ts';
import { useSession } from '../../session.tsx';
import { usePoints } from '../../use-live.tsx';
import { useEntries, useModeNames } from './data.ts';
import type { Naming } from './reason-words.ts';
import { words } from './words.ts';

/** The names that people gave, for the words of the school day. */
export function useNaming(): Naming {
  const language = useLanguage();
  const formats = useFormats();
  const zone = useZoneName();
  const point = usePointName();
  const device = useDeviceName();
  const owner = useOwnerText();
  const points = usePoints();
  const modes = useModeNames();
  const me = useSession();
  const { data } = useEntries();
  return useMemo(() => {
    const say = words[language];
    const names = new Map(data?.entries.map(({ id, body }) => [id, 'name' in body ? body.name : null]));
    const entry = (id: string) => nameIn(language, names.get(id)) || id;
    return {
      ...{ language, entry, zone, point, device, owner },
      value: (ref, value) => {
        const unit = points?.find(({ id }) => id === ref)?.unit ?? '';
        if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string')
          return valueText(value, unit, ref.split('/')[1] ?? '', language);
        return '';
      },
      layer: (id) => (id === 'campus' ? say.wholeCampus : entry(id)),
      clip: (id) => valueText(id, '', 'clip', language),
      mode: (id) => nameIn(language, modes?.find((mode) => mode.id === id)?.name) || id,
      // Of others the API gives the account only.
      who: (who) => (who === `person:${me.id}` ? me.name : whoText(who, language)),
      time: formats.shortTime,
    };
  }, [language, formats, zone, point, device, owner, points, modes, data, me]);
}

/** `person:li` -> `li`; what is not a person says so. */
export function whoText(who: string, language: 'zh' | 'en'): string {
  const say = words[language];
  if (who.startsWith('person:')) return who.slice('person:'.length);
  if (who === 'token:local') return say.byOwner;
  return who.startsWith('token:') ? say.byProgram(who.slice('token:'.length)) : who;
}
