import { keepPreviousData, useQueries } from '@tanstack/react-query';
import { Checkbox, Segmented, Select } from 'antd';
import { lazy, Suspense, useMemo } from 'react';
import {
  ApiError,
  api,
  type CampusView,
  errorDetail,
  errorText,
  type HistoryView,
  type PointView,
  query,
} from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { QualityBadge } from '../../kit/badges.tsx';
import { DownloadLink } from '../../kit/download.tsx';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { phoneQuery, useLook, useMedia } from '../../kit/theme.tsx';
import { now, useTicking } from '../../kit/ticker.ts';
import { friendlyUnit, numberText } from '../../kit/units.ts';
import { pointLabel, valueText } from '../../kit/values.ts';
import { useRight } from '../../session.tsx';
import { usePoints, useReading } from '../../use-live.tsx';
import { deviceHash, goTo, hashOf, useAddress } from './address.ts';
import { barsOf, curveOf, hasDeltas, moved, type Summary, summaryOf } from './curve.ts';
import type { Curve, HistoryPicture } from './history-option.ts';
import { HistoryTable } from './history-table.tsx';
import { historyWords } from './history-words.ts';
import {
  barDetail,
  curveDetail,
  type Detail,
  isCounterUnit,
  movedParts,
  ownParts,
  stepMs,
  type Window,
  week,
  windowOf,
} from './range.ts';
import { RangeBar } from './range-bar.tsx';

/* What one value was: `/points/<device>/<point>?range=24h&with=a/b,c/d&week=1&view=table`. The whole view is in the address. */

const HistoryCanvas = lazy(async () => ({ default: (await import('./history-canvas.tsx')).HistoryCanvas }));

const mostCompared = 3;
/** How often a range that ends now is asked for again, ms: short ranges sooner. */
const paces = [
  [2 * 3_600_000, 15_000],
  [Number.POSITIVE_INFINITY, 60_000],
] as const;

interface View {
  readonly window: Window;
  readonly isTable: boolean;
  readonly withWeek: boolean;
  readonly asCounter: boolean;
  readonly others: readonly string[];
  readonly change: (parts: Readonly<Record<string, string>>) => void;
}

function useView(path: string): View {
  const { query: asked } = useAddress();
  const text = asked.toString();
  const first = windowOf(asked, now());
  const pace = paces.find(([span]) => first.to - first.from < span)?.[1] ?? 60_000;
  const tick = useTicking((at) => (first.isLive ? Math.floor(at / pace) * pace : 0));
  return useMemo(() => {
    const parsed = new URLSearchParams(text);
    return {
      window: windowOf(parsed, tick === 0 ? now() : tick + pace),
      isTable: parsed.get('view') === 'table',
      withWeek: parsed.get('week') === '1',
      asCounter: parsed.get('as') === 'counter',
      others: (parsed.get('with') ?? '')
        .split(',')
        .filter((ref) => ref.includes('/'))
        .slice(0, mostCompared),
      change: (parts) => goTo(hashOf(path, { ...Object.fromEntries(parsed), ...parts }), 'replace'),
    };
  }, [text, tick, pace, path]);
}

export function PointPage({ point: ref, campus }: { readonly point: string; readonly campus: CampusView }) {
  const say = useWords(historyWords);
  const points = usePoints();
  if (points === undefined) return <PageSkeleton />;
  const point = points.find(({ id }) => id === ref);
  const device = campus.devices.find(({ id }) => id === point?.device);
  if (point === undefined || device === undefined)
    return <EmptyState title={say.unknown} action={<a href="#/devices">{say.backToDevices}</a>} />;
  return (
    <>
      <Head point={point} />
      <History point={point} points={points} />
    </>
  );
}

