import { frameWords } from './frame-words.ts';
import { useWords } from './language.tsx';
import { LineIcon } from './line-icon.tsx';
import { useSound } from './sound.ts';

/** Whether alarms are heard: always in sight, because an alarm that nobody hears is worse than none. */
export function SoundSwitch() {
  const words = useWords(frameWords);
  const { isMuted, isBlocked, setMuted } = useSound();
  const label = isMuted ? words.muted : isBlocked ? words.soundBlocked : words.audible;
  return (
    <button
      type="button"
      className={`kit-plain-button ${isMuted || isBlocked ? 'kit-sound-off' : ''}`}
      aria-label={label}
      title={label}
      aria-pressed={!isMuted}
      data-switch="sound"
      onClick={() => setMuted(!isMuted)}
    >
      <LineIcon size={19}>
        <path d="M3 7.5h3L10 4v12l-4-3.500H3z" />
        {isMuted || isBlocked ? (
          <path d="m13 8 4.5 4.500m0-4.500L13 12.5" />
        ) : (
          <path d="M13 7.200a4 4 0 0 1 0 5.600M15.3 5a7 7 0 0 1 0 10" />
        )}
      </LineIcon>
    </button>
  );
}
