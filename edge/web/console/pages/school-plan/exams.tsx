import { Button, Input, InputNumber, Select } from 'antd';
import { useState } from 'react';
import type { ZoneId } from '#edge/domain/ids.ts';
import type { SchoolExam } from '#edge/domain/school.ts';
import { commandsOf, examTemplates } from '#edge/school/exam-templates.ts';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { valueText } from '../../kit/values.ts';
import { useCampus } from '../../use-live.tsx';
import type { EntriesView } from '../school-day/data.ts';
import { secondText } from '../school-day/reason-words.ts';
import { LayerField, ZonesField } from './calendar-lists.tsx';
import { EntryEditor, type Known } from './entry-editor.tsx';
import { Field, NumberField, TimeInput } from './fields.tsx';
import { idMaker } from './month-days.ts';
import { useClipOptions } from './use-clip-options.ts';
import { words } from './words.ts';

/** Examinations of the draft: papers, rooms, and what is read out when. */
export function Exams({
  entries,
  mayEdit,
  today,
}: {
  readonly entries: EntriesView;
  readonly mayEdit: boolean;
  readonly today: string;
}) {
  const say = useWords(words);
  const name = useName();
  const [open, setOpen] = useState<Known<SchoolExam> | null>(null);
  const known = entries.entries.flatMap(({ id, rev, body }): Known<SchoolExam>[] =>
    body.part === 'exam' ? [{ id, rev, body }] : [],
  );
  const makeNew = () => {
    const id = idMaker(
      'exam',
      entries.entries.map((one) => one.id),
    )();
    const body: SchoolExam = {
      ...{ part: 'exam', name: { zh: '', en: '' }, layer: 'campus', zones: [], template: 'sichuan', clips: {} },
      papers: [{ name: firstPaper, date: today, at: 9 * 3_600, minutes: 150 }],
      ...{ quietBefore: 30, quietAfter: 10 },
    };
    setOpen({ id, rev: 0, body });
  };
  return (
    <div className="schoolplan-two">
      <section className="kit-panel schoolplan-section" aria-label={say.exams}>
        <h2>{say.exams}</h2>
        {known.length === 0 && <EmptyState title={say.noExams}>{say.noExamsHelp}</EmptyState>}
        <ul className="schoolplan-list">
          {known.map((one) => (
            <li key={one.id} data-exam={one.id}>
              <button type="button" className="schoolplan-link" onClick={() => setOpen(one)} disabled={!mayEdit}>
                {name(one.body.name)}
              </button>
              <span className="kit-soft">{one.body.papers.map((paper) => name(paper.name)).join(' · ')}</span>
            </li>
          ))}
        </ul>
        {mayEdit && (
          <div className="kit-actions">
            <Button type="primary" onClick={makeNew} data-act="add-exam">
              {say.newExam}
            </Button>
          </div>
        )}
      </section>
      {open !== null && (
        <section className="kit-panel schoolplan-section" aria-label={say.newExam}>
          <EntryEditor<SchoolExam>
            key={`${open.id} ${open.rev}`}
            entry={open}
            missing={({ papers }) => (papers.length === 0 ? [say.needPapers] : [])}
            onDone={() => setOpen(null)}
          >
            {(body, change) => <ExamFields {...{ body, change, entries }} />}
          </EntryEditor>
        </section>
      )}
    </div>
  );
}

const firstPaper = { zh: words.zh.firstPaper, en: words.en.firstPaper };
type Paper = SchoolExam['papers'][number];

