import { useQuery } from '@tanstack/react-query';
import { App, Button, Progress } from 'antd';
import type { ReactNode } from 'react';
import type { SystemView } from '../../../system-schemas.ts';
import { api, errorDetail, errorText } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { farAway, lastingOf } from './lasting.ts';
import { ProcessPanel } from './process-panel.tsx';
import { words } from './words.ts';

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
  help,
}: {
  readonly name: string;
  readonly used: number;
  readonly total: number;
  readonly said: string;
  readonly help?: string;
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
      <p>{said}</p>
      {help !== undefined && <p className="kit-soft">{help}</p>}
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
              said={say.diskFree(formats.bytes(disk.free), formats.bytes(disk.total))}
              help={say.diskFloor(formats.bytes(disk.floor))}
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
          [say.lasting, <Lasting key="lasting" system={system} />],
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

/** The database is what grows; pictures, logs and back-ups have bounds of their own. */
function Lasting({ system: { database, disk } }: { readonly system: SystemView }) {
  const say = useWords(words);
  const formats = useFormats();
  const lasting = lastingOf(database, disk.free - disk.floor, now());
  if (lasting.kind === 'unknown') return <span className="kit-soft">{say.lastingUnknown}</span>;
  if (lasting.kind === 'full') return say.lastingFull;
  const days = formats.number(lasting.days);
  if (lasting.days >= farAway) return say.lastingLong;
  return lasting.kind === 'days' ? say.lastingDays(days) : say.lastingDisk(days);
}

function ClockPanel({ clock }: { readonly clock: SystemView['clock'] }) {
  const say = useWords(words);
  const formats = useFormats();
  const { synchronised } = clock;
  const said = synchronised === null ? say.clockUnknown : synchronised ? say.synchronised : say.unsynchronised;
  const badge = <ToneBadge tone={synchronised === null ? 'plain' : synchronised ? 'good' : 'bad'}>{said}</ToneBadge>;
  return (
    <Panel title={say.clock} extra={badge}>
      <p className="system-time">{formats.dateTime(clock.time)}</p>
      <p>
        <span className="kit-soft">
          {formats.timeZone ?? ''}
          {clock.source !== 'unknown' && say.clockSource(clock.source)}
        </span>
      </p>
      {synchronised !== true && <p className="kit-soft">{say.clockHelp}</p>}
    </Panel>
  );
}

const folderWords = {
  snapshots: 'folder:snapshots',
  plans: 'folder:plans',
  logs: 'folder:logs',
  backups: 'folder:backups',
  flows: 'folder:flows',
  pki: 'folder:pki',
  city: 'folder:city',
} as const;

function DatabasePanel({ system }: { readonly system: SystemView }) {
  const say = useWords(words);
  const formats = useFormats();
  const { database, folders } = system;
  const nameOf = (folder: string) =>
    Object.hasOwn(folderWords, folder) ? say[folderWords[folder as keyof typeof folderWords]] : folder;
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
          [say.created, database.created === 0 ? '—' : formats.dateTime(database.created)],
          [say.schema, String(database.schema)],
          ...folders.map(
            ({ name, bytes, files }) => [nameOf(name), `${formats.bytes(bytes)} · ${say.filesOf(files)}`] as const,
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
  const waiting = lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  const badge =
    waiting === 0 ? (
      <ToneBadge tone="good">{say.bridgeNone}</ToneBadge>
    ) : (
      <ToneBadge tone="wait">{say.bridgeWaits(formats.number(waiting))}</ToneBadge>
    );
  const nameOf = (lane: string) =>
    Object.hasOwn(laneWords, lane) ? say[laneWords[lane as keyof typeof laneWords]] : lane;
  return (
    <Panel title={say.bridge} extra={badge}>
      {lanes.length === 0 ? (
        <p className="kit-soft">{say.bridgeUnknown}</p>
      ) : (
        <dl className="system-lanes">
          {lanes.map(({ lane, waiting, watermark }) => (
            <div key={lane}>
              <dt>{nameOf(lane)}</dt>
              <dd className="kit-number">{say.lane(formats.number(waiting), formats.number(watermark))}</dd>
            </div>
          ))}
        </dl>
      )}
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
    <Panel
      title={say.certificate}
      extra={<ToneBadge tone="plain">{selfSigned ? say.selfSigned : say.siteCertificate}</ToneBadge>}
    >
      <Facts
        facts={[
          [say.subject, subject],
          [say.expires, `${formats.date(expires)} · ${say.daysLeft(Math.floor((expires - now()) / 86_400_000))}`],
          [
            say.fingerprint,
            <code key="fingerprint" className="system-code">
              {fingerprint}
            </code>,
          ],
        ]}
      />
      {'clipboard' in navigator && (
        <Button size="small" onClick={() => void copy()}>
          {say.copy}
        </Button>
      )}
    </Panel>
  );
}
