import { Button, Select } from 'antd';
import { type ReactNode, useState } from 'react';
import type { ZoneId } from '#edge/domain/ids.ts';
import type { SchoolEntry, SchoolLayer, SchoolSeason, SchoolTerm, Weekday } from '#edge/domain/school.ts';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useCampus } from '../../use-live.tsx';
import type { EntriesView } from '../school-day/data.ts';
import { weekdayText } from '../school-day/reason-words.ts';
import { EntryEditor, type Known } from './entry-editor.tsx';
import { DateField, Field, NumberField } from './fields.tsx';
import { idMaker } from './month-days.ts';
import { words } from './words.ts';

/* Terms, seasons and layers: short lists beside the calendar. */

type Part = 'term' | 'season' | 'layer';
type Of<P extends Part> = Extract<SchoolEntry, { part: P }>;

interface ListsProps {
  readonly entries: EntriesView;
  readonly mayEdit: boolean;
}

export function Terms({ entries, mayEdit }: ListsProps) {
  const say = useWords(words);
  const name = useName();
  const monday = entries.entries.flatMap(({ body }) => (body.part === 'term' ? [body.from] : [])).sort()[0] ?? '';
  return (
    <>
      <List<'term'>
        {...{ entries, mayEdit, part: 'term', title: say.terms, addText: say.newTerm }}
        text={(body) => say.termText(body.from, body.weeks)}
        empty={{ part: 'term', name: { zh: '', en: '' }, from: monday, weeks: 20 }}
        fields={(body, change) => <TermFields body={body} change={change} />}
      />
      <List<'season'>
        {...{ entries, mayEdit, part: 'season', title: say.seasons, addText: say.newSeason, help: say.seasonHelp }}
        text={(body) => say.seasonText(body.from, body.to)}
        empty={{ part: 'season', name: { zh: '', en: '' }, layer: 'campus', from: '', to: '', weekly: [] }}
        fields={(body, change) => <SeasonFields body={body} change={change} entries={entries} />}
      />
      <List<'layer'>
        {...{ entries, mayEdit, part: 'layer', title: say.layers, addText: say.newLayer, help: say.layerHelp }}
        text={(body) => say[`layerKind:${body.kind}`]}
        empty={{ part: 'layer', name: { zh: '', en: '' }, kind: 'grade', parent: null, zones: [] }}
        fields={(body, change) => <LayerFields body={body} change={change} entries={entries} name={name} />}
      />
    </>
  );
}

function List<P extends Part>({
  entries,
  mayEdit,
  part,
  title,
  addText,
  help,
  text,
  empty,
  fields,
}: ListsProps & {
  readonly part: P;
  readonly title: string;
  readonly addText: string;
  readonly help?: string;
  readonly text: (body: Of<P>) => string;
  readonly empty: Of<P>;
  readonly fields: (body: Of<P>, change: (part: Partial<Of<P>>) => void) => ReactNode;
}) {
  const name = useName();
  const [open, setOpen] = useState<Known<Of<P>> | null>(null);
  const known = entries.entries.flatMap(({ id, rev, body }): Known<Of<P>>[] =>
    // The part says which it is.
    body.part === part ? [{ id, rev, body: body as Of<P> }] : [],
  );
  const makeNew = () => {
    const id = idMaker(
      part,
      entries.entries.map((one) => one.id),
    )();
    setOpen({ id, rev: 0, body: empty });
  };
  return (
    <section className="kit-panel schoolplan-section" aria-label={title} data-list={part}>
      <h2>{title}</h2>
      {help !== undefined && <p className="kit-soft">{help}</p>}
      <ul className="schoolplan-list">
        {known.map((one) => (
          <li key={one.id}>
            {mayEdit ? (
              <button type="button" className="schoolplan-link" onClick={() => setOpen(one)}>
                {name(nameOf(one.body))}
              </button>
            ) : (
              <span>{name(nameOf(one.body))}</span>
            )}
            <span className="kit-soft">{text(one.body)}</span>
          </li>
        ))}
      </ul>
      {open !== null ? (
        <EntryEditor<Of<P>> key={open.id} entry={open} onDone={() => setOpen(null)}>
          {fields}
        </EntryEditor>
      ) : (
        mayEdit && (
          <div className="kit-actions">
            <Button onClick={makeNew} data-act={`add-${part}`}>
              {addText}
            </Button>
          </div>
        )
      )}
    </section>
  );
}

function nameOf(body: SchoolEntry): SchoolEntry['name'] {
  return body.name;
}

interface FieldsOf<E extends SchoolEntry> {
  readonly body: E;
  readonly change: (part: Partial<E>) => void;
}

function TermFields({ body, change }: FieldsOf<SchoolTerm>) {
  const say = useWords(words);
  // What is empty is not said: the form sends what stands in it.
  const day = (field: 'opens' | 'closes') => (date: string) => {
    const { [field]: _, ...rest } = body;
    change(date === '' ? { ...rest, [field]: undefined } : { [field]: date });
  };
  return (
    <div className="schoolplan-fields">
      <DateField label={say.termFrom} help={say.termFromHelp} value={body.from} onChange={(from) => change({ from })} />
      <NumberField
        label={say.termWeeks}
        value={body.weeks}
        least={1}
        most={53}
        onChange={(weeks) => change({ weeks })}
      />
      <DateField label={say.termOpens} value={body.opens ?? ''} onChange={day('opens')} />
      <DateField label={say.termCloses} value={body.closes ?? ''} onChange={day('closes')} />
    </div>
  );
}

