import { useQueryClient } from '@tanstack/react-query';
import { App, Checkbox, Slider } from 'antd';
import { useEffect, useId, useState } from 'react';
import { ApiError, api, errorText } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { askAnew, type Room, useLevels } from './data.ts';
import { WhereLine } from './where-line.tsx';
import { words } from './words.ts';

/** How loud the chosen rooms are from now on. */
export function VolumeDialog({
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
  const queries = useQueryClient();
  const { message } = App.useApp();
  const ids = useId();
  const { data } = useLevels();
  const [level, setLevel] = useState<number | null>(null);
  const own =
    data === undefined
      ? []
      : rooms.map(({ device, zone }) => data.body.devices[device] ?? data.body.zones[zone] ?? 100);
  const isMixed = new Set(own).size > 1;
  const [first = 100] = own;
  const [isSame, setSame] = useState(false);
  const isKnown = data !== undefined;
  useEffect(() => {
    if (isKnown) setLevel((before) => before ?? first);
  }, [isKnown, first]);
  const save = async (why: string) => {
    if (data === undefined) return;
    const devices: Record<string, number> = { ...data.body.devices };
    for (const { device } of rooms) {
      if (isSame) delete devices[device];
      else devices[device] = level ?? first;
    }
    await api.put('broadcast/levels', { rev: data.rev, body: { ...data.body, devices }, why });
    await askAnew(queries);
    void message.success(say.volumeSaved);
  };
  const sayError = (error: unknown) => {
    if (error instanceof ApiError && error.status === 409) {
      void askAnew(queries);
      return say.levelsChanged;
    }
    return errorText(error, language);
  };
  return (
    <ReasonDialog
      open
      title={say.volumeTitle(rooms.length)}
      action={say.volumeSave}
      reasonRequired={false}
      sayError={sayError}
      onConfirm={({ reason }) => save(reason)}
      onClose={onClose}
    >
      <WhereLine rooms={rooms} all={all} />
      <p className="kit-soft">{say.volumeHelp}</p>
      <div className="kit-field">
        <span id={`${ids}-level`}>
          {say.volume} <span className="kit-soft">{`${say.volumeNow} ${isMixed ? say.volumeMixed : `${first}%`}`}</span>
        </span>
        <LevelSlider value={level ?? first} isOff={isSame} labelledBy={`${ids}-level`} onChange={setLevel} />
      </div>
      <Checkbox checked={isSame} onChange={(event) => setSame(event.target.checked)}>
        {say.volumeSame}
      </Checkbox>
    </ReasonDialog>
  );
}

export function LevelSlider({
  value,
  least = 0,
  isOff = false,
  labelledBy,
  onChange,
}: {
  readonly value: number;
  readonly least?: number;
  readonly isOff?: boolean;
  readonly labelledBy: string;
  readonly onChange: (value: number) => void;
}) {
  return (
    <div className="broadcast-slider">
      <Slider
        min={least}
        max={100}
        step={5}
        value={value}
        disabled={isOff}
        ariaLabelledByForHandle={labelledBy}
        ariaValueTextFormatterForHandle={(one) => `${one}%`}
        tooltip={{ formatter: null }}
        onChange={onChange}
      />
      <output className="kit-number">{`${value}%`}</output>
    </div>
  );
}
