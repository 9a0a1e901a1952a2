import { useLanguage, useName } from '../../kit/language.tsx';
import { valueText } from '../../kit/values.ts';
import { useCampus } from '../../use-live.tsx';
import { useClips } from '../clips/data.ts';

/** Every clip that may sound by the plan: of the site file, and what people made; until these are known those of the site. */
export function useClipOptions(): readonly { readonly value: string; readonly label: string }[] {
  const language = useLanguage();
  const name = useName();
  const site = useCampus()?.clips ?? [];
  const { data } = useClips();
  const made = (data ?? []).filter(({ id, source }) => source !== 'site' && !site.includes(id));
  return [
    ...site.map((clip) => ({ value: clip, label: valueText(clip, '', 'clip', language) })),
    ...made.map((clip) => ({ value: clip.id, label: name(clip.name) || clip.id })),
  ];
}
