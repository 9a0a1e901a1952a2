import type { EChartsCoreOption } from 'echarts/core';
import { type ChartPoint, doubtfulSpans } from '../../kit/series.ts';

/* What ECharts draws of one value and those it is compared with. */

export interface Curve {
  readonly name: string;
  readonly points: readonly ChartPoint[];
}

export interface HistoryPicture {
  /** The first is the one that is looked at: with band and hatching. The others lie beside it. */
  readonly curves: readonly Curve[];
  readonly from: number;
  readonly to: number;
  readonly kind: 'line' | 'step' | 'bars';
  /** A value as people read it, with its unit. */
  readonly text: (value: number) => string;
  /** The same without the unit, for the axis. */
  readonly short: (value: number) => string;
  /** Of bars: length of each, ms. */
  readonly barMs: number;
}

export interface Paints {
  readonly lines: readonly string[];
  readonly soft: string;
  readonly rule: string;
  readonly panel: string;
  readonly ink: string;
  readonly hatch: HTMLCanvasElement;
}

export interface Labels {
  readonly tick: (shifted: number) => string;
  readonly moment: (shifted: number) => string;
}

/** Colour is never the only sign: the second is dashed, the third dotted, the fourth dash-dotted. */
const strokes: readonly (string | readonly number[])[] = ['solid', 'dashed', 'dotted', [10, 4, 2, 4], [2, 6]];

interface Shown {
  readonly axisValue: number | string;
  readonly seriesName: string;
  readonly data: readonly [number, number | null];
}

/**
 * Times are shifted by the zone's offset and treated as UTC, so that days begin at the campus's midnight in any browser. The
 * tooltip is drawn on the canvas: markup of its own would break the content security policy.
 */
export function historyOption(
  picture: HistoryPicture,
  shift: number,
  paints: Paints,
  labels: Labels,
): EChartsCoreOption {
  const { curves, from, to, kind, text, short } = picture;
  const quiet = { axisLine: { lineStyle: { color: paints.rule } }, axisTick: { show: false } };
  const names = new Set(curves.map(({ name }) => name));
  return {
    useUTC: true,
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 8, right: 18, top: curves.length > 1 ? 34 : 14, bottom: 6, containLabel: true },
    legend:
      curves.length > 1
        ? { top: 0, left: 8, textStyle: { color: paints.ink }, data: [...names], itemWidth: 32, icon: 'inherit' }
        : { show: false },
    tooltip: {
      trigger: 'axis',
      renderMode: 'richText',
      confine: true,
      backgroundColor: paints.panel,
      borderColor: paints.rule,
      textStyle: { color: paints.ink, fontSize: 13 },
      axisPointer: { lineStyle: { color: paints.soft } },
      formatter: (shown: readonly Shown[]) => tooltip(shown, picture, labels, shift),
    },
    xAxis: {
      type: 'time',
      min: from + shift,
      max: to + shift,
      ...quiet,
      axisLabel: { color: paints.soft, hideOverlap: true, formatter: labels.tick },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      scale: kind === 'line',
      ...quiet,
      ...(kind === 'step' ? { min: 0, max: 1, interval: 1 } : {}),
      axisLabel: { color: paints.soft, formatter: short },
      splitLine: { lineStyle: { color: paints.rule } },
    },
    series: curves.flatMap((curve, index) => seriesOf(curve, index, picture, shift, paints)),
  };

  function tooltip(shown: readonly Shown[], { curves: all }: HistoryPicture, { moment }: Labels, by: number): string {
    const rows = shown.filter(({ seriesName, data }) => names.has(seriesName) && data[1] !== null);
    const [first] = rows;
    if (first === undefined) return '';
    const lines = rows.map(({ seriesName, data }) =>
      all.length > 1 ? `${seriesName}: ${text(data[1] ?? 0)}` : text(data[1] ?? 0),
    );
    const point = all[0]?.points.find(({ t, value }) => value !== null && t + by === first.data[0]);
    const band =
      typeof point?.min === 'number' && typeof point.max === 'number'
        ? [`${text(point.min)} … ${text(point.max)}`]
        : [];
    return [moment(first.data[0]), ...lines, ...band].join('\n');
  }
}

function seriesOf(
  { name, points }: Curve,
  index: number,
  { kind, to, barMs }: HistoryPicture,
  shift: number,
  paints: Paints,
): object[] {
  const color = paints.lines[index % paints.lines.length] ?? paints.ink;
  const data = points.map(({ t, value }) => [t + shift + (kind === 'bars' ? barMs / 2 : 0), value]);
  const hatched = {
    silent: true,
    itemStyle: { color: { image: paints.hatch, repeat: 'repeat' } },
    data: doubtfulSpans(points, to).map((span) => [{ xAxis: span.from + shift }, { xAxis: span.to + shift }]),
  };
  const markArea = index === 0 ? { markArea: hatched } : {};
  if (kind === 'bars') {
    const look =
      index === 0 ? { color } : { color: 'transparent', borderColor: color, borderWidth: 1.5, borderType: 'dashed' };
    return [{ type: 'bar', name, data, itemStyle: look, barMaxWidth: 40, barMinWidth: 2, ...markArea }];
  }
  const isAlone = (at: number) =>
    points[at]?.value !== null && (points[at - 1]?.value ?? null) === null && (points[at + 1]?.value ?? null) === null;
  const line = {
    type: 'line',
    name,
    data,
    step: kind === 'step' ? 'end' : false,
    showSymbol: true,
    // A lone reading between two gaps has no line to be seen by.
    symbol: (_: unknown, { dataIndex }: { readonly dataIndex: number }) => (isAlone(dataIndex) ? 'circle' : 'none'),
    symbolSize: 5,
    lineStyle: { color, width: index === 0 ? 2 : 1.6, type: strokes[index] ?? 'solid' },
    itemStyle: { color },
    connectNulls: false,
    ...(kind === 'step' && index === 0 ? { areaStyle: { color, opacity: 0.15 } } : {}),
    ...markArea,
  };
  return index === 0 ? [line, ...bandOf(points, color, shift)] : [line];
}

function bandOf(points: readonly ChartPoint[], color: string, shift: number): object[] {
  if (!points.some(({ min, max }) => typeof min === 'number' && typeof max === 'number')) return [];
  const low = points.map(({ t, value, min }) => [t + shift, value === null ? null : (min ?? null)]);
  const width = points.map(({ t, value, min, max }) => [
    t + shift,
    value === null || typeof min !== 'number' || typeof max !== 'number' ? null : max - min,
  ]);
  const band = {
    type: 'line',
    stack: 'band',
    stackStrategy: 'all',
    symbol: 'none',
    silent: true,
    lineStyle: { opacity: 0 },
    connectNulls: false,
    tooltip: { show: false },
  };
  return [
    { ...band, data: low },
    { ...band, data: width, areaStyle: { color, opacity: 0.2 } },
  ];
}
