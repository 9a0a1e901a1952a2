import { Tabs } from 'antd';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useWords } from '../../kit/language.tsx';
import { AccountsTab } from './accounts-tab.tsx';
import { SessionsTab } from './sessions-tab.tsx';
import { TokensTab } from './tokens-tab.tsx';
import { words } from './words.ts';
import './people.css';

export function Page() {
  const say = useWords(words);
  const tab = useAddress().query.get('tab') ?? 'accounts';
  return (
    <>
      <PageHeader title={say.title} about={say.about} />
      <Tabs
        activeKey={tab}
        onChange={(key) => goTo(hashOf('/people', { tab: key }), 'replace')}
        destroyOnHidden
        items={[
          { key: 'accounts', label: say.accounts, children: <AccountsTab /> },
          { key: 'sessions', label: say.sessions, children: <SessionsTab /> },
          { key: 'tokens', label: say.tokens, children: <TokensTab /> },
        ]}
      />
    </>
  );
}
