import { Checkbox, Segmented, Select } from 'antd';
import { useMemo } from 'react';
import { type PointView, query } from '../../api.ts';
import { DownloadLink } from '../../kit/download.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { pointLabel } from '../../kit/values.ts';
import { useRight } from '../../session.tsx';
import { historyWords } from './history-words.ts';
import { mostCompared, type View } from './view.ts';

/** What is laid beside the curve, how it is shown, and taking it away as a file. */
export function ViewBar({
  point,
  points,
  view,
  canCompare,
  isCounter,
}: {
  readonly point: PointView;
  readonly points: readonly PointView[];
  readonly view: View;
  readonly canCompare: boolean;
  readonly isCounter: boolean;
}) {
  const say = useWords(historyWords);
  const language = useLanguage();
  const name = useName();
  const mayExport = useRight('export');
  const { window, isTable, withWeek, asCounter, others, change } = view;
  const alike = useMemo(
    () =>
      points
        .filter(({ id, unit, type }) => id !== point.id && unit === point.unit && type === point.type)
        .map(({ id, deviceName, label, point: own }) => ({
          value: id,
          label: `${name(deviceName)} · ${pointLabel(own, label, language)}`,
        })),
    [points, point, language],
  );
  return (
    <div className="devices-viewbar">
      {canCompare && (
        <Checkbox checked={withWeek} onChange={(event) => change({ week: event.target.checked ? '1' : '' })}>
          {say.weekAgo}
        </Checkbox>
      )}
      {canCompare && alike.length > 0 && (
        <Select<string[]>
          mode="multiple"
          className="devices-compare"
          aria-label={say.compare}
          placeholder={say.compareHint}
          maxCount={mostCompared}
          maxTagCount="responsive"
          allowClear
          showSearch={{ optionFilterProp: 'label' }}
          value={[...others]}
          onChange={(refs) => change({ with: refs.join(',') })}
          options={alike}
        />
      )}
      <span className="devices-spring" />
      {isCounter && (
        <Segmented<string>
          aria-label={say.measure}
          value={asCounter ? 'counter' : ''}
          onChange={(value) => change({ as: value })}
          options={[
            { value: '', label: say.energy },
            { value: 'counter', label: say.counter },
          ]}
        />
      )}
      {canCompare && (
        <Segmented<string>
          aria-label={say.view}
          value={isTable ? 'table' : ''}
          onChange={(value) => change({ view: value })}
          options={[
            { value: '', label: say.curve },
            { value: 'table', label: say.table },
          ]}
        />
      )}
      {mayExport && (
        <DownloadLink
          href={`api/v1/points/${point.id}/history.csv${query({ from: Math.round(window.from), to: Math.round(window.to), step: 'auto', buckets: 1_500, lang: language })}`}
        >
          {say.csv}
        </DownloadLink>
      )}
    </div>
  );
}
