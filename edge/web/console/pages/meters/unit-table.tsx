import { deviceHash } from '../../address.ts';
import { Age } from '../../kit/age.tsx';
import { type Tone, ToneBadge } from '../../kit/badges.tsx';
import { type CardColumn, CardTable } from '../../kit/card-table.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { now } from '../../kit/ticker.ts';
import { useDeviceName, useSentence } from '../../names.ts';
import type { BusUnit } from './data.ts';
import { unitsByTrouble } from './line-faults.ts';
import { lineWords } from './line-words.ts';

const tones: Readonly<Record<BusUnit['state'], Tone>> = {
  answering: 'good',
  slow: 'wait',
  quarantined: 'bad',
  unknown: 'plain',
};

/** Everything on one line, those in trouble first. */
export function UnitTable({ units, label }: { readonly units: readonly BusUnit[]; readonly label: string }) {
  const say = useWords(lineWords);
  const formats = useFormats();
  const isPhone = useMedia(phoneQuery);
  const count = (value: number) => <span className={value > 0 ? '' : 'kit-soft'}>{formats.number(value, 0)}</span>;
  const columns: CardColumn<BusUnit>[] = [
    { key: 'unit', title: say.unit, width: 200, render: (unit) => <UnitName unit={unit} /> },
    { key: 'state', title: say.unitState, width: 130, render: (unit) => <UnitState unit={unit} /> },
    { key: 'latency', title: say.latency, width: 150, render: (unit) => <Latency unit={unit} /> },
    { key: 'requests', title: say.requests, align: 'right', width: 90, render: ({ requests }) => count(requests) },
    { key: 'timeouts', title: say.timeouts, align: 'right', width: 80, render: ({ timeouts }) => count(timeouts) },
    { key: 'crc', title: say.crc, align: 'right', width: 90, render: ({ crcErrors }) => count(crcErrors) },
    {
      key: 'exceptions',
      title: say.exceptions,
      align: 'right',
      width: 90,
      render: ({ exceptions }) => count(exceptions),
    },
    { key: 'failure', title: say.failure, render: (unit) => <LastFailure unit={unit} /> },
  ];
  // A card has a line for what is there, none for every zero.
  const cards: CardColumn<BusUnit>[] = [
    ...columns.slice(0, 3),
    { key: 'counts', title: say.counts, render: (unit) => <Counts unit={unit} /> },
    { key: 'failure', title: say.failure, render: (unit) => unit.lastFailure !== null && <LastFailure unit={unit} /> },
  ];
  return (
    <CardTable
      label={label}
      columns={isPhone ? cards : columns}
      rows={unitsByTrouble(units, now())}
      keyOf={({ unit, device }) => `${unit} ${device}`}
      minWidth={1_000}
    />
  );
}

/** `44 timeouts, 2 checksum errors of 749`. */
function Counts({ unit: { requests, timeouts, crcErrors, exceptions } }: { readonly unit: BusUnit }) {
  const say = useWords(lineWords);
  const formats = useFormats();
  const parts = [
    [say.timeouts, timeouts],
    [say.crc, crcErrors],
    [say.exceptions, exceptions],
  ] as const;
  const some = parts.filter(([, count]) => count > 0).map(([word, count]) => `${word} ${formats.number(count, 0)}`);
  return [`${say.requests} ${formats.number(requests, 0)}`, ...some].join(' · ');
}

function UnitName({ unit: { device, unit } }: { readonly unit: BusUnit }) {
  const say = useWords(lineWords);
  const deviceName = useDeviceName();
  return (
    <>
      <a href={deviceHash(device)}>{deviceName(device)}</a>
      <span className="meters-note">{say.address(unit)}</span>
    </>
  );
}

/** In words, with when a silent one is tried again, and whether its address is shared. */
export function UnitState({ unit: { state, duplicate, nextProbe } }: { readonly unit: BusUnit }) {
  const say = useWords(lineWords);
  const formats = useFormats();
  return (
    <>
      <ToneBadge tone={tones[state]}>{say[`unit:${state}`]}</ToneBadge>
      {duplicate && <ToneBadge tone="bad">{say.duplicate}</ToneBadge>}
      {nextProbe !== null && (
        <span className="meters-note">{nextProbe <= now() ? say.probeSoon : say.probe(formats.clock(nextProbe))}</span>
      )}
    </>
  );
}

function Latency({ unit: { latency, latencyP95 } }: { readonly unit: BusUnit }) {
  const say = useWords(lineWords);
  const formats = useFormats();
  if (latency === null) return '—';
  const ms = (value: number) => say.ms(formats.number(value, value < 10 ? 1 : 0));
  return (
    <span className="kit-number">
      {ms(latency)}
      {latencyP95 !== null && (
        <span className="meters-note">
          {say.p95} {ms(latencyP95)}
        </span>
      )}
    </span>
  );
}

export function LastFailure({ unit: { lastFailure } }: { readonly unit: BusUnit }) {
  const say = useWords(lineWords);
  const sentence = useSentence();
  if (lastFailure === null) return <span className="kit-soft">{say.noFailure}</span>;
  return (
    <>
      {sentence(lastFailure.message)}
      <span className="meters-note">
        <Age time={lastFailure.time} />
      </span>
    </>
  );
}
