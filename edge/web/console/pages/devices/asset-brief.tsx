import { useQuery } from '@tanstack/react-query';
import { roleNames } from '#edge/domain/access.ts';
import type { AssetView } from '../../../place-schemas.ts';
import { hashOf } from '../../address.ts';
import { api } from '../../api.ts';
import { Panel } from '../../kit/frame.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { useRight } from '../../session.tsx';
import { words } from './words.ts';

/** What the register of assets says of a device, in brief, for those who keep it. */
export function AssetBrief({ device }: { readonly device: string }) {
  const mayRead = useRight('assets');
  return mayRead ? <Asset device={device} /> : null;
}

function Asset({ device }: { readonly device: string }) {
  const say = useWords(words);
  const name = useName();
  const assets = useQuery({
    queryKey: ['assets'],
    queryFn: ({ signal }) => api.get<readonly AssetView[]>('assets', signal),
    staleTime: 60_000,
  });
  const asset = assets.data?.find((one) => one.device === device);
  if (asset === undefined) return null;
  const maker = [asset.make || asset.profileMake, asset.model || asset.profileModel]
    .filter((part) => part !== '')
    .join(' ');
  const facts: readonly (readonly [string, string])[] = [
    [say.assetNumber, asset.number],
    [say.maker, maker],
    [say.warranty, asset.warranty ?? ''],
    [say.due, asset.due ?? ''],
    [say.responsible, asset.responsible === null ? '' : name(roleNames[asset.responsible])],
  ];
  return (
    <Panel title={say.asset} extra={<a href={hashOf(`/assets/${device}`)}>{say.openAsset}</a>}>
      <dl className="devices-facts">
        {facts.map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd className={value === '' ? 'kit-soft' : ''}>{value === '' ? say.notWritten : value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
