import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Input, Select } from 'antd';
import { useId, useState } from 'react';
import { isEmergency, soundClasses } from '#edge/domain/broadcast.ts';
import { ApiError, api, errorDetail, errorText } from '../../api.ts';
import { Panel } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useDeviceName } from '../../names.ts';
import { useRight, useSession } from '../../session.tsx';
import { useCampus } from '../../use-live.tsx';
import { askAnew, type LevelsView, useLevels } from './data.ts';
import { LevelSlider } from './volume-dialog.tsx';
import { words } from './words.ts';

type Body = LevelsView['body'];
type Cap = Body['caps'][number];

/** How loud what is: by class, zone and room, and at night. */
export function Levels() {
  const say = useWords(words);
  const language = useLanguage();
  const levels = useLevels();
  if (levels.isPending) return <PageSkeleton />;
  if (levels.isError)
    return (
      <ErrorState
        message={errorText(levels.error, language)}
        detail={errorDetail(levels.error)}
        onRetry={() => void levels.refetch()}
      />
    );
  return <LevelsForm key={levels.data.rev} levels={levels.data} say={say} />;
}

function LevelsForm({ levels, say }: { readonly levels: LevelsView; readonly say: (typeof words)['zh'] }) {
  const language = useLanguage();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const { zones } = useSession();
  const mayChange = useRight('broadcast');
  const [body, setBody] = useState<Body>(levels.body);
  const [isBusy, setBusy] = useState(false);
  const isChanged = JSON.stringify(body) !== JSON.stringify(levels.body);
  const isWhole = zones === 'all';
  const save = async () => {
    setBusy(true);
    try {
      await api.put('broadcast/levels', { rev: levels.rev, body, why: '' });
      await askAnew(queries);
      void message.success(say.volumeSaved);
    } catch (error) {
      const isOld = error instanceof ApiError && error.status === 409;
      void message.error(isOld ? say.levelsChanged : errorText(error, language), 8);
      if (isOld) await askAnew(queries);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="broadcast-levels">
      {!isWhole && <p className="kit-soft">{say.levelsOwn}</p>}
      <ClassLevels body={body} isOff={!mayChange || !isWhole} onChange={setBody} />
      <ZoneLevels body={body} isOff={!mayChange} onChange={setBody} />
      <DeviceLevels body={body} isOff={!mayChange} onChange={setBody} />
      <Caps body={body} isOff={!mayChange || !isWhole} onChange={setBody} />
      {mayChange && isChanged && (
        <div className="broadcast-save">
          <Button type="primary" loading={isBusy} data-act="save-levels" onClick={() => void save()}>
            {say.levelsSave}
          </Button>
          <Button onClick={() => setBody(levels.body)}>{say.levelsUndo}</Button>
        </div>
      )}
    </div>
  );
}

interface PartProps {
  readonly body: Body;
  readonly isOff: boolean;
  readonly onChange: (body: Body) => void;
}

function LevelRow({
  label,
  value,
  isOff,
  least = 0,
  onChange,
}: {
  readonly label: string;
  readonly value: number;
  readonly isOff: boolean;
  readonly least?: number;
  readonly onChange: (value: number) => void;
}) {
  const id = useId();
  return (
    <div className="broadcast-level">
      <span id={id}>{label}</span>
      <LevelSlider value={value} least={least} isOff={isOff} labelledBy={id} onChange={onChange} />
    </div>
  );
}

function ClassLevels({ body, isOff, onChange }: PartProps) {
  const say = useWords(words);
  return (
    <Panel title={say.levelsClasses}>
      <p className="kit-soft">{say.levelsClassesHelp}</p>
      {soundClasses
        .filter((one) => !isEmergency(one))
        .map((one) => (
          <LevelRow
            key={one}
            label={say[`class:${one}`]}
            value={body.classes[one] ?? 100}
            isOff={isOff}
            onChange={(value) => onChange({ ...body, classes: { ...body.classes, [one]: value } })}
          />
        ))}
      <LevelRow
        label={say.levelsEmergency}
        value={body.emergency}
        least={50}
        isOff={isOff}
        onChange={(emergency) => onChange({ ...body, emergency })}
      />
      <p className="kit-soft">{say.levelsEmergencyHelp}</p>
    </Panel>
  );
}

function ZoneLevels({ body, isOff, onChange }: PartProps) {
  const say = useWords(words);
  const name = useName();
  const zones = useCampus()?.zones ?? [];
  return (
    <Panel title={say.levelsZones}>
      {zones.map((zone) => (
        <LevelRow
          key={zone.id}
          label={name(zone.name)}
          value={body.zones[zone.id] ?? 100}
          isOff={isOff}
          onChange={(value) => onChange({ ...body, zones: { ...body.zones, [zone.id]: value } })}
        />
      ))}
    </Panel>
  );
}

function DeviceLevels({ body, isOff, onChange }: PartProps) {
  const say = useWords(words);
  const device = useDeviceName();
  const own = Object.entries(body.devices);
  const without = (id: string) => Object.fromEntries(own.filter(([key]) => key !== id));
  return (
    <Panel title={say.levelsDevices}>
      {own.length === 0 && <p className="kit-soft">{say.levelsNone}</p>}
      {own.map(([id, value]) => (
        <div key={id} className="broadcast-own">
          <LevelRow
            label={device(id)}
            value={value}
            isOff={isOff}
            onChange={(next) => onChange({ ...body, devices: { ...body.devices, [id]: next } })}
          />
          {!isOff && (
            <Button
              size="small"
              aria-label={say.ofPlace(say.volumeSame, device(id))}
              onClick={() => onChange({ ...body, devices: without(id) })}
            >
              {say.volumeSame}
            </Button>
          )}
        </div>
      ))}
    </Panel>
  );
}

function Caps({ body, isOff, onChange }: PartProps) {
  const say = useWords(words);
  const put = (index: number, cap: Cap | null) => {
    const caps = body.caps.flatMap((one, at) => (at !== index ? [one] : cap === null ? [] : [cap]));
    onChange({ ...body, caps });
  };
  const add = () => {
    const cap: Cap = { name: say.capUsual, zones: 'all', from: 1_320, to: 360, days: [1, 2, 3, 4, 5, 6, 7], most: 40 };
    onChange({ ...body, caps: [...body.caps, cap] });
  };
  return (
    <Panel
      title={say.caps}
      extra={
        !isOff && (
          <Button size="small" data-act="add-cap" onClick={add}>
            {say.capAdd}
          </Button>
        )
      }
    >
      <p className="kit-soft">{say.capsHelp}</p>
      {body.caps.length === 0 && <p className="kit-soft">{say.capsNone}</p>}
      {body.caps.map((cap, index) => (
        <CapRow key={index} cap={cap} isOff={isOff} onChange={(next) => put(index, next)} />
      ))}
    </Panel>
  );
}

function CapRow({
  cap,
  isOff,
  onChange,
}: {
  readonly cap: Cap;
  readonly isOff: boolean;
  readonly onChange: (cap: Cap | null) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const zones = useCampus()?.zones ?? [];
  const id = useId();
  const clock = (label: string, key: 'from' | 'to') => (
    <label>
      {label}
      <input
        type="time"
        className="broadcast-input"
        disabled={isOff}
        value={clockOf(cap[key])}
        onChange={(event) => event.target.value !== '' && onChange({ ...cap, [key]: minutesOf(event.target.value) })}
      />
    </label>
  );
  return (
    <fieldset className="broadcast-cap">
      <legend className="kit-unseen">{cap.name}</legend>
      <div className="broadcast-cap-name">
        <label htmlFor={`${id}-name`}>{say.capName}</label>
        <Input
          id={`${id}-name`}
          value={cap.name}
          maxLength={64}
          disabled={isOff}
          onChange={(event) => onChange({ ...cap, name: event.target.value })}
        />
      </div>
      {clock(say.capFrom, 'from')}
      {clock(say.capTo, 'to')}
      <div className="broadcast-cap-where">
        <label htmlFor={`${id}-where`}>{say.capWhere}</label>
        <Select
          id={`${id}-where`}
          mode="multiple"
          disabled={isOff}
          value={cap.zones === 'all' ? [] : cap.zones}
          placeholder={say.whereAll}
          onChange={(chosen: string[]) => onChange({ ...cap, zones: chosen.length === 0 ? 'all' : chosen })}
          options={zones.map((zone) => ({ value: zone.id, label: name(zone.name) }))}
        />
      </div>
      <LevelRow label={say.capMost} value={cap.most} isOff={isOff} onChange={(most) => onChange({ ...cap, most })} />
      {!isOff && (
        <Button size="small" danger aria-label={say.capRemove(cap.name)} onClick={() => onChange(null)}>
          {say.capRemove(cap.name)}
        </Button>
      )}
    </fieldset>
  );
}

const two = (value: number) => String(value).padStart(2, '0');
/** Minutes of the day; its end is written as its last minute. */
const clockOf = (minutes: number) =>
  minutes >= 1_440 ? '23:59' : `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
const minutesOf = (text: string) => {
  const [hour = 0, minute = 0] = text.split(':').map(Number);
  return hour * 60 + minute;
};
