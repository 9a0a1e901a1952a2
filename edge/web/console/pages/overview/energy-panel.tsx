import { useQuery } from '@tanstack/react-query';
import type { EnergyPlanView } from '../../../energy-schemas.ts';
import type { EnergyView } from '../../../place-schemas.ts';
import { deviceHash, hashOf } from '../../address.ts';
import { api } from '../../api.ts';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, PageSkeleton } from '../../kit/states.tsx';
import { words } from './words.ts';

type Meter = EnergyView['meters'][number];
type Planned = EnergyPlanView['meters'][number];

const none: readonly Planned[] = [];

const hour = 3_600_000;
const mostMeters = 4;

/** What today took, hour by hour, against the same weekday a week ago, and what the night took for nothing. */
export function EnergyPanel() {
  const say = useWords(words);
  const energy = useQuery({
    queryKey: ['energy', 'today'],
    queryFn: ({ signal }) => api.get<EnergyView>('energy/today', signal),
    refetchInterval: 60_000,
  });
  const plan = useMeterPlan();
  const meters = mainFirst(energy.data?.meters ?? [], plan);
  return (
    <Panel
      title={
        <>
          {say.energy} <span className="kit-soft overview-note">{say.sinceMidnight}</span>
        </>
      }
      extra={
        plan.length > 0 ? (
          <a href="#/energy" className="overview-link">
            {say.energyPage}
          </a>
        ) : undefined
      }
      className="overview-energy"
    >
      {energy.isPending ? (
        <PageSkeleton />
      ) : meters.length === 0 ? (
        <EmptyState title={say.noMeters}>{say.noMetersHelp}</EmptyState>
      ) : (
        <div className="meters">
          {meters.slice(0, mostMeters).map((meter) => (
            <MeterStrip key={meter.ref} meter={meter} planned={plan.find(({ energy: ref }) => ref === meter.ref)} />
          ))}
        </div>
      )}
    </Panel>
  );
}

/** The tree of the meters, for which of them are the main ones and where their pages are. */
function useMeterPlan(): readonly Planned[] {
  const { data } = useQuery({
    queryKey: ['energy', 'plan'],
    queryFn: ({ signal }) => api.get<EnergyPlanView>('energy/plan', signal),
    staleTime: 300_000,
    retry: 1,
  });
  return data?.meters ?? none;
}

/** Whoever has a tree wants to see the whole before its parts. */
function mainFirst(meters: readonly Meter[], plan: readonly Planned[]): readonly Meter[] {
  const rank = ({ ref }: Meter) => {
    const planned = plan.find(({ energy }) => energy === ref);
    if (planned === undefined) return 2;
    return planned.under === null ? 0 : 1;
  };
  return meters.toSorted((a, b) => rank(a) - rank(b));
}

function MeterStrip({ meter, planned }: { readonly meter: Meter; readonly planned: Planned | undefined }) {
  const say = useWords(words);
  const name = useName();
  const formats = useFormats();
  const kilowattHours = (value: number | null) => (value === null ? '—' : formats.number(value, value < 100 ? 1 : 0));
  const { today, weekAgo, nightBase } = meter;
  const isKnown = meter.hours.some(({ energy }) => energy !== null);
  const change = today === null || weekAgo === null || weekAgo === 0 ? null : today / weekAgo - 1;
  return (
    <a
      className="meter"
      href={planned === undefined ? deviceHash(meter.ref.split('/')[0] ?? '') : hashOf(`/energy/meters/${planned.id}`)}
      data-main={planned?.under === null}
    >
      <span className="meter-name">{name(planned?.name ?? meter.deviceName)}</span>
      <span className="meter-today">
        <strong className="kit-number">{kilowattHours(today)}</strong> kWh
        {change !== null && (
          <span className={`meter-change ${change > 0.1 ? 'meter-more' : ''}`}>
            {change >= 0 ? '▲ ' : '▼ '}
            {change >= 0 ? say.more(formats.percent(change)) : say.less(formats.percent(-change))}
          </span>
        )}
      </span>
      {isKnown ? (
        <>
          <HourBars meter={meter} />
          <span className="hours-ticks" aria-hidden="true">
            {[0, 6, 12, 18].map((at) => (
              <span key={at}>{String(at).padStart(2, '0')}</span>
            ))}
          </span>
        </>
      ) : (
        <span className="hours-none kit-soft">{say.noHours}</span>
      )}
      <span className="kit-soft meter-facts">
        <span>
          {say.weekAgo} <b className="kit-number">{kilowattHours(weekAgo)}</b> kWh
        </span>
        <span title={say.nightHelp}>
          {say.nightBase} <b className="kit-number">{nightBase === null ? '—' : formats.number(nightBase, 1)}</b> kW
        </span>
      </span>
    </a>
  );
}

const bar = { width: 240, height: 44, hours: 24 } as const;

/** 24 places, one an hour; an hour of which nothing is known is a dash, one that has not come is empty. */
function HourBars({ meter }: { readonly meter: Meter }) {
  const say = useWords(words);
  const name = useName();
  const formats = useFormats();
  const most = Math.max(0.001, ...meter.hours.map(({ energy }) => energy ?? 0));
  const midnight = formats.startOfDay(meter.hours[0]?.t ?? 0);
  const step = bar.width / bar.hours;
  return (
    <svg
      className="hours"
      viewBox={`0 0 ${bar.width} ${bar.height}`}
      role="img"
      aria-label={say.energyHours(name(meter.deviceName))}
      preserveAspectRatio="none"
    >
      <title>{say.energyHours(name(meter.deviceName))}</title>
      <line x1="0" x2={bar.width} y1={bar.height} y2={bar.height} className="hours-base" />
      {meter.hours.map(({ t, energy }) => {
        const index = Math.round((t - midnight) / hour);
        const height = energy === null ? 2 : Math.max(1, (energy / most) * (bar.height - 2));
        return (
          <rect
            key={t}
            x={index * step + 1}
            y={bar.height - height}
            width={step - 2}
            height={height}
            className={energy === null ? 'hours-unknown' : 'hours-known'}
          >
            <title>
              {say.hour(formats.shortTime(t), energy === null ? say.noValue : `${formats.number(energy, 1)} kWh`)}
            </title>
          </rect>
        );
      })}
    </svg>
  );
}
