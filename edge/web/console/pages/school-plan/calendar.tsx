import { Button, Radio, Select } from 'antd';
import { type KeyboardEvent, useMemo, useState } from 'react';
import type { SchoolDays } from '#edge/domain/school.ts';
import { goTo, hashOf } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useRight, useSession } from '../../session.tsx';
import { type DayView, type EntriesView, type LayerDay, usePlan } from '../school-day/data.ts';
import { addDays, datesFrom, shortDateText } from '../school-day/dates.ts';
import { useLayerChoices } from '../school-day/layers.ts';
import { useNaming } from '../school-day/naming.ts';
import { dayKindText, reasonText, weekdayText } from '../school-day/reason-words.ts';
import { Terms } from './calendar-lists.tsx';
import { nextMonth, weeksOf } from './month-days.ts';
import { Paint } from './paint.tsx';
import { type PlanSay, words } from './words.ts';

export const brushes = ['look', 'school', 'make-up', 'exam', 'event', 'holiday', 'erase'] as const;
export type Brush = (typeof brushes)[number];

export interface Chosen {
  readonly from: string;
  readonly to: string;
}

/** Two months of the draft, and a brush. */
export function Calendar({
  entries,
  month,
  layer,
  today,
}: {
  readonly entries: EntriesView;
  readonly month: string;
  readonly layer: string;
  readonly today: string;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const { zones } = useSession();
  const mayPaint = useRight('school') && zones === 'all';
  const [brush, setBrush] = useState<Brush>('look');
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const to = addDays(`${nextMonth(month, 2)}-01`, -1);
  const plan = usePlan('draft', `${month}-01`, to);
  const layers = useLayerChoices(plan.data?.days[0]);
  const show = (next: string, of = layer) => goTo(hashOf('/school-plan', { month: next, layer: of }), 'replace');
  const days = useMemo(() => new Map(plan.data?.days.map((day) => [day.date, day])), [plan.data]);
  const hasTerm = entries.entries.some(({ body }) => body.part === 'term');
  return (
    <div className="schoolplan-calendar">
      {!hasTerm && (
        <p className="schoolplan-loud" role="status">
          {say.noTerm}
        </p>
      )}
      <div className="schoolplan-bar">
        <div className="kit-actions">
          <Button onClick={() => show(nextMonth(month, -2))} aria-label={say.earlier}>
            ‹
          </Button>
          <Button onClick={() => show(today.slice(0, 7))}>{say.thisMonth}</Button>
          <Button onClick={() => show(nextMonth(month, 2))} aria-label={say.later}>
            ›
          </Button>
        </div>
        <Select<string>
          aria-label={say.layer}
          value={layer}
          onChange={(next) => show(month, next)}
          options={layers.length === 0 ? [{ value: 'campus', label: say.campus }] : [...layers]}
          popupMatchSelectWidth={false}
        />
      </div>
      {mayPaint && (
        <fieldset className="schoolplan-brushes">
          <legend>{say.brush}</legend>
          <Radio.Group
            optionType="button"
            value={brush}
            onChange={(event) => {
              setBrush(event.target.value);
              setChosen(null);
            }}
          >
            {brushes.map((one) => (
              <Radio.Button key={one} value={one} data-brush={one}>
                {say[`brush:${one}`]}
              </Radio.Button>
            ))}
          </Radio.Group>
          <p className="kit-soft">{brush === 'look' ? say.lookHelp : say.brushHelp}</p>
        </fieldset>
      )}
      <Sources entries={entries} month={month} />
      {plan.isError ? (
        <ErrorState
          message={errorText(plan.error, language)}
          detail={errorDetail(plan.error)}
          onRetry={() => void plan.refetch()}
        />
      ) : plan.isPending ? (
        <PageSkeleton />
      ) : (
        <div className="schoolplan-split">
          <div className="schoolplan-months">
            {[month, nextMonth(month)].map((one) => (
              <Month
                key={one}
                {...{ month: one, days, layer, today, chosen }}
                onChoose={(next) => setChosen(next)}
                isRange={brush !== 'look'}
              />
            ))}
          </div>
          <aside className="schoolplan-side">
            {chosen === null ? null : brush === 'look' ? (
              <DayFacts day={days.get(chosen.from)} layer={layer} />
            ) : (
              <Paint
                key={`${brush} ${chosen.from} ${chosen.to}`}
                {...{ brush, chosen, layer, entries }}
                onDone={() => setChosen(null)}
              />
            )}
            <PaintedList entries={entries} layer={layer} onShow={(day) => show(day.slice(0, 7))} />
            <Terms entries={entries} mayEdit={mayPaint} />
          </aside>
        </div>
      )}
    </div>
  );
}

/** Where the official holidays come from, and loudly where there are none. */
function Sources({ entries, month }: { readonly entries: EntriesView; readonly month: string }) {
  const say = useWords(words);
  const years = [...new Set([month, nextMonth(month)].map((one) => Number(one.slice(0, 4))))];
  return (
    <>
      {years.map((year) => {
        const known = entries.years.find((one) => one.year === year);
        return known === undefined ? (
          <p key={year} className="schoolplan-loud" role="status" data-unconfirmed={year}>
            {say.yearMissing(year)}
          </p>
        ) : (
          <p key={year} className="kit-soft">
            {say.yearSource(year, known.source, known.published)}
          </p>
        );
      })}
    </>
  );
}

function Month({
  month,
  days,
  layer,
  today,
  chosen,
  isRange,
  onChoose,
}: {
  readonly month: string;
  readonly days: ReadonlyMap<string, DayView>;
  readonly layer: string;
  readonly today: string;
  readonly chosen: Chosen | null;
  readonly isRange: boolean;
  readonly onChoose: (chosen: Chosen) => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const [anchor, setAnchor] = useState<string | null>(null);
  const [year = '', number = ''] = month.split('-');
  const choose = (from: string, to: string) => onChoose(from <= to ? { from, to } : { from: to, to: from });
  const move = (event: KeyboardEvent<HTMLElement>, date: string) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = addDays(date, step);
    document.querySelector<HTMLElement>(`.schoolplan-day[data-date="${next}"]`)?.focus();
    if (event.shiftKey && isRange) {
      const start = anchor ?? date;
      setAnchor(start);
      choose(start, next);
    } else setAnchor(null);
  };
  return (
    <table className="schoolplan-month" aria-label={say.month(year, number)}>
      <caption>{say.month(year, number)}</caption>
      <thead>
        <tr>
          <th scope="col" className="schoolplan-week">
            {say.week}
          </th>
          {datesFrom('2024-01-01', '2024-01-07').map((day, n) => (
            <th key={day} scope="col">
              {weekdayText(n + 1, language)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeksOf(month).map((week) => {
          const known = week.flatMap((date) => layerOf(days, date, layer)?.week ?? [])[0];
          return (
            <tr key={week.find((date) => date !== null)}>
              <th scope="row" className="schoolplan-week">
                {known === undefined ? say.noWeek : say.weekOf(known.number, known.parity)}
              </th>
              {week.map((date, n) => (
                <td key={n}>
                  {date !== null && (
                    <DayButton
                      date={date}
                      day={layerOf(days, date, layer)}
                      isToday={date === today}
                      isChosen={chosen !== null && chosen.from <= date && date <= chosen.to}
                      onKeyDown={(event) => move(event, date)}
                      onPress={(isShift) => {
                        const start = isShift && isRange && chosen !== null ? chosen.from : date;
                        setAnchor(start);
                        choose(start, date);
                      }}
                      onDrag={() => {
                        if (isRange && anchor !== null) choose(anchor, date);
                      }}
                    />
                  )}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function DayButton({
  date,
  day,
  isToday,
  isChosen,
  onKeyDown,
  onPress,
  onDrag,
}: {
  readonly date: string;
  readonly day: LayerDay | undefined;
  readonly isToday: boolean;
  readonly isChosen: boolean;
  readonly onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
  readonly onPress: (isShift: boolean) => void;
  readonly onDrag: () => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const kind = day?.kind ?? '';
  const isGuess = (day?.unconfirmed.length ?? 0) > 0;
  const label = [
    shortDateText(date, language),
    dayKindText(kind, language),
    ...(day?.kind === 'make-up' && day.lessonsOf !== null ? [say.lessonsOf(weekdayText(day.lessonsOf, language))] : []),
    ...(isGuess ? [say.unconfirmed] : []),
  ].join(' ');
  return (
    <button
      type="button"
      className="schoolplan-day"
      data-date={date}
      data-kind={kind}
      data-unconfirmed={isGuess}
      aria-pressed={isChosen}
      {...(isToday ? { 'aria-current': 'date' as const } : {})}
      onKeyDown={onKeyDown}
      onClick={(event) => {
        // The pointer has chosen already; Enter and the space bar come as a click without one.
        if (event.detail === 0) onPress(event.shiftKey);
      }}
      onPointerDown={(event) => {
        // So that the days under a finger hear of it too.
        if (event.currentTarget.hasPointerCapture(event.pointerId))
          event.currentTarget.releasePointerCapture(event.pointerId);
        onPress(event.shiftKey);
      }}
      onPointerEnter={(event) => {
        if (event.buttons === 1) onDrag();
      }}
    >
      <span className="kit-unseen">{label}</span>
      <span className="schoolplan-day-number" aria-hidden="true">
        {Number(date.slice(8))}
      </span>
      <span className="schoolplan-day-sign" aria-hidden="true">
        {signOf(kind, say)}
        {day?.kind === 'make-up' && day.lessonsOf !== null && (
          <small>{say.lessonsOfShort(weekdayText(day.lessonsOf, language))}</small>
        )}
        {isGuess && '?'}
      </span>
    </button>
  );
}

function layerOf(days: ReadonlyMap<string, DayView>, date: string | null, layer: string): LayerDay | undefined {
  const found = date === null ? undefined : days.get(date);
  return found?.layers.find((one) => one.layer === layer) ?? found?.layers[0];
}

function signOf(kind: string, say: PlanSay): string {
  const word = Object.entries(say).find(([key]) => key === `sign:${kind}`)?.[1];
  return typeof word === 'string' ? word : '';
}

function DayFacts({ day, layer }: { readonly day: DayView | undefined; readonly layer: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const naming = useNaming();
  const one = day?.layers.find((known) => known.layer === layer) ?? day?.layers[0];
  if (day === undefined || one === undefined) return null;
  return (
    <section className="kit-panel schoolplan-section" aria-label={say.dayTitle} data-facts={day.date}>
      <h2>
        {day.date} · {dayKindText(one.kind, language)}
      </h2>
      {one.timetable !== null && <p>{naming.entry(one.timetable)}</p>}
      <h3>{say.whyTitle}</h3>
      <ul>
        {[...one.why, ...one.unconfirmed].map((reason) => (
          <li key={reasonText(reason, naming)}>{reasonText(reason, naming)}</li>
        ))}
      </ul>
      <a href={hashOf('/school-day', { tab: 'simulator', date: day.date, of: 'draft' })}>{say.toSign}</a>
    </section>
  );
}

function PaintedList({
  entries,
  layer,
  onShow,
}: {
  readonly entries: EntriesView;
  readonly layer: string;
  readonly onShow: (day: string) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const painted = entries.entries
    .flatMap(({ id, body }) => (body.part === 'days' && body.layer === layer ? [{ id, body }] : []))
    .sort((a, b) => (a.body.from < b.body.from ? -1 : 1));
  return (
    <section className="kit-panel schoolplan-section" aria-label={say.painted}>
      <h2>{say.painted}</h2>
      {painted.length === 0 ? (
        <p className="kit-soft">{say.paintedNone}</p>
      ) : (
        <ul className="schoolplan-list">
          {painted.map(({ id, body }) => (
            <li key={id} data-painted={id}>
              <button type="button" className="schoolplan-link" onClick={() => onShow(body.from)}>
                {name(body.name)}
              </button>
              <span className="kit-soft">
                {say.paintTitle(body.from, body.to)} · {kindText(body, language, say)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function kindText(body: SchoolDays, language: 'zh' | 'en', say: PlanSay): string {
  const kind = dayKindText(body.kind, language);
  return body.useWeekday === undefined ? kind : `${kind} · ${say.lessonsOf(weekdayText(body.useWeekday, language))}`;
}
