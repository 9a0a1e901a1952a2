import { useQuery } from '@tanstack/react-query';
import { Button, Select } from 'antd';
import { useId } from 'react';
import type { z } from 'zod';
import type { powerWeeksView } from '../../../school-power-weeks-route.ts';
import { goTo, hashOf } from '../../address.ts';
import { api, errorDetail, errorText, query } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { Changes } from './changes.tsx';
import { ClassIcon } from './class-icon.tsx';
import { ConflictList } from './conflicts.tsx';
import { type DayView, type OccurrenceView, type ReleaseView, useCompared, usePlan, useReleases } from './data.ts';
import { addDays, isDate, longDateText } from './dates.ts';
import { DayFacts } from './day-facts.tsx';
import { happensIn, layerDay, useLayerChoices, useLayerZones } from './layers.ts';
import { useNaming } from './naming.ts';
import { actionText, placeText } from './occurrence-text.ts';
import { itemClassText, reasonText } from './reason-words.ts';
import { Unconfirmed, Why } from './why.tsx';
import { words } from './words.ts';

interface SimulatorProps {
  readonly date: string;
  /** `draft`, `signed`, or the id of a release. */
  readonly of: string;
  /** '': all layers. */
  readonly layer: string;
  /** Compared with; '': nothing. */
  readonly other: string;
}

/** Any day of any plan: all that would happen, and why. */
export function Simulator({ date, of, layer, other }: SimulatorProps) {
  const language = useLanguage();
  const plan = usePlan(of, date, date);
  const day = plan.data?.days[0];
  const choices = useLayerChoices(day);
  const show = (next: Partial<SimulatorProps>) => {
    const to = { date, of, layer, other, ...next };
    goTo(
      hashOf('/school-day', { tab: 'simulator', date: to.date, of: to.of, layer: to.layer, with: to.other }),
      'replace',
    );
  };
  return (
    <section className="schoolday-simulator">
      <Choices date={date} of={of} layer={layer} other={other} layers={choices} onShow={show} />
      {plan.isPending ? (
        <PageSkeleton />
      ) : plan.isError ? (
        <ErrorState
          message={errorText(plan.error, language)}
          detail={errorDetail(plan.error)}
          onRetry={() => void plan.refetch()}
        />
      ) : (
        day !== undefined && <Shown day={day} of={of} layer={layer} other={other} />
      )}
    </section>
  );
}

function Choices({
  date,
  of,
  layer,
  other,
  layers,
  onShow,
}: SimulatorProps & {
  readonly layers: readonly { readonly value: string; readonly label: string }[];
  readonly onShow: (next: Partial<SimulatorProps>) => void;
}) {
  const say = useWords(words);
  const ids = useId();
  const plans = usePlanChoices();
  return (
    <div className="schoolday-choosing">
      <div className="kit-field">
        <label htmlFor={`${ids}-date`}>{say.date}</label>
        <div className="schoolday-datebar">
          <Button aria-label={say.dayBefore} onClick={() => onShow({ date: addDays(date, -1) })}>
            ‹
          </Button>
          <input
            id={`${ids}-date`}
            className="schoolday-input"
            type="date"
            value={date}
            onChange={(event) => isDate(event.target.value) && onShow({ date: event.target.value })}
          />
          <Button aria-label={say.dayAfter} onClick={() => onShow({ date: addDays(date, 1) })}>
            ›
          </Button>
        </div>
      </div>
      <div className="kit-field">
        <label htmlFor={`${ids}-of`}>{say.whichPlan}</label>
        <Select id={`${ids}-of`} value={of} onChange={(next) => onShow({ of: next })} options={[...plans]} />
      </div>
      <div className="kit-field">
        <label htmlFor={`${ids}-layer`}>{say.layer}</label>
        <Select
          id={`${ids}-layer`}
          value={layer}
          onChange={(next) => onShow({ layer: next })}
          options={[{ value: '', label: say.everyLayer }, ...layers]}
        />
      </div>
      <div className="kit-field">
        <label htmlFor={`${ids}-with`}>{say.compareWith}</label>
        <Select
          id={`${ids}-with`}
          value={other}
          onChange={(next) => onShow({ other: next })}
          options={[{ value: '', label: say.compareNothing }, ...plans.filter(({ value }) => value !== of)]}
        />
      </div>
    </div>
  );
}

/** Plans that can be looked at: the draft, what is signed, and each signature. */
export function usePlanChoices(): readonly { readonly value: string; readonly label: string }[] {
  const say = useWords(words);
  const { data = [] } = useReleases();
  const releaseText = useReleaseText();
  return [
    { value: 'draft', label: say.planDraft },
    { value: 'signed', label: say.planSigned },
    ...data.map((one) => ({ value: one.id, label: releaseText(one) })),
  ];
}

export function useReleaseText(): (one: ReleaseView) => string {
  const say = useWords(words);
  const naming = useNaming();
  const formats = useFormats();
  return (one) => {
    const text = say.planOf(naming.who(one.by), `${formats.shortDate(one.time)} ${formats.shortTime(one.time)}`);
    return one.undone === null ? text : say.planUndone(text);
  };
}

