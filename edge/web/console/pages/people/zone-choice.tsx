import { Radio, Select } from 'antd';
import { useId } from 'react';
import type { Zones } from '#edge/domain/access.ts';
import { useName, useWords } from '../../kit/language.tsx';
import { useCampus } from '../../use-live.tsx';
import { words } from './words.ts';

/** The whole campus, or some of its zones. */
export function ZoneChoice({
  zones,
  onChange,
}: {
  readonly zones: Zones;
  readonly onChange: (zones: 'all' | string[]) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const campus = useCampus();
  const id = useId();
  return (
    <fieldset className="people-fieldset">
      <legend>{say.zones}</legend>
      <Radio.Group
        value={zones === 'all' ? 'all' : 'some'}
        onChange={(event) => onChange(event.target.value === 'all' ? 'all' : [])}
        options={[
          { value: 'all', label: say.wholeCampus },
          { value: 'some', label: say.someZones },
        ]}
      />
      {zones !== 'all' && (
        <div className="kit-field">
          <label htmlFor={`${id}-zones`} className="kit-unseen">
            {say.zones}
          </label>
          <Select<string[]>
            id={`${id}-zones`}
            mode="multiple"
            value={[...zones]}
            onChange={onChange}
            optionFilterProp="label"
            options={(campus?.zones ?? []).map((zone) => ({ value: zone.id, label: name(zone.name) }))}
          />
          <p className="kit-soft">{say.zonesHelp}</p>
        </div>
      )}
    </fieldset>
  );
}
