import type { DemandNowView, EnergyNowView } from '../../../energy-schemas.ts';
import { type Tone, ToneBadge } from '../../kit/badges.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { useTicking } from '../../kit/ticker.ts';
import { gaugeOf, leftText } from './demand-scale.ts';
import { DemandWindows } from './demand-windows.tsx';
import { Fact } from './fact.tsx';
import { useFigures } from './figures.ts';
import { words } from './words.ts';

/* How far the window that runs is from the limit, what will come of it, and what is off for its sake. */

export type Status = DemandNowView['status'];

const tones: Readonly<Record<Status, Tone>> = { ok: 'good', shedding: 'wait', short: 'bad', blind: 'bad' };

export function DemandPanel({
  demand,
  highest,
  title,
}: {
  readonly demand: DemandNowView;
  readonly highest: EnergyNowView['highest'][number] | undefined;
  readonly title: string;
}) {
  const say = useWords(words);
  const { status, sheds } = demand;
  const badge = { ok: say.statusOk, shedding: say.statusShedding, short: say.statusShort, blind: say.statusBlind };
  const help = { ok: say.helpOk, shedding: say.helpShedding, short: say.helpShort, blind: say.helpBlind };
  return (
    <Panel title={title} extra={<ToneBadge tone={tones[status]}>{badge[status]}</ToneBadge>} className="energy-demand">
      <div data-demand={status} data-over={demand.predicted !== null && demand.predicted > demand.limit}>
        <p className="energy-demand-help">{help[status]}</p>
        <Gauge demand={demand} highest={highest?.value ?? null} />
        <Facts demand={demand} highest={highest} />
        {sheds.length > 0 && <Sheds sheds={sheds} />}
        <DemandWindows demand={demand} />
      </div>
    </Panel>
  );
}

const percent = (share: number) => `${share * 100}%`;

function Gauge({ demand, highest }: { readonly demand: DemandNowView; readonly highest: number | null }) {
  const say = useWords(words);
  const figures = useFigures();
  const kw = (value: number | null) => figures.power(value, 'electricity');
  const at = gaugeOf(demand, highest);
  return (
    <div
      className="energy-gauge"
      role="img"
      aria-label={say.gaugeSays(kw(demand.soFar), kw(demand.predicted), kw(demand.limit))}
    >
      <span className="energy-gauge-limit" style={{ left: percent(at.limit) }}>
        {say.limit} {kw(demand.limit)}
      </span>
      <div className={`energy-gauge-track ${demand.soFar === null ? 'kit-stale' : ''}`}>
        <span className="energy-gauge-beyond" style={{ left: percent(at.limit) }} />
        {at.unshed !== null && at.predicted !== null && at.unshed > at.predicted && (
          <span
            className="energy-gauge-unshed"
            style={{ left: percent(at.predicted), width: percent(at.unshed - at.predicted) }}
          />
        )}
        {at.predicted !== null && <span className="energy-gauge-predicted" style={{ width: percent(at.predicted) }} />}
        {at.soFar !== null && <span className="energy-gauge-so-far" style={{ width: percent(at.soFar) }} />}
        {at.highest !== null && <span className="energy-gauge-highest" style={{ left: percent(at.highest) }} />}
        <span className="energy-gauge-line" style={{ left: percent(at.limit) }} />
      </div>
      <div className="energy-gauge-ticks kit-number">
        {at.ticks.map((tick) => (
          <span key={tick} style={{ left: percent(tick / at.top) }}>
            {figures.number(tick)}
          </span>
        ))}
      </div>
    </div>
  );
}

function Facts({
  demand,
  highest,
}: {
  readonly demand: DemandNowView;
  readonly highest: EnergyNowView['highest'][number] | undefined;
}) {
  const say = useWords(words);
  const figures = useFigures();
  const formats = useFormats();
  const kw = (value: number | null) => figures.power(value, 'electricity');
  const left = useTicking((time) => leftText(demand.to - time));
  const isShed = demand.sheds.length > 0;
  return (
    <dl className="energy-facts">
      <Fact name={say.soFar} value={kw(demand.soFar)} mark="so-far" />
      <Fact name={say.predicted} value={kw(demand.predicted)} mark="predicted" isStrong />
      {isShed && <Fact name={say.unshed} value={kw(demand.unshed)} mark="unshed" />}
      <Fact name={say.left} value={left} help={`${formats.shortTime(demand.from)}–${formats.shortTime(demand.to)}`} />
      <Fact
        name={say.highest}
        value={kw(highest?.value ?? null)}
        mark="highest"
        {...(typeof highest?.time === 'number'
          ? { help: `${formats.shortDate(highest.time)} ${formats.shortTime(highest.time)}` }
          : {})}
      />
      {demand.saved > 0 && <Fact name={say.saved} value={figures.amount(demand.saved, 'kW.h')} />}
    </dl>
  );
}

function Sheds({ sheds }: { readonly sheds: DemandNowView['sheds'] }) {
  const say = useWords(words);
  const name = useName();
  const formats = useFormats();
  const figures = useFigures();
  const time = formats.shortTime;
  return (
    <section className="energy-sheds">
      <h3>{say.shedTitle(String(sheds.length))}</h3>
      <ul>
        {sheds.map((shed) => (
          <li key={shed.output} data-shed={shed.output}>
            <a href={`#/outputs/${shed.output}`}>{name(shed.name)}</a>
            <p>
              {say.shedSince(time(shed.since), time(shed.notBefore), time(shed.until))}{' '}
              {say.shedSaves(figures.power(shed.saves, 'electricity'))}
            </p>
            <p className="kit-soft">{say.shedWhy(name(shed.why))}</p>
            {shed.defies && <ToneBadge tone="bad">{say.shedDefies}</ToneBadge>}
          </li>
        ))}
      </ul>
    </section>
  );
}
