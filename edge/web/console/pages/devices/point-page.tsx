import { keepPreviousData, useQueries } from '@tanstack/react-query';
import { lazy, Suspense, useMemo } from 'react';
import { deviceHash } from '../../address.ts';
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
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { phoneQuery, useLook, useMedia } from '../../kit/theme.tsx';
import { now } from '../../kit/ticker.ts';
import { friendlyUnit, numberText } from '../../kit/units.ts';
import { pointLabel, valueText } from '../../kit/values.ts';
import { usePoints, useReading } from '../../use-live.tsx';
import { barsOf, curveOf, hasDeltas, moved, summaryOf } from './curve.ts';
import { Figures, TextChanges } from './history-figures.tsx';
import type { Curve, HistoryPicture } from './history-option.ts';
import { HistoryTable } from './history-table.tsx';
import { historyWords } from './history-words.ts';
import { barDetail, curveDetail, type Detail, isCounterUnit, movedParts, ownParts, stepMs, week } from './range.ts';
import { RangeBar } from './range-bar.tsx';
import { useView, type View } from './view.ts';
import { ViewBar } from './view-bar.tsx';

/* What one value was: `/points/<device>/<point>?range=24h&with=a/b,c/d&week=1&view=table`. The whole view is in the address. */

const HistoryCanvas = lazy(async () => ({ default: (await import('./history-canvas.tsx')).HistoryCanvas }));

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
