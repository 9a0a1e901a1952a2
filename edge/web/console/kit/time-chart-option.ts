import type { EChartsCoreOption } from 'echarts/core';
import { doubtfulSpans } from './series.ts';
import type { TimeChartProps } from './time-chart.tsx';
import { numberText } from './units.ts';

export interface Paints {
  readonly line: string;
  readonly text: string;
  readonly rule: string;
  readonly panel: string;
  readonly ink: string;
  readonly hatch: HTMLCanvasElement;
}

export interface Labels {
  readonly tick: (shifted: number) => string;
  readonly moment: (shifted: number) => string;
}

/**
 * What ECharts draws. Times are shifted by the zone's offset and treated as UTC, so that days begin at the campus's midnight in
 * any browser. The tooltip is drawn on the canvas (`richText`): markup of its own would break the content security policy.
 */
export function chartOption(props: TimeChartProps, shift: number, paints: Paints, labels: Labels): EChartsCoreOption {
  const { points, from, to, unit, unitCode = '', kind = 'line' } = props;
  const text = (value: number) => `${numberText(value, unitCode)} ${unit}`.trim();
  const axis = { axisLine: { lineStyle: { color: paints.rule } }, axisTick: { show: false } };
  return {
    useUTC: true,
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true },
    tooltip: {
      trigger: 'axis',
      renderMode: 'richText',
      confine: true,
      backgroundColor: paints.panel,
      borderColor: paints.rule,
      textStyle: { color: paints.ink, fontSize: 12 },
      axisPointer: { lineStyle: { color: paints.text } },
      formatter: (shown: readonly { readonly dataIndex: number }[]) => {
        const point = points[shown[0]?.dataIndex ?? -1];
        if (point === undefined || point.value === null) return '';
        const band =
          typeof point.min === 'number' && typeof point.max === 'number'
            ? `\n${text(point.min)} … ${text(point.max)}`
            : '';
        return `${labels.moment(point.t + shift)}\n${text(point.value)}${band}`;
      },
    },
    xAxis: {
      type: 'time',
      min: from + shift,
      max: to + shift,
      ...axis,
      axisLabel: { color: paints.text, hideOverlap: true, formatter: labels.tick },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      scale: kind !== 'bars',
      ...axis,
      axisLabel: { color: paints.text, formatter: (value: number) => numberText(value, unitCode) },
      splitLine: { lineStyle: { color: paints.rule } },
    },
    dataZoom: [{ type: 'inside', filterMode: 'none', zoomOnMouseWheel: 'ctrl', moveOnMouseWheel: false }],
    series: seriesOf(props, shift, paints),
  };
}

function seriesOf({ points, to, kind = 'line' }: TimeChartProps, shift: number, paints: Paints): object[] {
  const at = (value: (index: number) => number | null) => points.map(({ t }, index) => [t + shift, value(index)]);
  const valueAt = (index: number) => points[index]?.value ?? null;
  const doubtful = {
    silent: true,
    itemStyle: { color: { image: paints.hatch, repeat: 'repeat' } },
    data: doubtfulSpans(points, to).map((span) => [{ xAxis: span.from + shift }, { xAxis: span.to + shift }]),
  };
  if (kind === 'bars') {
    return [
      { type: 'bar', data: at(valueAt), itemStyle: { color: paints.line }, barCategoryGap: '12%', markArea: doubtful },
    ];
  }
  const minAt = (index: number) => (valueAt(index) === null ? null : (points[index]?.min ?? null));
  const widthAt = (index: number) => {
    const [min, max] = [minAt(index), points[index]?.max ?? null];
    return min === null || max === null ? null : max - min;
  };
  const isAlone = (index: number) =>
    valueAt(index) !== null && valueAt(index - 1) === null && valueAt(index + 1) === null;
  const band = {
    type: 'line',
    stack: 'band',
    stackStrategy: 'all',
    symbol: 'none',
    silent: true,
    lineStyle: { opacity: 0 },
    connectNulls: false,
  };
  const line = {
    type: 'line',
    data: at(valueAt),
    step: kind === 'step' ? 'end' : false,
    // A lone reading between two gaps has no line to be seen by.
    showSymbol: true,
    symbol: (_value: unknown, { dataIndex }: { readonly dataIndex: number }) =>
      isAlone(dataIndex) ? 'circle' : 'none',
    symbolSize: 4,
    lineStyle: { color: paints.line, width: 1.8 },
    itemStyle: { color: paints.line },
    connectNulls: false,
    markArea: doubtful,
  };
  if (!points.some(({ min, max }) => typeof min === 'number' && typeof max === 'number')) return [line];
  return [
    line,
    { ...band, data: at(minAt) },
    { ...band, data: at(widthAt), areaStyle: { color: paints.line, opacity: 0.2 } },
  ];
}
