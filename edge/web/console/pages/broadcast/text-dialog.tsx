import { AutoComplete, Button, Input, Modal, Select } from 'antd';
import { useEffect, useId, useRef, useState } from 'react';
import { call } from '../../api.ts';
import { useName, useWords } from '../../kit/language.tsx';
import { type Room, type SoundClass, type TemplateView, useClips, useTemplates, useVoices } from './data.ts';
import { Field } from './field.tsx';
import { ImpactList } from './impact-list.tsx';
import { emptyField, type Filled, filledText } from './template-text.ts';
import { usePlay, useSayPlayError } from './use-play.ts';
import { WhereLine } from './where-line.tsx';
import { words } from './words.ts';

const longest = 1_000;

/** A text is typed, or made of a template; heard before, if one likes; then spoken in the rooms. */
export function TextDialog({
  rooms,
  all,
  onClose,
}: {
  readonly rooms: readonly Room[];
  readonly all: readonly Room[];
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const name = useName();
  const ids = useId();
  const clips = useClips();
  const templates = useTemplates(true) ?? [];
  const voices = useVoices(true) ?? [];
  const play = usePlay();
  const sayError = useSayPlayError();
  const [template, setTemplate] = useState<TemplateView | null>(null);
  const [filled, setFilled] = useState<Filled>({});
  const [typed, setTyped] = useState('');
  const [voice, setVoice] = useState('');
  const [chime, setChime] = useState('');
  const [why, setWhy] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const body = template?.body ?? null;
  const text = body === null ? typed.trim() : filledText(body, filled);
  const soundClass: SoundClass = body?.class ?? 'page';
  const choose = (id: string) => {
    const found = templates.find((one) => one.id === id) ?? null;
    setTemplate(found);
    setFilled({});
    setProblem('');
    if (found !== null) setChime(found.body.chime ?? '');
  };
  const complaint = (): string => {
    if (text === '') return say.textNeeded;
    const missing = body === null ? null : emptyField(body, filled);
    return missing === null ? '' : say.fieldNeeded(name(missing.name));
  };
  const send = async () => {
    if (complaint() !== '') return setProblem(complaint());
    setBusy(true);
    setProblem('');
    try {
      const more = { ...(voice === '' ? {} : { voice }), ...(why.trim() === '' ? {} : { why: why.trim() }) };
      const title = body === null ? text.slice(0, 24) : name(body.name);
      await play({ class: soundClass, clips: chime === '' ? [] : [chime], text, ...more }, rooms, all, title);
      onClose();
    } catch (error) {
      setProblem(sayError(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      open
      centered
      title={say.textTitle}
      okText={say.playNow(rooms.length)}
      cancelText={say.cancel}
      okButtonProps={{ loading: isBusy }}
      onOk={() => void send()}
      onCancel={onClose}
    >
      <div className="kit-form">
        <WhereLine rooms={rooms} all={all} />
        {templates.length > 0 && (
          <Field id={`${ids}-template`} label={say.template}>
            <Select
              id={`${ids}-template`}
              value={template?.id ?? ''}
              onChange={choose}
              options={[
                { value: '', label: say.noTemplate },
                ...templates.map((one) => ({ value: one.id, label: name(one.body.name) })),
              ]}
            />
          </Field>
        )}
        {body === null ? (
          <Field id={`${ids}-text`} label={say.text} help={say.textHelp(longest - typed.length)}>
            <Input.TextArea
              id={`${ids}-text`}
              value={typed}
              maxLength={longest}
              rows={4}
              aria-describedby={`${ids}-text-help`}
              onChange={(event) => setTyped(event.target.value)}
            />
          </Field>
        ) : (
          <TemplateFields body={body} filled={filled} onFill={setFilled} />
        )}
        <div className="broadcast-two">
          <Field id={`${ids}-chime`} label={say.chime}>
            <Select
              id={`${ids}-chime`}
              value={chime}
              onChange={setChime}
              options={[
                { value: '', label: say.noChime },
                ...clips
                  .filter(({ problem: broken }) => broken === null)
                  .map((one) => ({ value: one.id, label: name(one.name) })),
              ]}
            />
          </Field>
          {voices.length > 0 && (
            <Field id={`${ids}-voice`} label={say.voice}>
              <Select
                id={`${ids}-voice`}
                value={voice}
                onChange={setVoice}
                options={[
                  { value: '', label: say.usualVoice },
                  ...voices.map((one) => ({ value: one.id, label: name(one.name) })),
                ]}
              />
            </Field>
          )}
        </div>
        <Preview text={text} voice={voice} complaint={complaint()} onProblem={setProblem} />
        <ImpactList rooms={rooms} soundClass={soundClass} />
        <Field id={`${ids}-why`} label={say.why} help={say.whyHelp}>
          <Input
            id={`${ids}-why`}
            value={why}
            maxLength={300}
            aria-describedby={`${ids}-why-help`}
            onChange={(event) => setWhy(event.target.value)}
          />
        </Field>
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
      </div>
    </Modal>
  );
}

function TemplateFields({
  body,
  filled,
  onFill,
}: {
  readonly body: TemplateView['body'];
  readonly filled: Filled;
  readonly onFill: (filled: Filled) => void;
}) {
  const name = useName();
  const ids = useId();
  // What is still missing is seen in its place.
  const shown = body.fields.map(({ key, name: label }) => [key, (filled[key] ?? '').trim() || `〔${name(label)}〕`]);
  return (
    <>
      <div className="broadcast-two">
        {body.fields.map(({ key, name: label, options }) => (
          <Field key={key} id={`${ids}-${key}`} label={name(label)}>
            <AutoComplete
              id={`${ids}-${key}`}
              value={filled[key] ?? ''}
              onChange={(value: string) => onFill({ ...filled, [key]: value })}
              showSearch={{ filterOption: (typed, option) => (option?.value ?? '').includes(typed) }}
              options={options.map((value) => ({ value }))}
            />
          </Field>
        ))}
      </div>
      <p className="broadcast-spoken">{filledText(body, Object.fromEntries(shown))}</p>
    </>
  );
}

/** Made on the box, heard here alone. */
function Preview({
  text,
  voice,
  complaint,
  onProblem,
}: {
  readonly text: string;
  readonly voice: string;
  readonly complaint: string;
  readonly onProblem: (problem: string) => void;
}) {
  const say = useWords(words);
  const sayError = useSayPlayError();
  const [state, setState] = useState<'idle' | 'making' | 'playing'>('idle');
  const sound = useRef<{ readonly audio: HTMLAudioElement; readonly address: string } | null>(null);
  const stop = () => {
    sound.current?.audio.pause();
    if (sound.current !== null) URL.revokeObjectURL(sound.current.address);
    sound.current = null;
    setState('idle');
  };
  useEffect(
    () => () => {
      sound.current?.audio.pause();
      if (sound.current !== null) URL.revokeObjectURL(sound.current.address);
    },
    [],
  );
  const listen = async () => {
    if (complaint !== '') return onProblem(complaint);
    setState('making');
    onProblem('');
    try {
      const json = { text, ...(voice === '' ? {} : { voice }) };
      const answer = await call('broadcast/clips/preview', { method: 'POST', json, patience: 60_000 });
      const address = URL.createObjectURL(await answer.blob());
      const audio = new Audio(address);
      sound.current = { audio, address };
      audio.onended = stop;
      audio.onerror = stop;
      setState('playing');
      await audio.play().catch(stop);
    } catch (error) {
      onProblem(sayError(error));
      setState('idle');
    }
  };
  return (
    <div>
      <Button
        data-act="preview"
        loading={state === 'making'}
        onClick={() => (state === 'playing' ? stop() : void listen())}
      >
        {state === 'making' ? say.previewing : state === 'playing' ? say.previewStop : say.preview}
      </Button>
    </div>
  );
}
