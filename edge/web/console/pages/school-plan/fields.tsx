import { Input, InputNumber } from 'antd';
import { type ReactNode, useId } from 'react';
import { secondText } from '../school-day/reason-words.ts';

/* What all forms of the plan are made of. */

export function Field({
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
    <div className="kit-field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {help !== undefined && <p className="kit-soft">{help}</p>}
    </div>
  );
}

/** A number that stays what it was while the field is empty. */
export function NumberField({
  label,
  value,
  least = 0,
  most,
  onChange,
}: {
  readonly label: string;
  readonly value: number;
  readonly least?: number;
  readonly most: number;
  readonly onChange: (value: number) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <InputNumber<number>
          {...{ id, value, min: least, max: most, precision: 0 }}
          onChange={(next) => next !== null && onChange(next)}
        />
      )}
    </Field>
  );
}

/** A time of the day, in seconds. */
export function TimeInput({
  id,
  label,
  value,
  onChange,
}: {
  readonly id?: string;
  readonly label?: string;
  readonly value: number;
  readonly onChange: (second: number) => void;
}) {
  return (
    <Input
      type="time"
      step={value % 60 === 0 ? 60 : 1}
      {...(id === undefined ? {} : { id })}
      {...(label === undefined ? {} : { 'aria-label': label })}
      value={secondText(value)}
      onChange={(event) => {
        const [hours, minutes, seconds = 0] = event.target.value.split(':').map(Number);
        if (hours !== undefined && minutes !== undefined && !Number.isNaN(hours + minutes + seconds))
          onChange(hours * 3_600 + minutes * 60 + seconds);
      }}
    />
  );
}

export function TimeField({
  label,
  ...rest
}: {
  readonly label: string;
  readonly value: number;
  readonly onChange: (second: number) => void;
}) {
  return <Field label={label}>{(id) => <TimeInput id={id} {...rest} />}</Field>;
}

/** An ISO day; '' where none is given. */
export function DateField({
  label,
  help,
  value,
  onChange,
}: {
  readonly label: string;
  readonly help?: string;
  readonly value: string;
  readonly onChange: (date: string) => void;
}) {
  return (
    <Field label={label} {...(help === undefined ? {} : { help })}>
      {(id) => <Input id={id} type="date" value={value} onChange={(event) => onChange(event.target.value)} />}
    </Field>
  );
}

export function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="kit-panel schoolplan-section" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
