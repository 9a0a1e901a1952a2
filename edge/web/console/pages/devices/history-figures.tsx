import type { HistoryView, PointView } from '../../api.ts';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { pointLabel, valueText } from '../../kit/values.ts';
import type { Summary } from './curve.ts';
import { historyWords } from './history-words.ts';

const details = {
  raw: 'detailRaw',
  '1min': 'detail1min',
  '15min': 'detail15min',
  '1h': 'detail1h',
  '1d': 'detail1d',
} as const;

/** The extremes, the mean or the total of what is shown, and how to read it. */
export function Figures({
  history,
  summary,
  showsBars,
  isSwitch,
  text,
}: {
  readonly history: HistoryView;
  readonly summary: Summary;
  readonly showsBars: boolean;
  readonly isSwitch: boolean;
  readonly text: (value: number) => string;
}) {
  const say = useWords(historyWords);
  const { min, max, mean, total } = summary;
  const figures: readonly (readonly [string, number | null])[] = showsBars
    ? [[say.total, total]]
    : isSwitch
      ? [[say.onShare, mean]]
      : [
          [say.min, min],
          [say.mean, mean],
          [say.max, max],
        ];
  return (
    <>
      <dl className="devices-figures">
        {figures.map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd className="kit-number">{value === null ? '—' : text(value)}</dd>
          </div>
        ))}
      </dl>
      <p className="kit-soft devices-legend">
        {[
          say[details[history.step]],
          ...(history.step === 'raw' || showsBars ? [] : [say.band]),
          showsBars ? say.barGaps : say.gaps,
          say.dragHint,
        ].join(' · ')}
      </p>
    </>
  );
}

/** Text has no curve: what it said, and when it changed. */
export function TextChanges({
  history,
  point,
}: {
  readonly history: HistoryView | undefined;
  readonly point: PointView;
}) {
  const say = useWords(historyWords);
  const language = useLanguage();
  const formats = useFormats();
  const samples = (history?.samples ?? []).toReversed().slice(0, 500);
  if (samples.length === 0) return <EmptyState title={say.none}>{say.noneHelp}</EmptyState>;
  return (
    <table className="devices-table">
      <thead>
        <tr>
          <th scope="col">{say.time}</th>
          <th scope="col">{pointLabel(point.point, point.label, language)}</th>
        </tr>
      </thead>
      <tbody>
        {samples.map(({ t, value }) => (
          <tr key={t}>
            <td className="kit-number">{formats.dateTime(t)}</td>
            <td>{valueText(value, point.unit, point.point, language)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
