import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { type Bar, hoursOf, placeOn } from './grid.ts';
import type { DayOfLayer, DaySpan, Need, PowerBody } from './shapes.ts';
import { words } from './words.ts';
import './week.css';

/* The cells of the grid: a day of a circuit, its head, its hours, and what the looks mean. */

const lessonDays = new Set(['school', 'make-up', 'exam']);
const dayKinds = ['school', 'make-up', 'exam', 'event', 'weekend', 'holiday', 'vacation'] as const;

export function DayHead({
  span,
  day,
  isAlone,
}: {
  readonly span: DaySpan;
  readonly day: DayOfLayer | undefined;
  readonly isAlone: boolean;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const weekday = weekdayIn(span.date);
  const kind = dayKinds.find((one) => one === day?.kind);
  const isToday = placeOn(now(), span) !== null;
  const lessons = day !== undefined && day.lessonsOf !== null && day.lessonsOf !== weekday ? day.lessonsOf : null;
  return (
    <span className="power-day-head" data-date={span.date} data-kind={kind ?? 'unsigned'} data-today={isToday}>
      <span>
        <strong>{say[`weekday:${weekday}`]}</strong> {formats.shortDate(span.from)}
      </span>
      <span className="power-day-kind">
        {span.isPlanned && kind !== undefined ? say[`day:${kind}`] : say.cellUnsigned}
        {lessons !== null && ` ${say.lessonsOf(say[`weekday:${asWeekday(lessons)}`])}`}
      </span>
      <span className="power-ticks" data-fine={isAlone}>
        {(isAlone ? [0, 3, 6, 9, 12, 15, 18, 21, 24] : [6, 12, 18]).map((hour) => (
          <span key={hour} style={{ left: `${(hour / 24) * 100}%` }}>
            {hour}
          </span>
        ))}
      </span>
    </span>
  );
}

/** The hours of a day: what is drawn is also said. */
export function DayCell({
  day,
  kind,
  bars,
  hasSetback,
  isWide,
}: {
  readonly day: DaySpan;
  readonly kind: string | null;
  readonly bars: readonly Bar[];
  readonly hasSetback: boolean;
  readonly isWide: boolean;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const at = (time: number) => (time === day.to ? '24:00' : formats.shortTime(time));
  const needed = bars.filter(({ look }) => look !== 'prepare');
  const [prepared] = bars.filter(({ look }) => look === 'prepare');
  const times = needed.map(({ begins, ends }) => `${at(begins)}–${at(ends)}`).join(say.and);
  const text = day.isPlanned
    ? [
        times === '' ? say.cellNone : times,
        ...(prepared === undefined ? [] : [say.cellPrepare(at(prepared.begins))]),
      ].join(say.comma)
    : say.cellUnsigned;
  const present = placeOn(now(), day);
  const look = !day.isPlanned ? 'unsigned' : kind !== null && lessonDays.has(kind) ? 'lessons' : 'off';
  return (
    <span className="power-cell" data-day={day.date} data-look={look} data-bars={needed.length} title={text}>
      <span className="kit-unseen">
        {say[`weekday:${weekdayIn(day.date)}`]} {text}
      </span>
      <span className="power-bars" aria-hidden="true">
        {hasSetback && day.isPlanned && <span className="power-bar" data-look="setback" />}
        {bars.map((bar) => (
          <span
            key={`${bar.look} ${bar.begins}`}
            className="power-bar"
            data-look={bar.look}
            style={{ left: `${bar.from * 100}%`, width: `${(bar.to - bar.from) * 100}%` }}
          >
            {isWide && bar.look !== 'prepare' && bar.to - bar.from > 0.07 && (
              <span>{`${at(bar.begins)}–${at(bar.ends)}`}</span>
            )}
          </span>
        ))}
        {present !== null && <span className="power-now" style={{ left: `${present * 100}%` }} />}
      </span>
    </span>
  );
}

export function Hours({
  power,
  needs,
  days,
}: {
  readonly power: Pick<PowerBody, 'occupancy'>;
  readonly needs: readonly Need[];
  readonly days: readonly DaySpan[];
}) {
  const say = useWords(words);
  const formats = useFormats();
  const { on, all } = hoursOf(needs, days);
  const share = all === 0 ? '—' : formats.percent(Math.round((on / all) * 100) / 100);
  const text = `${power.occupancy === null ? '' : '≤ '}${say.hours(formats.number(on, 1))}`;
  return (
    <span className="power-grid-hours">
      <strong className="kit-number">{text}</strong>
      <span className="kit-soft">{days.length === 1 ? say.hoursOfDay(share) : say.hoursOf(share)}</span>
    </span>
  );
}

const looks = ['on', 'assumed', 'prepare', 'setback', 'off', 'unsigned'] as const;

export function Legend() {
  const say = useWords(words);
  return (
    <ul className="power-legend" aria-label={say.legend}>
      {looks.map((look) => (
        <li key={look}>
          <span className="power-legend-mark" data-look={look} aria-hidden="true" /> {say[`look:${look}`]}
        </li>
      ))}
    </ul>
  );
}

function weekdayIn(date: string): 1 | 2 | 3 | 4 | 5 | 6 | 7 {
  return asWeekday(new Date(`${date}T00:00:00Z`).getUTCDay() || 7);
}

function asWeekday(number: number): 1 | 2 | 3 | 4 | 5 | 6 | 7 {
  const all = [1, 2, 3, 4, 5, 6, 7] as const;
  return all.find((one) => one === number) ?? 1;
}
