import { type KeyboardEvent, useId, useLayoutEffect, useRef, useState } from 'react';
import type { EnergyMeterPageView } from '../../../energy-schemas.ts';
import { useFormats, useWords } from '../../kit/language.tsx';
import { axisOf, type BarState, highestOf, stateOf } from '../energy/course-scale.ts';
import { type AmountUnit, digitsOf, useFigures } from '../energy/figures.ts';
import { ticksOf } from './course-ticks.ts';
import { words } from './words.ts';

export type Course = EnergyMeterPageView['course'];
type Kind = EnergyMeterPageView['kind'];

const margin = { top: 10, right: 6, bottom: 24, left: 46 } as const;
const height = 230;
/** More of it than this is a guess: it is drawn as one. */
const fairlySure = 0.01;

/**
 * What a meter counted, a bar for each quarter hour, hour or day, and what is usual as a dashed line. What is not known is hatched
 * from bottom to top: never a bar of zero. SVG in the colours of the page.
 */
export function CourseBars({
  course,
  unit,
  kind,
  now,
  label,
}: {
  readonly course: Course;
  readonly unit: AmountUnit;
  readonly kind: Kind;
  readonly now: number;
  readonly label: string;
}) {
  const formats = useFormats();
  const [place, width] = useWidth();
  const [picked, setPicked] = useState<number | null>(null);
  const id = useId();
  const { top, ticks } = axisOf(highestOf(course));
  const inner = { width: Math.max(1, width - margin.left - margin.right), height: height - margin.top - margin.bottom };
  const step = inner.width / Math.max(1, course.length);
  const xOf = (index: number) => margin.left + index * step;
  const yOf = (value: number) => margin.top + inner.height * (1 - Math.max(0, value) / top);
  const walk = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const from = picked ?? (by > 0 ? -1 : course.length);
    setPicked(Math.min(course.length - 1, Math.max(0, from + by)));
  };
  return (
    <div className="meters-course">
      <p className="meters-readout kit-number" aria-live="polite">
        {picked === null ? (
          <Legend course={course} now={now} />
        ) : (
          <Readout one={course[picked]} unit={unit} kind={kind} now={now} />
        )}
      </p>
      <div
        ref={place}
        className="meters-course-place"
        style={{ height }}
        role="img"
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard walks through the bars.
        tabIndex={0}
        onKeyDown={walk}
        onBlur={() => setPicked(null)}
        onPointerLeave={(event) => event.pointerType === 'mouse' && setPicked(null)}
      >
        <svg width={width} height={height} aria-hidden="true" focusable="false">
          <Hatches id={id} />
          {ticks.map((tick) => (
            <g key={tick} className="meters-rule">
              <line x1={margin.left} x2={width - margin.right} y1={yOf(tick)} y2={yOf(tick)} />
              <text x={margin.left - 6} y={yOf(tick)} dy="0.32em" textAnchor="end">
                {formats.number(tick, digitsOf(top / 4))}
              </text>
            </g>
          ))}
          {course.map((one, index) => (
            <g
              key={one.from}
              data-state={stateOf(one, now)}
              className={picked === index ? 'meters-bar meters-bar-picked' : 'meters-bar'}
            >
              <Bar one={one} state={stateOf(one, now)} x={xOf(index)} step={step} yOf={yOf} id={id} />
              <rect
                className="meters-bar-hit"
                x={xOf(index)}
                width={step}
                y={margin.top}
                height={inner.height}
                onPointerEnter={() => setPicked(index)}
                onPointerDown={() => setPicked(index)}
              />
            </g>
          ))}
          <path className="meters-usual" d={usualPath(course, xOf, yOf)} />
          {ticksOf(course, kind, step, formats).map(({ index, text }) => (
            <text
              key={index}
              className="meters-tick"
              x={xOf(index)}
              y={height - 7}
              textAnchor={index === 0 ? 'start' : 'middle'}
            >
              {text}
            </text>
          ))}
        </svg>
      </div>
    </div>
  );
}

