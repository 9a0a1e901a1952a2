import { hashOf } from '../../address.ts';
import { type Sign, SignIcon } from '../../kit/icons.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { grouped, type Mark } from './marks.ts';
import type { Scale } from './scale.ts';
import { useFootageTexts } from './texts.ts';
import { words } from './words.ts';

/** Nearer marks are one, px. */
const room = 20;
const signs: Readonly<Record<string, Sign>> = {
  critical: 'octagon',
  high: 'triangle',
  medium: 'hollow',
  low: 'square',
};

export function markSign({ class: alarmClass }: Mark): Sign {
  return alarmClass === null ? 'dot' : (signs[alarmClass] ?? 'square');
}

/** What happened, above the strips. The list beside says the same to those who do not see it, or use keys. */
export function Marks({
  marks,
  scale,
  onGo,
}: {
  readonly marks: readonly Mark[];
  readonly scale: Scale;
  readonly onGo: (time: number) => void;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const { markText } = useFootageTexts();
  if (scale.width <= 0) return null;
  // Incidents are not to be lost among what they are made of.
  const kinds = ['event', 'incident'] as const;
  return (
    <div className="footage-marks" aria-hidden="true">
      {kinds.flatMap((kind) =>
        grouped(
          marks.filter((mark) => mark.kind === kind),
          scale,
          room,
        ).map(({ x, first, count }) => {
          const text = `${formats.clock(first.time)} ${markText(first)}`;
          const title = count === 1 ? text : `${text} · ${say.more(count)}`;
          const shared = {
            className: `footage-mark footage-mark-${kind}`,
            'data-class': first.class ?? '',
            'data-mark': first.id,
            style: { left: x },
            tabIndex: -1,
          };
          const sign = (
            <>
              <SignIcon sign={markSign(first)} size={kind === 'event' ? 11 : 15} />
              {count > 1 && <i className="kit-number">{count}</i>}
            </>
          );
          if (kind === 'incident' && count === 1) {
            return (
              <a
                key={first.id}
                {...shared}
                href={hashOf(`/incidents/${first.id}`)}
                title={`${say.incident} · ${title} · ${say.openIncident}`}
              >
                {sign}
              </a>
            );
          }
          return (
            <button key={first.id} {...shared} type="button" title={title} onClick={() => onGo(first.time)}>
              {sign}
            </button>
          );
        }),
      )}
    </div>
  );
}
