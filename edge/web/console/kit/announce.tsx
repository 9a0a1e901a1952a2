import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from 'react';
import { useLanguage } from './language.tsx';

/* What a screen reader says when something new matters. The region exists from the start: one that is added speaks late or never. */

type Announce = (text: string, how?: 'polite' | 'assertive') => void;

const AnnounceContext = createContext<Announce>(() => {});

/** Reads a sentence aloud to those who hear the screen. `assertive` interrupts: alarms only. */
export function useAnnounce(): Announce {
  return useContext(AnnounceContext);
}

export function Announcer({ children }: { readonly children: ReactNode }) {
  const [polite, setPolite] = useState('');
  const [assertive, setAssertive] = useState('');
  const language = useLanguage();
  // What was said in the other language is not said again.
  useEffect(() => {
    setPolite('');
    setAssertive('');
  }, [language]);
  const announce = useCallback<Announce>(
    (text, how = 'polite') => (how === 'polite' ? setPolite : setAssertive)(text),
    [],
  );
  return (
    <AnnounceContext value={announce}>
      {children}
      <div className="kit-unseen" role="status" aria-live="polite" data-announce="polite">
        {polite}
      </div>
      <div className="kit-unseen" role="alert" aria-live="assertive" data-announce="assertive">
        {assertive}
      </div>
    </AnnounceContext>
  );
}
