import { type ReactNode, useMemo } from 'react';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { type CampusView, errorDetail, errorText } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useRestHeight } from '../../kit/rest-height.ts';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { now } from '../../kit/ticker.ts';
import { VirtualList } from '../../kit/virtual-list.tsx';
import { useCampus } from '../../use-live.tsx';
import { barsOf, hoursOf, within } from './grid.ts';
import { PowerIcon } from './power-icon.tsx';
import { buildingOf } from './rows.ts';
import { type DayOfLayer, type DaySpan, type PowerWeeks, powerOf, type WeekCircuit } from './shapes.ts';
import { type PlanName, useDateOf, useWeeks } from './use-power.ts';
import { WeekBar } from './week-bar.tsx';
import { DayCell, DayHead, Hours, Legend } from './week-cells.tsx';
import { mondayOf, shifted } from './week-dates.ts';
import { words } from './words.ts';

/* The week of every circuit by date, as the calendar really has it: `#/power/week?from=<monday>&of=draft&day=<date>&building=...`. */

const noDays: readonly DayOfLayer[] = [];

export function WeekView({ tabs }: { readonly tabs: ReactNode }) {
  const say = useWords(words);
  const language = useLanguage();
  const campus = useCampus();
  const dateOf = useDateOf();
  const isPhone = useMedia(phoneQuery);
  const { path, query } = useAddress();
  const today = dateOf(now());
  const from = query.get('from') ?? mondayOf(today);
  const to = shifted(from, 6);
  const of: PlanName = query.get('of') === 'draft' ? 'draft' : 'signed';
  const asked = query.get('day') ?? '';
  const inWeek = (date: string) => date >= from && date <= to;
  const day = inWeek(asked) ? asked : isPhone ? (inWeek(today) ? today : from) : '';
  const building = query.get('building') ?? '';
  const weeks = useWeeks(of, from, to);
  const change = (parts: Readonly<Record<string, string>>) => {
    const before = { from: query.get('from') ?? '', of: query.get('of') ?? '', day: asked, building };
    goTo(hashOf(path, { ...before, ...parts }), 'replace');
  };
  const bar = (
    <WeekBar
      {...{ from, to, of, day, building, campus, isPhone }}
      days={weeks.data?.days ?? []}
      thisWeek={mondayOf(today)}
      onChange={change}
    />
  );
  const body = () => {
    if (weeks.isError)
      return (
        <ErrorState
          message={errorText(weeks.error, language)}
          detail={errorDetail(weeks.error)}
          onRetry={() => void weeks.refetch()}
        />
      );
    if (weeks.isPending || campus === undefined) return <PageSkeleton />;
    return <Grid weeks={weeks.data} campus={campus} building={building} day={day} of={of} />;
  };
  return (
    <div className="power">
      <PageHeader title={say.title} about={of === 'draft' ? say.planDraftHelp : say.planSignedHelp} actions={tabs} />
      {bar}
      {body()}
    </div>
  );
}

