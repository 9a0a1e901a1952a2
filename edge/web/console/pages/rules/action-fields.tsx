import { useQuery } from '@tanstack/react-query';
import type { z } from 'zod';
import type { AlarmClass } from '#edge/domain/alarm.ts';
import type { DeviceId, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Action } from '#edge/domain/rule.ts';
import type { notifySchema } from '../../../rule-schemas.ts';
import { api } from '../../api.ts';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { stateWords } from '../../kit/state-words.ts';
import { useCampus } from '../../use-live.tsx';
import { editorWords } from './editor-words.ts';
import { type Choice, DurationField, ManyField, NameField, SelectField, ValueField } from './field.tsx';
import { SelectionField } from './selection-field.tsx';
import { clipText } from './sentence.ts';
import type { Vocabulary } from './vocabulary.ts';

interface FieldsProps<A> {
  readonly action: A;
  readonly vocabulary: Vocabulary;
  readonly hasPlace: boolean;
  readonly onChange: (action: A) => void;
}
type Of<K extends Action['kind']> = FieldsProps<Extract<Action, { kind: K }>>;

/** What one action is made of. */
export function ActionFields({ action, onChange, ...rest }: FieldsProps<Action>) {
  switch (action.kind) {
    case 'hold':
    case 'forbid':
      return <OutputFields action={action} onChange={onChange} {...rest} />;
    case 'shed':
      return <ShedFields action={action} onChange={onChange} {...rest} />;
    case 'broadcast':
      return <BroadcastFields action={action} onChange={onChange} {...rest} />;
    case 'alarm':
      return <AlarmFields action={action} onChange={onChange} {...rest} />;
    case 'snapshot':
      return (
        <CameraField
          value={action.camera}
          vocabulary={rest.vocabulary}
          onChange={(camera) => onChange({ kind: 'snapshot', camera: camera as DeviceId })}
        />
      );
    case 'notify':
      return <NotifyFields action={action} onChange={onChange} {...rest} />;
  }
}

function OutputFields({ action, vocabulary, hasPlace, onChange }: Of<'hold' | 'forbid'>) {
  const say = useWords(editorWords);
  return (
    <>
      <SelectionField
        value={action.outputs}
        vocabulary={vocabulary}
        hasPlace={hasPlace}
        outputsOnly
        onChange={(outputs) => onChange({ ...action, outputs })}
      />
      <ValueField
        label={say.value}
        value={action.value}
        point={vocabulary.fitting(action.outputs)[0]}
        vocabulary={vocabulary}
        onChange={(value) => onChange({ ...action, value })}
      />
      {action.kind === 'hold' && <LimitField value={action.for} onChange={(ms) => onChange({ ...action, for: ms })} />}
    </>
  );
}

function LimitField({
  value,
  onChange,
}: {
  readonly value: number | null;
  readonly onChange: (ms: number | null) => void;
}) {
  const say = useWords(editorWords);
  return (
    <>
      <SelectField<'always' | 'limited'>
        label={say.longest}
        value={value === null ? 'always' : 'limited'}
        onChange={(next) => onChange(next === 'always' ? null : 3_600_000)}
        options={[
          { value: 'always', label: say.whileFired },
          { value: 'limited', label: say.limited },
        ]}
      />
      {value !== null && <DurationField label={say.limited} value={value} onChange={onChange} />}
    </>
  );
}

function ShedFields({ action, vocabulary, onChange }: Of<'shed'>) {
  const say = useWords(editorWords);
  const outputs = vocabulary.points.filter(({ write }) => write !== undefined);
  return (
    <>
      <ManyField
        label={say.order}
        value={action.order}
        options={outputs.map(({ id }) => ({ value: id, label: vocabulary.pointName(id) }))}
        placeholder={say.outputs}
        onChange={(order) => onChange({ ...action, order: order as readonly PointRef[] })}
      />
      <ValueField
        label={say.value}
        value={action.value}
        point={vocabulary.point(action.order[0] ?? '')}
        vocabulary={vocabulary}
        onChange={(value) => onChange({ ...action, value })}
      />
      <DurationField label={say.every} value={action.every} onChange={(every) => onChange({ ...action, every })} />
    </>
  );
}

