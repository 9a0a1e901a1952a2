import type { Comparison, Condition, Needs, OnBad, Selection } from '#edge/domain/rule.ts';
import { domainText, domainWords } from '../../domain-words.ts';
import { useWords } from '../../kit/language.tsx';
import { useCampus } from '../../use-live.tsx';
import { editorWords } from './editor-words.ts';
import { DurationField, FreeField, ManyField, NumberField, SelectField, TimeField, ValueField } from './field.tsx';
import { minutesOf } from './read-body.ts';
import { useRules } from './rules-api.ts';
import { SelectionField } from './selection-field.tsx';
import { dayText } from './sentence.ts';
import { useModes, type Vocabulary } from './vocabulary.ts';
import { clockBody } from './write-body.ts';

type Leaf = Exclude<Condition, { kind: 'any' | 'all' }>;

interface FieldsProps<C> {
  readonly condition: C;
  readonly vocabulary: Vocabulary;
  readonly hasPlace: boolean;
  readonly onChange: (condition: C) => void;
}

/** What one condition is made of. */
export function ConditionFields({ condition, onChange, ...rest }: FieldsProps<Leaf>) {
  switch (condition.kind) {
    case 'point':
      return <PointFields condition={condition} onChange={onChange} {...rest} />;
    case 'rate':
      return <RateFields condition={condition} onChange={onChange} {...rest} />;
    case 'event':
      return <EventFields condition={condition} onChange={onChange} {...rest} />;
    case 'count':
      return <CountFields condition={condition} onChange={onChange} {...rest} />;
    case 'unacknowledged':
      return <UnacknowledgedFields condition={condition} onChange={onChange} {...rest} />;
    default:
      return <CircumstanceFields condition={condition} onChange={onChange} {...rest} />;
  }
}

type Of<K extends Leaf['kind']> = FieldsProps<Extract<Leaf, { kind: K }>>;

function PointFields({ condition, vocabulary, hasPlace, onChange }: Of<'point'>) {
  const say = useWords(editorWords);
  const { points, needs, test, onBad } = condition;
  return (
    <>
      <SelectionField
        value={points}
        vocabulary={vocabulary}
        hasPlace={hasPlace}
        onChange={(next) => onChange({ ...condition, points: next, test: fitting(test, next, vocabulary) })}
      />
      {points.of.includes('*') && (
        <NeedsField value={needs} onChange={(next) => onChange({ ...condition, needs: next })} />
      )}
      <TestFields
        value={test}
        points={points}
        vocabulary={vocabulary}
        onChange={(next) => onChange({ ...condition, test: next })}
      />
      <DurationField label={say.lasting} value={condition.for} onChange={(ms) => onChange({ ...condition, for: ms })} />
      <OnBadField value={onBad} onChange={(next) => onChange({ ...condition, onBad: next })} />
    </>
  );
}

/** A switch is not above anything: with other points the test becomes one that they can meet. */
function fitting(test: Comparison, points: Selection, v: Vocabulary): Comparison {
  const type = v.fitting(points)[0]?.type;
  const given = 'is' in test ? test.is : 'isNot' in test ? test.isNot : 0;
  if (type === 'number' && typeof given !== 'number') return { above: 0 };
  if (type === 'boolean' && typeof given !== 'boolean') return { is: true };
  if (type === 'text' && typeof given !== 'string') return { is: '' };
  return test;
}

function NeedsField({ value, onChange }: { readonly value: Needs; readonly onChange: (needs: Needs) => void }) {
  const say = useWords(editorWords);
  const kind = typeof value === 'number' ? 'some' : value;
  return (
    <>
      <SelectField<'any' | 'all' | 'some'>
        label={say.needs}
        value={kind}
        onChange={(next) => onChange(next === 'some' ? 2 : next)}
        options={[
          { value: 'any', label: say.needsAny },
          { value: 'all', label: say.needsAll },
          { value: 'some', label: say.needsSome },
        ]}
      />
      {typeof value === 'number' && <NumberField label={say.number} value={value} min={1} onChange={onChange} />}
    </>
  );
}

const operators = ['is', 'isNot', 'above', 'below'] as const;
type Operator = (typeof operators)[number];