function Shown({ day, of, layer, other }: Omit<SimulatorProps, 'date'> & { readonly day: DayView }) {
  const say = useWords(words);
  const language = useLanguage();
  const zones = useLayerZones();
  const own = layerDay(day, layer === '' ? 'campus' : layer);
  const shown = day.occurrences.filter((one) => happensIn(one, layer, zones));
  if (own === undefined)
    return (
      <div className="kit-panel">
        <EmptyState title={say.nothingSignedFor(longDateText(day.date, language))}>{say.nothingSignedHelp}</EmptyState>
      </div>
    );
  return (
    <div className="schoolday-shown">
      <section className="kit-panel schoolday-headline" data-kind={own.kind}>
        <div>
          <h2 className="schoolday-date">{longDateText(day.date, language)}</h2>
          <DayFacts own={own} />
        </div>
        <a className="kit-button" href={hashOf('/school-day/sheet', { date: day.date, of, layer })}>
          {say.print}
        </a>
      </section>
      <Unconfirmed reasons={layer === '' ? day.layers.flatMap((one) => one.unconfirmed) : own.unconfirmed} />
      <ConflictList conflicts={day.conflicts} />
      {other !== '' && <Compared date={day.date} of={of} other={other} />}
      <Happenings occurrences={shown} />
      <Circuits date={day.date} of={of} layer={layer} />
    </div>
  );
}

function Compared({ date, of, other }: { readonly date: string; readonly of: string; readonly other: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const compared = useCompared(other, of, date, date);
  const plans = usePlanChoices();
  const nameOf = (plan: string) => plans.find(({ value }) => value === plan)?.label ?? plan;
  return (
    <Panel title={say.comparedTitle(nameOf(other), nameOf(of))}>
      {compared.isPending ? (
        <PageSkeleton />
      ) : compared.isError ? (
        <ErrorState message={errorText(compared.error, language)} onRetry={() => void compared.refetch()} />
      ) : (
        <Changes days={compared.data} isOpen />
      )}
    </Panel>
  );
}

/** Everything that happens, each with the whole of its reasons: nothing has to be opened to be read. */
function Happenings({ occurrences }: { readonly occurrences: readonly OccurrenceView[] }) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const naming = useNaming();
  const formats = useFormats();
  const done = occurrences.filter(({ silenced }) => silenced === null).length;
  return (
    <Panel title={say.happenings(String(done), String(occurrences.length - done))}>
      {occurrences.length === 0 ? (
        <EmptyState title={say.nothingThen}>{say.nothingThenHelp}</EmptyState>
      ) : (
        <ul className="schoolday-happenings">
          {occurrences.map((one) => (
            <li key={one.key} className="schoolday-happening" data-key={one.key} data-silenced={one.silenced !== null}>
              <span className="kit-number">
                {one.second % 60 === 0 ? formats.shortTime(one.at) : formats.clock(one.at)}
              </span>
              <ClassIcon of={one.class} />
              <div>
                <p>
                  <strong>{name(one.name)}</strong>{' '}
                  <span className="kit-soft">
                    {itemClassText(one.class, language)}
                    {placeText(one, naming) !== '' && ` · ${placeText(one, naming)}`}
                  </span>
                </p>
                <p>{actionText(one, naming)}</p>
                {one.silenced !== null && (
                  <p className="schoolday-said">
                    <ToneBadge tone="wait">{say.notDone}</ToneBadge> {reasonText(one.silenced, naming)}
                  </p>
                )}
              </div>
              <Why reasons={one.why} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

type PowerWeeks = z.infer<typeof powerWeeksView>;

/** When circuits are needed that day, and what of it is an assumption. */
function Circuits({ date, of, layer }: { readonly date: string; readonly of: string; readonly layer: string }) {
  const say = useWords(words);
  const formats = useFormats();
  const name = useName();
  const { data } = useQuery({
    queryKey: ['school', 'power-weeks', of, date],
    queryFn: ({ signal }) => api.get<PowerWeeks>(`school/power/weeks${query({ of, from: date, to: date })}`, signal),
  });
  const span = data?.days[0];
  if (data === undefined || span === undefined) return null;
  const rows = data.circuits.flatMap(({ entry, power, needs }) => {
    if (power.part !== 'power' || (layer !== '' && power.layer !== layer)) return [];
    const own = needs.filter(({ from, to }) => from < span.to && to > span.from);
    return [{ entry, power, needs: own }];
  });
  if (rows.length === 0) return null;
  return (
    <Panel title={say.circuits} extra={<span className="kit-soft">{say.circuitsHelp}</span>}>
      <ul className="schoolday-circuits">
        {rows.map(({ entry, power, needs }) => (
          <li key={entry} data-circuit={entry}>
            <strong>{name(power.name)}</strong>
            <span className="kit-number">
              {needs.length === 0
                ? say.notNeeded
                : needs
                    .map(({ from, to }) => `${formats.shortTime(Math.max(from, span.from))}–${endText(to, span.to)}`)
                    .join(' · ')}
            </span>
            <span className="schoolday-daymarks">
              {needs.length > 0 && power.occupancy !== null && (
                <span className="schoolday-assumed" data-assumed="occupancy">
                  {power.occupancy.toStart === 'needed' ? say.assumedSomebody : say.assumedStays}
                </span>
              )}
              {needs.length > 0 && power.prepare !== null && (
                <span className="schoolday-assumed" data-assumed="temperature">
                  {say.assumedEarlier}
                </span>
              )}
            </span>
            {needs[0] !== undefined && <Why reasons={needs.flatMap(({ why }) => why).slice(0, 3)} />}
          </li>
        ))}
      </ul>
    </Panel>
  );

  function endText(to: number, end: number): string {
    return to >= end ? '24:00' : formats.shortTime(to);
  }
}
