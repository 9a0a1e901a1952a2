import { useQuery } from '@tanstack/react-query';
import { App, Button, Progress, Table, type TableColumnsType } from 'antd';
import type { ReactNode } from 'react';
import type { SystemView } from '../../../system-schemas.ts';
import { api, errorDetail, errorText } from '../../api.ts';
import { domainText } from '../../domain-words.ts';
import { Age } from '../../kit/age.tsx';
import { StateBadge, ToneBadge } from '../../kit/badges.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { words } from './words.ts';

type Process = SystemView['processes'][number];

export function StateTab() {
  const language = useLanguage();
  const system = useQuery({
    queryKey: ['system'],
    queryFn: ({ signal }) => api.get<SystemView>('system', signal),
    refetchInterval: 10_000,
  });
  if (system.isPending) return <PageSkeleton />;
  if (system.isError) {
    return (
      <ErrorState
        message={errorText(system.error, language)}
        detail={errorDetail(system.error)}
        onRetry={() => void system.refetch()}
      />
    );
  }
  const { data } = system;
  return (
    <div className="system-columns">
      <ProcessPanel processes={data.processes} />
      <BoxPanel system={data} />
      <ClockPanel clock={data.clock} />
      <DatabasePanel system={data} />
      <BridgePanel system={data} />
      <CertificatePanel certificate={data.certificate} />
    </div>
  );
}

function ProcessPanel({ processes }: { readonly processes: readonly Process[] }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const columns: TableColumnsType<Process> = [
    { title: say.process, dataIndex: 'name', render: (name: string) => domainText('process', name, language) },
    { title: say.state, dataIndex: 'state', render: (state: string) => <StateBadge state={state} /> },
    { title: say.since, dataIndex: 'since', render: (time: number) => <Age time={time} /> },
    { title: say.restarts, dataIndex: 'restarts', align: 'right' },
    {
      title: say.memory,
      dataIndex: 'rss',
      align: 'right',
      render: (rss: number | null) => (rss === null ? '—' : formats.bytes(rss)),
    },
    {
      title: say.loopDelay,
      dataIndex: 'loopDelay',
      align: 'right',
      render: (delay: number | null) => (delay === null ? '—' : `${delay} ms`),
    },
    { title: say.lastExit, dataIndex: 'lastExit', render: (exit: string | null) => exit ?? '—' },
  ];
  return (
    <Panel title={say.processes} className="system-wide">
      <Table<Process>
        columns={columns}
        dataSource={processes}
        rowKey="name"
        size="small"
        pagination={false}
        scroll={{ x: 760 }}
      />
    </Panel>
  );
}

