import { BarChart, LineChart } from 'echarts/charts';
import { DataZoomInsideComponent, GridComponent, MarkAreaComponent, TooltipComponent } from 'echarts/components';
import { type EChartsType, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { useFormats } from './language.tsx';
import { type ChartPoint, withGaps, zoneOffset } from './series.ts';
import type { TimeChartProps } from './time-chart.tsx';
import { chartOption, type Labels, type Paints } from './time-chart-option.ts';

use([LineChart, BarChart, GridComponent, TooltipComponent, MarkAreaComponent, DataZoomInsideComponent, CanvasRenderer]);

/** Colours of the page as it is now: a canvas knows no CSS variables. */
function paintsOfPage(): Paints {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(`--kit-${name}`).trim();
  return {
    line: of('accent'),
    text: of('soft'),
    rule: of('line'),
    panel: of('panel'),
    ink: of('text'),
    hatch: hatch(of('hatch')),
  };
}

function hatch(color: string): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 8;
  const context = canvas.getContext('2d');
  if (context === null) return canvas;
  context.strokeStyle = color;
  context.lineWidth = 2;
  context.beginPath();
  for (const shift of [-8, 0, 8]) {
    context.moveTo(shift, 8);
    context.lineTo(shift + 8, 0);
  }
  context.stroke();
  return canvas;
}

export function TimeChartCanvas(props: TimeChartProps & { readonly height: number; readonly isDark: boolean }) {
  const { points, from, to, isDark, label } = props;
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const formats = useFormats();
  const shift = zoneOffset(formats.startOfDay(to));
  const drawn = withGaps(points, props.gapAfter);

  useEffect(() => {
    if (place.current === null) return;
    const made = init(place.current, null, { renderer: 'canvas' });
    chart.current = made;
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(place.current);
    return () => {
      observer.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    const labels: Labels = {
      tick: (shifted) =>
        to - from > 36 * 3_600_000 ? formats.shortDate(shifted - shift) : formats.shortTime(shifted - shift),
      moment: (shifted) => formats.dateTime(shifted - shift),
    };
    const paints = paintsOfPage();
    chart.current?.setOption(chartOption({ ...props, points: drawn }, shift, paints, labels), { notMerge: true });
    // isDark: the colours of the page are others then.
  }, [points, from, to, props.kind, props.unit, props.gapAfter, isDark, formats]);

  return (
    <div
      ref={place}
      className="kit-chart-canvas"
      role="img"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: see above.
      tabIndex={0}
      onKeyDown={(event) => walk(event, chart.current, drawn)}
    />
  );
}

/** Left and right show the values of one moment after the other, as a mouse would. */
function walk(event: KeyboardEvent<HTMLElement>, chart: EChartsType | null, points: readonly ChartPoint[]): void {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step === undefined || chart === null) return;
  event.preventDefault();
  const element = event.currentTarget;
  const at = Number(element.dataset.at ?? (step > 0 ? -1 : points.length));
  const next = Math.min(points.length - 1, Math.max(0, at + step));
  element.dataset.at = String(next);
  chart.dispatchAction({ type: 'showTip', seriesIndex: 0, dataIndex: next });
}
