import { useState } from 'react';
import { CardTable } from '../../kit/card-table.tsx';
import { useWords } from '../../kit/language.tsx';
import { CourseChart, type CourseChartProps, useSpanText } from './course-chart.tsx';
import { stateOf } from './course-scale.ts';
import type { Course } from './data.ts';
import { useFigures } from './figures.ts';
import { words } from './words.ts';

/** A chart and the same as a table, one at a time: returns the button that changes it, and what is shown. */
export function useCourse(props: CourseChartProps) {
  const say = useWords(words);
  const [isTable, setTable] = useState(false);
  const button = (
    <button
      type="button"
      className="kit-plain-button energy-view"
      aria-pressed={isTable}
      onClick={() => setTable(!isTable)}
    >
      {isTable ? say.asChart : say.asTable}
    </button>
  );
  if (!isTable) return { button, shown: <CourseChart {...props} /> };
  if (props.fills !== true) return { button, shown: <CourseTable {...props} /> };
  const shown = (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by itself, also by the keyboard.
    <section className="energy-course-table" aria-label={say.amount} tabIndex={0}>
      <CourseTable {...props} />
    </section>
  );
  return { button, shown };
}

export function CourseTable({ course, unit, kind, now }: CourseChartProps) {
  const say = useWords(words);
  const figures = useFigures();
  const spanText = useSpanText(kind);
  const rows = course.filter((bucket) => stateOf(bucket, now) !== 'future');
  const amountOf = (one: Course[number]) => {
    const state = stateOf(one, now);
    if (state === 'unknown') return say.noData;
    const text = figures.amount(one.amount, unit);
    if (state === 'running') return `${text} · ${say.runningNow}`;
    return state === 'gap' ? `${text} · ${figures.known(one.known)}` : text;
  };
  return (
    <CardTable<Course[number]>
      label={say.amount}
      rows={rows}
      keyOf={({ from }) => String(from)}
      minWidth={360}
      columns={[
        { key: 'time', title: say.time, render: (one) => <span className="kit-number">{spanText(one)}</span> },
        { key: 'amount', title: say.amount, align: 'right', render: amountOf },
        {
          key: 'baseline',
          title: say.baseline,
          align: 'right',
          render: ({ baseline }) => figures.amount(baseline, unit),
        },
        {
          key: 'difference',
          title: say.difference,
          align: 'right',
          render: (one) =>
            stateOf(one, now) === 'known' ? (figures.change(one.amount, one.baseline)?.text ?? '—') : '—',
        },
      ]}
    />
  );
}
