import { useCallback, useEffect, useRef, useState } from 'react';

/** One sound at a time, in the browser alone: which one, and how to hear another (null: none). */
export function useListening(): readonly [string | null, (address: string | null) => void] {
  const [heard, setHeard] = useState<string | null>(null);
  const sound = useRef<HTMLAudioElement | null>(null);
  useEffect(() => () => sound.current?.pause(), []);
  const listen = useCallback((address: string | null) => {
    sound.current?.pause();
    sound.current = null;
    setHeard(address);
    if (address === null) return;
    const audio = new Audio(address);
    sound.current = audio;
    const end = () => setHeard((before) => (before === address ? null : before));
    audio.onended = end;
    audio.onerror = end;
    audio.play().catch(end);
  }, []);
  return [heard, listen];
}
