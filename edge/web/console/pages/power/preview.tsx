import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api } from '../../api.ts';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { editWords } from './edit-words.ts';
import { ready } from './form.ts';
import { barsOf, hoursOf } from './grid.ts';
import type { PowerBody, PowerPreview } from './shapes.ts';
import { useDateOf } from './use-power.ts';
import { DayCell, DayHead } from './week-cells.tsx';
import { shifted } from './week-dates.ts';

/** Typing is over after that, ms. */
const pause = 400;

/** When the entry would be on in the coming two weeks, by the calendar of the draft: before it is saved. */
export function Preview({
  body,
  isComplete,
  isChanged,
}: {
  readonly body: PowerBody;
  readonly isComplete: boolean;
  readonly isChanged: boolean;
}) {
  const edit = useWords(editWords);
  const formats = useFormats();
  const from = useDateOf()(now());
  const settled = useSettled(body);
  const preview = useQuery({
    queryKey: ['school', 'preview', settled],
    queryFn: () => api.post<PowerPreview>('school/power/weeks', { from, to: shifted(from, 13), body: ready(settled) }),
    enabled: isComplete,
    placeholderData: keepPreviousData,
    retry: false,
  });
  const { data } = preview;
  const hasFailed = !isComplete || preview.isError || data === undefined;
  return (
    <aside className="kit-panel power-preview" aria-label={edit.preview} data-changed={isChanged}>
      <h2>{edit.preview}</h2>
      <p className="kit-soft">{edit.previewHelp}</p>
      {hasFailed ? (
        <p className="kit-soft">{edit.previewBroken}</p>
      ) : (
        <>
          <p>
            <strong>{edit.previewHours(formats.number(hoursOf(data.needs, data.days).on, 1))}</strong>
            {data.needs.length === 0 && ` ${edit.previewNever}`}
          </p>
          <div className="power-preview-days">
            {data.days.map((day) => {
              const kind = data.kinds.find(({ date }) => date === day.date);
              return (
                <div key={day.date} className="power-preview-row">
                  <DayHead span={day} day={kind} isAlone={false} />
                  <DayCell
                    day={day}
                    kind={kind?.kind ?? null}
                    bars={barsOf(settled, data.needs, day)}
                    hasSetback={settled.setback !== null}
                    isWide={false}
                  />
                </div>
              );
            })}
          </div>
        </>
      )}
    </aside>
  );
}

/** The value as it was when nothing changed for a moment. */
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), pause);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