function TestFields({
  value,
  points,
  vocabulary,
  onChange,
}: {
  readonly value: Comparison;
  readonly points: Selection;
  readonly vocabulary: Vocabulary;
  readonly onChange: (test: Comparison) => void;
}) {
  const say = useWords(editorWords);
  const [point] = vocabulary.fitting(points);
  const operator = operators.find((one) => one in value) ?? 'is';
  const given =
    'is' in value ? value.is : 'isNot' in value ? value.isNot : 'above' in value ? value.above : value.below;
  const hysteresis = 'hysteresis' in value ? (value.hysteresis ?? 0) : 0;
  const make = (one: Operator, next: typeof given, by: number): Comparison => {
    if (one === 'is') return { is: next };
    if (one === 'isNot') return { isNot: next };
    const more = by > 0 ? { hysteresis: by } : {};
    const limit = typeof next === 'number' ? next : 0;
    return one === 'above' ? { above: limit, ...more } : { below: limit, ...more };
  };
  const isNumber = point?.type === 'number' || typeof given === 'number';
  const offered = isNumber ? operators : operators.slice(0, 2);
  return (
    <>
      <SelectField<Operator>
        label={say.test}
        value={operator}
        onChange={(next) => onChange(make(next, given, hysteresis))}
        options={offered.map((one) => ({ value: one, label: say[one] }))}
      />
      <ValueField
        label={say.value}
        value={given}
        point={point}
        vocabulary={vocabulary}
        onChange={(next) => onChange(make(operator, next, hysteresis))}
      />
      {(operator === 'above' || operator === 'below') && (
        <NumberField
          label={say.hysteresis}
          value={hysteresis}
          min={0}
          help={say.hysteresisHelp}
          onChange={(by) => onChange(make(operator, given, by))}
        />
      )}
    </>
  );
}

function OnBadField({ value, onChange }: { readonly value: OnBad; readonly onChange: (onBad: OnBad) => void }) {
  const say = useWords(editorWords);
  return (
    <SelectField<OnBad>
      label={say.onBad}
      value={value}
      onChange={onChange}
      options={(['hold', 'trip', 'ignore'] as const).map((one) => ({ value: one, label: say[`onBad:${one}`] }))}
    />
  );
}

function RateFields({ condition, vocabulary, hasPlace, onChange }: Of<'rate'>) {
  const say = useWords(editorWords);
  const { points, needs, change, within, onBad } = condition;
  const [direction, by] = 'rises' in change ? (['rises', change.rises] as const) : (['falls', change.falls] as const);
  const make = (one: 'rises' | 'falls', amount: number) => (one === 'rises' ? { rises: amount } : { falls: amount });
  return (
    <>
      <SelectionField
        value={points}
        vocabulary={vocabulary}
        hasPlace={hasPlace}
        onChange={(next) => onChange({ ...condition, points: next })}
      />
      {points.of.includes('*') && (
        <NeedsField value={needs} onChange={(next) => onChange({ ...condition, needs: next })} />
      )}
      <SelectField<'rises' | 'falls'>
        label={say.change}
        value={direction}
        onChange={(next) => onChange({ ...condition, change: make(next, by) })}
        options={[
          { value: 'rises', label: say.rises },
          { value: 'falls', label: say.falls },
        ]}
      />
      <NumberField
        label={say.by}
        value={by}
        min={0}
        onChange={(amount) => onChange({ ...condition, change: make(direction, amount) })}
      />
      <DurationField label={say.within} value={within} onChange={(ms) => onChange({ ...condition, within: ms })} />
      <OnBadField value={onBad} onChange={(next) => onChange({ ...condition, onBad: next })} />
    </>
  );
}

/** Events that people have words for; drivers may bring others. */
export function useEventChoices(v: Vocabulary) {
  return Object.keys(domainWords.zh)
    .filter((key) => key.startsWith('event:') && key !== 'event:unknown')
    .map((key) => ({ value: key.slice(6), label: domainText('event', key.slice(6), v.language) }));
}

export function useDeviceChoices(v: Vocabulary) {
  const say = useWords(editorWords);
  const campus = useCampus();
  const devices = campus?.devices.map(({ id }) => ({ value: id, label: v.deviceName(id) })) ?? [];
  return [{ value: '*', label: say.anyDevice }, ...devices];
}

function EventFields({ condition, vocabulary, onChange }: Of<'event'>) {
  const say = useWords(editorWords);
  return (
    <>
      <FreeField
        label={say.eventType}
        value={condition.type}
        options={useEventChoices(vocabulary)}
        onChange={(type) => onChange({ ...condition, type })}
      />
      <FreeField
        label={say.device}
        value={condition.device}
        options={useDeviceChoices(vocabulary)}
        onChange={(device) => onChange({ ...condition, device })}
      />
      <DurationField
        label={say.remembers}
        value={condition.for}
        onChange={(ms) => onChange({ ...condition, for: ms })}
      />
    </>
  );
}

