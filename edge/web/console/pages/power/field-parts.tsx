import { InputNumber, Switch } from 'antd';
import { type ReactNode, useId } from 'react';
import type { PointView } from '../../api.ts';
import { useLanguage, useName } from '../../kit/language.tsx';
import { pointLabel, type Value } from '../../kit/values.ts';
import { useCampus, usePoints } from '../../use-live.tsx';
import { placeOf } from '../devices/tree.ts';
import { ValueField } from '../devices/value-field.tsx';
import type { PowerBody } from './shapes.ts';

/* What the fields of an entry are made of. */

export interface FieldsProps {
  readonly body: PowerBody;
  readonly onChange: (part: Partial<PowerBody>) => void;
}

export function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="kit-panel power-section">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function Field({
  label,
  children,
  help,
}: {
  readonly label: string;
  readonly children: (id: string) => ReactNode;
  readonly help?: string;
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

export function Minutes({
  label,
  value,
  most,
  onChange,
}: {
  readonly label: string;
  readonly value: number;
  readonly most: number;
  readonly onChange: (minutes: number) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <InputNumber<number>
          id={id}
          min={0}
          max={most}
          precision={0}
          value={value}
          onChange={(next) => next !== null && onChange(next)}
        />
      )}
    </Field>
  );
}

export function Toggle({
  label,
  isOn,
  onChange,
}: {
  readonly label: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}) {
  const id = useId();
  return (
    <p className="power-toggle">
      <Switch id={id} checked={isOn} onChange={onChange} /> <label htmlFor={id}>{label}</label>
    </p>
  );
}

export function PointValue({
  label,
  point,
  value,
  onChange,
}: {
  readonly label: string;
  readonly point: PointView;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <ValueField
          id={id}
          point={point}
          clips={[]}
          value={value}
          onChange={(next) => next !== null && onChange(next)}
        />
      )}
    </Field>
  );
}

/** Points as one looks for them: by device, room and label. */
export function usePointOptions(isWanted: (point: PointView) => boolean) {
  const language = useLanguage();
  const name = useName();
  const campus = useCampus();
  const points = usePoints();
  return (points ?? []).filter(isWanted).map((point) => {
    const device = campus?.devices.find(({ id }) => id === point.device);
    const place = campus === undefined || device === undefined ? [] : placeOf(campus, device).map(name);
    const label = `${name(point.deviceName)} · ${pointLabel(point.point, point.label, language)}`;
    return { value: point.id, label, search: [label, point.id, ...place].join(' ') };
  });
}
