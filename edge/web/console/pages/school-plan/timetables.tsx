import { Button, Checkbox, Input, InputNumber, Select } from 'antd';
import { useState } from 'react';
import { type SchoolTimetable, slotKinds, type TimetablePiece } from '#edge/domain/school.ts';
import { layOut, movePiece, pinPiece, resizePiece } from '#edge/school/timetable.ts';
import { type SchoolStage, type UsualNumbers, usualNumbers, usualTimetable } from '#edge/school/usual-timetable.ts';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import type { EntriesView } from '../school-day/data.ts';
import { secondText, slotKindText } from '../school-day/reason-words.ts';
import { useAnchorText } from './anchor-text.ts';
import { EntryEditor, type Known } from './entry-editor.tsx';
import { Field, NumberField, TimeField, TimeInput } from './fields.tsx';
import { idMaker } from './month-days.ts';
import { words } from './words.ts';

const stages: readonly SchoolStage[] = ['primary', 'junior', 'senior'];

/** The timetables of the draft; one is open at a time. */
export function Timetables({ entries, mayEdit }: { readonly entries: EntriesView; readonly mayEdit: boolean }) {
  const say = useWords(words);
  const name = useName();
  const known = entries.entries.flatMap(({ id, rev, body }): Known<SchoolTimetable>[] =>
    body.part === 'timetable' ? [{ id, rev, body }] : [],
  );
  const [open, setOpen] = useState<Known<SchoolTimetable> | null>(null);
  const makeNew = () => {
    const id = idMaker(
      'timetable',
      entries.entries.map((one) => one.id),
    )();
    setOpen({ id, rev: 0, body: usualTimetable({ zh: '', en: '' }, usualNumbers.primary) });
  };
  return (
    <div className="schoolplan-two">
      <section className="kit-panel schoolplan-section" aria-label={say.timetables}>
        <h2>{say.timetables}</h2>
        {known.length === 0 && <EmptyState title={say.noTimetables}>{say.noTimetablesHelp}</EmptyState>}
        <ul className="schoolplan-list">
          {known.map((one) => (
            <li key={one.id} data-timetable={one.id}>
              <button type="button" className="schoolplan-link" onClick={() => setOpen(one)}>
                {name(one.body.name)}
              </button>
              <span className="kit-soft">{usersText(entries, one.id, name, say)}</span>
            </li>
          ))}
        </ul>
        {mayEdit && (
          <div className="kit-actions">
            <Button type="primary" onClick={makeNew} data-act="add-timetable">
              {say.newTimetable}
            </Button>
          </div>
        )}
      </section>
      {open !== null && (
        <section className="kit-panel schoolplan-section" aria-label={say.timetable}>
          {mayEdit ? (
            <EntryEditor<SchoolTimetable> key={`${open.id} ${open.rev}`} entry={open} onDone={() => setOpen(null)}>
              {(body, change) => (
                <>
                  <Generator
                    isOpen={open.rev === 0}
                    onMake={(made) => change({ start: made.start, pieces: made.pieces })}
                  />
                  <Pieces id={open.id} body={body} entries={entries} onChange={(next) => change(next)} />
                </>
              )}
            </EntryEditor>
          ) : (
            <Pieces id={open.id} body={open.body} entries={entries} onChange={null} />
          )}
        </section>
      )}
    </div>
  );
}

function usersText(
  entries: EntriesView,
  id: string,
  name: ReturnType<typeof useName>,
  say: (typeof words)['zh'],
): string {
  const users = entries.entries.flatMap(({ body }) => {
    const isUser =
      (body.part === 'season' && body.weekly.some((row) => row.timetable === id)) ||
      (body.part === 'days' && body.timetable === id);
    return isUser ? [name(body.name)] : [];
  });
  return users.length === 0 ? say.usedByNone : say.usedBy(users.join('、'));
}

