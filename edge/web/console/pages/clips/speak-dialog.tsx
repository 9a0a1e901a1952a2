import { Button, Input, Modal, Select, Slider } from 'antd';
import { useEffect, useId, useState } from 'react';
import { problemText } from '../../api.ts';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { previewText, type SpokenText, speakClip, useVoices } from './data.ts';
import { Field } from './field.tsx';
import { clipOf, type Naming, NamingFields, nameless } from './naming.tsx';
import { useListening } from './use-listening.ts';
import { words } from './words.ts';

const longest = 1_000;

/** A text is typed, heard here alone, and kept as a clip. */
export function SpeakDialog({
  onSaved,
  onClose,
}: {
  readonly onSaved: (name: string) => void;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const formats = useFormats();
  const ids = useId();
  const voices = useVoices();
  const [text, setText] = useState('');
  const [voice, setVoice] = useState('');
  const [rate, setRate] = useState(1);
  const [naming, setNaming] = useState<Naming>(nameless);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const spoken: SpokenText = { text: text.trim(), rate, ...(voice === '' ? {} : { voice }) };
  const save = async () => {
    if (spoken.text === '') return setProblem(say.textNeeded);
    if (naming.zh.trim() === '') return setProblem(say.nameNeeded);
    setBusy(true);
    setProblem('');
    try {
      await speakClip(spoken, clipOf(naming));
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
      title={say.speak}
      okText={say.save}
      cancelText={say.cancel}
      okButtonProps={{ loading: isBusy }}
      onOk={() => void save()}
      onCancel={onClose}
    >
      <div className="kit-form">
        {voices.data?.length === 0 && <p role="status">{say.noVoice}</p>}
        <Field id={`${ids}-text`} label={say.text} help={say.textHelp(longest - text.length)}>
          <Input.TextArea
            id={`${ids}-text`}
            value={text}
            maxLength={longest}
            // `autoSize` measures with a style attribute, which the policy of our pages forbids.
            rows={4}
            aria-describedby={`${ids}-text-help`}
            onChange={(event) => setText(event.target.value)}
          />
        </Field>
        <div className="clips-two">
          <Field id={`${ids}-voice`} label={say.voice}>
            <Select
              id={`${ids}-voice`}
              value={voice}
              onChange={setVoice}
              options={[
                { value: '', label: say.usualVoice },
                ...(voices.data ?? []).map((one) => ({ value: one.id, label: name(one.name) })),
              ]}
            />
          </Field>
          <div className="kit-field">
            <span id={`${ids}-rate`}>{`${say.rate} ${say.rateText(formats.number(rate, 1))}`}</span>
            <Slider
              min={0.5}
              max={2}
              step={0.1}
              value={rate}
              onChange={setRate}
              ariaLabelledByForHandle={`${ids}-rate`}
              tooltip={{ open: false }}
            />
          </div>
        </div>
        <Preview spoken={spoken} onProblem={setProblem} />
        <NamingFields naming={naming} onName={setNaming} />
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
      </div>
    </Modal>
  );
}

/** Made on the box, heard here alone; made anew when text, voice or speed are others. */
export function Preview({
  spoken,
  onProblem,
}: {
  readonly spoken: SpokenText;
  readonly onProblem: (problem: string) => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const [heard, listen] = useListening();
  const [isBusy, setBusy] = useState(false);
  const [made, setMade] = useState<{ readonly key: string; readonly address: string } | null>(null);
  useEffect(() => () => URL.revokeObjectURL(made?.address ?? ''), [made]);
  const hear = async () => {
    if (heard !== null) return listen(null);
    if (spoken.text === '') return onProblem(say.textNeeded);
    onProblem('');
    const key = JSON.stringify(spoken);
    if (made?.key === key) return listen(made.address);
    setBusy(true);
    try {
      const address = await previewText(spoken);
      setMade({ key, address });
      listen(address);
    } catch (error) {
      onProblem(problemText(error, language));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button loading={isBusy} onClick={() => void hear()}>
      {isBusy ? say.previewing : heard === null ? say.preview : say.stop}
    </Button>
  );
}
