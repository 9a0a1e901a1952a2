import { useQueryClient } from '@tanstack/react-query';
import { App, InputNumber, Select } from 'antd';
import { type ReactNode, useEffect, useId, useState } from 'react';
import { api, errorText } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useSession } from '../../session.tsx';
import { useCampus } from '../../use-live.tsx';
import { askAnew, type OccurrenceView, useEntries } from './data.ts';
import { secondOf } from './dates.ts';
import { useNaming } from './naming.ts';
import { itemClassText, secondText } from './reason-words.ts';
import { UntilField, usualEnd } from './until-field.tsx';
import { words } from './words.ts';

/* Said for a while, in force at once; each ends by itself. */

interface DialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** Sends it, says so, and has everything asked anew. */
function useOverride() {
  const queries = useQueryClient();
  const { message } = App.useApp();
  return async (body: object, done: string) => {
    await api.post('school/overrides', body);
    await askAnew(queries);
    void message.success(done);
  };
}

function useLayers() {
  const say = useWords(words);
  const naming = useNaming();
  const { data } = useEntries();
  const layers = (data?.entries ?? []).filter(({ body }) => body.part === 'layer');
  return [
    { value: 'campus', label: say.wholeCampus },
    ...layers.map(({ id }) => ({ value: id, label: naming.layer(id) })),
  ];
}

function LayerField({ value, onChange }: { readonly value: string; readonly onChange: (layer: string) => void }) {
  const say = useWords(words);
  const id = useId();
  const layers = useLayers();
  if (layers.length === 1) return null;
  return (
    <Field id={id} label={say.forWhom}>
      <Select id={id} value={value} onChange={onChange} options={layers} />
    </Field>
  );
}

function Field({ id, label, children }: { readonly id: string; readonly label: string; readonly children: ReactNode }) {
  return (
    <div className="kit-field">
      <label htmlFor={id}>{label}</label>
      {children}
    </div>
  );
}

function useUntil(isOpen: boolean) {
  const formats = useFormats();
  const [until, setUntil] = useState(0);
  useEffect(() => {
    if (isOpen) setUntil(usualEnd(formats.startOfDay(now()), now()));
  }, [isOpen, formats]);
  return [until, setUntil] as const;
}

export function RainDialog({ isOpen, onClose }: DialogProps) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const send = useOverride();
  const [layer, setLayer] = useState('campus');
  const [until, setUntil] = useUntil(isOpen);
  return (
    <ReasonDialog
      open={isOpen}
      title={say.rainTitle}
      action={say.rainOn}
      sayError={(error) => errorText(error, language)}
      onConfirm={({ reason }) =>
        send({ what: { kind: 'rainy' }, layer, until, why: reason }, say.rainDone(formats.moment(until, now())))
      }
      onClose={onClose}
    >
      <p>{say.rainHelp}</p>
      <LayerField value={layer} onChange={setLayer} />
      <UntilField value={until} onChange={setUntil} />
    </ReasonDialog>
  );
}

const quietable = ['bell', 'exercise', 'programme', 'screen', 'power', 'mode'] as const;

