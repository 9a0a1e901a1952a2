import { useQueryClient } from '@tanstack/react-query';
import { App, Select } from 'antd';
import { useId, useState } from 'react';
import { api, errorText } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { askAnew, type Room } from './data.ts';
import { Field } from './field.tsx';
import { wishOf } from './selection.ts';
import { WhereLine } from './where-line.tsx';
import { words } from './words.ts';

const choices = [45, 20, 90, 120, 180, 300];

/** A lesson is recorded: the chosen rooms hear emergencies only. */
export function QuietDialog({
  rooms,
  all,
  onClose,
}: {
  readonly rooms: readonly Room[];
  readonly all: readonly Room[];
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const ids = useId();
  const [minutes, setMinutes] = useState(45);
  const [kind, setKind] = useState<'recording' | 'exam'>('recording');
  const begin = async (why: string) => {
    const until = now() + minutes * 60_000;
    const { zones, devices } = wishOf(new Set(rooms.map(({ device }) => device)), all);
    await api.post('broadcast/quiet', { kind, zones, devices, until, why });
    await askAnew(queries);
    void message.success(say.quietDone(formats.shortTime(until)));
  };
  return (
    <ReasonDialog
      open
      title={say.quietTitle(rooms.length)}
      action={say.quietDo}
      sayError={(error) => errorText(error, language)}
      onConfirm={({ reason }) => begin(reason)}
      onClose={onClose}
    >
      <WhereLine rooms={rooms} all={all} />
      <p>{say.quietHelp}</p>
      <Field id={`${ids}-kind`} label={say.quietKind}>
        <Select
          id={`${ids}-kind`}
          value={kind}
          onChange={setKind}
          options={[
            { value: 'recording' as const, label: say.quietKindRecording },
            { value: 'exam' as const, label: say.quietKindExam },
          ]}
        />
      </Field>
      <Field id={`${ids}-for`} label={say.quietFor}>
        <Select
          id={`${ids}-for`}
          value={minutes}
          onChange={setMinutes}
          options={[...choices].sort((a, b) => a - b).map((one) => ({ value: one, label: say.quietMinutes(one) }))}
        />
      </Field>
    </ReasonDialog>
  );
}
