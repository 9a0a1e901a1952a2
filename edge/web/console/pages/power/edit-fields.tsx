import { Input, Select } from 'antd';
import { useMemo } from 'react';
import { dayKinds, slotKinds } from '#edge/domain/school.ts';
import { useName, useWords } from '../../kit/language.tsx';
import { usePoints } from '../../use-live.tsx';
import { Occupancy, Otherwise, Prepare } from './edit-conditions.tsx';
import { editWords } from './edit-words.ts';
import { Field, type FieldsProps, Minutes, PointValue, Section, Toggle, usePointOptions } from './field-parts.tsx';
import { type Entries, kinds, type PowerBody } from './shapes.ts';
import { StretchGrid } from './stretch-grid.tsx';
import { flatten, grouped } from './stretches.ts';
import { words } from './words.ts';

const everyKind = [...dayKinds];

/** The fields of an entry, from what is switched to how it is spared. */
export function EditFields({
  body,
  entries,
  entry,
  onChange,
}: FieldsProps & { readonly entries: Entries; readonly entry: string | null }) {
  const edit = useWords(editWords);
  const stretches = useMemo(() => flatten(body.weekly), [body.weekly]);
  return (
    <>
      <What body={body} entries={entries} onChange={onChange} />
      <Section title={edit.when}>
        <Slots body={body} onChange={onChange} />
        <fieldset className="power-fieldset">
          <legend>{edit.weekly}</legend>
          <StretchGrid stretches={stretches} onChange={(next) => onChange({ weekly: grouped(next) })} />
        </fieldset>
        <Days body={body} onChange={onChange} />
      </Section>
      <Section title={edit.who}>
        <Occupancy body={body} onChange={onChange} />
      </Section>
      <Section title={edit.ready}>
        <Prepare body={body} entry={entry} onChange={onChange} />
      </Section>
      <Section title={edit.otherwise}>
        <Otherwise body={body} onChange={onChange} />
      </Section>
    </>
  );
}

function What({ body, entries, onChange }: FieldsProps & { readonly entries: Entries }) {
  const say = useWords(words);
  const edit = useWords(editWords);
  const name = useName();
  const options = usePointOptions((point) => point.write !== undefined && point.point !== 'clip');
  const layers = entries.entries.flatMap(({ id, body: one }) =>
    one.part === 'layer' ? [{ value: id, label: name(one.name) }] : [],
  );
  const point = usePoints()?.find(({ id }) => id === body.outputs[0]);
  return (
    <Section title={edit.what}>
      <div className="power-fields">
        <Field label={edit.nameZh}>
          {(id) => (
            <Input
              id={id}
              maxLength={80}
              value={body.name.zh}
              onChange={(event) => onChange({ name: { ...body.name, zh: event.target.value } })}
            />
          )}
        </Field>
        <Field label={edit.nameEn} help={edit.nameEnHelp}>
          {(id) => (
            <Input
              id={id}
              maxLength={80}
              value={body.name.en}
              onChange={(event) => onChange({ name: { ...body.name, en: event.target.value } })}
            />
          )}
        </Field>
        <Field label={edit.kind}>
          {(id) => (
            <Select
              id={id}
              value={body.kind}
              onChange={(kind) => onChange({ kind })}
              options={kinds.map((kind) => ({ value: kind, label: say[`kind:${kind}`] }))}
            />
          )}
        </Field>
        <Field label={edit.layer}>
          {(id) => (
            <Select<string>
              id={id}
              value={body.layer}
              onChange={(layer) => onChange({ layer })}
              options={[{ value: 'campus', label: edit.campus }, ...layers]}
            />
          )}
        </Field>
      </div>
      <Field label={edit.outputs} help={edit.outputsHelp}>
        {(id) => (
          <Select<string[]>
            id={id}
            mode="multiple"
            placeholder={edit.outputsHint}
            value={body.outputs}
            onChange={(outputs) => onChange({ outputs })}
            options={options}
            showSearch={{ optionFilterProp: 'search' }}
          />
        )}
      </Field>
      {point !== undefined && point.type !== 'boolean' && (
        <div className="power-fields">
          <PointValue label={edit.onValue} point={point} value={body.on} onChange={(on) => onChange({ on })} />
          <PointValue label={edit.offValue} point={point} value={body.off} onChange={(off) => onChange({ off })} />
        </div>
      )}
    </Section>
  );
}

