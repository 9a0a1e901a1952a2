import { Button, Checkbox } from 'antd';
import { useState } from 'react';
import { api } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useCampus } from '../../use-live.tsx';
import { useRecipients } from './action-fields.tsx';
import { editorWords } from './editor-words.ts';
import { type Choice, DurationField, FreeField, NumberField, SelectField, TextField, TimeField } from './field.tsx';
import { Mistakes } from './mistakes.tsx';
import { ruleProblem } from './problem-text.ts';
import { type Body, duration, readSelection, text } from './read-body.ts';
import type { FilledTemplate, TemplateView } from './rules-api.ts';
import { SelectionField } from './selection-field.tsx';
import { clipText } from './sentence.ts';
import { templateText } from './template-text.ts';
import { useVocabulary } from './vocabulary.ts';
import { durationBody } from './write-body.ts';

type Parameter = TemplateView['parameters'][number];
type Values = Readonly<Record<string, unknown>>;

/** What a template leaves open. */
export function TemplateForm({
  template,
  onBack,
  onFilled,
}: {
  readonly template: TemplateView;
  readonly onBack: () => void;
  readonly onFilled: (body: Body, values: Values) => void;
}) {
  const say = useWords(editorWords);
  const language = useLanguage();
  const name = useName();
  const vocabulary = useVocabulary();
  const [id, setId] = useState(template.id);
  const [values, setValues] = useState<Values>(() =>
    Object.fromEntries(template.parameters.map((one) => [one.id, one.default ?? emptyOf(one)])),
  );
  const [mistakes, setMistakes] = useState<readonly string[]>([]);
  const [isBusy, setBusy] = useState(false);
  const fill = async () => {
    setBusy(true);
    try {
      const answer = await api.post<FilledTemplate>('rules/from-template', { template: template.id, id, values });
      setMistakes(answer.mistakes);
      if (answer.mistakes.length === 0) onFilled(answer.body, values);
    } catch (error) {
      setMistakes([`(file): ${ruleProblem(error, language)}`]);
    } finally {
      setBusy(false);
    }
  };
  const paths = [...new Set(mistakes.map((mistake) => mistake.slice(0, mistake.indexOf(': '))))];
  return (
    <form
      className="rules-page"
      onSubmit={(event) => {
        event.preventDefault();
        void fill();
      }}
    >
      <PageHeader title={name(template.name)} about={templateText(name(template.about), template, vocabulary)} />
      <section className="kit-panel rules-edit-part">
        <div className="rules-edit-fields">
          <TextField label={say.id} value={id} help={say.idHelp} longest={63} onChange={setId} />
          {template.parameters.map((parameter) => (
            <ParameterField
              key={parameter.id}
              parameter={parameter}
              value={values[parameter.id]}
              onChange={(value) => setValues({ ...values, [parameter.id]: value })}
            />
          ))}
        </div>
        <Mistakes of={paths} isExact mistakes={mistakes} />
        <div className="kit-actions">
          <Button onClick={onBack}>{say.backToTemplates}</Button>
          <Button type="primary" htmlType="submit" loading={isBusy}>
            {say.fill}
          </Button>
        </div>
      </section>
    </form>
  );
}

function emptyOf({ type }: Parameter): unknown {
  if (type === 'number') return 0;
  if (type === 'boolean') return false;
  return type === 'duration' ? '1min' : type === 'time' ? '08:00' : '';
}

function ParameterField({
  parameter,
  value,
  onChange,
}: {
  readonly parameter: Parameter;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}) {
  const name = useName();
  const vocabulary = useVocabulary();
  const label = name(parameter.name);
  switch (parameter.type) {
    case 'number':
      return <NumberField label={label} value={Number(value)} unit={parameter.unit ?? ''} onChange={onChange} />;
    case 'duration':
      return <DurationField label={label} value={duration(value)} onChange={(ms) => onChange(durationBody(ms))} />;
    case 'time':
      return <TimeField label={label} value={text(value)} onChange={onChange} />;
    case 'boolean':
      return (
        <Checkbox checked={value === true} onChange={(event) => onChange(event.target.checked)}>
          {label}
        </Checkbox>
      );
    case 'points':
    case 'output':
      return (
        <fieldset className="rules-edit-wide rules-parameter">
          <legend>{label}</legend>
          <div className="rules-edit-fields">
            <SelectionField
              value={typeof value === 'string' ? { of: value } : readSelection(value)}
              vocabulary={vocabulary}
              hasPlace={false}
              outputsOnly={parameter.type === 'output'}
              onChange={(selection) => onChange(Object.keys(selection).length === 1 ? selection.of : selection)}
            />
          </div>
        </fieldset>
      );
    case 'text':
      return <TextField label={label} value={text(value)} onChange={onChange} />;
    default:
      return <NamedField parameter={parameter} label={label} value={text(value)} onChange={onChange} />;
  }
}

/** Something that has a name on this campus. */
function NamedField({
  parameter,
  label,
  value,
  onChange,
}: {
  readonly parameter: Parameter;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  const name = useName();
  const campus = useCampus();
  const vocabulary = useVocabulary();
  const recipients = useRecipients();
  const choices: Readonly<Record<string, readonly Choice[]>> = {
    zone: (campus?.zones ?? []).map((zone) => ({ value: zone.id, label: name(zone.name) })),
    camera: (campus?.devices ?? [])
      .filter(({ kind }) => kind === 'camera')
      .map((device) => ({ value: device.id, label: name(device.name) })),
    clip: (campus?.clips ?? []).map((clip) => ({ value: clip, label: clipText(clip, vocabulary) })),
    recipient: recipients,
  };
  const options = choices[parameter.type] ?? [];
  if (parameter.type === 'recipient') {
    return <FreeField label={label} value={value} options={options} onChange={onChange} />;
  }
  return <SelectField label={label} value={value} options={options} onChange={onChange} />;
}