type NumberOf = Exclude<keyof UsualNumbers, 'start' | 'afternoonStart' | 'eveningStart'>;
const numberFields: readonly (readonly [NumberOf, number])[] = [
  ...([
    ['lesson', 90],
    ['break', 60],
    ['longBreak', 90],
    ['longBreakAfter', 8],
    ['lessonsAm', 8],
    ['lessonsPm', 8],
  ] as const),
  ...([
    ['reading', 90],
    ['eyeExercise', 15],
    ['eyeExerciseAm', 12],
    ['eyeExercisePm', 12],
    ['lunch', 180],
  ] as const),
  ...([
    ['activity', 180],
    ['evening', 240],
  ] as const),
];

/** The usual day from few numbers. */
function Generator({ isOpen, onMake }: { readonly isOpen: boolean; readonly onMake: (made: SchoolTimetable) => void }) {
  const say = useWords(words);
  const [stage, setStage] = useState<SchoolStage>('primary');
  const [numbers, setNumbers] = useState<UsualNumbers>(usualNumbers.primary);
  const set = (next: UsualNumbers) => {
    setNumbers(next);
    onMake(usualTimetable({ zh: '', en: '' }, next));
  };
  return (
    <details className="schoolplan-generator" open={isOpen}>
      <summary>{say.generator}</summary>
      <p className="kit-soft">{say.generatorHelp}</p>
      <div className="schoolplan-fields">
        <Field label={say.stage}>
          {(id) => (
            <Select<SchoolStage>
              id={id}
              value={stage}
              onChange={(next) => {
                setStage(next);
                set(usualNumbers[next]);
              }}
              options={stages.map((one) => ({ value: one, label: say[`stage:${one}`] }))}
            />
          )}
        </Field>
        <TimeField label={say.firstLesson} value={numbers.start} onChange={(start) => set({ ...numbers, start })} />
        <TimeField
          label={say.afternoonStart}
          value={numbers.afternoonStart}
          onChange={(afternoonStart) => set({ ...numbers, afternoonStart })}
        />
        {numberFields.map(([field, most]) => (
          <NumberField
            key={field}
            label={say[field]}
            value={numbers[field]}
            most={most}
            onChange={(value) => set({ ...numbers, [field]: value })}
          />
        ))}
        {numbers.evening > 0 && (
          <TimeField
            label={say.eveningStart}
            value={numbers.eveningStart}
            onChange={(eveningStart) => set({ ...numbers, eveningStart })}
          />
        )}
      </div>
    </details>
  );
}