function Grid({
  weeks,
  campus,
  building,
  day,
  of,
}: {
  readonly weeks: PowerWeeks;
  readonly campus: CampusView;
  readonly building: string;
  readonly day: string;
  readonly of: PlanName;
}) {
  const say = useWords(words);
  const isPhone = useMedia(phoneQuery);
  const [box, height] = useRestHeight(320, 70);
  const circuits = useMemo(() => {
    const wanted = campus.devices.filter(
      ({ space }) => buildingOf(campus, space) === (building === 'outside' ? '' : building),
    );
    return within(weeks.circuits, building === '' ? null : new Set(wanted.map(({ id }) => id)));
  }, [weeks.circuits, campus, building]);
  const days = day === '' ? weeks.days : weeks.days.filter(({ date }) => date === day);
  const unsigned = weeks.days.filter(({ isPlanned }) => !isPlanned).length;
  const campusDays = weeks.layers.campus ?? noDays;
  if (weeks.circuits.length === 0)
    return (
      <div className="kit-panel">
        <EmptyState title={of === 'signed' && unsigned > 0 ? say.nothingSigned : say.weekNone}>
          {of === 'signed' && unsigned > 0 ? say.nothingSignedHelp : say.weekNoneHelp}
        </EmptyState>
      </div>
    );
  return (
    <>
      <Unconfirmed days={campusDays.filter(({ date }) => days.some((one) => one.date === date))} />
      {unsigned > 0 && (
        <p className="power-notice">
          <SignIcon sign="triangle" size={14} /> <span>{say.weekUnsigned(unsigned)}</span>
        </p>
      )}
      <section
        className="power-grid kit-panel"
        aria-label={say.grid}
        data-zoom={days.length === 1 ? 'day' : 'week'}
        ref={box}
      >
        <div className="power-grid-head" aria-hidden="true">
          <span className="power-grid-name">{say.circuit}</span>
          {days.map((one) => (
            <DayHead
              key={one.date}
              span={one}
              day={campusDays.find(({ date }) => date === one.date)}
              isAlone={days.length === 1}
            />
          ))}
          {!isPhone && <span className="power-grid-hours">{say.hoursColumn}</span>}
        </div>
        {circuits.length === 0 ? (
          <EmptyState title={say.noneInView}>{say.noneInViewHelp}</EmptyState>
        ) : (
          <VirtualList
            label={say.grid}
            items={circuits}
            rowHeight={isPhone ? 84 : 52}
            height={Math.max(220, Math.min(height - 46, circuits.length * (isPhone ? 84 : 52) + 2))}
            keyOf={({ entry }) => entry}
            render={(circuit) => <GridRow circuit={circuit} days={days} kinds={weeks.layers} isPhone={isPhone} />}
          />
        )}
        <Total circuits={circuits} days={days} />
      </section>
      <Legend />
    </>
  );
}

function GridRow({
  circuit,
  days,
  kinds,
  isPhone,
}: {
  readonly circuit: WeekCircuit;
  readonly days: readonly DaySpan[];
  readonly kinds: PowerWeeks['layers'];
  readonly isPhone: boolean;
}) {
  const say = useWords(words);
  const name = useName();
  const power = powerOf(circuit.power);
  if (power === null) return null;
  const [first = ''] = power.outputs;
  const layer = kinds[power.layer] ?? kinds.campus ?? noDays;
  return (
    <div className="power-grid-row" data-circuit={circuit.entry}>
      <a className="power-grid-name" href={hashOf(`/power/at/${first}`)}>
        <PowerIcon kind={power.kind} size={18} />
        <span>
          <strong>{name(power.name)}</strong>
          <span className="kit-soft">{say[`kind:${power.kind}`]}</span>
        </span>
        {isPhone && <Hours power={power} needs={circuit.needs} days={days} />}
      </a>
      {days.map((day) => (
        <DayCell
          key={day.date}
          day={day}
          kind={layer.find(({ date }) => date === day.date)?.kind ?? null}
          bars={barsOf(power, circuit.needs, day)}
          hasSetback={power.setback !== null}
          isWide={days.length === 1}
        />
      ))}
      {!isPhone && <Hours power={power} needs={circuit.needs} days={days} />}
    </div>
  );
}

function Total({ circuits, days }: { readonly circuits: readonly WeekCircuit[]; readonly days: readonly DaySpan[] }) {
  const say = useWords(words);
  const formats = useFormats();
  const sums = circuits.map(({ needs }) => hoursOf(needs, days));
  const on = sums.reduce((sum, one) => sum + one.on, 0);
  const all = sums.reduce((sum, one) => sum + one.all, 0);
  return (
    <p className="power-total">
      <strong>{say.totalHours(formats.number(on, 0), formats.number(all, 0))}</strong>{' '}
      <span className="kit-soft">{say.hoursHelp}</span>
    </p>
  );
}

/** What is assumed of these days is said where it is used. */
function Unconfirmed({ days }: { readonly days: readonly DayOfLayer[] }) {
  const say = useWords(words);
  const said = new Set(
    days.flatMap(({ date, unconfirmed }) =>
      unconfirmed.map(({ code }) =>
        code === 'unconfirmed-year'
          ? say['unconfirmed:unconfirmed-year'](date.slice(0, 4))
          : code === 'make-up-no-weekday'
            ? say['unconfirmed:make-up-no-weekday'](date)
            : say['unconfirmed:other'](code),
      ),
    ),
  );
  if (said.size === 0) return null;
  return (
    <p className="power-notice" role="status" data-unconfirmed>
      <SignIcon sign="doubt" size={15} />{' '}
      <span>
        <strong>{say.unconfirmed}</strong> {[...said].join(' ')}
      </span>
    </p>
  );
}
