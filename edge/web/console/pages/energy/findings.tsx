import type { EnergyFindingView } from '../../../energy-schemas.ts';
import { hashOf } from '../../address.ts';
import type { AlarmView } from '../../api.ts';
import { type Sign, SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { friendlyUnit } from '../../kit/units.ts';
import { useOpenAlarms } from '../../use-live.tsx';
import { useFigures } from './figures.ts';
import { words } from './words.ts';

/* What looks odd, dearest first as the box tells it: what it is, what it costs, what to look at first. */

type Kind = EnergyFindingView['kind'];

const signs: Readonly<Record<Kind, Sign>> = {
  leak: 'triangle',
  'high-night': 'clock',
  'high-day': 'hollow',
  'low-day': 'doubt',
  unaccounted: 'doubt',
  imbalance: 'half',
  'power-factor': 'half',
  'over-demand': 'triangle',
};

export function Findings({ findings }: { readonly findings: readonly EnergyFindingView[] }) {
  const alarms = useOpenAlarms();
  return (
    <ul className="energy-findings">
      {findings.map((finding) => (
        <Finding
          key={`${finding.kind} ${finding.meter} ${finding.from}`}
          finding={finding}
          alarm={alarmOf(finding, alarms)}
        />
      ))}
    </ul>
  );
}

function alarmOf({ kind, meter }: EnergyFindingView, alarms: readonly AlarmView[]): AlarmView | undefined {
  const sources = new Set([`energy:${meter}/${kind}`, ...(kind === 'over-demand' ? [`demand:${meter}`] : [])]);
  return alarms.find(({ source }) => sources.has(source));
}

function Finding({ finding, alarm }: { readonly finding: EnergyFindingView; readonly alarm: AlarmView | undefined }) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const formats = useFormats();
  const figures = useFigures();
  const { kind, meter, message, next, costPerDay, currency, found, expected, unit, from } = finding;
  const value = (number: number) => {
    if (kind === 'power-factor') return number.toFixed(2);
    return unit === '1' ? figures.percent(number) : `${figures.number(number)} ${friendlyUnit(unit, language)}`;
  };
  return (
    <li data-finding={kind}>
      <header>
        <span className="energy-finding-kind">
          <SignIcon sign={signs[kind]} />
          {say[`finding:${kind}`]}
        </span>
        <strong>{name(finding.name)}</strong>
        {costPerDay !== null && (
          <span className="energy-finding-cost kit-number">
            {figures.terms.perDay(figures.money(costPerDay, currency))}
          </span>
        )}
      </header>
      <p>{name(message)}</p>
      <p className="energy-finding-next">
        <b>{say.doFirst}</b> {name(next)}
      </p>
      <footer>
        <span className="kit-soft kit-number">
          {say.since(formats.moment(from, now()))}
          {/* Without a unit the figures are not known: core is away. */}
          {unit !== '' && ` · ${say.foundIs(value(found), value(expected))}`}
        </span>
        <span className="energy-finding-links">
          {alarm !== undefined && <a href={hashOf(`/alarms/${alarm.id}`)}>{say.openAlarm}</a>}
          <a href={hashOf(`/energy/meters/${meter}`)}>{say.openMeter}</a>
        </span>
      </footer>
    </li>
  );
}
