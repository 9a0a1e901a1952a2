import { Input, InputNumber, Radio, Select, Switch } from 'antd';
import { type ReactNode, useId, useMemo } from 'react';
import { dayKinds, slotKinds } from '#edge/domain/school.ts';
import type { PointView } from '../../api.ts';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { pointLabel, type Value } from '../../kit/values.ts';
import { useCampus, usePoints } from '../../use-live.tsx';
import { placeOf } from '../devices/tree.ts';
import { ValueField } from '../devices/value-field.tsx';
import { editWords } from './edit-words.ts';
import { isPresence, isThermometer, learnedRate, newOccupancy, newPrepare } from './form.ts';
import { type Entries, kinds, type PowerBody } from './shapes.ts';
import { StretchGrid } from './stretch-grid.tsx';
import { flatten, grouped } from './stretches.ts';
import { usePowerNow } from './use-power.ts';
import { words } from './words.ts';

type Change = (part: Partial<PowerBody>) => void;

interface FieldsProps {
  readonly body: PowerBody;
  readonly onChange: Change;
}

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

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="kit-panel power-section">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Field({
  label,
  children,
  help,
}: {
  readonly label: string;
  readonly children: (id: string) => ReactNode;
  readonly help?: string;
}) {
  const id = useId();
  return (
    <div className="kit-field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {help !== undefined && <p className="kit-soft">{help}</p>}
    </div>
  );
}

function Minutes({
  label,
  value,
  most,
  onChange,
}: {
  readonly label: string;
  readonly value: number;
  readonly most: number;
  readonly onChange: (minutes: number) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <InputNumber<number>
          id={id}
          min={0}
          max={most}
          precision={0}
          value={value}
          onChange={(next) => next !== null && onChange(next)}
        />
      )}
    </Field>
  );
}

function Toggle({
  label,
  isOn,
  onChange,
}: {
  readonly label: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}) {
  const id = useId();
  return (
    <p className="power-toggle">
      <Switch id={id} checked={isOn} onChange={onChange} /> <label htmlFor={id}>{label}</label>
    </p>
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

function PointValue({
  label,
  point,
  value,
  onChange,
}: {
  readonly label: string;
  readonly point: PointView;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <ValueField
          id={id}
          point={point}
          clips={[]}
          value={value}
          onChange={(next) => next !== null && onChange(next)}
        />
      )}
    </Field>
  );
}

