import { Button, Select } from 'antd';
import { useId } from 'react';
import { goTo, hashOf } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useCampus } from '../../use-live.tsx';
import { type DayView, type LayerDay, type OccurrenceView, usePlan, useReleases } from './data.ts';
import { isDate, longDateText } from './dates.ts';
import { happensIn, layerDay, useLayerChoices, useLayerZones } from './layers.ts';
import { useNaming } from './naming.ts';
import { placeText } from './occurrence-text.ts';
import { dayKindText, parityText, secondText, weekdayText } from './reason-words.ts';
import { stretchesOf } from './timeline.ts';
import { Unconfirmed } from './why.tsx';
import { words } from './words.ts';

interface SheetProps {
  readonly date: string;
  readonly of: string;
  readonly layer: string;
}

/** A day on one sheet of paper, for the wall. */
export function DaySheet({ date, of, layer: wanted }: SheetProps) {
  const say = useWords(words);
  const language = useLanguage();
  const ids = useId();
  const plan = usePlan(of, date, date);
  const day = plan.data?.days[0];
  const layers = useLayerChoices(day);
  const layer = layers.some(({ value }) => value === wanted) ? wanted : 'campus';
  const show = (next: Partial<SheetProps>) =>
    goTo(hashOf('/school-day/sheet', { date, of, layer, ...next }), 'replace');
  const own = layerDay(day, layer);
  return (
    <div className="schoolday schoolday-sheetpage">
      <h1 className="kit-unseen">{say.sheetTitle}</h1>
      <div className="schoolday-choosing schoolday-screenonly">
        <Button href={hashOf('/school-day')}>‹ {say.title}</Button>
        <div className="kit-field">
          <label htmlFor={`${ids}-date`}>{say.date}</label>
          <input
            id={`${ids}-date`}
            className="schoolday-input"
            type="date"
            value={date}
            onChange={(event) => isDate(event.target.value) && show({ date: event.target.value })}
          />
        </div>
        {layers.length > 1 && (
          <div className="kit-field">
            <label htmlFor={`${ids}-layer`}>{say.layer}</label>
            <Select
              id={`${ids}-layer`}
              value={layer}
              onChange={(next) => show({ layer: next })}
              options={[...layers]}
            />
          </div>
        )}
        <Button type="primary" data-act="print" onClick={() => print()}>
          {say.printNow}
        </Button>
      </div>
      {plan.isPending ? (
        <PageSkeleton />
      ) : plan.isError ? (
        <ErrorState
          message={errorText(plan.error, language)}
          detail={errorDetail(plan.error)}
          onRetry={() => void plan.refetch()}
        />
      ) : day === undefined || own === undefined ? (
        <div className="kit-panel">
          <EmptyState title={say.nothingSignedFor(longDateText(date, language))}>{say.nothingSignedHelp}</EmptyState>
        </div>
      ) : (
        <Paper day={day} own={own} layer={layer} />
      )}
    </div>
  );
}

function Paper({ day, own, layer }: { readonly day: DayView; readonly own: LayerDay; readonly layer: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const naming = useNaming();
  const formats = useFormats();
  const campus = useCampus();
  const zones = useLayerZones();
  const { data: releases } = useReleases();
  const release = releases?.find(({ id }) => id === day.release);
  const shown = day.occurrences.filter((one) => happensIn(one, layer, zones) && one.silenced === null);
  const facts = [
    dayKindText(own.kind, language),
    ...(own.week === null
      ? []
      : [say.weekOf(naming.entry(own.week.term), String(own.week.number), parityText(own.week.parity, language))]),
    ...(own.lessonsOf === null ? [] : [say.lessonsOf(weekdayText(own.lessonsOf, language))]),
    ...(own.timetable === null ? [] : [naming.entry(own.timetable)]),
  ];
  return (
    <article className="schoolday-paper">
      <header>
        <p>
          {name(campus?.name)}
          {layer !== 'campus' && ` · ${naming.layer(layer)}`}
        </p>
        <h2>{longDateText(day.date, language)}</h2>
        <p>{facts.join(' · ')}</p>
      </header>
      <Unconfirmed reasons={own.unconfirmed} />
      {own.slots.length + shown.length === 0 ? (
        <p>{say.nothingThen}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">{say.sheetTime}</th>
              <th scope="col">{say.sheetWhat}</th>
              <th scope="col">{say.sheetRings}</th>
            </tr>
          </thead>
          <tbody>
            {stretchesOf(own.slots, shown).map(({ key, slot, from, to, occurrences }) => (
              <tr key={key} data-slot={slot?.kind ?? 'none'}>
                <td className="kit-number">
                  {slot === null ? '' : to > from ? `${secondText(from)}–${secondText(to)}` : secondText(from)}
                </td>
                <th scope="row">{slot === null ? '' : name(slot.name)}</th>
                <td>
                  <Rings occurrences={occurrences} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <footer>
        {release === undefined
          ? say.sheetDraft
          : say.sheetSigned(naming.who(release.by), formats.dateTime(release.time))}
      </footer>
    </article>
  );
}

/** What is heard and seen; switches of circuits are nobody's business at the wall. */
function Rings({ occurrences }: { readonly occurrences: readonly OccurrenceView[] }) {
  const name = useName();
  const naming = useNaming();
  const formats = useFormats();
  const shown = occurrences.filter(({ class: of }) => of !== 'power' && of !== 'mode');
  return shown.map((one) => (
    <span key={one.key} className="schoolday-ring">
      <span className="kit-number">{one.second % 60 === 0 ? formats.shortTime(one.at) : formats.clock(one.at)}</span>{' '}
      {name(one.name)} <small>{placeText(one, naming)}</small>
    </span>
  ));
}
