import { App as AntApp } from 'antd';
import type { ReactNode } from 'react';
import { Announcer } from './announce.tsx';
import { LanguageProvider } from './language.tsx';
import { ShortcutProvider } from './shortcuts.tsx';
import { ThemeProvider } from './theme.tsx';
import './kit.css';

/** Everything the kit's parts need around them. `nonce` is what the content security policy of this page allows. */
export function KitProvider({
  nonce,
  timeZone,
  children,
}: {
  readonly nonce: string | undefined;
  readonly timeZone: string | undefined;
  readonly children: ReactNode;
}) {
  return (
    <LanguageProvider timeZone={timeZone}>
      <ThemeProvider nonce={nonce}>
        <AntApp component={false} message={{ maxCount: 3 }}>
          <Announcer>
            <ShortcutProvider>{children}</ShortcutProvider>
          </Announcer>
        </AntApp>
      </ThemeProvider>
    </LanguageProvider>
  );
}