function Head({ point }: { readonly point: PointView }) {
  const say = useWords(historyWords);
  const name = useName();
  const language = useLanguage();
  const reading = useReading(point.id);
  return (
    <div className="devices-point-head">
      <a className="devices-back devices-back-always" href={deviceHash(point.device)}>
        ← {say.back(name(point.deviceName))}
      </a>
      <PageHeader
        title={`${name(point.deviceName)} · ${pointLabel(point.point, point.label, language)}`}
        about={
          <span className="devices-point-now">
            {say.now} <strong>{valueText(reading?.value, point.unit, point.point, language)}</strong>{' '}
            {reading !== undefined && <QualityBadge quality={reading.quality} reason={reading.reason} />}{' '}
            <Age time={reading?.sourceTime ?? 0} />
          </span>
        }
      />
    </div>
  );
}

/** What is asked of the API: the value itself, the same a week before, and those it is compared with. */
function useHistories(
  point: PointView,
  { window, withWeek, others, isLive }: View & { readonly isLive: boolean },
  detail: Detail,
) {
  const ask = (ref: string, from: number, to: number) => ({
    queryKey: ['history', ref, from, to, detail.step, detail.buckets],
    queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
      api.get<HistoryView>(
        `points/${ref}/history${query({ from: Math.round(from), to: Math.round(to), step: detail.step, buckets: detail.buckets })}`,
        signal,
      ),
    placeholderData: keepPreviousData,
    staleTime: isLive ? 10_000 : 60_000,
    retry: (count: number, error: Error) => count < 1 && !(error instanceof ApiError && error.status === 404),
  });
  const { from, to } = window;
  return useQueries({
    queries: [
      ask(point.id, from, to),
      ...others.map((ref) => ask(ref, from, to)),
      ...(withWeek ? [ask(point.id, from - week, to - week)] : []),
    ],
  });
}

