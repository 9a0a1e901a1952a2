import { InputNumber, Radio, Select } from 'antd';
import { useFormats, useWords } from '../../kit/language.tsx';
import { usePoints } from '../../use-live.tsx';
import { editWords } from './edit-words.ts';
import { Field, type FieldsProps, Minutes, PointValue, Toggle, usePointOptions } from './field-parts.tsx';
import { isPresence, isThermometer, learnedRate, newOccupancy, newPrepare } from './form.ts';
import { usePowerNow } from './use-power.ts';

/* Whether somebody is there, made ready in time, and what it does otherwise. */

export function Occupancy({ body: { occupancy }, onChange }: FieldsProps) {
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

export function Prepare({ body: { prepare }, entry, onChange }: FieldsProps & { readonly entry: string | null }) {
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

export function Otherwise({ body, onChange }: FieldsProps) {
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
