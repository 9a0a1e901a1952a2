import type { TableColumnsType } from 'antd';
import type { AssetView } from '../../../place-schemas.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { now } from '../../kit/ticker.ts';
import { VirtualList } from '../../kit/virtual-list.tsx';
import { VirtualTable } from '../../kit/virtual-table.tsx';
import { useZoneName } from '../../names.ts';
import { hashOf } from '../devices/address.ts';
import { isOverdue } from './filters.ts';
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
  if (isPhone) {
    return (
      <VirtualList
        label={say.list}
        items={assets}
        rowHeight={76}
        height={560}
        keyOf={({ device }) => device}
        render={(asset) => <AssetCard asset={asset} />}
      />
    );
  }
  const columns: TableColumnsType<AssetView> = [
    {
      title: say.device,
      key: 'device',
      width: 190,
      render: (_, { device, deviceName }) => <a href={linkTo(device)}>{name(deviceName)}</a>,
    },
    { title: say.number, dataIndex: 'number', width: 140, ellipsis: true, render: orDash },
    {
      title: say.model,
      key: 'model',
      width: 240,
      ellipsis: true,
      render: (_, asset) => modelOf(asset),
    },
    { title: say.serial, dataIndex: 'serial', width: 140, ellipsis: true, render: orDash },
    {
      title: say.place,
      key: 'place',
      width: 170,
      ellipsis: true,
      render: (_, { place, zone }) => (place === '' ? zoneName(zone) : place),
    },
    { title: say.warranty, dataIndex: 'warranty', width: 120, render: (date: string | null) => date ?? '—' },
    { title: say.due, key: 'due', width: 150, render: (_, asset) => <Due asset={asset} /> },
  ];
  return (
    <VirtualTable
      columns={columns}
      rows={assets}
      rowKey="device"
      height={560}
      minWidth={1_180}
      rowSelection={{
        columnWidth: 48,
        selectedRowKeys: [...chosen],
        onChange: (keys) => onChoose(keys.map(String)),
        getCheckboxProps: ({ deviceName }) => ({ 'aria-label': say.select(name(deviceName)) }),
      }}
    />
  );
}

const orDash = (text: string) => (text === '' ? '—' : text);

function modelOf({ make, model, profileMake, profileModel }: AssetView): string {
  return `${make === '' ? profileMake : make} ${model === '' ? profileModel : model}`.trim() || '—';
}

function Due({ asset }: { readonly asset: AssetView }) {
  if (asset.due === null) return '—';
  return isOverdue(asset, now()) ? <ToneBadge tone="bad">{asset.due}</ToneBadge> : asset.due;
}

function AssetCard({ asset }: { readonly asset: AssetView }) {
  const name = useName();
  const zoneName = useZoneName();
  return (
    <a className="assets-card" href={linkTo(asset.device)}>
      <strong>{name(asset.deviceName)}</strong>
      <span>{modelOf(asset)}</span>
      <span className="kit-soft">
        {asset.place === '' ? zoneName(asset.zone) : asset.place} {asset.number} <Due asset={asset} />
      </span>
    </a>
  );
}