function Facts({ facts }: { readonly facts: readonly (readonly [name: string, fact: ReactNode])[] }) {
  return (
    <dl className="system-facts">
      {facts.map(([name, fact]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{fact}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A bar that says the same in words below it. */
function Share({
  name,
  used,
  total,
  said,
}: {
  readonly name: string;
  readonly used: number;
  readonly total: number;
  readonly said: string;
}) {
  const share = total > 0 ? Math.min(1, used / total) : 0;
  return (
    <div className="system-share">
      <Progress
        percent={Math.round(share * 100)}
        status={share > 0.9 ? 'exception' : 'normal'}
        aria-label={name}
        size="small"
      />
      <span>{said}</span>
    </div>
  );
}

function BoxPanel({ system }: { readonly system: SystemView }) {
  const say = useWords(words);
  const formats = useFormats();
  const { disk, memory, load, cpus, bootTime, startTime, version, node, platform } = system;
  return (
    <Panel title={say.box}>
      <Facts
        facts={[
          [
            say.disk,
            <Share
              key="disk"
              name={say.disk}
              used={disk.total - disk.free}
              total={disk.total}
              said={`${say.diskFree(formats.bytes(disk.free), formats.bytes(disk.total))}；${say.diskFloor(formats.bytes(disk.floor))}`}
            />,
          ],
          [
            say.ram,
            <Share
              key="ram"
              name={say.ram}
              used={memory.total - memory.free}
              total={memory.total}
              said={say.ramFree(formats.bytes(memory.free), formats.bytes(memory.total))}
            />,
          ],
          [say.load, say.loadOf(load.map((one) => one.toFixed(2)).join(' · '), cpus)],
          [say.uptime, formats.duration(now() - bootTime)],
          [say.running, formats.duration(now() - startTime)],
          [say.software, version],
          [say.platform, `Node ${node} · ${platform}`],
        ]}
      />
    </Panel>
  );
}

function ClockPanel({ clock }: { readonly clock: SystemView['clock'] }) {
  const say = useWords(words);
  const formats = useFormats();
  const { synchronised } = clock;
  const said = synchronised === null ? say.clockUnknown : synchronised ? say.synchronised : say.unsynchronised;
  return (
    <Panel title={say.clock}>
      <p className="system-time">{formats.dateTime(clock.time)}</p>
      <p>
        <ToneBadge tone={synchronised === null ? 'plain' : synchronised ? 'good' : 'bad'}>{said}</ToneBadge>{' '}
        <span className="kit-soft">
          {formats.timeZone ?? ''} · {say.clockSource(clock.source)}
        </span>
      </p>
      {synchronised !== true && <p className="kit-soft">{say.clockHelp}</p>}
    </Panel>
  );
}

function DatabasePanel({ system }: { readonly system: SystemView }) {
  const say = useWords(words);
  const formats = useFormats();
  const { database, folders } = system;
  return (
    <Panel title={say.database}>
      <Facts
        facts={[
          [
            say.size,
            <Share
              key="size"
              name={say.database}
              used={database.bytes}
              total={database.limit}
              said={say.databaseOf(formats.bytes(database.bytes), formats.bytes(database.limit))}
            />,
          ],
          [say.created, formats.dateTime(database.created)],
          [say.schema, String(database.schema)],
          ...folders.map(
            ({ name, bytes, files }) => [name, `${formats.bytes(bytes)} · ${say.filesOf(files)}`] as const,
          ),
        ]}
      />
    </Panel>
  );
}

const laneWords = { alarm: 'lane:alarm', event: 'lane:event', agg1m: 'lane:agg1m', health: 'lane:health' } as const;

function BridgePanel({ system }: { readonly system: SystemView }) {
  const say = useWords(words);
  const formats = useFormats();
  const { lanes, gaps } = system;
  const nameOf = (lane: string) =>
    Object.hasOwn(laneWords, lane) ? say[laneWords[lane as keyof typeof laneWords]] : lane;
  return (
    <Panel title={say.bridge}>
      <Table
        columns={[
          { title: say.lane, dataIndex: 'lane', render: nameOf },
          { title: say.waiting, dataIndex: 'waiting', align: 'right' },
          { title: say.watermark, dataIndex: 'watermark', align: 'right' },
          { title: say.head, dataIndex: 'head', align: 'right' },
        ]}
        dataSource={lanes}
        rowKey="lane"
        size="small"
        pagination={false}
      />
      {lanes.every(({ waiting }) => waiting === 0) && <p className="kit-soft">{say.bridgeNone}</p>}
      {gaps.length > 0 && (
        <>
          <h3>{say.gaps}</h3>
          <ul className="system-gaps">
            {gaps.map(({ lane, first, last, time, reason }) => (
              <li key={`${lane} ${first}`}>
                {formats.dateTime(time)} {say.gapText(nameOf(lane), first, last)}{' '}
                <span className="kit-soft">{reason}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}

function CertificatePanel({ certificate }: { readonly certificate: SystemView['certificate'] }) {
  const say = useWords(words);
  const formats = useFormats();
  const { message } = App.useApp();
  if (certificate === null) {
    return (
      <Panel title={say.certificate}>
        <p className="kit-soft">{say.certificateNone}</p>
      </Panel>
    );
  }
  const { subject, fingerprint, expires, selfSigned } = certificate;
  const copy = async () => {
    await navigator.clipboard.writeText(fingerprint);
    void message.success(say.copied);
  };
  return (
    <Panel title={say.certificate}>
      <p>
        {subject} <ToneBadge tone="plain">{selfSigned ? say.selfSigned : say.siteCertificate}</ToneBadge>
      </p>
      <p className="kit-soft">{say.fingerprint}</p>
      <code className="system-code">{fingerprint}</code>
      <p>
        {say.expires} {formats.date(expires)}
      </p>
      {'clipboard' in navigator && <Button onClick={() => void copy()}>{say.copy}</Button>}
    </Panel>
  );
}