export function QuietDialog({ isOpen, onClose }: DialogProps) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const name = useName();
  const campus = useCampus();
  const { zones: mine } = useSession();
  const send = useOverride();
  const ids = useId();
  const [zones, setZones] = useState<readonly string[]>([]);
  const [classes, setClasses] = useState<readonly string[]>(['bell', 'exercise', 'programme']);
  const [until, setUntil] = useUntil(isOpen);
  useEffect(() => {
    if (!isOpen) return;
    setZones([]);
    setClasses(['bell', 'exercise', 'programme']);
  }, [isOpen]);
  const needsZone = mine !== 'all' && zones.length === 0;
  return (
    <ReasonDialog
      open={isOpen}
      title={say.quietTitle}
      action={say.quietOn}
      sayError={(error) => (needsZone ? say.quietNeedsZone : errorText(error, language))}
      onConfirm={({ reason }) =>
        send(
          { what: { kind: 'quiet', classes, zones }, layer: 'campus', until, why: reason },
          say.quietDone(formats.moment(until, now())),
        )
      }
      onClose={onClose}
    >
      <p>{say.quietHelp}</p>
      <Field id={`${ids}-zones`} label={say.quietWhere}>
        <Select
          id={`${ids}-zones`}
          mode="multiple"
          value={[...zones]}
          onChange={setZones}
          placeholder={mine === 'all' ? say.wholeCampus : say.quietNeedsZone}
          options={(campus?.zones ?? []).map((zone) => ({ value: zone.id, label: name(zone.name) }))}
          optionFilterProp="label"
        />
      </Field>
      <Field id={`${ids}-classes`} label={say.quietWhat}>
        <Select
          id={`${ids}-classes`}
          mode="multiple"
          value={[...classes]}
          onChange={setClasses}
          placeholder={say.quietAll}
          options={quietable.map((one) => ({ value: one, label: itemClassText(one, language) }))}
        />
      </Field>
      <UntilField value={until} onChange={setUntil} />
    </ReasonDialog>
  );
}

/** Everything after a time of today happens so much later (or earlier). */
export function ShiftDialog({ isOpen, onClose, today }: DialogProps & { readonly today: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const send = useOverride();
  const ids = useId();
  const [layer, setLayer] = useState('campus');
  const [minutes, setMinutes] = useState(10);
  const [after, setAfter] = useState('');
  useEffect(() => {
    if (!isOpen) return;
    setMinutes(10);
    setAfter(secondText(Math.floor(secondOf(now(), formats) / 60) * 60));
  }, [isOpen, formats]);
  const seconds = secondsOf(after);
  return (
    <ReasonDialog
      open={isOpen}
      title={say.shiftTitle}
      action={say.shiftOn}
      sayError={(error) => errorText(error, language)}
      onConfirm={({ reason }) =>
        send(
          {
            what: { kind: 'shift', date: today, after: seconds, seconds: minutes * 60 },
            layer,
            until: formats.startOfDay(now()) + 86_400_000,
            why: reason,
          },
          say.shiftDone(after, String(minutes)),
        )
      }
      onClose={onClose}
    >
      <p>{say.shiftHelp}</p>
      <LayerField value={layer} onChange={setLayer} />
      <Field id={`${ids}-after`} label={say.shiftAfter}>
        <input
          id={`${ids}-after`}
          className="schoolday-input"
          type="time"
          value={after}
          onChange={(event) => setAfter(event.target.value)}
        />
      </Field>
      <Field id={`${ids}-minutes`} label={say.shiftBy}>
        <InputNumber
          id={`${ids}-minutes`}
          min={-120}
          max={240}
          value={minutes}
          onChange={(value) => setMinutes(Math.round(value ?? 0))}
          aria-describedby={`${ids}-help`}
        />
        <p id={`${ids}-help`} className="kit-soft">
          {say.shiftByHelp}
        </p>
      </Field>
    </ReasonDialog>
  );
}

function secondsOf(text: string): number {
  const [hour = 0, minute = 0] = text.split(':').map(Number);
  return hour * 3_600 + minute * 60;
}

export function SkipDialog({
  one,
  isOpen,
  today,
  onClose,
}: DialogProps & { readonly one: OccurrenceView; readonly today: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const name = useName();
  const send = useOverride();
  const end = formats.startOfDay(one.at) + 86_400_000;
  return (
    <ReasonDialog
      open={isOpen}
      title={say.skipTitle(name(one.name), formats.shortTime(one.at))}
      action={say.skipOn}
      sayError={(error) => errorText(error, language)}
      onConfirm={({ reason }) =>
        send(
          { what: { kind: 'skip', key: one.key }, layer: 'campus', until: end, why: reason },
          say.skipDone(name(one.name)),
        )
      }
      onClose={onClose}
    >
      <p>{one.date === today ? say.skipHelpToday : say.skipHelp(one.date)}</p>
    </ReasonDialog>
  );
}
