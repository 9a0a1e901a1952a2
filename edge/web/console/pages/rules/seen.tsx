import { pointHash } from '../../address.ts';
import { QualityBadge } from '../../kit/badges.tsx';
import { useFormats, useLanguage } from '../../kit/language.tsx';
import { valueText } from '../../kit/values.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface Seeable {
  readonly ref: string;
  readonly value: number | boolean | string | null;
  readonly quality: string;
  readonly reason?: string | undefined;
  readonly time: number;
}

/** A value as it was seen: whose, what, and whether it could be trusted. */
export function SeenChip({ seen, vocabulary }: { readonly seen: Seeable; readonly vocabulary: Vocabulary }) {
  const language = useLanguage();
  const formats = useFormats();
  const { ref, value, quality, reason, time } = seen;
  const point = ref.split('/')[1] ?? '';
  const grade = quality === 'good' || quality === 'uncertain' ? quality : 'bad';
  return (
    <span className="rules-chip-plain" title={time > 0 ? formats.dateTime(time) : undefined}>
      <a href={pointHash(ref)}>{vocabulary.pointName(ref)}</a>{' '}
      <strong className="kit-number">{valueText(value, vocabulary.point(ref)?.unit ?? '', point, language)}</strong>{' '}
      <QualityBadge quality={grade} reason={reason} />
    </span>
  );
}
