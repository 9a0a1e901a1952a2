import { Input, Modal, Select } from 'antd';
import { useId, useState } from 'react';
import { api, problemText } from '../../api.ts';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { newId, useClips } from './data.ts';
import { Field } from './field.tsx';
import { Preview } from './speak-dialog.tsx';
import {
  bodyOf,
  emptyForm,
  formOf,
  hasLooseBrace,
  namesIn,
  sampleOf,
  type TemplateForm,
  type TemplateView,
} from './template-form.ts';
import { words } from './words.ts';

const longest = 1_000;
const mostFields = 12;

/** Its text is written with the names of what is filled in between braces; each gap may have its choices. */
export function TemplateDialog({
  template,
  onSaved,
  onClose,
}: {
  readonly template: TemplateView | null;
  readonly onSaved: () => Promise<void>;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const ids = useId();
  const clips = useClips();
  const [form, setForm] = useState<TemplateForm>(template === null ? emptyForm : formOf(template.body));
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const change = (next: Partial<TemplateForm>) => setForm({ ...form, ...next });
  const fields = namesIn(form.text);
  const complaint = (): string => {
    if (form.zh.trim() === '') return say.nameNeeded;
    if (form.text.trim() === '') return say.textNeeded;
    if (hasLooseBrace(form.text)) return say.looseBrace;
    return fields.length > mostFields ? say.tooManyGaps(mostFields) : '';
  };
  const save = async () => {
    const wrong = complaint();
    setProblem(wrong);
    if (wrong !== '') return;
    setBusy(true);
    try {
      const id = template?.id ?? newId(form.en);
      await api.put(`announcement-templates/${id}?rev=${template?.rev ?? 0}`, bodyOf(form, template?.body ?? null));
      await onSaved();
    } catch (error) {
      setProblem(problemText(error, language));
      setBusy(false);
    }
  };
  return (
    <Modal
      open
      centered
      title={template === null ? say.newTemplate : say.changeTemplate}
      okText={say.save}
      cancelText={say.cancel}
      okButtonProps={{ loading: isBusy }}
      onOk={() => void save()}
      onCancel={onClose}
    >
      <div className="kit-form">
        <div className="clips-two">
          <Field id={`${ids}-zh`} label={say.nameZh}>
            <Input
              id={`${ids}-zh`}
              value={form.zh}
              maxLength={64}
              onChange={(event) => change({ zh: event.target.value })}
            />
          </Field>
          <Field id={`${ids}-en`} label={say.nameEn}>
            <Input
              id={`${ids}-en`}
              value={form.en}
              maxLength={64}
              onChange={(event) => change({ en: event.target.value })}
            />
          </Field>
        </div>
        <Field id={`${ids}-text`} label={say.templateText} help={say.templateTextHelp}>
          <Input.TextArea
            id={`${ids}-text`}
            value={form.text}
            maxLength={longest}
            rows={4}
            aria-describedby={`${ids}-text-help`}
            onChange={(event) => change({ text: event.target.value })}
          />
        </Field>
        {fields.slice(0, mostFields).map((field) => (
          <Field key={field} id={`${ids}-of-${field}`} label={say.optionsOf(field)}>
            <Input
              id={`${ids}-of-${field}`}
              value={form.options[field] ?? ''}
              placeholder={say.optionsHelp}
              onChange={(event) => change({ options: { ...form.options, [field]: event.target.value } })}
            />
          </Field>
        ))}
        <Field id={`${ids}-chime`} label={say.chime}>
          <Select
            id={`${ids}-chime`}
            value={form.chime ?? ''}
            onChange={(clip: string) => change({ chime: clip === '' ? null : clip })}
            options={[
              { value: '', label: say.noChime },
              ...(clips.data ?? []).map((clip) => ({ value: clip.id, label: name(clip.name) || clip.id })),
            ]}
          />
        </Field>
        <Preview spoken={{ text: sampleOf(form).trim(), rate: 1 }} onProblem={setProblem} />
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
      </div>
    </Modal>
  );
}
