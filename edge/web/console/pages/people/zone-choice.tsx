import { Checkbox, Radio } from 'antd';
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
  return (
    <fieldset className="people-fieldset">
      <legend>{say.zones}</legend>
      <Radio.Group
        aria-label={say.zones}
        value={zones === 'all' ? 'all' : 'some'}
        onChange={(event) => onChange(event.target.value === 'all' ? 'all' : [])}
        options={[
          { value: 'all', label: say.wholeCampus },
          { value: 'some', label: say.someZones },
        ]}
      />
      {zones !== 'all' && (
        <>
          <Checkbox.Group<string>
            className="people-scopes"
            value={[...zones]}
            onChange={onChange}
            options={(campus?.zones ?? []).map((zone) => ({ value: zone.id, label: name(zone.name) }))}
          />
          <p className="kit-soft people-help">{say.zonesHelp}</p>
        </>
      )}
    </fieldset>
  );
}
