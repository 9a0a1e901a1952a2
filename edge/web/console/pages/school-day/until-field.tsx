import { Button } from 'antd';
import { useId } from 'react';
import { fromField, toField } from '../../field-time.ts';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { shiftAt } from './dates.ts';
import { words } from './words.ts';

const hour = 3_600_000;

/** Until when: a few usual ends at a touch, or any. */
export function UntilField({
  value,
  onChange,
}: {
  readonly value: number;
  readonly onChange: (until: number) => void;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const id = useId();
  const start = formats.startOfDay(now());
  const choices = [
    { key: 'hour', label: say.forAnHour, at: now() + hour },
    { key: 'noon', label: say.untilNoon, at: start + 12 * hour },
    { key: 'evening', label: say.untilEvening, at: start + 18 * hour },
    { key: 'day', label: say.untilMidnight, at: start + 24 * hour },
  ].filter(({ at }) => at > now() + 60_000);
  return (
    <div className="kit-field">
      <label htmlFor={id}>{say.until}</label>
      <div className="schoolday-choices">
        {choices.map(({ key, label, at }) => (
          <Button key={key} size="small" data-until={key} onClick={() => onChange(at)}>
            {label}
          </Button>
        ))}
      </div>
      <input
        id={id}
        className="schoolday-input"
        type="datetime-local"
        value={toField(value, shiftAt(value, formats))}
        onChange={(event) => {
          const time = fromField(event.target.value, shiftAt(value, formats));
          if (time !== null) onChange(time);
        }}
      />
    </div>
  );
}

/** The end that is meant most often: this evening, or an hour when it is late. */
export function usualEnd(startOfDay: number, time: number): number {
  const evening = startOfDay + 18 * hour;
  return evening > time + hour / 2 ? evening : Math.min(time + hour, startOfDay + 24 * hour);
}
