import { domainText } from '../../domain-words.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { useZoneName } from '../../names.ts';
import type { IncidentView } from './data.ts';
import { words } from './words.ts';

/** Kinds of happenings that people look for; others are found by their words. */
export const knownTypes = [
  ...['emergency', 'intrusion', 'line_cross', 'climbing', 'loitering', 'person', 'vehicle', 'motion', 'animal'],
  ...['object', 'tamper', 'pir', 'digital_input', 'button', 'doorbell', 'sound', 'image_quality', 'device_fault'],
] as const;

/** Most kinds that a title names. */
const mostNamed = 3;

/** What incidents and what is in them are called. */
export function useIncidentTexts() {
  const say = useWords(words);
  const language = useLanguage();
  const zoneName = useZoneName();
  const typeText = (type: string) => {
    if (type === 'emergency') return say['type:emergency'];
    if (type === 'climbing') return say['type:climbing'];
    return domainText('event', type, language);
  };
  return {
    typeText,
    titleOf: ({ zone, types }: Pick<IncidentView, 'zone' | 'types'>) => {
      const what = types.slice(0, mostNamed).map(typeText).join(' · ');
      return say.where(zoneName(zone) || say.campus, what);
    },
    stateOf: ({ state, outcome, claimedBy, mergedInto }: IncidentView) => {
      if (mergedInto !== undefined) return say['state:merged'];
      if (state === 'resolved' && outcome !== null) return say.resolvedAs(say[`outcome:${outcome}`]);
      if (claimedBy !== null && state === 'claimed') return say.claimedBy(claimedBy.name);
      if (claimedBy !== null && state === 'escalated') return say.escalatedTo(claimedBy.name);
      return say[`state:${state}`];
    },
  };
}
