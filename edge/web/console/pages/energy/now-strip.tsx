import type { ReactNode } from 'react';
import type { EnergyMeterView, EnergyNowView, EnergyReportView } from '../../../energy-schemas.ts';
import { Age } from '../../kit/age.tsx';
import { QualityBadge } from '../../kit/badges.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now as serverNow, useTicking } from '../../kit/ticker.ts';
import { useLink } from '../../use-live.tsx';
import { fairlyKnown, type MediumReport, rootsOf, wholeKnown, wholeOf } from './data.ts';
import { useFigures } from './figures.ts';
import { words } from './words.ts';

/* What there is to know at a glance: power, today, cost, demand, night, and how much of it all is known. */

/** Older than this the figures are said to be old: three questions went unanswered. */
const freshFor = 45_000;

export function NowStrip({
  now,
  meters,
  main,
  report,
}: {
  readonly now: EnergyNowView;
  readonly meters: readonly EnergyMeterView[];
  /** The medium that the page is about. */
  readonly main: MediumReport;
  readonly report: EnergyReportView;
}) {
  const say = useWords(words);
  const figures = useFigures();
  const formats = useFormats();
  const { state } = useLink();
  const isOld = useTicking((time) => time - now.time > freshFor) || state === 'lost' || state === 'core-away';
  const whole = wholeOf(now.meters, rootsOf(meters, main.medium));
  const isElectricity = main.medium === 'electricity';
  const usual = main.course.find(({ from, to }) => from <= now.time && now.time < to)?.baseline ?? null;
  const gaps = report.gaps.length;
  const [top] = now.highest;
  return (
    <>
      {isOld && (
        <p className="energy-old">
          {say.stale(formats.moment(now.time, serverNow()))} · <Age time={now.time} />
        </p>
      )}
      <dl className={`energy-strip ${isOld ? 'kit-stale' : ''}`}>
        <Figure
          name={isElectricity ? say.power : say.flow}
          value={figures.number(whole.power)}
          unit={whole.power === null ? '' : figures.powerUnit(main.medium)}
          isLarge
          help={
            <>
              {usual === null ? say.usualUnknown : say.usualNow(figures.power(usual, main.medium))}{' '}
              <QualityBadge quality={whole.quality} />
            </>
          }
          id="power"
        />
        <Figure
          name={isElectricity ? say.todayElectricity : say.todayAmount}
          value={figures.number(whole.today.value)}
          unit={whole.today.value === null ? '' : figures.unit(main.unit)}
          isLarge
          help={<Against whole={whole} />}
          id="today"
        />
        <Figure
          name={say.costToday}
          value={figures.money(whole.cost, now.currency)}
          help={
            whole.cost === null
              ? now.currency === null
                ? say.noTariff
                : say.noData
              : isElectricity
                ? say.costHelp
                : ''
          }
          id="cost"
        />
        {top !== undefined && (
          <Figure
            name={say.monthDemand}
            value={figures.number(top.value)}
            unit={top.value === null ? '' : figures.powerUnit('electricity')}
            help={
              top.time === null
                ? say.demandUnknown
                : say.demandAt(`${formats.shortDate(top.time)} ${formats.shortTime(top.time)}`)
            }
            id="highest"
          />
        )}
        <Figure
          name={say.nightBase}
          value={figures.number(main.base.night)}
          unit={main.base.night === null ? '' : figures.powerUnit(main.medium)}
          help={
            main.base.night === null
              ? say.nightUnknown
              : main.base.share === null
                ? ''
                : say.nightShare(figures.percent(main.base.share))
          }
          id="night"
        />
        <Figure
          name={say.completeness}
          value={figures.percent(report.completeness)}
          help={gaps === 0 ? say.complete : say.gapsOf(String(gaps))}
          tone={report.completeness < fairlyKnown ? 'wait' : 'plain'}
          id="completeness"
        />
      </dl>
    </>
  );
}

function Against({ whole }: { readonly whole: ReturnType<typeof wholeOf> }) {
  const say = useWords(words);
  const figures = useFigures();
  const { today, expected } = whole;
  const known = today.known < wholeKnown ? figures.known(today.known) : null;
  if (today.value !== null && today.known < fairlyKnown) {
    return (
      <>
        {known} · {say.gapToday}
      </>
    );
  }
  const change = figures.change(today.value, expected);
  const text = change === null ? say.usualUnknown : change.way === 'same' ? say.asUsual : say.againstUsual(change.text);
  return (
    <span className={change !== null && change.share > 0.1 ? 'energy-more' : undefined}>
      {change === null || change.way === 'same' ? '' : change.way === 'more' ? '▲ ' : '▼ '}
      {text}
      {known !== null && ` · ${known}`}
    </span>
  );
}

export function Figure({
  name,
  value,
  unit = '',
  help = '',
  isLarge = false,
  tone = 'plain',
  id,
}: {
  readonly name: string;
  readonly value: string;
  readonly unit?: string;
  readonly help?: ReactNode;
  readonly isLarge?: boolean;
  readonly tone?: 'plain' | 'wait';
  readonly id?: string;
}) {
  return (
    <div className="kit-panel energy-figure" data-large={isLarge} data-tone={tone} data-figure={id}>
      <dt>{name}</dt>
      <dd className="kit-number energy-figure-value">
        {value}
        {unit !== '' && <small>{unit}</small>}
      </dd>
      {help !== '' && <dd className="kit-soft energy-figure-help">{help}</dd>}
    </div>
  );
}
