import { Input, InputNumber, Segmented, Select, Switch } from 'antd';
import { useId, useState } from 'react';
import type { ProfileView } from '../../../place-schemas.ts';
import { useWords } from '../../kit/language.tsx';
import {
  type Address,
  type Field,
  fieldsOf,
  inWay,
  type ModbusWay,
  modbusWays,
  parseAddress,
  valueAt,
  wayOf,
  withValue,
} from './address-form.ts';
import { words } from './words.ts';

type Say = (typeof words)['zh'];

/** How a device is reached: a form made of the profile's example, or JSON for what the form does not have. */
export function AddressFields({
  profile,
  address,
  onChange,
}: {
  readonly profile: ProfileView;
  readonly address: Address;
  readonly onChange: (address: Address) => void;
}) {
  const say = useWords(words);
  const [isJson, setJson] = useState(false);
  const way = profile.protocol === 'modbus' ? (wayOf(address) ?? 'tcp') : null;
  const shape = way === null ? { ...profile.addressExample, ...address } : inWay(address, way);
  const fields = fieldsOf(shape);
  if (profile.addressExample.json === true && address.json === true) {
    return <p className="kit-soft">{say.noAddress}</p>;
  }
  return (
    <div className="kit-form">
      <Segmented<boolean>
        aria-label={say.addressView}
        value={isJson}
        onChange={setJson}
        options={[
          { value: false, label: say.asForm },
          { value: true, label: say.asJson },
        ]}
      />
      {isJson ? (
        <JsonAddress address={address} onChange={onChange} />
      ) : (
        <>
          {way !== null && <Way way={way} onChange={(next) => onChange(inWay(address, next))} />}
          <div className="inbox-fields">
            {fields.map((field) => (
              <AddressField
                key={field.path}
                field={field}
                hint={hintOf(profile, field.path)}
                value={valueAt(address, field.path)}
                onChange={(value) => onChange(withValue(address, field.path, value))}
              />
            ))}
          </div>
        </>
      )}
    </div>
  );
}

function hintOf(profile: ProfileView, path: string): string {
  const example = valueAt(profile.addressExample, path);
  return typeof example === 'string' || typeof example === 'number' ? String(example) : '';
}

function labelOf(say: Say, path: string): string {
  const all = say as Readonly<Record<string, unknown>>;
  const found = all[`field:${path}`] ?? all[`field:${path.split('.').at(-1)}`];
  return typeof found === 'string' ? found : path;
}

function AddressField({
  field,
  hint,
  value,
  onChange,
}: {
  readonly field: Field;
  readonly hint: string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}) {
  const say = useWords(words);
  const id = useId();
  const text = typeof value === 'string' ? value : '';
  return (
    <div className="kit-field">
      <label htmlFor={id}>{labelOf(say, field.path)}</label>
      {field.kind === 'number' && (
        <InputNumber<number>
          id={id}
          value={typeof value === 'number' ? value : null}
          precision={0}
          placeholder={hint}
          onChange={onChange}
        />
      )}
      {field.kind === 'text' && (
        <Input
          id={id}
          value={text}
          placeholder={hint}
          maxLength={253}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
      {field.kind === 'secret' && (
        <Input.Password
          id={id}
          value={text}
          maxLength={128}
          autoComplete="new-password"
          onChange={(event) => onChange(event.target.value)}
        />
      )}
      {field.kind === 'boolean' && <Switch id={id} checked={value === true} onChange={onChange} />}
    </div>
  );
}

function Way({ way, onChange }: { readonly way: ModbusWay; readonly onChange: (way: ModbusWay) => void }) {
  const say = useWords(words);
  const id = useId();
  return (
    <div className="kit-field">
      <label htmlFor={id}>{say.way}</label>
      <Select<ModbusWay>
        id={id}
        value={way}
        onChange={onChange}
        options={modbusWays.map((value) => ({ value, label: say[`way:${value}`] }))}
      />
    </div>
  );
}

function JsonAddress({
  address,
  onChange,
}: {
  readonly address: Address;
  readonly onChange: (address: Address) => void;
}) {
  const say = useWords(words);
  const id = useId();
  const [text, setText] = useState(() => JSON.stringify(address, null, 2));
  const isWrong = parseAddress(text) === null;
  return (
    <div className="kit-field">
      <label htmlFor={id}>{say.addressJson}</label>
      <Input.TextArea
        id={id}
        className="inbox-json"
        rows={8}
        maxLength={4_000}
        value={text}
        spellCheck={false}
        aria-invalid={isWrong}
        aria-describedby={`${id}-wrong`}
        onChange={(event) => {
          setText(event.target.value);
          const parsed = parseAddress(event.target.value);
          if (parsed !== null) onChange(parsed);
        }}
      />
      <p id={`${id}-wrong`} className="kit-form-error">
        {isWrong ? say.addressWrong : ''}
      </p>
    </div>
  );
}