function Bar({
  one,
  state,
  x,
  step,
  yOf,
  id,
}: {
  readonly one: Course[number];
  readonly state: BarState;
  readonly x: number;
  readonly step: number;
  readonly yOf: (value: number) => number;
  readonly id: string;
}) {
  const gap = Math.min(4, step * 0.16);
  const box = { x: x + gap / 2, width: Math.max(0.8, step - gap) };
  const amount = one.amount ?? 0;
  const isGuess = amount > 0 && one.estimated > amount * fairlySure;
  const pattern = state === 'running' ? 'run' : isGuess ? 'guess' : null;
  const paint = pattern === null ? { className: 'meters-fill' } : { fill: `url(#${id}-${pattern})` };
  return (
    <>
      {(state === 'gap' || state === 'unknown') && (
        <rect {...box} y={margin.top} height={yOf(0) - margin.top} fill={`url(#${id}-gap)`} />
      )}
      {amount > 0 && (
        <rect {...box} {...paint} data-bar="" y={yOf(amount)} height={Math.max(1, yOf(0) - yOf(amount))} />
      )}
    </>
  );
}

function Hatches({ id }: { readonly id: string }) {
  return (
    <defs>
      <pattern id={`${id}-gap`} width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="2" height="7" className="meters-hatch" />
      </pattern>
      <pattern id={`${id}-guess`} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="6" height="6" className="meters-fill-soft" />
        <rect width="3" height="6" className="meters-fill" />
      </pattern>
      <pattern id={`${id}-run`} width="4" height="4" patternUnits="userSpaceOnUse">
        <rect width="4" height="4" className="meters-fill-soft" />
        <circle cx="2" cy="2" r="1.1" className="meters-fill" />
      </pattern>
    </defs>
  );
}

/** `11-22 14:00–15:00`, or the day. */
export function useSpanText(kind: Kind): (one: { readonly from: number; readonly to: number }) => string {
  const formats = useFormats();
  return ({ from, to }) => {
    const hours = `${formats.shortTime(from)}–${formats.shortTime(to)}`;
    if (kind === 'day') return hours;
    return kind === 'week' ? `${formats.shortDate(from)} ${hours}` : formats.shortDate(from);
  };
}

function Readout({
  one,
  unit,
  kind,
  now,
}: {
  readonly one: Course[number] | undefined;
  readonly unit: AmountUnit;
  readonly kind: Kind;
  readonly now: number;
}) {
  const say = useWords(words);
  const figures = useFigures();
  const spanText = useSpanText(kind);
  if (one === undefined) return null;
  const state = stateOf(one, now);
  const change = state === 'known' ? figures.change(one.amount, one.baseline) : null;
  const doubt = useDoubt(state, one.known);
  return (
    <>
      <strong>{spanText(one)}</strong>
      {one.amount !== null && <span>{figures.amount(one.amount, unit)}</span>}
      {doubt !== null && <span>{doubt}</span>}
      {one.baseline !== null && (
        <span className="kit-soft">
          {say.usualIs(figures.amount(one.baseline, unit))}
          {change !== null && ` · ${change.text}`}
        </span>
      )}
    </>
  );
}

/** What keeps a bar from being the whole truth; null: nothing. */
export function useDoubt(state: BarState, known: number): string | null {
  const say = useWords(words);
  const { terms, percent } = useFigures();
  if (state === 'gap') return terms.known(percent(known));
  return state === 'unknown' ? say.noData : state === 'running' ? say.runningNow : null;
}

function Legend({ course, now }: { readonly course: Course; readonly now: number }) {
  const say = useWords(words);
  const states = new Set(course.map((one) => stateOf(one, now)));
  const parts = [
    { key: 'known', text: say.legendAmount, isThere: true },
    { key: 'run', text: say.legendRunning, isThere: states.has('running') },
    { key: 'usual', text: say.legendBaseline, isThere: course.some(({ baseline }) => baseline !== null) },
    {
      key: 'guess',
      text: say.legendEstimated,
      isThere: course.some(({ amount, estimated }) => estimated > (amount ?? 0) * fairlySure),
    },
    { key: 'gap', text: say.legendUnknown, isThere: states.has('gap') || states.has('unknown') },
  ];
  return (
    <>
      {parts
        .filter(({ isThere }) => isThere)
        .map(({ key, text }) => (
          <span key={key} className="meters-key" data-key={key}>
            {text}
          </span>
        ))}
    </>
  );
}

/** A level line over each span of which something is usual. */
function usualPath(course: Course, xOf: (index: number) => number, yOf: (value: number) => number): string {
  return course
    .flatMap(({ baseline }, index) => {
      if (baseline === null) return [];
      const isFirst = (course[index - 1]?.baseline ?? null) === null;
      return [`${isFirst ? 'M' : 'L'}${xOf(index)} ${yOf(baseline)}`, `L${xOf(index + 1)} ${yOf(baseline)}`];
    })
    .join('');
}

function useWidth() {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    const measure = () => setWidth(Math.max(200, Math.floor(element.clientWidth)));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [place, width] as const;
}
