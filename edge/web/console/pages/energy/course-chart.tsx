import { type KeyboardEvent, useId, useLayoutEffect, useRef, useState } from 'react';
import { useFormats, useWords } from '../../kit/language.tsx';
import { axisOf, type BarState, highestOf, stateOf } from './course-scale.ts';
import { isDay, ticksOf } from './course-ticks.ts';
import type { Course, Kind } from './data.ts';
import { type AmountUnit, digitsOf, useFigures } from './figures.ts';
import { words } from './words.ts';

/*
 * Amounts by the hour or the day as bars, with what is usual as a dashed line. Drawn as SVG with the colours of the page: it prints,
 * and follows light and dark by itself. What is not known is hatched from bottom to top, never a bar of zero.
 */

const margin = { top: 8, right: 4, bottom: 24, left: 44 } as const;

export interface CourseChartProps {
  readonly course: Course;
  readonly unit: AmountUnit;
  readonly kind: Kind;
  /** Nothing after it is known yet, ms since epoch. */
  readonly now: number;
  readonly total: number | null;
  /** What it is a picture of, for those who do not see it. */
  readonly label?: string;
  /** px; as high as there is room, and at least that, with `fills`. */
  readonly height?: number;
  readonly fills?: boolean;
}

/** Where things lie in the drawing. */
interface Scale {
  readonly width: number;
  readonly height: number;
  /** Of one bar with its gap. */
  readonly step: number;
  readonly inner: number;
  readonly xOf: (index: number) => number;
  readonly yOf: (value: number) => number;
}

function scaleOf(count: number, width: number, height: number, top: number): Scale {
  const inner = height - margin.top - margin.bottom;
  const step = Math.max(1, width - margin.left - margin.right) / Math.max(1, count);
  return {
    width,
    height,
    step,
    inner,
    xOf: (index) => margin.left + index * step,
    yOf: (value) => margin.top + inner * (1 - value / top),
  };
}

