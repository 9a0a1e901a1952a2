import { Input, InputNumber, Radio, Select } from 'antd';
import type { PointView } from '../../api.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { friendlyUnit } from '../../kit/units.ts';
import { type Value, valueText } from '../../kit/values.ts';
import { operateWords } from './operate-words.ts';

/** A switch, a number within its limits, a clip, or text: what an output may be set to. */
export function ValueField({
  id,
  point,
  clips,
  value,
  onChange,
}: {
  readonly id: string;
  readonly point: PointView;
  readonly clips: readonly string[];
  readonly value: Value | null;
  readonly onChange: (value: Value | null) => void;
}) {
  const say = useWords(operateWords);
  const language = useLanguage();
  const unit = friendlyUnit(point.unit, language);
  if (point.type === 'boolean') {
    return (
      <Radio.Group
        id={id}
        className="devices-switch"
        value={value}
        onChange={(event) => onChange(event.target.value === true)}
        buttonStyle="solid"
      >
        <Radio.Button value={true}>{valueText(true, '', point.point, language)}</Radio.Button>
        <Radio.Button value={false}>{valueText(false, '', point.point, language)}</Radio.Button>
      </Radio.Group>
    );
  }
  if (point.point === 'clip') {
    const options = ['', ...clips].map((clip) => ({
      value: clip,
      label: clip === '' ? say.silence : valueText(clip, '', 'clip', language),
    }));
    return <Select id={id} value={typeof value === 'string' ? value : ''} onChange={onChange} options={options} />;
  }
  if (point.type === 'number') {
    const { min, max, step } = point.write ?? {};
    return (
      <>
        <InputNumber<number>
          id={id}
          value={typeof value === 'number' ? value : null}
          onChange={onChange}
          suffix={unit}
          {...(min === undefined ? {} : { min })}
          {...(max === undefined ? {} : { max })}
          {...(step === undefined ? {} : { step })}
        />
        {(min !== undefined || max !== undefined) && (
          <p className="kit-soft">{say.range(String(min ?? '−∞'), String(max ?? '∞'), unit)}</p>
        )}
      </>
    );
  }
  return (
    <Input
      id={id}
      maxLength={256}
      value={typeof value === 'string' ? value : ''}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
