import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Input, Select } from 'antd';
import { useState } from 'react';
import type { SchoolDays, Weekday } from '#edge/domain/school.ts';
import { api, errorText } from '../../api.ts';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { askAnew, type EntriesView } from '../school-day/data.ts';
import { dayKindText, weekdayText } from '../school-day/reason-words.ts';
import type { Brush, Chosen } from './calendar.tsx';
import { detailOf } from './entry-editor.tsx';
import { Field } from './fields.tsx';
import { idMaker, type Painted, paintOver } from './month-days.ts';
import { words } from './words.ts';

const weekdays: readonly Weekday[] = [1, 2, 3, 4, 5, 6, 7];

/** What the chosen days become. */
export function Paint({
  brush,
  chosen,
  layer,
  entries,
  onDone,
}: {
  readonly brush: Exclude<Brush, 'look'>;
  readonly chosen: Chosen;
  readonly layer: string;
  readonly entries: EntriesView;
  readonly onDone: () => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [title, setTitle] = useState('');
  const [weekday, setWeekday] = useState<Weekday | 0>(0);
  const [parity, setParity] = useState<'' | 'odd' | 'even'>('');
  const [timetable, setTimetable] = useState('');
  const [problems, setProblems] = useState<readonly string[]>([]);
  const [isBusy, setBusy] = useState(false);
  const painted = entries.entries.flatMap(({ id, rev, body }): Painted[] =>
    body.part === 'days' ? [{ id, rev, body }] : [],
  );
  const timetables = entries.entries.flatMap(({ id, body }) =>
    body.part === 'timetable' ? [{ value: id, label: name(body.name) }] : [],
  );
  const hasLessons = brush === 'school' || brush === 'make-up' || brush === 'exam' || brush === 'event';

  const put = async () => {
    const usual = brush === 'erase' ? '' : dayKindText(brush, language);
    const text = title.trim() === '' ? usual : title.trim();
    const body: SchoolDays | null =
      brush === 'erase'
        ? null
        : {
            ...{ part: 'days', name: { zh: text, en: text }, layer, from: chosen.from, to: chosen.to, kind: brush },
            ...(hasLessons && weekday !== 0 && { useWeekday: weekday }),
            ...(hasLessons && parity !== '' && { useParity: parity }),
            ...(hasLessons && timetable !== '' && { timetable }),
          };
    const ids = idMaker(
      'days',
      entries.entries.map(({ id }) => id),
    );
    const changes = paintOver(painted, layer, chosen.from, chosen.to, body, ids);
    if (changes.length === 0) return setProblems([say.nothingPainted]);
    setBusy(true);
    setProblems([]);
    try {
      await api.post('school/entries', { changes, why: '' });
      void message.success(say.paintedDone);
      await askAnew(queries);
      onDone();
    } catch (error) {
      // Somebody painted here meanwhile: what is there now is shown, and what was chosen stays chosen.
      await askAnew(queries);
      setProblems([errorText(error, language), ...detailOf(error)]);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      className="kit-panel schoolplan-section"
      data-paint={brush}
      aria-label={say[`brush:${brush}`]}
      onSubmit={(event) => {
        event.preventDefault();
        void put();
      }}
    >
      <h2>
        {say[`brush:${brush}`]} · {say.paintTitle(chosen.from, chosen.to)}
      </h2>
      {brush === 'erase' ? (
        <p>{say.eraseHelp}</p>
      ) : (
        <Field label={say['field:name']}>
          {(id) => (
            <Input
              id={id}
              maxLength={80}
              placeholder={dayKindText(brush, language)}
              value={title}
              onChange={(event) => setTitle(event.target.value)}
            />
          )}
        </Field>
      )}
      {hasLessons && (
        <div className="schoolplan-fields">
          <Field label={say.useWeekday}>
            {(id) => (
              <Select<Weekday | 0>
                id={id}
                value={weekday}
                onChange={setWeekday}
                options={[
                  { value: 0, label: brush === 'make-up' ? say.useWeekdayNone : '—' },
                  ...weekdays.map((day) => ({ value: day, label: weekdayText(day, language) })),
                ]}
              />
            )}
          </Field>
          <Field label={say.useParity}>
            {(id) => (
              <Select<'' | 'odd' | 'even'>
                id={id}
                value={parity}
                onChange={setParity}
                options={[
                  { value: '', label: say.useParityOwn },
                  { value: 'odd', label: say['parity:odd'] },
                  { value: 'even', label: say['parity:even'] },
                ]}
              />
            )}
          </Field>
          <Field label={say.timetable}>
            {(id) => (
              <Select<string>
                id={id}
                value={timetable}
                onChange={setTimetable}
                options={[{ value: '', label: say.timetableSeason }, ...timetables]}
              />
            )}
          </Field>
        </div>
      )}
      <div className="kit-form-error" role="alert">
        {problems.map((problem) => (
          <p key={problem}>{problem}</p>
        ))}
      </div>
      <div className="kit-actions">
        <Button type="primary" htmlType="submit" loading={isBusy} data-act="paint">
          {brush === 'erase' ? say.erase : say.paint}
        </Button>
        <Button onClick={onDone}>{say.cancel}</Button>
      </div>
    </form>
  );
}
