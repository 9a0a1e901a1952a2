import { useState } from 'react';
import { useAddress } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { type Tone, ToneBadge } from '../../kit/badges.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { useDeviceName, useSentence } from '../../names.ts';
import { type Bus, type BusUnit, useBuses } from './data.ts';
import { type Advice, adviceOf, byTrouble, troubleOf } from './line-faults.ts';
import { lineWords } from './line-words.ts';
import { UnitTable } from './unit-table.tsx';

/** Lines that are well are folded up when there are more than a screen holds. */
const mostUnfolded = 6;

/** `#/energy/lines`, `?line=<label>`: every shared line, those in trouble first. */
export function LinesPage() {
  const say = useWords(lineWords);
  const language = useLanguage();
  const asked = useAddress().query.get('line');
  const buses = useBuses();
  if (buses.isPending) return <PageSkeleton />;
  if (buses.isError && buses.data === undefined) {
    return (
      <ErrorState
        message={errorText(buses.error, language)}
        detail={errorDetail(buses.error)}
        onRetry={() => void buses.refetch()}
      />
    );
  }
  if (buses.data.length === 0) {
    return (
      <div className="kit-panel">
        <EmptyState title={say.none}>{say.noneHelp}</EmptyState>
      </div>
    );
  }
  const sorted = byTrouble(buses.data, now());
  const ill = sorted.filter((bus) => troubleOf(bus, now()) > 0).length;
  const units = sorted.reduce((sum, bus) => sum + bus.units.length, 0);
  return (
    <div className="meters-lines">
      <p className="meters-lines-sum">
        {say.summary(sorted.length, units)}{' '}
        <ToneBadge tone={ill === 0 ? 'good' : 'bad'}>{ill === 0 ? say.well : say.troubled(ill)}</ToneBadge>
      </p>
      {sorted.map((bus, index) => (
        <Line
          key={`${bus.process} ${bus.label}`}
          bus={bus}
          isFirst={index < mostUnfolded || bus.label === asked}
          isAsked={bus.label === asked}
        />
      ))}
    </div>
  );
}

const tones: Readonly<Record<Bus['state'], Tone>> = { connected: 'good', connecting: 'wait', down: 'bad' };

function Line({ bus, isFirst, isAsked }: { readonly bus: Bus; readonly isFirst: boolean; readonly isAsked: boolean }) {
  const say = useWords(lineWords);
  const formats = useFormats();
  const sentence = useSentence();
  const [wanted, setOpen] = useState<boolean | null>(null);
  const advice = adviceOf(bus, now());
  const isOpen = wanted ?? (isFirst || advice.length > 0);
  return (
    <section
      className="kit-panel meters-line"
      data-line={bus.label}
      data-trouble={advice.length > 0}
      data-asked={isAsked}
      aria-label={bus.label}
    >
      <header className="meters-line-head">
        <h2>
          <button type="button" className="meters-fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span> {bus.label}
          </button>
        </h2>
        <ToneBadge tone={tones[bus.state]}>{say[`state:${bus.state}`]}</ToneBadge>
        <span className="kit-soft">{say.since(formats.moment(bus.since, now()))}</span>
        <Utilisation share={bus.utilisation} />
        <span className={bus.waiting > 0 ? '' : 'kit-soft'}>
          {bus.waiting > 0 ? say.waiting(bus.waiting) : say.noWaiting}
        </span>
        <span className="kit-soft">{say.units(bus.units.length)}</span>
      </header>
      {bus.message !== '' && bus.state !== 'connected' && <p className="meters-line-why">{sentence(bus.message)}</p>}
      {advice.length > 0 && <AdviceList advice={advice} />}
      {isOpen && bus.units.length > 0 && <UnitTable units={bus.units} label={say.unitsOf(bus.label)} />}
    </section>
  );
}

/** Full is trouble: what waits comes late. */
function Utilisation({ share }: { readonly share: number }) {
  const say = useWords(lineWords);
  const formats = useFormats();
  const percent = formats.percent(Math.round(share * 100) / 100);
  return (
    <span className="meters-use" title={say.utilisationOf(percent)}>
      <span className="kit-soft">{say.utilisation}</span>
      <meter min={0} max={1} high={0.85} value={share} aria-label={say.utilisationOf(percent)} />
      <span className="kit-number">{percent}</span>
    </span>
  );
}

function AdviceList({ advice }: { readonly advice: readonly Advice[] }) {
  const say = useWords(lineWords);
  const nameOf = useUnitName();
  return (
    <ul className="meters-advice" aria-label={say.advice}>
      {advice.map(({ fault, unit }) => {
        const word = say[`do:${fault}`];
        return (
          <li key={`${fault} ${unit?.unit ?? ''}`} data-fault={fault}>
            <SignIcon sign="triangle" size={14} />{' '}
            {typeof word === 'function' ? word(unit === null ? '' : nameOf(unit)) : word}
          </li>
        );
      })}
    </ul>
  );
}

function useUnitName(): (unit: BusUnit) => string {
  const say = useWords(lineWords);
  const language = useLanguage();
  const deviceName = useDeviceName();
  return ({ device, unit }) => {
    const address = say.address(unit);
    return language === 'zh' ? `${deviceName(device)}（${address}）` : `${deviceName(device)} (${address})`;
  };
}
