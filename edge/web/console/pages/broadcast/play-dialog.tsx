import { Checkbox, Input, Modal, Select } from 'antd';
import { useId, useState } from 'react';
import { rankOf } from '#edge/domain/broadcast.ts';
import { useName, useWords } from '../../kit/language.tsx';
import { type Room, type SoundClass, useClips } from './data.ts';
import { Field } from './field.tsx';
import { ImpactList } from './impact-list.tsx';
import { usePlay, useSayPlayError } from './use-play.ts';
import { WhereLine } from './where-line.tsx';
import { words } from './words.ts';

/** What people play by hand; emergencies have their own page. */
const playable: readonly SoundClass[] = ['page', 'bell', 'exercise', 'programme', 'background'];

/** A clip in chosen rooms; what will happen is said before. */
export function PlayDialog({
  clip: given,
  rooms,
  all,
  onClose,
}: {
  readonly clip: string | null;
  readonly rooms: readonly Room[];
  readonly all: readonly Room[];
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const name = useName();
  const ids = useId();
  const clips = useClips();
  const play = usePlay();
  const sayError = useSayPlayError();
  const [clip, setClip] = useState(given);
  const [soundClass, setClass] = useState<SoundClass>('page');
  const [loop, setLoop] = useState(false);
  const [why, setWhy] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const chosen = clips.find(({ id }) => id === clip);
  const send = async () => {
    if (clip === null) return setProblem(say.clipNeeded);
    setBusy(true);
    try {
      const more = why.trim() === '' ? {} : { why: why.trim() };
      await play({ class: soundClass, clips: [clip], loop, ...more }, rooms, all, name(chosen?.name) || clip);
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
      title={say.playTitle}
      okText={say.playNow(rooms.length)}
      cancelText={say.cancel}
      okButtonProps={{ loading: isBusy }}
      onOk={() => void send()}
      onCancel={onClose}
    >
      <div className="kit-form">
        <WhereLine rooms={rooms} all={all} />
        <Field id={`${ids}-clip`} label={say.clip}>
          <Select
            id={`${ids}-clip`}
            value={clip}
            onChange={setClip}
            showSearch={{ optionFilterProp: 'label' }}
            options={clips
              .filter(({ problem: broken }) => broken === null)
              .map(({ id, name: both }) => ({ value: id, label: name(both) }))}
          />
        </Field>
        <Field id={`${ids}-class`} label={say.soundClass}>
          <Select
            id={`${ids}-class`}
            value={soundClass}
            onChange={setClass}
            options={[...playable]
              .sort((a, b) => rankOf(a) - rankOf(b))
              .map((one) => ({ value: one, label: say[`class:${one}`] }))}
          />
        </Field>
        <Checkbox checked={loop} onChange={(event) => setLoop(event.target.checked)}>
          {say.repeat}
        </Checkbox>
        <ImpactList rooms={rooms} soundClass={soundClass} />
        <Field id={`${ids}-why`} label={say.why} help={say.whyHelp}>
          <Input
            id={`${ids}-why`}
            value={why}
            maxLength={300}
            aria-describedby={`${ids}-why-help`}
            onChange={(event) => setWhy(event.target.value)}
            onPressEnter={() => void send()}
          />
        </Field>
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
      </div>
    </Modal>
  );
}
