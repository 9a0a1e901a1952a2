import { Tabs } from 'antd';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useSoundNow } from './data.ts';
import { Deliveries } from './deliveries.tsx';
import { EmergencyLine } from './emergency-line.tsx';
import { Levels } from './levels.tsx';
import { Quiets } from './quiets.tsx';
import { RoomDrawer } from './room-drawer.tsx';
import { Rooms } from './rooms.tsx';
import { words } from './words.ts';
import './broadcast.css';

/* `#/broadcast`: what sounds where. `?tab=deliveries`, `levels`, `quiets`; `?room=speaker-gate` opens why it plays. */

const tabs = ['rooms', 'deliveries', 'levels', 'quiets'] as const;

export function Page() {
  const say = useWords(words);
  const language = useLanguage();
  const { query } = useAddress();
  const now = useSoundNow();
  const tab = tabs.find((one) => one === query.get('tab')) ?? 'rooms';
  const room = query.get('room');
  const show = (parts: Readonly<Record<string, string>>) => goTo(hashOf('/broadcast', parts), 'replace');
  const tabPart: Readonly<Record<string, string>> = tab === 'rooms' ? {} : { tab };
  return (
    <div className="broadcast">
      <PageHeader title={say.title} about={say.about} />
      {now.data !== undefined && <EmergencyLine items={now.data.items} />}
      <Tabs
        activeKey={tab}
        onChange={(key) => show(key === 'rooms' ? {} : { tab: key })}
        destroyOnHidden
        items={[
          {
            key: 'rooms',
            label: say.rooms,
            children: now.isPending ? (
              <PageSkeleton />
            ) : now.data === undefined ? (
              <ErrorState
                message={errorText(now.error, language)}
                detail={errorDetail(now.error)}
                onRetry={() => void now.refetch()}
              />
            ) : now.data.rooms.length === 0 ? (
              <EmptyState title={say.noRooms}>{say.noRoomsHelp}</EmptyState>
            ) : (
              <Rooms now={now.data} onOpen={(device) => show({ room: device })} />
            ),
          },
          { key: 'deliveries', label: say.deliveries, children: <Deliveries /> },
          { key: 'levels', label: say.levels, children: <Levels /> },
          { key: 'quiets', label: say.quiets, children: <Quiets /> },
        ]}
      />
      {room !== null && <RoomDrawer device={room} onClose={() => show(tabPart)} />}
    </div>
  );
}
