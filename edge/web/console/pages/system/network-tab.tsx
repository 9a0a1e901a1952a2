import { deviceHash } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { ToneBadge } from '../../kit/badges.tsx';
import { CardTable } from '../../kit/card-table.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useDeviceName } from '../../names.ts';
import { Reachable, Uplink } from '../devices/network-facts.tsx';
import { Ladder, RepairBadge } from '../devices/repair.tsx';
import type { NetworkLine } from '../devices/repair-said.ts';
import { repairWords } from '../devices/repair-words.ts';
import { useNetwork, useRepairs } from '../devices/use-repair.ts';

/** How devices are on the network, and how the broken ones are being mended. */
export function NetworkTab() {
  return (
    <div className="system-network">
      <Repairs />
      <Network />
    </div>
  );
}

function Repairs() {
  const say = useWords(repairWords);
  const language = useLanguage();
  const deviceName = useDeviceName();
  const repairs = useRepairs();
  return (
    <Panel title={say.repairs}>
      {repairs.data === undefined ? (
        repairs.isError ? (
          <ErrorState
            message={errorText(repairs.error, language)}
            detail={errorDetail(repairs.error)}
            onRetry={() => void repairs.refetch()}
          />
        ) : (
          <PageSkeleton />
        )
      ) : repairs.data.length === 0 ? (
        <EmptyState title={say.repairsNone}>{say.repairsNoneHelp}</EmptyState>
      ) : (
        <ul className="system-repairs">
          {repairs.data.map((repair) => (
            <li key={repair.device}>
              <h3>
                <a href={deviceHash(repair.device)}>{deviceName(repair.device)}</a> <RepairBadge repair={repair} />
              </h3>
              <Ladder repair={repair} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Network() {
  const say = useWords(repairWords);
  const language = useLanguage();
  const network = useNetwork();
  const rows = network.data;
  const bad = rows?.filter(({ reachable }) => reachable === false).length ?? 0;
  const summary =
    rows === undefined || rows.length === 0 ? null : (
      <ToneBadge tone={bad === 0 ? 'good' : 'bad'}>{say.summary(bad, rows.length)}</ToneBadge>
    );
  return (
    <Panel title={say.network} extra={summary}>
      {rows === undefined ? (
        network.isError ? (
          <ErrorState
            message={errorText(network.error, language)}
            detail={errorDetail(network.error)}
            onRetry={() => void network.refetch()}
          />
        ) : (
          <PageSkeleton />
        )
      ) : rows.length === 0 ? (
        <EmptyState title={say.networkNone}>{say.networkNoneHelp}</EmptyState>
      ) : (
        <NetworkTable rows={rows} />
      )}
    </Panel>
  );
}

/** What does not answer first, then what loses most. */
function byTrouble(a: NetworkLine, b: NetworkLine): number {
  const rank = ({ reachable }: NetworkLine) => (reachable === false ? 0 : reachable === null ? 1 : 2);
  return rank(a) - rank(b) || (b.loss ?? 0) - (a.loss ?? 0) || a.device.localeCompare(b.device);
}

function NetworkTable({ rows }: { readonly rows: readonly NetworkLine[] }) {
  const say = useWords(repairWords);
  const formats = useFormats();
  const deviceName = useDeviceName();
  return (
    <CardTable<NetworkLine>
      label={say.network}
      rows={rows.toSorted(byTrouble)}
      keyOf={({ device }) => device}
      columns={[
        {
          key: 'device',
          title: say.device,
          render: ({ device, address }) => (
            <>
              <a href={deviceHash(device)}>{deviceName(device)}</a> <code className="kit-soft">{address}</code>
            </>
          ),
        },
        { key: 'state', title: say.state, render: (line) => <Reachable line={line} /> },
        {
          key: 'latency',
          title: say.latency,
          align: 'right',
          render: ({ latency }) => (latency === null ? say.none : `${formats.number(latency, 1)} ms`),
        },
        {
          key: 'loss',
          title: say.loss,
          align: 'right',
          render: ({ loss }) => (loss === null ? say.none : formats.percent(loss)),
        },
        { key: 'at', title: say.at, render: ({ at }) => (at === null ? say.none : <Age time={at} />) },
        { key: 'uplink', title: say.uplink, render: (line) => <Uplink line={line} /> },
      ]}
    />
  );
}
