import type { ReactNode } from 'react';
import type { EnergyMeterView } from '../../../energy-schemas.ts';
import { hashOf } from '../../address.ts';
import { StateBadge } from '../../kit/badges.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { useSentence } from '../../names.ts';
import { useDeviceHealth } from '../../use-live.tsx';
import { useBuses } from './data.ts';
import { LastFailure, UnitState } from './unit-table.tsx';
import { words } from './words.ts';

/** How well its device answers, and on which line it is. */
export function MeterHealth({ meter }: { readonly meter: EnergyMeterView }) {
  const say = useWords(words);
  return (
    <Panel title={say.health} className="meters-health">
      {meter.device === null ? (
        <p className="kit-soft meters-well">{say.healthNone}</p>
      ) : (
        <Health device={meter.device} />
      )}
    </Panel>
  );
}

function Health({ device }: { readonly device: string }) {
  const say = useWords(words);
  const formats = useFormats();
  const sentence = useSentence();
  const health = useDeviceHealth(device);
  const buses = useBuses().data ?? [];
  const found = buses
    .flatMap((bus) => bus.units.map((unit) => ({ bus, unit })))
    .find(({ unit }) => unit.device === device);
  const ms = (value: number | null) => (value === null ? '—' : say.ms(formats.number(value, value < 10 ? 1 : 0)));
  return (
    <dl className="meters-facts">
      {health !== undefined && (
        <Row name={say.state}>
          <StateBadge state={health.state} /> <span className="kit-soft">{sentence(health.message)}</span>
        </Row>
      )}
      {found === undefined ? (
        <Row name={say.lineOf}>
          <span className="kit-soft">{say.noLine}</span>
        </Row>
      ) : (
        <>
          <Row name={say.lineOf}>
            <a href={hashOf('/energy/lines', { line: found.bus.label })}>{found.bus.label}</a> ·{' '}
            {say.unit(found.unit.unit)}
          </Row>
          <Row name={say.answers}>
            <UnitState unit={found.unit} />
          </Row>
          <Row name={say.latency}>
            <span className="kit-number">
              {ms(found.unit.latency)} / {ms(found.unit.latencyP95)}
            </span>
          </Row>
          <Row name={say.failures}>
            <span className="kit-number">
              {formats.number(found.unit.timeouts, 0)} / {formats.number(found.unit.crcErrors, 0)} /{' '}
              {formats.number(found.unit.exceptions, 0)}
            </span>
          </Row>
          <Row name={say.lastFailure}>
            <LastFailure unit={found.unit} />
          </Row>
        </>
      )}
    </dl>
  );
}

function Row({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