/** The pieces with their times; moving one moves those after it. */
function Pieces({
  id,
  body,
  entries,
  onChange,
}: {
  readonly id: string;
  readonly body: SchoolTimetable;
  readonly entries: EntriesView;
  readonly onChange: ((next: SchoolTimetable) => void) | null;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const [refused, setRefused] = useState('');
  const { slots, mistakes } = layOut(body);
  const take = (next: SchoolTimetable | null) => {
    setRefused(next === null ? say.pieceCannot : '');
    if (next !== null) onChange?.(next);
  };
  const setPiece = (at: number, piece: TimetablePiece | null) =>
    onChange?.({ ...body, pieces: body.pieces.flatMap((one, n) => (n === at ? (piece ?? []) : [one])) });
  const add = () => {
    const made = idMaker(
      'piece',
      body.pieces.map((piece) => piece.id),
    )();
    const last: TimetablePiece = {
      id: made,
      kind: 'activity',
      name: { zh: words.zh.newPiece, en: words.en.newPiece },
      minutes: 40,
    };
    onChange?.({ ...body, pieces: [...body.pieces, last] });
  };
  return (
    <div className="schoolplan-pieces" data-pieces={id}>
      <h3>{say.pieces}</h3>
      {onChange !== null && <p className="kit-soft">{say.piecesHelp}</p>}
      <p className="kit-form-error" role="alert">
        {refused}
      </p>
      <table className="schoolplan-table">
        <thead>
          <tr>
            <th scope="col">{say.pieceStart}</th>
            <th scope="col">{say.pieceMinutes}</th>
            <th scope="col">{say.pieceEnd}</th>
            <th scope="col">{say.pieceName}</th>
            <th scope="col">{say.pieceKind}</th>
            <th scope="col">{say.piecePin}</th>
            <th scope="col">{say.bells}</th>
            {onChange !== null && <th scope="col" aria-label={say.remove} />}
          </tr>
        </thead>
        <tbody>
          {body.pieces.map((piece, at) => {
            const slot = slots[at];
            if (slot === undefined) return null;
            const wrong = mistakes.filter(({ path }) => path === `pieces[${at}]`);
            const called = name(piece.name);
            return (
              <tr key={piece.id} data-piece={piece.id} data-kind={piece.kind} data-wrong={wrong.length > 0}>
                <td>
                  {onChange === null ? (
                    secondText(slot.from)
                  ) : (
                    <TimeInput
                      label={`${called} ${say.pieceStart}`}
                      value={slot.from}
                      onChange={(second) => take(movePiece(body, piece.id, second))}
                    />
                  )}
                </td>
                <td>
                  {onChange === null ? (
                    piece.minutes
                  ) : (
                    <InputNumber<number>
                      aria-label={`${called} ${say.pieceMinutes}`}
                      {...{ min: 0, max: 480, precision: 0, value: piece.minutes }}
                      onChange={(minutes) => minutes !== null && take(resizePiece(body, piece.id, minutes))}
                    />
                  )}
                </td>
                <td>
                  {secondText(slot.to)}
                  {wrong.map(({ code }) => (
                    <strong key={code} className="schoolplan-wrong">
                      {say[`wrong:${code}`]}
                    </strong>
                  ))}
                </td>
                <td>
                  {onChange === null ? (
                    called
                  ) : (
                    <Input
                      aria-label={`${called} ${say.pieceName}`}
                      maxLength={80}
                      value={called}
                      onChange={(event) =>
                        setPiece(at, { ...piece, name: { ...piece.name, [language]: event.target.value } })
                      }
                    />
                  )}
                </td>
                <td>
                  {onChange === null ? (
                    slotKindText(piece.kind, language)
                  ) : (
                    <Select
                      aria-label={`${called} ${say.pieceKind}`}
                      value={piece.kind}
                      onChange={(kind) => setPiece(at, { ...piece, kind })}
                      options={slotKinds.map((kind) => ({ value: kind, label: slotKindText(kind, language) }))}
                      popupMatchSelectWidth={false}
                    />
                  )}
                </td>
                <td>
                  <Checkbox
                    aria-label={say.piecePinHelp(called)}
                    checked={piece.at !== undefined}
                    disabled={onChange === null}
                    onChange={(event) => take(pinPiece(body, piece.id, event.target.checked ? slot.from : null))}
                  />
                </td>
                <td className="kit-soft">
                  <Hanging piece={piece} entries={entries} />
                </td>
                {onChange !== null && (
                  <td>
                    <Button size="small" aria-label={`${say.remove} ${called}`} onClick={() => setPiece(at, null)}>
                      ×
                    </Button>
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
      {onChange !== null && (
        <div className="kit-actions">
          <Button onClick={add}>{say.addPiece}</Button>
        </div>
      )}
    </div>
  );
}

/** The items whose time hangs on a piece. */
function Hanging({ piece, entries }: { readonly piece: TimetablePiece; readonly entries: EntriesView }) {
  const name = useName();
  const text = useAnchorText();
  return entries.entries.flatMap(({ id, body }) => {
    if (body.part !== 'item' || !('slot' in body.when)) return [];
    const { slot } = body.when;
    const isHere = typeof slot === 'string' ? slot === piece.id : slot.kind === piece.kind;
    return isHere ? [<div key={id}>{`${name(body.name)} (${text(body.when)})`}</div>] : [];
  });
}