function ExamFields({
  body,
  change,
  entries,
}: {
  readonly body: SchoolExam;
  readonly change: (part: Partial<SchoolExam>) => void;
  readonly entries: EntriesView;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const setPaper = (at: number, paper: Paper | null) =>
    change({ papers: body.papers.flatMap((one, n) => (n === at ? (paper ?? []) : [one])) });
  const last = body.papers.at(-1);
  return (
    <>
      <div className="schoolplan-fields">
        <LayerField layer={body.layer} entries={entries} onChange={(layer) => change({ layer })} />
        <ZonesField
          label={say.rooms}
          help={say.roomsHelp}
          zones={body.zones}
          // Checked by the server: a zone is one of the campus.
          onChange={(zones) => change({ zones: zones as ZoneId[] })}
        />
        <NumberField
          label={say.quietBefore}
          value={body.quietBefore}
          most={480}
          onChange={(quietBefore) => change({ quietBefore })}
        />
        <NumberField
          label={say.quietAfter}
          value={body.quietAfter}
          most={480}
          onChange={(quietAfter) => change({ quietAfter })}
        />
      </div>
      <fieldset className="schoolplan-rows">
        <legend>{say.papers}</legend>
        {body.papers.map((paper, at) => (
          <div key={`${at} of ${body.papers.length}`} className="schoolplan-row" data-row={at}>
            <Input
              aria-label={say.paper}
              maxLength={80}
              value={paper.name[language]}
              onChange={(event) => setPaper(at, { ...paper, name: { zh: event.target.value, en: event.target.value } })}
            />
            <Input
              type="date"
              aria-label={say.paperDate}
              value={paper.date}
              onChange={(event) => setPaper(at, { ...paper, date: event.target.value })}
            />
            <TimeInput
              label={say.paperAt}
              value={paper.at}
              onChange={(second) => setPaper(at, { ...paper, at: second })}
            />
            <InputNumber<number>
              aria-label={say.paperMinutes}
              {...{ min: 1, max: 480, precision: 0, value: paper.minutes }}
              onChange={(minutes) => minutes !== null && setPaper(at, { ...paper, minutes })}
            />
            <Button onClick={() => setPaper(at, null)} aria-label={say.removeRow}>
              ×
            </Button>
          </div>
        ))}
        <Button
          onClick={() =>
            change({
              papers: [
                ...body.papers,
                last === undefined
                  ? { name: firstPaper, date: '', at: 9 * 3_600, minutes: 120 }
                  : { ...last, name: { zh: '', en: '' }, at: 15 * 3_600 },
              ],
            })
          }
        >
          {say.addPaper}
        </Button>
      </fieldset>
      <Commands body={body} onChange={(clips) => change({ clips })} />
    </>
  );
}

/** What is read out at each paper, when, and with which sound. */
function Commands({
  body,
  onChange,
}: {
  readonly body: SchoolExam;
  readonly onChange: (clips: SchoolExam['clips']) => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const clips = useClipOptions();
  const times = body.papers.map((paper) => new Map(commandsOf(body, paper).map((one) => [one.command.id, one.second])));
  return (
    <>
      <h3>{say.commands}</h3>
      <p className="kit-soft">
        {say.commandsHelp} {say.clipsHelp}
      </p>
      <table className="schoolplan-table">
        <thead>
          <tr>
            <th scope="col">{say.commands}</th>
            {body.papers.map((paper, at) => (
              <th key={`${at} of ${body.papers.length}`} scope="col">
                {name(paper.name)}
              </th>
            ))}
            <th scope="col">{say.clip}</th>
          </tr>
        </thead>
        <tbody>
          {examTemplates[body.template].map((command) => (
            <tr key={command.id} data-command={command.id}>
              <th scope="row">{name(command.name)}</th>
              {times.map((of, at) => (
                <td key={`${at} of ${times.length}`}>{secondText(of.get(command.id) ?? 0)}</td>
              ))}
              <td>
                <Field label={name(command.name)}>
                  {(id) => (
                    <Select<string>
                      id={id}
                      value={body.clips[command.id] ?? ''}
                      onChange={(clip) => {
                        const { [command.id]: _, ...rest } = body.clips;
                        onChange(clip === '' ? rest : { ...rest, [command.id]: clip });
                      }}
                      options={[{ value: '', label: say.clipNone }, ...clips]}
                    />
                  )}
                </Field>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