function Slots({ body, onChange }: FieldsProps) {
  const edit = useWords(editWords);
  const { slots } = body;
  return (
    <>
      <Toggle
        label={edit.slots}
        isOn={slots !== null}
        onChange={(isOn) => onChange({ slots: isOn ? { kinds: ['lesson'], before: 10, after: 10 } : null })}
      />
      {slots !== null && (
        <div className="power-fields">
          <Field label={edit.slotKinds}>
            {(id) => (
              <Select
                id={id}
                mode="multiple"
                value={slots.kinds}
                onChange={(chosen) => onChange({ slots: { ...slots, kinds: chosen } })}
                options={slotKindsTyped.map((kind) => ({ value: kind, label: edit[`slot:${kind}`] }))}
              />
            )}
          </Field>
          <Minutes
            label={edit.before}
            value={slots.before}
            most={480}
            onChange={(before) => onChange({ slots: { ...slots, before } })}
          />
          <Minutes
            label={edit.after}
            value={slots.after}
            most={480}
            onChange={(after) => onChange({ slots: { ...slots, after } })}
          />
        </div>
      )}
    </>
  );
}

type SlotKind = NonNullable<PowerBody['slots']>['kinds'][number];
const slotKindsTyped: readonly SlotKind[] = slotKinds.map((kind) => kind as SlotKind);

function Days({ body, onChange }: FieldsProps) {
  const edit = useWords(editWords);
  const { days, months } = body;
  const isEvery = days.kinds.length === everyKind.length;
  const choice = days.kinds.length === 0 ? 'school' : isEvery ? 'every' : 'chosen';
  const choose = (next: string) =>
    onChange({ days: { ...days, kinds: next === 'school' ? [] : next === 'every' ? everyKind : ['school'] } });
  const setParity = (parity: string) => {
    const { parity: _, ...rest } = days;
    onChange({ days: parity === 'odd' || parity === 'even' ? { ...rest, parity } : rest });
  };
  return (
    <div className="power-fields">
      <Field label={edit.dayKinds}>
        {(id) => (
          <Select<string>
            id={id}
            value={choice}
            onChange={choose}
            options={[
              { value: 'school', label: edit.daysSchool },
              { value: 'every', label: edit.daysEvery },
              { value: 'chosen', label: edit.daysChosen },
            ]}
          />
        )}
      </Field>
      {choice === 'chosen' && (
        <Field label={edit.daysChosen}>
          {(id) => (
            <Select
              id={id}
              mode="multiple"
              value={days.kinds}
              onChange={(chosen) => onChange({ days: { ...days, kinds: chosen } })}
              options={everyKind.map((kind) => ({ value: kind, label: edit[`day:${kind}`] }))}
            />
          )}
        </Field>
      )}
      <Field label={edit.parity}>
        {(id) => (
          <Select<string>
            id={id}
            value={days.parity ?? ''}
            onChange={setParity}
            options={[
              { value: '', label: edit.parityAny },
              { value: 'odd', label: edit.parityOdd },
              { value: 'even', label: edit.parityEven },
            ]}
          />
        )}
      </Field>
      <Field label={edit.months}>
        {(id) => (
          <Select<number[]>
            id={id}
            mode="multiple"
            placeholder={edit.monthsAll}
            value={months}
            onChange={(chosen) => onChange({ months: [...chosen].sort((a, b) => a - b) })}
            options={Array.from({ length: 12 }, (_, n) => ({ value: n + 1, label: edit.month(n + 1) }))}
          />
        )}
      </Field>
    </div>
  );
}