const everyDay: readonly Weekday[] = [1, 2, 3, 4, 5, 6, 7];

function SeasonFields({ body, change, entries }: FieldsOf<SchoolSeason> & { readonly entries: EntriesView }) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const timetables = entries.entries.flatMap(({ id, body: one }) =>
    one.part === 'timetable' ? [{ value: id, label: name(one.name) }] : [],
  );
  const setRow = (at: number, row: SchoolSeason['weekly'][number] | null) =>
    change({ weekly: body.weekly.flatMap((one, n) => (n === at ? (row ?? []) : one)) });
  return (
    <>
      <div className="schoolplan-fields">
        <DateField label={say['field:from']} value={body.from} onChange={(from) => change({ from })} />
        <DateField label={say['field:to']} value={body.to} onChange={(to) => change({ to })} />
        <LayerField layer={body.layer} entries={entries} onChange={(layer) => change({ layer })} />
      </div>
      <fieldset className="schoolplan-rows">
        <legend>{say.weekly}</legend>
        {body.weekly.map((row, at) => (
          <div key={at} className="schoolplan-row" data-row={at}>
            <Select<Weekday[]>
              mode="multiple"
              aria-label={say.weekdays}
              value={[...row.days]}
              onChange={(days) => setRow(at, { ...row, days: [...days].sort() })}
              options={everyDay.map((day) => ({ value: day, label: weekdayText(day, language) }))}
            />
            <Select<string>
              aria-label={say.useParity}
              value={row.parity ?? ''}
              onChange={(parity) => {
                const { parity: _, ...rest } = row;
                setRow(at, parity === 'odd' || parity === 'even' ? { ...rest, parity } : rest);
              }}
              options={[
                { value: '', label: say.parityAny },
                { value: 'odd', label: say['parity:odd'] },
                { value: 'even', label: say['parity:even'] },
              ]}
            />
            <Select<string>
              aria-label={say.timetable}
              value={row.timetable}
              onChange={(timetable) => setRow(at, { ...row, timetable })}
              options={timetables}
            />
            <Button onClick={() => setRow(at, null)} aria-label={say.removeRow}>
              ×
            </Button>
          </div>
        ))}
        <Button
          disabled={timetables.length === 0}
          data-act="add-row"
          onClick={() =>
            change({
              weekly: [...body.weekly, { days: [1, 2, 3, 4, 5], timetable: timetables[0]?.value ?? '' }],
            })
          }
        >
          {say.addRow}
        </Button>
      </fieldset>
    </>
  );
}

export function LayerField({
  layer,
  entries,
  onChange,
}: {
  readonly layer: string;
  readonly entries: EntriesView;
  readonly onChange: (layer: string) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const layers = entries.entries.flatMap(({ id, body }) =>
    body.part === 'layer' ? [{ value: id, label: name(body.name) }] : [],
  );
  return (
    <Field label={say.layer}>
      {(id) => (
        <Select<string>
          id={id}
          value={layer}
          onChange={onChange}
          options={[{ value: 'campus', label: say.campus }, ...layers]}
        />
      )}
    </Field>
  );
}

function LayerFields({
  body,
  change,
  entries,
  name,
}: FieldsOf<SchoolLayer> & { readonly entries: EntriesView; readonly name: ReturnType<typeof useName> }) {
  const say = useWords(words);
  const parents = entries.entries.flatMap(({ id, body: one }) =>
    one.part === 'layer' && one !== body ? [{ value: id, label: name(one.name) }] : [],
  );
  return (
    <div className="schoolplan-fields">
      <Field label={say.layerKind}>
        {(id) => (
          <Select
            id={id}
            value={body.kind}
            onChange={(kind) => change({ kind })}
            options={(['building', 'grade', 'other'] as const).map((kind) => ({
              value: kind,
              label: say[`layerKind:${kind}`],
            }))}
          />
        )}
      </Field>
      <Field label={say.layerParent}>
        {(id) => (
          <Select<string>
            id={id}
            value={body.parent ?? ''}
            onChange={(parent) => change({ parent: parent === '' ? null : parent })}
            options={[{ value: '', label: say.campus }, ...parents]}
          />
        )}
      </Field>
      <ZonesField
        label={say.layerZones}
        zones={body.zones}
        // Checked by the server: a zone is one of the campus.
        onChange={(zones) => change({ zones: zones as ZoneId[] })}
      />
    </div>
  );
}

export function ZonesField({
  label,
  help,
  zones,
  placeholder,
  onChange,
}: {
  readonly label: string;
  readonly help?: string;
  readonly zones: readonly string[];
  readonly placeholder?: string;
  readonly onChange: (zones: string[]) => void;
}) {
  const name = useName();
  const campus = useCampus();
  return (
    <Field label={label} {...(help === undefined ? {} : { help })}>
      {(id) => (
        <Select<string[]>
          id={id}
          mode="multiple"
          value={[...zones]}
          onChange={onChange}
          {...(placeholder === undefined ? {} : { placeholder })}
          options={(campus?.zones ?? []).map((zone) => ({ value: zone.id, label: name(zone.name) }))}
        />
      )}
    </Field>
  );
}