function CountFields({ condition, vocabulary, hasPlace, onChange }: Of<'count'>) {
  const say = useWords(editorWords);
  const events = useEventChoices(vocabulary);
  const devices = useDeviceChoices(vocabulary);
  const { of, atLeast, within } = condition;
  const change = (next: typeof of) => onChange({ ...condition, of: next });
  return (
    <>
      <SelectField<'event' | 'points'>
        label={say.countOf}
        value={'event' in of ? 'event' : 'points'}
        onChange={(next) =>
          change(next === 'event' ? { event: 'person', device: '*' } : { points: { of: '' }, becomes: { is: true } })
        }
        options={[
          { value: 'event', label: say.countEvents },
          { value: 'points', label: say.countBecomes },
        ]}
      />
      {'event' in of ? (
        <>
          <FreeField
            label={say.eventType}
            value={of.event}
            options={events}
            onChange={(event) => change({ ...of, event })}
          />
          <FreeField
            label={say.device}
            value={of.device}
            options={devices}
            onChange={(device) => change({ ...of, device })}
          />
        </>
      ) : (
        <>
          <SelectionField
            value={of.points}
            vocabulary={vocabulary}
            hasPlace={hasPlace}
            onChange={(points) => change({ points, becomes: fitting(of.becomes, points, vocabulary) })}
          />
          <TestFields
            value={of.becomes}
            points={of.points}
            vocabulary={vocabulary}
            onChange={(becomes) => change({ ...of, becomes })}
          />
        </>
      )}
      <NumberField
        label={say.atLeast}
        value={atLeast}
        min={1}
        onChange={(count) => onChange({ ...condition, atLeast: count })}
      />
      <DurationField label={say.within} value={within} onChange={(ms) => onChange({ ...condition, within: ms })} />
    </>
  );
}

function UnacknowledgedFields({ condition, vocabulary, onChange }: Of<'unacknowledged'>) {
  const say = useWords(editorWords);
  const rules = useRules().data?.rules ?? [];
  return (
    <>
      <SelectField
        label={say.rule}
        value={condition.rule}
        onChange={(rule) => onChange({ ...condition, rule })}
        options={rules.map(({ id }) => ({ value: id, label: vocabulary.ruleName(id) }))}
      />
      <DurationField label={say.lasting} value={condition.for} onChange={(ms) => onChange({ ...condition, for: ms })} />
    </>
  );
}

function CircumstanceFields({ condition, vocabulary, onChange }: Of<'calendar' | 'time' | 'mode'>) {
  const say = useWords(editorWords);
  const modes = useModes();
  if (condition.kind === 'calendar') {
    return (
      <FreeField
        label={say.label}
        value={condition.is}
        onChange={(is) => onChange({ ...condition, is })}
        options={[
          { value: 'open', label: say.open },
          { value: 'closed', label: say.closed },
        ]}
      />
    );
  }
  if (condition.kind === 'mode') {
    return (
      <>
        <SelectField
          label={say.mode}
          value={condition.mode}
          onChange={(mode) => onChange({ ...condition, mode })}
          options={modes.map(({ id }) => ({ value: id, label: vocabulary.modeName(id) }))}
        />
        <SelectField<'on' | 'off'>
          label={say.modeIs}
          value={condition.is ? 'on' : 'off'}
          onChange={(next) => onChange({ ...condition, is: next === 'on' })}
          options={[
            { value: 'on', label: say.on },
            { value: 'off', label: say.off },
          ]}
        />
      </>
    );
  }
  const { from, to, days = [] } = condition;
  const make = (first: number, last: number, some: readonly number[]) =>
    onChange({ kind: 'time', from: first, to: last, ...(some.length === 0 ? {} : { days: some }) });
  return (
    <>
      <TimeField label={say.from} value={clockBody(from)} onChange={(text) => make(minutesOf(text), to, days)} />
      <TimeField label={say.to} value={clockBody(to)} onChange={(text) => make(from, minutesOf(text), days)} />
      <ManyField
        label={say.days}
        value={days.map(String)}
        placeholder={say.everyDay}
        onChange={(some) => make(from, to, some.map(Number).sort())}
        options={[1, 2, 3, 4, 5, 6, 7].map((day) => ({ value: String(day), label: dayText(day, vocabulary) }))}
      />
    </>
  );
}
