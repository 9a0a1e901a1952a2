import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkAreaComponent, TooltipComponent } from 'echarts/components';
import { type EChartsType, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import { useFormats } from '../../kit/language.tsx';
import { zoneOffset } from '../../kit/series.ts';
import { type HistoryPicture, historyOption, type Labels, type Paints } from './history-option.ts';

use([LineChart, BarChart, GridComponent, TooltipComponent, LegendComponent, MarkAreaComponent, CanvasRenderer]);

/** A shorter drag is a click, px. */
const shortestDrag = 12;
const dayAndHalf = 36 * 3_600_000;

export interface HistoryCanvasProps {
  readonly picture: HistoryPicture;
  readonly label: string;
  readonly height: number;
  readonly isDark: boolean;
  /** A stretch was drawn with the pointer, ms since epoch. */
  readonly onSelect: (from: number, to: number) => void;
}

/** Colours of the page as it is now: a canvas knows no CSS variables. */
function paintsOfPage(): Paints {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(`--kit-${name}`).trim();
  return {
    lines: [of('accent'), of('high'), of('low'), of('text'), of('soft')],
    soft: of('soft'),
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

export function HistoryCanvas({ picture, label, height, isDark, onSelect }: HistoryCanvasProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const formats = useFormats();
  const shift = zoneOffset(formats.startOfDay(picture.to));
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | null>(null);

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
    const isLong = picture.to - picture.from > dayAndHalf;
    const labels: Labels = {
      tick: (shifted) => (isLong ? formats.shortDate(shifted - shift) : formats.shortTime(shifted - shift)),
      moment: (shifted) => formats.dateTime(shifted - shift),
    };
    chart.current?.setOption(historyOption(picture, shift, paintsOfPage(), labels), { notMerge: true });
  }, [picture, shift, formats, isDark]);

  const xOf = (event: PointerEvent<HTMLElement>) => event.clientX - event.currentTarget.getBoundingClientRect().left;
  const timeAt = (x: number): number | null => {
    const value = chart.current?.convertFromPixel({ xAxisIndex: 0 }, x);
    return typeof value === 'number' ? Math.min(picture.to, Math.max(picture.from, value - shift)) : null;
  };
  const end = () => {
    if (drag === null) return;
    setDrag(null);
    const [from, to] = [timeAt(Math.min(drag.from, drag.to)), timeAt(Math.max(drag.from, drag.to))];
    if (Math.abs(drag.to - drag.from) >= shortestDrag && from !== null && to !== null) onSelect(from, to);
  };

  return (
    <div
      className="devices-canvas"
      style={{ height }}
      role="img"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard walks through the points.
      tabIndex={0}
      onKeyDown={(event) => walk(event, chart.current, picture)}
      onPointerDown={(event) => event.button === 0 && event.isPrimary && setDrag({ from: xOf(event), to: xOf(event) })}
      onPointerMove={(event) => drag !== null && setDrag({ ...drag, to: xOf(event) })}
      onPointerUp={end}
      onPointerLeave={end}
      onPointerCancel={() => setDrag(null)}
    >
      <div ref={place} className="devices-canvas-place" />
      {drag !== null && (
        <div
          className="devices-drag"
          style={{ left: Math.min(drag.from, drag.to), width: Math.abs(drag.to - drag.from) }}
        />
      )}
    </div>
  );
}

/** Left and right show the values of one moment after the other, as a mouse would. */
function walk(event: KeyboardEvent<HTMLElement>, chart: EChartsType | null, { curves }: HistoryPicture): void {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step === undefined || chart === null) return;
  event.preventDefault();
  const element = event.currentTarget;
  const points = curves[0]?.points ?? [];
  let next = Number(element.dataset.at ?? (step > 0 ? -1 : points.length)) + step;
  while (points[next]?.value === null) next += step;
  if (points[next] === undefined) return;
  element.dataset.at = String(next);
  chart.dispatchAction({ type: 'showTip', seriesIndex: 0, dataIndex: next });
}
