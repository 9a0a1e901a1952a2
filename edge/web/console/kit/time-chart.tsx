import { Button } from 'antd';
import { lazy, Suspense, useState } from 'react';
import { frameWords } from './frame-words.ts';
import { useFormats, useWords } from './language.tsx';
import type { ChartPoint } from './series.ts';
import { useLook } from './theme.tsx';
import { numberText } from './units.ts';

export type { ChartPoint } from './series.ts';

export interface TimeChartProps {
  readonly points: readonly ChartPoint[];
  /** ms since epoch: the whole width, whether or not there is anything. */
  readonly from: number;
  readonly to: number;
  /** As people read it: `friendlyUnit(code, language)`. */
  readonly unit: string;
  /** UCUM, for the digits. */
  readonly unitCode?: string;
  /** What the curve shows, for those who do not see it. */
  readonly label: string;
  /** px, default 280. */
  readonly height?: number;
  /** `bars` for what a counter rose by in each step; `step` for what holds until it changes (a relay). */
  readonly kind?: 'line' | 'step' | 'bars';
  /** A pause longer than this is a gap, ms; absent: only nulls are. */
  readonly gapAfter?: number;
}

const Canvas = lazy(async () => ({ default: (await import('./time-chart-canvas.tsx')).TimeChartCanvas }));
/** More rows than this nobody reads; the newest are shown. */
const mostRows = 500;

/** A curve over time with its min/max band; gaps stay gaps, doubtful stretches are hatched. ECharts is fetched when the first one is shown. */
export function TimeChart(props: TimeChartProps) {
  const words = useWords(frameWords);
  const { isDark } = useLook();
  const [isTable, setTable] = useState(false);
  const height = props.height ?? 280;
  const isEmpty = !props.points.some(({ value }) => value !== null);
  return (
    <figure className="kit-chart" aria-label={props.label}>
      <div style={{ height }} className="kit-chart-place">
        {isEmpty ? (
          <p className="kit-empty kit-soft">{words.noData}</p>
        ) : isTable ? (
          <ChartTable {...props} />
        ) : (
          <Suspense fallback={<p className="kit-empty kit-soft">{words.loading}</p>}>
            <Canvas {...props} height={height} isDark={isDark} />
          </Suspense>
        )}
      </div>
      {!isEmpty && (
        <Button size="small" type="text" className="kit-chart-switch" onClick={() => setTable(!isTable)}>
          {isTable ? words.asChart : words.asTable}
        </Button>
      )}
    </figure>
  );
}

function ChartTable({ points, unit, unitCode, label }: TimeChartProps) {
  const words = useWords(frameWords);
  const formats = useFormats();
  const hasBand = points.some(({ min, max }) => typeof min === 'number' && typeof max === 'number');
  const text = (value: number | null | undefined) =>
    value === null || value === undefined ? '—' : numberText(value, unitCode ?? unit);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard.
    <section className="kit-chart-table" tabIndex={0} aria-label={label}>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.time}</th>
            <th scope="col">{`${hasBand ? words.mean : words.value} ${unit}`}</th>
            {hasBand && <th scope="col">{words.min}</th>}
            {hasBand && <th scope="col">{words.max}</th>}
          </tr>
        </thead>
        <tbody>
          {points
            .slice(-mostRows)
            .toReversed()
            .map(({ t, value, min, max }) => (
              <tr key={t}>
                <td>{formats.dateTime(t)}</td>
                <td>{value === null ? words.gap : text(value)}</td>
                {hasBand && <td>{text(min)}</td>}
                {hasBand && <td>{text(max)}</td>}
              </tr>
            ))}
        </tbody>
      </table>
    </section>
  );
}