function BroadcastFields({ action, vocabulary, hasPlace, onChange }: Of<'broadcast'>) {
  const say = useWords(editorWords);
  const campus = useCampus();
  const name = useName();
  const { zones, clip } = action;
  const where = typeof zones === 'string' ? zones : 'some';
  return (
    <>
      <SelectField
        label={say.clip}
        value={clip}
        onChange={(next) => onChange({ ...action, clip: next })}
        options={(campus?.clips ?? []).map((one) => ({ value: one, label: clipText(one, vocabulary) }))}
      />
      <SelectField<'all' | 'here' | 'some'>
        label={say.where}
        value={where}
        onChange={(next) => onChange({ ...action, zones: next === 'some' ? [] : next })}
        options={[
          { value: 'all', label: say.everywhere },
          ...(hasPlace ? [{ value: 'here' as const, label: say.hereZones }] : []),
          { value: 'some', label: say.chosenZones },
        ]}
      />
      {typeof zones !== 'string' && (
        <ManyField
          label={say.inZones}
          value={zones}
          options={(campus?.zones ?? []).map((zone) => ({ value: zone.id, label: name(zone.name) }))}
          placeholder={say.chosenZones}
          onChange={(some) => onChange({ ...action, zones: some as readonly ZoneId[] })}
        />
      )}
      <LimitField value={action.for} onChange={(ms) => onChange({ ...action, for: ms })} />
    </>
  );
}

const classes: readonly AlarmClass[] = ['critical', 'high', 'medium', 'low'];

function AlarmFields({ action, vocabulary, onChange }: Of<'alarm'>) {
  const say = useWords(editorWords);
  const language = useLanguage();
  const { camera: _, ...without } = action;
  return (
    <>
      <SelectField<AlarmClass>
        label={say.severity}
        value={action.class}
        onChange={(next) => onChange({ ...action, class: next })}
        options={classes.map((one) => ({ value: one, label: stateWords[language][`class:${one}`] }))}
      />
      <CameraField
        value={action.camera ?? ''}
        vocabulary={vocabulary}
        isOptional
        onChange={(camera) => onChange(camera === '' ? without : { ...without, camera: camera as DeviceId })}
      />
      <NameField
        labels={[say.messageZh, say.messageEn]}
        value={action.message}
        onChange={(message) => onChange({ ...action, message })}
      />
      <NameField
        labels={[say.nextZh, say.nextEn]}
        value={action.next}
        onChange={(next) => onChange({ ...action, next })}
      />
      <p className="kit-soft rules-edit-wide">{say.placeholders}</p>
    </>
  );
}

function CameraField({
  value,
  vocabulary,
  isOptional = false,
  onChange,
}: {
  readonly value: string;
  readonly vocabulary: Vocabulary;
  readonly isOptional?: boolean;
  readonly onChange: (camera: string) => void;
}) {
  const say = useWords(editorWords);
  const campus = useCampus();
  const cameras = (campus?.devices ?? []).filter(({ kind }) => kind === 'camera');
  return (
    <SelectField
      label={say.camera}
      value={value}
      onChange={onChange}
      options={[
        ...(isOptional ? [{ value: '', label: say.noCamera }] : []),
        ...cameras.map(({ id }) => ({ value: id as string, label: vocabulary.deviceName(id) })),
      ]}
    />
  );
}

/** Whom the site file lets rules tell: people, their groups, and channels. */
export function useRecipients(): readonly Choice[] {
  const name = useName();
  const { data } = useQuery({
    queryKey: ['notify'],
    queryFn: ({ signal }) => api.get<z.infer<typeof notifySchema>>('notify', signal),
    retry: false,
  });
  const found = new Map<string, string>();
  for (const channel of data?.channels ?? []) {
    found.set(channel.id, name(channel.name));
    for (const recipient of channel.recipients) {
      found.set(recipient.id, name(recipient.name));
      for (const group of recipient.groups) if (!found.has(group)) found.set(group, group);
    }
  }
  return [...found].map(([value, label]) => ({ value, label }));
}

function NotifyFields({ action, onChange }: Of<'notify'>) {
  const say = useWords(editorWords);
  return (
    <>
      <ManyField
        label={say.to_}
        value={action.to}
        options={useRecipients()}
        isFree
        placeholder={say.toHint}
        onChange={(to) => onChange({ ...action, to })}
      />
      <NameField
        labels={[say.messageZh, say.messageEn]}
        value={action.message}
        onChange={(message) => onChange({ ...action, message })}
      />
      <p className="kit-soft rules-edit-wide">{say.placeholders}</p>
    </>
  );
}
