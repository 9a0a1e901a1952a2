import { theme as antd, ConfigProvider, type ThemeConfig } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import { createContext, type ReactNode, useContext, useLayoutEffect, useSyncExternalStore } from 'react';
import { useLanguage } from './language.tsx';
import { usePreference } from './preferences.ts';

/* Light and dark, as calm as a control room: one accent, colour kept for what matters. The same colours are in kit.css. */

export type ThemeChoice = 'auto' | 'light' | 'dark';

interface Look {
  readonly choice: ThemeChoice;
  readonly setChoice: (choice: ThemeChoice) => void;
  readonly isDark: boolean;
}

const LookContext = createContext<Look | null>(null);

export function useLook(): Look {
  const look = useContext(LookContext);
  if (look === null) throw new Error('outside of KitProvider');
  return look;
}

export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(query);
      media.addEventListener('change', listener);
      return () => media.removeEventListener('change', listener);
    },
    () => matchMedia(query).matches,
  );
}

/** A finger, or a small screen: everything that can be pressed is 44 px high. */
export const touchQuery = '(pointer: coarse), (max-width: 820px)';
export const phoneQuery = '(max-width: 820px)';

const fontFamily =
  'system-ui, -apple-system, "Segoe UI", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", sans-serif';

const light = {
  colorPrimary: '#0b6e63',
  colorLink: '#0b6e63',
  colorError: '#c4161c',
  colorWarning: '#a35200',
  colorSuccess: '#14713c',
  colorInfo: '#2c5a8c',
  colorTextBase: '#16202b',
  colorBgLayout: '#f2f4f6',
  colorTextDescription: '#55616e',
  colorTextPlaceholder: '#66717d',
  colorTextSecondary: '#46525f',
  colorTextTertiary: '#55616e',
  // What can be typed into or pressed is told by its edge: 3:1 to what lies around (WCAG 1.4.11).
  colorBorder: '#8995a1',
  colorBorderSecondary: '#dce1e6',
};
const dark = {
  colorPrimary: '#3fbfae',
  colorLink: '#5cd1c1',
  colorError: '#ff7875',
  colorWarning: '#ffab57',
  colorSuccess: '#5ecb8f',
  colorInfo: '#8ab8f0',
  colorBgBase: '#10171d',
  colorBgLayout: '#0c1217',
  colorBgContainer: '#161e26',
  colorBgElevated: '#1d2731',
  colorTextBase: '#e6ebf0',
  colorTextDescription: '#9fadba',
  colorTextPlaceholder: '#8a98a5',
  colorTextSecondary: '#b7c2cd',
  colorTextTertiary: '#9fadba',
  colorBorder: '#626e7a',
  colorBorderSecondary: '#2b3742',
};

function themeOf(isDark: boolean, isTouch: boolean): ThemeConfig {
  return {
    algorithm: isDark ? antd.darkAlgorithm : antd.defaultAlgorithm,
    token: {
      fontFamily,
      fontSize: 14,
      borderRadius: 6,
      controlHeight: isTouch ? 44 : 34,
      controlHeightSM: isTouch ? 44 : 28,
      motion: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      wireframe: false,
      ...(isDark ? dark : light),
    },
    components: {
      // White on the light accent of the dark theme cannot be read.
      Button: {
        primaryShadow: 'none',
        defaultShadow: 'none',
        dangerShadow: 'none',
        ...(isDark ? { primaryColor: '#04211d' } : {}),
      },
      Table: { cellPaddingBlock: 9, cellPaddingInline: 12, headerBg: 'transparent' },
    },
  };
}

export function ThemeProvider({
  nonce,
  children,
}: {
  readonly nonce: string | undefined;
  readonly children: ReactNode;
}) {
  const language = useLanguage();
  const [choice, setChoice] = usePreference<ThemeChoice>('theme', ['auto', 'light', 'dark']);
  const prefersDark = useMedia('(prefers-color-scheme: dark)');
  const isTouch = useMedia(touchQuery);
  const isDark = choice === 'dark' || (choice === 'auto' && prefersDark);
  // Before any chart looks at the colours.
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
    document.documentElement.style.colorScheme = isDark ? 'dark' : 'light';
  }, [isDark]);
  return (
    <ConfigProvider
      locale={language === 'zh' ? zhCN : enUS}
      theme={themeOf(isDark, isTouch)}
      button={{ autoInsertSpace: false }}
      {...(nonce === undefined ? {} : { csp: { nonce } })}
    >
      <LookContext value={{ choice, setChoice, isDark }}>{children}</LookContext>
    </ConfigProvider>
  );
}