function History({ point, points }: { readonly point: PointView; readonly points: readonly PointView[] }) {
  const say = useWords(historyWords);
  const language = useLanguage();
  const formats = useFormats();
  const name = useName();
  const { isDark } = useLook();
  const isPhone = useMedia(phoneQuery);
  const view = useView(`/points/${point.id}`);
  const { window, isTable, withWeek, asCounter, others, change } = view;
  const isSwitch = point.type === 'boolean';
  const isText = point.type === 'text';
  const isBars = isCounterUnit(point.unit) && !asCounter;
  const detail = isBars ? barDetail(window) : isText ? { step: 'raw', buckets: 1_500 } : curveDetail(window, isSwitch);
  const answers = useHistories(point, { ...view, isLive: window.isLive }, detail);
  const [main] = answers;
  useShortcut('[', say.earlier, () => change(movedParts(window, -1, now())));
  useShortcut(']', say.later, () => change(movedParts(window, 1, now())));

  const nameOf = (ref: string) => {
    const found = points.find(({ id }) => id === ref);
    return found === undefined ? ref : `${name(found.deviceName)} · ${pointLabel(found.point, found.label, language)}`;
  };
  const histories = answers.map(({ data }) => data);
  const version = answers.map(({ dataUpdatedAt }) => dataUpdatedAt).join();
  const showsBars = isBars && (main?.data === undefined || hasDeltas(main.data));
  // The version stands for the answers.
  const curves = useMemo((): readonly Curve[] => {
    const end = Math.min(window.to, now());
    const drawn = (history: HistoryView | undefined, until: number) =>
      history === undefined ? [] : showsBars ? barsOf(history) : curveOf(history, until);
    const label = pointLabel(point.point, point.label, language);
    return [
      { name: label, points: drawn(histories[0], end) },
      ...others.map((ref, index) => ({ name: nameOf(ref), points: drawn(histories[index + 1], end) })),
      ...(withWeek
        ? [{ name: say.weekAgoOf(label), points: moved(drawn(histories.at(-1), window.to - week), week) }]
        : []),
    ];
  }, [version, window, showsBars, others, withWeek, language]);
  const isShare = isSwitch && main?.data?.samples === undefined;
  const text = useMemo(() => {
    if (isShare) return (value: number) => formats.percent(value);
    if (isSwitch) return (value: number) => valueText(value >= 0.5, '', point.point, language);
    // What a counter rose by in a minute is small: its usual one digit would be the same for all.
    if (showsBars) return (value: number) => `${formats.number(value, 2)} ${friendlyUnit(point.unit, language)}`;
    return (value: number) => valueText(value, point.unit, point.point, language);
  }, [isShare, isSwitch, showsBars, formats, point, language]);
  const picture = useMemo(
    (): HistoryPicture => ({
      curves: curves.filter((curve, index) => index === 0 || hasValues(curve)),
      from: window.from,
      to: window.to,
      kind: showsBars ? 'bars' : isSwitch && !isShare ? 'step' : 'line',
      text,
      short: isSwitch ? text : (value) => (showsBars ? formats.number(value, 3) : numberText(value, point.unit)),
      barMs: stepMs(main?.data?.step ?? ''),
    }),
    [curves, window, showsBars, isSwitch, isShare, text, point, main?.data?.step],
  );
  const isLow = useMedia('(max-height: 860px)');
  const isOneDay = formats.date(window.from) === formats.date(window.to);
  const minute = (time: number) => `${formats.date(time)} ${formats.shortTime(time)}`;
  const height = isPhone || isLow ? 300 : 400;
  const label = say.chartOf(nameOf(point.id), formats.dateTime(window.from), formats.dateTime(window.to));
  const isEmpty = !curves.some(hasValues);

  return (
    <Panel
      title={say.span(minute(window.from), isOneDay ? formats.shortTime(window.to) : minute(window.to))}
      className="devices-history-panel"
    >
      <RangeBar window={window} onChange={change} />
      <ViewBar point={point} points={points} view={view} canCompare={!isText} isCounter={isCounterUnit(point.unit)} />
      <div
        className="devices-chart"
        data-step={main?.data?.step ?? ''}
        data-busy={answers.some(({ isFetching }) => isFetching)}
      >
        {main?.isError === true && !(main.error instanceof ApiError && main.error.status === 404) ? (
          <ErrorState
            message={errorText(main.error, language)}
            detail={errorDetail(main.error)}
            onRetry={() => void main.refetch()}
          />
        ) : main?.isPending === true ? (
          <div style={{ height }}>
            <PageSkeleton />
          </div>
        ) : isText ? (
          <TextChanges history={main?.data} point={point} />
        ) : isEmpty ? (
          <EmptyState title={say.none}>{say.noneHelp}</EmptyState>
        ) : isTable ? (
          <HistoryTable curves={curves} text={text} height={height} />
        ) : (
          <Suspense
            fallback={
              <p className="kit-empty" style={{ height }}>
                {say.loading}
              </p>
            }
          >
            <HistoryCanvas
              picture={picture}
              label={label}
              height={height}
              isDark={isDark}
              onSelect={(from, to) => change(ownParts(from, to))}
            />
          </Suspense>
        )}
      </div>
      {main?.data !== undefined && !isEmpty && !isText && (
        <Figures
          history={main.data}
          summary={summaryOf(main.data, Math.min(window.to, now()))}
          showsBars={showsBars}
          isSwitch={isSwitch}
          text={isSwitch ? (value) => formats.percent(value) : text}
        />
      )}
      {withWeek && curves.length > 1 && !hasValues(curves.at(-1)) && !isEmpty && (
        <p className="kit-soft devices-legend">{say.noWeek}</p>
      )}
      {main?.data?.truncated === true && <p className="devices-truncated">{say.truncated}</p>}
    </Panel>
  );
}

function hasValues(curve: Curve | undefined): boolean {
  return curve?.points.some(({ value }) => value !== null) === true;
}

/** What is laid beside the curve, how it is shown, and taking it away as a file. */
function ViewBar({
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

const details = {
  raw: 'detailRaw',
  '1min': 'detail1min',
  '15min': 'detail15min',
  '1h': 'detail1h',
  '1d': 'detail1d',
} as const;

function Figures({
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
          say.gaps,
          say.dragHint,
        ].join(' · ')}
      </p>
    </>
  );
}

/** Text has no curve: what it said, and when it changed. */
function TextChanges({ history, point }: { readonly history: HistoryView | undefined; readonly point: PointView }) {
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
