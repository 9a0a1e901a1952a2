import { AutoComplete, Input, InputNumber, Select } from 'antd';
import { type ReactNode, useId } from 'react';
import type { Name } from '#edge/domain/place.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { PointView } from '../../api.ts';
import { useWords } from '../../kit/language.tsx';
import { friendlyUnit } from '../../kit/units.ts';
import { valueText } from '../../kit/values.ts';
import { editorWords } from './editor-words.ts';
import type { Vocabulary } from './vocabulary.ts';
import { splitDuration } from './write-body.ts';

/* The small fields of which the editors of conditions and actions are made. Each has its label. */

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export function Labelled({
  label,
  help,
  children,
}: {
  readonly label: string;
  readonly help?: string;
  readonly children: (id: string) => ReactNode;
}) {
  const id = useId();
  return (
    <div className="kit-field rules-edit-field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {help !== undefined && <p className="kit-soft">{help}</p>}
    </div>
  );
}

export function SelectField<T extends string>({
  label,
  value,
  options,
  onChange,
  help,
}: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
  readonly help?: string;
}) {
  return (
    <Labelled label={label} {...(help === undefined ? {} : { help })}>
      {(id) => (
        <Select<T>
          id={id}
          value={value}
          onChange={onChange}
          showSearch={options.length > 8 ? { optionFilterProp: 'label' } : false}
          options={[...options]}
        />
      )}
    </Labelled>
  );
}

/** Several, in the order in which they were chosen; with `isFree` also what is not in the list. */
export function ManyField({
  label,
  value,
  options,
  placeholder,
  isFree = false,
  onChange,
}: {
  readonly label: string;
  readonly value: readonly string[];
  readonly options: readonly Choice[];
  readonly placeholder: string;
  readonly isFree?: boolean;
  readonly onChange: (value: readonly string[]) => void;
}) {
  return (
    <Labelled label={label}>
      {(id) => (
        <Select<string[]>
          id={id}
          mode={isFree ? 'tags' : 'multiple'}
          allowClear
          showSearch={{ optionFilterProp: 'label' }}
          placeholder={placeholder}
          value={[...value]}
          onChange={onChange}
          options={[...options]}
        />
      )}
    </Labelled>
  );
}

/** One of a list, or whatever is written. */
export function FreeField({
  label,
  value,
  options,
  placeholder = '',
  help,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly options: readonly Choice[];
  readonly placeholder?: string;
  readonly help?: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <Labelled label={label} {...(help === undefined ? {} : { help })}>
      {(id) => (
        <AutoComplete
          id={id}
          value={value}
          placeholder={placeholder}
          onChange={(text) => onChange(text.trim())}
          options={[...options]}
          showSearch={{
            filterOption: (text, option) =>
              text === value || `${option?.label} ${option?.value}`.toLowerCase().includes(text.toLowerCase()),
          }}
        />
      )}
    </Labelled>
  );
}

export function NumberField({
  label,
  value,
  unit = '',
  min,
  help,
  onChange,
}: {
  readonly label: string;
  readonly value: number;
  readonly unit?: string;
  readonly min?: number;
  readonly help?: string;
  readonly onChange: (value: number) => void;
}) {
  return (
    <Labelled label={label} {...(help === undefined ? {} : { help })}>
      {(id) => (
        <InputNumber
          id={id}
          value={value}
          {...(unit === '' ? {} : { suffix: unit })}
          {...(min === undefined ? {} : { min })}
          onChange={(given) => onChange(given ?? 0)}
        />
      )}
    </Labelled>
  );
}

const sizes = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof sizes;

/** ms, as a number and a unit; what is less than a second is kept as a fraction of one. */
export function DurationField({
  label,
  value,
  onChange,
  help,
}: {
  readonly label: string;
  readonly value: number;
  readonly onChange: (ms: number) => void;
  readonly help?: string;
}) {
  const say = useWords(editorWords);
  const [, found] = splitDuration(value);
  const unit: Unit = found === 'ms' ? 's' : found;
  return (
    <Labelled label={label} {...(help === undefined ? {} : { help })}>
      {(id) => (
        <span className="rules-duration">
          <InputNumber
            id={id}
            min={0}
            value={value / sizes[unit]}
            onChange={(count) => onChange(Math.round((count ?? 0) * sizes[unit]))}
          />
          <Select<Unit>
            aria-label={`${label} ${say.unit}`}
            value={unit}
            onChange={(next) => onChange(Math.round((value / sizes[unit]) * sizes[next]))}
            options={(['s', 'min', 'h', 'd'] as const).map((one) => ({ value: one, label: say[`unit:${one}`] }))}
          />
        </span>
      )}
    </Labelled>
  );
}

/** A value as its point takes it: a switch's words, a number with its unit, a text. */
export function ValueField({
  label,
  value,
  point,
  vocabulary,
  onChange,
}: {
  readonly label: string;
  readonly value: Value;
  readonly point: PointView | undefined;
  readonly vocabulary: Vocabulary;
  readonly onChange: (value: Value) => void;
}) {
  const { language } = vocabulary;
  const isBoolean = point?.type === 'boolean' || (point?.type === undefined && typeof value === 'boolean');
  if (isBoolean) {
    const words = (given: boolean) => valueText(given, '', point?.point ?? '', language);
    return (
      <SelectField<'true' | 'false'>
        label={label}
        value={value === true ? 'true' : 'false'}
        onChange={(next) => onChange(next === 'true')}
        options={[
          { value: 'true', label: words(true) },
          { value: 'false', label: words(false) },
        ]}
      />
    );
  }
  if (point?.type === 'text' || (point?.type === undefined && typeof value === 'string')) {
    return <TextField label={label} value={String(value)} onChange={onChange} />;
  }
  return (
    <NumberField
      label={label}
      value={typeof value === 'number' ? value : 0}
      unit={point === undefined ? '' : friendlyUnit(point.unit, language)}
      onChange={onChange}
    />
  );
}

export function TextField({
  label,
  value,
  help,
  longest = 256,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly help?: string;
  readonly longest?: number;
  readonly onChange: (value: string) => void;
}) {
  return (
    <Labelled label={label} {...(help === undefined ? {} : { help })}>
      {(id) => <Input id={id} value={value} maxLength={longest} onChange={(event) => onChange(event.target.value)} />}
    </Labelled>
  );
}

/** In both languages. */
export function NameField({
  labels: [zh, en],
  value,
  longest = 256,
  onChange,
}: {
  readonly labels: readonly [zh: string, en: string];
  readonly value: Name;
  readonly longest?: number;
  readonly onChange: (value: Name) => void;
}) {
  return (
    <>
      <TextField label={zh} value={value.zh} longest={longest} onChange={(text) => onChange({ ...value, zh: text })} />
      <TextField label={en} value={value.en} longest={longest} onChange={(text) => onChange({ ...value, en: text })} />
    </>
  );
}

export function TimeField({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <Labelled label={label}>
      {(id) => (
        <input
          id={id}
          type="time"
          className="rules-field"
          value={value}
          onChange={(event) => event.target.value !== '' && onChange(event.target.value)}
        />
      )}
    </Labelled>
  );
}
