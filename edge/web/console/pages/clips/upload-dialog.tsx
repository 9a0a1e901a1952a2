import { Modal } from 'antd';
import { useId, useState } from 'react';
import { problemText } from '../../api.ts';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { uploadBytes, uploadClip } from './data.ts';
import { Field } from './field.tsx';
import { clipOf, type Naming, NamingFields, nameless } from './naming.tsx';
import { words } from './words.ts';

/** A file of this PC, or what was recorded: it is given a name and sent. */
export function UploadDialog({
  file: given,
  onSaved,
  onClose,
}: {
  /** null: one is chosen here. */
  readonly file: File | null;
  readonly onSaved: (name: string) => void;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const ids = useId();
  const [file, setFile] = useState(given);
  const [naming, setNaming] = useState<Naming>({ ...nameless, zh: titleOf(given) });
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const choose = (chosen: File | null) => {
    setFile(chosen);
    setProblem('');
    setNaming((before) => (before.zh === '' ? { ...before, zh: titleOf(chosen) } : before));
  };
  const save = async () => {
    if (file === null) return setProblem(say.fileNeeded);
    if (file.size > uploadBytes) return setProblem(say.tooLarge);
    if (naming.zh.trim() === '') return setProblem(say.nameNeeded);
    setBusy(true);
    setProblem('');
    try {
      await uploadClip(file, clipOf(naming));
      onSaved(naming.zh.trim());
    } catch (error) {
      setProblem(problemText(error, language));
      setBusy(false);
    }
  };
  return (
    <Modal
      open
      centered
      title={say.uploadTitle}
      okText={say.save}
      cancelText={say.cancel}
      okButtonProps={{ loading: isBusy }}
      onOk={() => void save()}
      onCancel={onClose}
    >
      <div className="kit-form">
        {given === null ? (
          <Field id={`${ids}-file`} label={say.file}>
            <input
              id={`${ids}-file`}
              type="file"
              accept="audio/*,video/mp4,video/webm,.wav,.mp3,.m4a,.ogg,.opus,.flac,.amr,.wma"
              onChange={(event) => choose(event.target.files?.[0] ?? null)}
            />
          </Field>
        ) : (
          <p>{say.chosen(given.name, formats.bytes(given.size))}</p>
        )}
        <NamingFields naming={naming} onName={setNaming} />
        <p className="kit-soft" role="status">
          {isBusy ? say.making : ''}
        </p>
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
      </div>
    </Modal>
  );
}

/** The name of a file without its ending. */
function titleOf(file: File | null): string {
  return file === null ? '' : file.name.replace(/\.[a-z0-9]{1,5}$/i, '').slice(0, 64);
}