/** Points as one looks for them: by device, room and label. */
function usePointOptions(isWanted: (point: PointView) => boolean) {
  const language = useLanguage();
  const name = useName();
  const campus = useCampus();
  const points = usePoints();
  return (points ?? []).filter(isWanted).map((point) => {
    const device = campus?.devices.find(({ id }) => id === point.device);
    const place = campus === undefined || device === undefined ? [] : placeOf(campus, device).map(name);
    const label = `${name(point.deviceName)} · ${pointLabel(point.point, point.label, language)}`;
    return { value: point.id, label, search: [label, point.id, ...place].join(' ') };
  });
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

function Occupancy({ body: { occupancy }, onChange }: FieldsProps) {
  const edit = useWords(editWords);
  const options = usePointOptions(isPresence);
  return (
    <>
      <Toggle
        label={edit.occupancy}
        isOn={occupancy !== null}
        onChange={(isOn) => onChange({ occupancy: isOn ? newOccupancy : null })}
      />
      {occupancy !== null && (
        <div className="power-fields">
          <Field label={edit.sensor}>
            {(id) => (
              <Select<string>
                id={id}
                value={occupancy.ref === '' ? null : occupancy.ref}
                onChange={(ref) => onChange({ occupancy: { ...occupancy, ref } })}
                options={options}
                showSearch={{ optionFilterProp: 'search' }}
              />
            )}
          </Field>
          <Minutes
            label={edit.offAfter}
            value={occupancy.offAfter}
            most={1_440}
            onChange={(offAfter) => onChange({ occupancy: { ...occupancy, offAfter } })}
          />
          <fieldset className="power-fieldset">
            <legend>{edit.toStart}</legend>
            <Radio.Group
              value={occupancy.toStart}
              onChange={(event) =>
                onChange({
                  occupancy: { ...occupancy, toStart: event.target.value === 'needed' ? 'needed' : 'schedule' },
                })
              }
            >
              <Radio value="needed">{edit.startNeeded}</Radio>
              <Radio value="schedule">{edit.startSchedule}</Radio>
            </Radio.Group>
          </fieldset>
        </div>
      )}
    </>
  );
}

function Prepare({ body: { prepare }, entry, onChange }: FieldsProps & { readonly entry: string | null }) {
  const edit = useWords(editWords);
  const options = usePointOptions(isThermometer);
  if (prepare === null)
    return <Toggle label={edit.prepare} isOn={false} onChange={() => onChange({ prepare: { ...newPrepare } })} />;
  const change = (part: Partial<typeof prepare>) => onChange({ prepare: { ...prepare, ...part } });
  const number = (label: string, field: 'setpoint' | 'tolerance' | 'rate', min: number, max: number, by: number) => (
    <Field label={label}>
      {(id) => (
        <InputNumber<number>
          id={id}
          min={min}
          max={max}
          step={by}
          value={prepare[field]}
          onChange={(next) => next !== null && change({ [field]: next })}
        />
      )}
    </Field>
  );
  return (
    <>
      <Toggle label={edit.prepare} isOn onChange={() => onChange({ prepare: null })} />
      <div className="power-fields">
        <Field label={edit.thermometer}>
          {(id) => (
            <Select<string>
              id={id}
              value={prepare.temperature === '' ? null : prepare.temperature}
              onChange={(temperature) => change({ temperature })}
              options={options}
              showSearch={{ optionFilterProp: 'search' }}
            />
          )}
        </Field>
        <Field label={edit.mode}>
          {(id) => (
            <Select<'heat' | 'cool'>
              id={id}
              value={prepare.mode}
              onChange={(mode) => change({ mode })}
              options={[
                { value: 'heat', label: edit.heat },
                { value: 'cool', label: edit.cool },
              ]}
            />
          )}
        </Field>
        {number(edit.setpoint, 'setpoint', -20, 60, 0.5)}
        {number(edit.tolerance, 'tolerance', 0, 10, 0.5)}
        {number(edit.rate, 'rate', 0.1, 60, 0.5)}
        <Minutes
          label={edit.earliest}
          value={prepare.earliest}
          most={720}
          onChange={(earliest) => change({ earliest })}
        />
      </div>
      <Learned entry={entry} />
    </>
  );
}

/** What its own starts have taught, as far as it runs already. */
function Learned({ entry }: { readonly entry: string | null }) {
  const edit = useWords(editWords);
  const formats = useFormats();
  const runs = usePowerNow().data?.circuits?.find((circuit) => circuit.entry === entry)?.learned;
  const rate = learnedRate(runs);
  return (
    <p className="kit-soft" data-learned={rate !== null}>
      {rate === null || runs === undefined ? edit.notLearned : edit.learned(formats.number(rate, 1), runs.length)}
    </p>
  );
}

function Otherwise({ body, onChange }: FieldsProps) {
  const edit = useWords(editWords);
  const point = usePoints()?.find(({ id }) => id === body.outputs[0]);
  const { setback } = body;
  return (
    <>
      <Toggle
        label={edit.setback}
        isOn={setback !== null}
        onChange={(isOn) => onChange({ setback: isOn ? { value: body.off } : null })}
      />
      {setback !== null && point !== undefined && (
        <PointValue
          label={edit.setbackValue}
          point={point}
          value={setback.value}
          onChange={(value) => onChange({ setback: { value } })}
        />
      )}
      <div className="power-fields">
        <Minutes
          label={edit.minimumOn}
          value={body.minimumOn}
          most={480}
          onChange={(minimumOn) => onChange({ minimumOn })}
        />
        <Minutes
          label={edit.minimumOff}
          value={body.minimumOff}
          most={480}
          onChange={(minimumOff) => onChange({ minimumOff })}
        />
      </div>
      <p className="kit-soft">{edit.minimumHelp}</p>
    </>
  );
}
