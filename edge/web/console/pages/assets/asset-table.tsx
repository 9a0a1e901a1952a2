import { Checkbox, type TableColumnsType } from 'antd';
import type { AssetView } from '../../../place-schemas.ts';
import { hashOf } from '../../address.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { useRestHeight } from '../../kit/rest-height.ts';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { now } from '../../kit/ticker.ts';
import { VirtualList } from '../../kit/virtual-list.tsx';
import { VirtualTable } from '../../kit/virtual-table.tsx';
import { useZoneName } from '../../names.ts';
import { isOverdue, isSoon } from './filters.ts';
import { words } from './words.ts';

const linkTo = (device: string) => hashOf(`/assets/${device}`);

export function AssetTable({
  assets,
  chosen,
  onChoose,
}: {
  readonly assets: readonly AssetView[];
  readonly chosen: readonly string[];
  readonly onChoose: (devices: readonly string[]) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const zoneName = useZoneName();
  const isPhone = useMedia(phoneQuery);
  const [place, height] = useRestHeight(360, isPhone ? 0 : 44);
  if (isPhone) {
    return (
      <div ref={place} className="assets-list">
        <VirtualList
          label={say.list}
          items={assets}
          rowHeight={92}
          height={height}
          keyOf={({ device }) => device}
          render={(asset) => (
            <AssetCard
              asset={asset}
              isChosen={chosen.includes(asset.device)}
              onChoose={(isChosen) =>
                onChoose(isChosen ? [...chosen, asset.device] : chosen.filter((device) => device !== asset.device))
              }
            />
          )}
        />
      </div>
    );
  }
  const columns: TableColumnsType<AssetView> = [
    {
      title: say.device,
      key: 'device',
      width: 184,
      render: (_, { device, deviceName }) => <a href={linkTo(device)}>{name(deviceName)}</a>,
    },
    { title: say.number, dataIndex: 'number', width: 124, ellipsis: true, render: orDash },
    {
      title: say.model,
      key: 'model',
      width: 186,
      ellipsis: true,
      render: (_, asset) => modelOf(asset),
    },
    { title: say.serial, dataIndex: 'serial', width: 116, ellipsis: true, render: orDash },
    {
      title: say.place,
      key: 'place',
      width: 140,
      ellipsis: true,
      render: (_, { place: where, zone }) => (where === '' ? zoneName(zone) : where),
    },
    { title: say.warranty, dataIndex: 'warranty', width: 112, render: (date: string | null) => date ?? '—' },
    { title: say.due, key: 'due', width: 176, render: (_, asset) => <Due asset={asset} /> },
  ];
  return (
    <div ref={place} className="assets-list">
      <VirtualTable
        columns={columns}
        rows={assets}
        rowKey="device"
        height={height}
        minWidth={1_090}
        rowSelection={{
          columnWidth: 48,
          preserveSelectedRowKeys: true,
          selectedRowKeys: [...chosen],
          onChange: (keys) => onChoose(keys.map(String)),
          getCheckboxProps: ({ deviceName }) => ({ 'aria-label': say.select(name(deviceName)) }),
        }}
      />
    </div>
  );
}

const orDash = (text: string) => (text === '' ? '—' : text);

function modelOf({ make, model, profileMake, profileModel }: AssetView): string {
  return `${make === '' ? profileMake : make} ${model === '' ? profileModel : model}`.trim() || '—';
}

function Due({ asset }: { readonly asset: AssetView }) {
  const say = useWords(words);
  if (asset.due === null) return '—';
  if (isOverdue(asset, now())) return <ToneBadge tone="bad">{say.overdueBadge(asset.due)}</ToneBadge>;
  if (isSoon(asset, now())) return <ToneBadge tone="wait">{say.soonBadge(asset.due)}</ToneBadge>;
  return <span className="kit-number">{asset.due}</span>;
}

function AssetCard({
  asset,
  isChosen,
  onChoose,
}: {
  readonly asset: AssetView;
  readonly isChosen: boolean;
  readonly onChoose: (isChosen: boolean) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const zoneName = useZoneName();
  const { device, deviceName, place, zone, number, due } = asset;
  return (
    <div className="assets-card">
      <Checkbox
        className="assets-choose"
        checked={isChosen}
        aria-label={say.select(name(deviceName))}
        onChange={(event) => onChoose(event.target.checked)}
      />
      <a href={linkTo(device)}>
        <strong>{name(deviceName)}</strong>
        <span>{[modelOf(asset), number].filter((text) => text !== '' && text !== '—').join(' · ') || '—'}</span>
        <span className="kit-soft">
          {place === '' ? zoneName(zone) : place} {due !== null && <Due asset={asset} />}
        </span>
      </a>
    </div>
  );
}
