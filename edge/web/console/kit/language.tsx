import { createContext, type ReactNode, useContext, useEffect, useMemo } from 'react';
import { createFormats, type Formats } from './formats.ts';
import { usePreference } from './preferences.ts';
import { type Language, type NamePair, nameIn, type Words } from './words.ts';

interface Speech {
  readonly language: Language;
  readonly setLanguage: (language: Language) => void;
  readonly formats: Formats;
}

const SpeechContext = createContext<Speech | null>(null);

/** Language of the screen, and times as the campus counts them, wherever the browser is. */
export function LanguageProvider({
  timeZone,
  children,
}: {
  readonly timeZone: string | undefined;
  readonly children: ReactNode;
}) {
  const [language, setLanguage] = usePreference<Language>('language', ['zh', 'en']);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }, [language]);
  const formats = useMemo(() => createFormats(language, timeZone), [language, timeZone]);
  return <SpeechContext value={{ language, setLanguage, formats }}>{children}</SpeechContext>;
}

export function useSpeech(): Speech {
  const speech = useContext(SpeechContext);
  if (speech === null) throw new Error('outside of KitProvider');
  return speech;
}

export function useLanguage(): Language {
  return useSpeech().language;
}

/** The page's own words in the language of the screen. */
export function useWords<D>(words: Words<D>): D {
  return words[useLanguage()];
}

/** Says a name that people gave in the language of the screen. */
export function useName(): (name: NamePair | null | undefined) => string {
  const language = useLanguage();
  return (name) => nameIn(language, name);
}

/** Times, dates, numbers and sizes in the language of the screen and the time of the campus. */
export function useFormats(): Formats {
  return useSpeech().formats;
}
