import { useEffect, useRef } from 'react';
import { needsAction } from './alarm-groups.ts';
import { useAnnounce } from './kit/announce.tsx';
import { useName, useWords } from './kit/language.tsx';
import { endSilence, useRepeatedBeep } from './kit/sound.ts';
import { stateWords } from './kit/state-words.ts';
import { useTitleCount } from './title-count.ts';
import { useOpenAlarms } from './use-live.tsx';
import { frameWords } from './words.ts';

/** On every page: each new alarm is read aloud once, and critical ones are heard until somebody has seen them. */
export function AlarmVoice() {
  const words = useWords(frameWords);
  const classes = useWords(stateWords);
  const name = useName();
  const announce = useAnnounce();
  const said = useRef<Set<string> | null>(null);
  const unseen = useOpenAlarms().filter((alarm) => needsAction(alarm) && alarm.state === 'unacknowledged');
  useRepeatedBeep(unseen.some((alarm) => alarm.class === 'critical'));
  useTitleCount(unseen.length);

  const ids = unseen.map(({ id }) => id).join(' ');
  useEffect(() => {
    const before = said.current;
    said.current = new Set(unseen.map(({ id }) => id));
    const fresh = unseen.filter(({ id }) => before?.has(id) !== true);
    if (fresh.length === 0) return;
    // Whoever asked for silence knew nothing of this one.
    if (fresh.some((alarm) => alarm.class === 'critical')) endSilence();
    const sentences = fresh.map((alarm) => `${classes[`class:${alarm.class}`]} · ${name(alarm.message)}`);
    announce(words.newAlarm(sentences.join('; ')), 'assertive');
  }, [ids]);
  return null;
}
