import { Tabs } from 'antd';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useWords } from '../../kit/language.tsx';
import { useRight } from '../../session.tsx';
import { BackupsTab } from './backups-tab.tsx';
import { LogsTab } from './logs-tab.tsx';
import { NetworkTab } from './network-tab.tsx';
import { StateTab } from './state-tab.tsx';
import { words } from './words.ts';
import './system.css';

export function Page() {
  const say = useWords(words);
  const mayBackUp = useRight('backup');
  const tab = useAddress().query.get('tab') ?? 'state';
  return (
    <>
      <PageHeader title={say.title} about={say.about} />
      <Tabs
        activeKey={tab}
        onChange={(key) => goTo(hashOf('/system', { tab: key }), 'replace')}
        destroyOnHidden
        items={[
          { key: 'state', label: say.state, children: <StateTab /> },
          { key: 'network', label: say.network, children: <NetworkTab /> },
          { key: 'logs', label: say.logs, children: <LogsTab /> },
          ...(mayBackUp ? [{ key: 'backups', label: say.backups, children: <BackupsTab /> }] : []),
        ]}
      />
    </>
  );
}
