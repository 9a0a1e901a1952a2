import { Button } from 'antd';
import { useEffect, useRef } from 'react';
import { needsAction } from '../../alarm-groups.ts';
import type { AlarmView } from '../../api.ts';
import { useFormats, useWords } from '../../kit/language.tsx';
import { beep, endSilence, silence, silenceLeft, useSilenced, useSound } from '../../kit/sound.ts';
import { useTicking } from '../../kit/ticker.ts';
import { words } from './words.ts';

/** A guard who is dealing with it needs two quiet minutes, not a sound that is off for good. */
const quiet = 2 * 60_000;

/** Whether critical alarms are heard: says so when they are not, and quietens those that are. */
export function SoundBar({ alarms }: { readonly alarms: readonly AlarmView[] }) {
  const say = useWords(words);
  const formats = useFormats();
  const { isMuted, isBlocked, setMuted } = useSound();
  const isSilenced = useSilenced();
  const left = useTicking(() => formats.duration(silenceLeft() + 999));
  const wantsBeep = useRef(false);
  useEffect(() => {
    // The click allows the sound only a moment later: then it is heard once, so that one knows how loud it is.
    if (isBlocked || isMuted || !wantsBeep.current) return;
    wantsBeep.current = false;
    beep();
  }, [isBlocked, isMuted]);
  const rings = alarms.some(
    (alarm) => alarm.class === 'critical' && alarm.state === 'unacknowledged' && needsAction(alarm),
  );
  if (isMuted || isBlocked) {
    return (
      <div className="alarms-sound alarms-sound-off">
        <span>{isMuted ? say.soundOff : say.soundBlocked}</span>
        <Button
          onClick={() => {
            wantsBeep.current = true;
            setMuted(false);
          }}
        >
          {say.soundOn}
        </Button>
      </div>
    );
  }
  if (isSilenced) {
    return (
      <div className="alarms-sound" data-silenced>
        <span>{say.silenced(left)}</span>
        <Button onClick={endSilence}>{say.endSilence}</Button>
      </div>
    );
  }
  if (!rings) return null;
  return (
    <Button className="alarms-silence" onClick={() => silence(quiet)}>
      {say.silence}
    </Button>
  );
}
