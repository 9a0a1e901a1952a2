import { Button } from 'antd';
import { useEffect, useId, useState } from 'react';
import { fromField, toField } from '../../field-time.ts';
import { useFormats, useWords } from '../../kit/language.tsx';
import { zoneOffset } from '../../kit/series.ts';
import { now } from '../../kit/ticker.ts';
import { words } from './words.ts';

export interface WhenBarProps {
  readonly second: number;
  readonly onGo: (time: number) => void;
  readonly onLatest: () => void;
}

const day = 86_400_000;

/** Which day and moment, by the campus's clock. */
export function WhenBar({ second, onGo, onLatest }: WhenBarProps) {
  const say = useWords(words);
  const formats = useFormats();
  const ids = useId();
  const midnight = formats.startOfDay(second);
  const shift = zoneOffset(midnight);
  const today = formats.startOfDay(now());
  const moveDay = (by: 1 | -1) => {
    const past = second - midnight;
    // The middle of the day before or after: a day may have 23 or 25 hours.
    onGo(Math.min(formats.startOfDay(midnight + day / 2 + by * day) + past, now()));
  };
  const goTo = (date: string, time: string) => {
    const found = fromField(`${date}T${time}`, shift);
    if (found !== null) onGo(Math.min(found, now()));
  };
  const field = toField(second, shift);
  return (
    <div className="footage-when">
      <Button aria-label={say.dayBefore} title={say.dayBefore} data-act="day-before" onClick={() => moveDay(-1)}>
        ‹
      </Button>
      <label className="kit-unseen" htmlFor={`${ids}-date`}>
        {say.date}
      </label>
      <input
        id={`${ids}-date`}
        className="footage-field"
        type="date"
        value={field.slice(0, 10)}
        max={toField(now(), shift).slice(0, 10)}
        onChange={({ target }) => target.value !== '' && goTo(target.value, formats.clock(second))}
      />
      <Button
        aria-label={say.dayAfter}
        title={say.dayAfter}
        data-act="day-after"
        disabled={midnight >= today}
        onClick={() => moveDay(1)}
      >
        ›
      </Button>
      <label className="kit-unseen" htmlFor={`${ids}-time`}>
        {say.time}
      </label>
      <ClockField id={`${ids}-time`} text={formats.clock(second)} onGo={(time) => goTo(field.slice(0, 10), time)} />
      <Button data-act="latest" onClick={onLatest}>
        {say.latest}
      </Button>
    </div>
  );
}

/** Follows the clock until somebody types; goes there with Enter, or when one leaves it. */
function ClockField({
  id,
  text,
  onGo,
}: {
  readonly id: string;
  readonly text: string;
  readonly onGo: (time: string) => void;
}) {
  const [typed, setTyped] = useState<string | null>(null);
  useEffect(() => {
    if (typed === text) setTyped(null);
  }, [typed, text]);
  const go = () => {
    if (typed !== null && typed !== '') onGo(typed.length === 5 ? `${typed}:00` : typed);
    setTyped(null);
  };
  return (
    <input
      id={id}
      className="footage-field"
      type="time"
      step={1}
      value={typed ?? text}
      onChange={({ target }) => setTyped(target.value)}
      onBlur={go}
      onKeyDown={(event) => {
        if (event.key === 'Enter') go();
        else if (event.key === 'Escape') setTyped(null);
      }}
    />
  );
}