export function CourseChart(props: CourseChartProps) {
  const { course, unit, kind, now, total, label, height: least = 220, fills = false } = props;
  const say = useWords(words);
  const figures = useFigures();
  const [place, { width, height: room }] = useSize();
  const height = fills ? Math.max(least, room) : least;
  const [picked, setPicked] = useState<number | null>(null);
  const pattern = useId();
  const { top, ticks } = axisOf(highestOf(course));
  const scale = scaleOf(course.length, width, height, top);
  const spanText = useSpanText(kind);
  const one = picked === null ? undefined : course[picked];
  const most = course.reduce((best, { amount }) => Math.max(best, amount ?? 0), 0);
  const walk = (event: KeyboardEvent) => {
    const go = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (go === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    setPicked(Math.min(course.length - 1, Math.max(0, (picked ?? (go > 0 ? -1 : course.length)) + go)));
  };
  return (
    <div className="energy-course" data-fills={fills}>
      <p className="energy-readout kit-number" aria-live="polite">
        {one === undefined ? (
          <Legend course={course} now={now} />
        ) : (
          <Readout one={one} unit={unit} now={now} span={spanText(one)} />
        )}
      </p>
      <div
        ref={place}
        className="energy-course-place"
        style={fills ? { minHeight: least } : undefined}
        role="img"
        aria-label={`${label === undefined ? '' : `${label} `}${say.chartSays(figures.amount(total, unit), figures.amount(most, unit))}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard walks through the bars.
        tabIndex={0}
        onKeyDown={walk}
        onBlur={() => setPicked(null)}
        onPointerLeave={(event) => event.pointerType === 'mouse' && setPicked(null)}
      >
        <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true" focusable="false">
          <Patterns id={pattern} />
          <Axes course={course} kind={kind} scale={scale} ticks={ticks} />
          {course.map((bucket, index) => (
            <Bar
              key={bucket.from}
              bucket={bucket}
              state={stateOf(bucket, now)}
              isPicked={picked === index}
              x={scale.xOf(index)}
              scale={scale}
              pattern={pattern}
              onPick={() => setPicked(index)}
            />
          ))}
          <path className="energy-usual" d={usualPath(course, scale.xOf, scale.yOf)} />
        </svg>
      </div>
    </div>
  );
}

function Axes({
  course,
  kind,
  scale,
  ticks,
}: {
  readonly course: Course;
  readonly kind: Kind;
  readonly scale: Scale;
  readonly ticks: readonly number[];
}) {
  const formats = useFormats();
  const { width, height, step, xOf, yOf } = scale;
  return (
    <>
      {ticks.map((tick) => (
        <g key={tick} className="energy-rule">
          <line x1={margin.left} x2={width - margin.right} y1={yOf(tick)} y2={yOf(tick)} />
          <text x={margin.left - 6} y={yOf(tick)} dy="0.32em" textAnchor="end">
            {formats.number(tick, digitsOf((ticks.at(-1) ?? 0) / 4))}
          </text>
        </g>
      ))}
      {ticksOf(course, kind, step, formats).map(({ index, text }) => {
        const isBelow = course[index] !== undefined && isDay(course[index]);
        return (
          <text
            key={index}
            className="energy-tick"
            x={xOf(index) + (isBelow ? step / 2 : 0)}
            y={height - 7}
            textAnchor={isBelow ? 'middle' : 'start'}
          >
            {text}
          </text>
        );
      })}
    </>
  );
}

/** A part of the amount is a guess: said from one in a hundred on. */
const isGuessed = ({ amount, estimated }: Course[number]) => estimated > (amount ?? 0) * 0.01;

function Bar({
  bucket,
  state,
  isPicked,
  x,
  scale: { step, inner, yOf },
  pattern,
  onPick,
}: {
  readonly bucket: Course[number];
  readonly state: BarState;
  readonly isPicked: boolean;
  readonly x: number;
  readonly scale: Scale;
  readonly pattern: string;
  readonly onPick: () => void;
}) {
  const gap = Math.min(4, step * 0.14);
  const box = { x: x + gap / 2, width: Math.max(1, step - gap) };
  const whole = { x, width: step, y: margin.top, height: inner };
  const look = state === 'running' ? 'run' : isGuessed(bucket) ? 'guess' : null;
  const amount = bucket.amount ?? 0;
  return (
    <g className="energy-bar" data-state={state} data-picked={isPicked}>
      <rect className="energy-bar-all" {...whole} />
      {(state === 'gap' || state === 'unknown') && (
        <rect className="energy-bar-gap" {...whole} {...box} fill={`url(#${pattern}-gap)`} />
      )}
      {amount > 0 && (
        <rect
          className="energy-bar-known"
          {...box}
          y={yOf(amount)}
          height={Math.max(1, yOf(0) - yOf(amount))}
          {...(look === null ? {} : { fill: `url(#${pattern}-${look})`, 'data-look': look })}
        />
      )}
      <rect className="energy-bar-hit" {...whole} onPointerEnter={onPick} onPointerDown={onPick} />
    </g>
  );
}

/** `14:00–15:00`, of more than a day with its date; or the day. */
export function useSpanText(kind: Kind): (span: { readonly from: number; readonly to: number }) => string {
  const formats = useFormats();
  return (span) => {
    const { from, to } = span;
    if (isDay(span)) return formats.shortDate(from);
    const hours = `${formats.shortTime(from)}–${formats.shortTime(to)}`;
    return kind === 'day' ? hours : `${formats.shortDate(from)} ${hours}`;
  };
}

function Readout({
  one,
  unit,
  now,
  span,
}: {
  readonly one: Course[number];
  readonly unit: AmountUnit;
  readonly now: number;
  readonly span: string;
}) {
  const say = useWords(words);
  const figures = useFigures();
  const state = stateOf(one, now);
  const change = state === 'known' ? figures.change(one.amount, one.baseline) : null;
  const what = {
    known: null,
    gap: figures.known(one.known),
    unknown: say.noData,
    running: say.runningNow,
    future: say.notYet,
  }[state];
  return (
    <>
      <strong>{span}</strong>
      {one.amount !== null && <span>{figures.amount(one.amount, unit)}</span>}
      {what !== null && <span>{what}</span>}
      {one.baseline !== null && (
        <span className="kit-soft">
          {say.usualIs(figures.amount(one.baseline, unit))}
          {change !== null && ` · ${change.text}`}
        </span>
      )}
    </>
  );
}

function Legend({ course, now }: Pick<CourseChartProps, 'course' | 'now'>) {
  const say = useWords(words);
  const states = new Set(course.map((bucket) => stateOf(bucket, now)));
  const parts = [
    { key: 'known', text: say.legendKnown, isThere: true },
    { key: 'run', text: say[runningOf(course[0])], isThere: states.has('running') },
    { key: 'usual', text: say.legendBaseline, isThere: course.some(({ baseline }) => baseline !== null) },
    { key: 'guess', text: say.legendEstimated, isThere: course.some(isGuessed) },
    { key: 'gap', text: say.legendGap, isThere: states.has('gap') || states.has('unknown') },
  ];
  return (
    <>
      {parts
        .filter(({ isThere }) => isThere)
        .map(({ key, text }) => (
          <span key={key} className="energy-key" data-key={key}>
            {text}
          </span>
        ))}
    </>
  );
}

/** What a bar is that still runs. */
function runningOf(one: Course[number] | undefined): 'legendRunning' | 'legendRunningDay' | 'legendRunningPart' {
  if (one === undefined || isDay(one)) return 'legendRunningDay';
  return one.to - one.from < 3_600_000 ? 'legendRunningPart' : 'legendRunning';
}

/** A level line over each span of which something is usual. */
function usualPath(course: Course, xOf: (index: number) => number, yOf: (value: number) => number): string {
  const parts: string[] = [];
  course.forEach(({ baseline }, index) => {
    if (baseline === null) return;
    const before = course[index - 1]?.baseline ?? null;
    parts.push(`${before === null ? 'M' : 'L'}${xOf(index)} ${yOf(baseline)}`, `L${xOf(index + 1)} ${yOf(baseline)}`);
  });
  return parts.join('');
}

/** Hatches of what is missing, guessed, or still running; colours by the style sheet. */
export function Patterns({ id }: { readonly id: string }) {
  return (
    <defs>
      <pattern id={`${id}-gap`} width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="2" height="7" className="energy-hatch" />
      </pattern>
      <pattern id={`${id}-guess`} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="6" height="6" className="energy-fill-soft" />
        <rect width="3" height="6" className="energy-fill" />
      </pattern>
      <pattern id={`${id}-run`} width="4" height="4" patternUnits="userSpaceOnUse">
        <rect width="4" height="4" className="energy-fill-soft" />
        <circle cx="2" cy="2" r="1" className="energy-fill" />
      </pattern>
    </defs>
  );
}

function useSize() {
  const place = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 600, height: 0 });
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    const measure = () => {
      const [width, height] = [Math.max(200, Math.floor(element.clientWidth)), Math.floor(element.clientHeight)];
      setSize((before) => (before.width === width && before.height === height ? before : { width, height }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [place, size] as const;
}
