import { frameWords } from './frame-words.ts';
import { useSpeech, useWords } from './language.tsx';
import { LineIcon } from './line-icon.tsx';
import { type ThemeChoice, useLook } from './theme.tsx';

/* Language and look, in the bar of every page. */

/** Shows the other language in its own words: whoever needs it may not read this one. */
export function LanguageSwitch() {
  const { language, setLanguage } = useSpeech();
  const other = language === 'zh' ? 'en' : 'zh';
  return (
    <button
      type="button"
      className="kit-plain-button"
      lang={other === 'zh' ? 'zh-CN' : 'en'}
      data-switch="language"
      onClick={() => setLanguage(other)}
    >
      {frameWords[other].ownName}
    </button>
  );
}

const nextChoice: Readonly<Record<ThemeChoice, ThemeChoice>> = { auto: 'light', light: 'dark', dark: 'auto' };
const choiceWords = { auto: 'themeAuto', light: 'themeLight', dark: 'themeDark' } as const;
const shapes: Readonly<Record<ThemeChoice, string>> = {
  auto: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM10 4a6 6 0 0 1 0 12z',
  light:
    'M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 1.500v2M10 16.500v2M1.5 10h2M16.5 10h2M4 4l1.4 1.400M14.6 14.6 16 16M4 16l1.4-1.400M14.6 5.4 16 4',
  dark: 'M16.5 12.200A7 7 0 0 1 7.8 3.500a7 7 0 1 0 8.7 8.700z',
};

/** As the system, light, dark, and around again. */
export function ThemeSwitch() {
  const words = useWords(frameWords);
  const { choice, setChoice } = useLook();
  const label = `${words.theme}: ${words[choiceWords[choice]]}`;
  return (
    <button
      type="button"
      className="kit-plain-button"
      aria-label={label}
      title={label}
      data-switch="theme"
      onClick={() => setChoice(nextChoice[choice])}
    >
      <LineIcon>
        <path d={shapes[choice]} fill={choice === 'auto' ? 'currentColor' : 'none'} fillRule="evenodd" />
      </LineIcon>
    </button>
  );
}
