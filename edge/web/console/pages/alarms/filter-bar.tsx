import { Button, Segmented, Select } from 'antd';
import { type FormEvent, useState } from 'react';
import { fromField, toField } from '../../field-time.ts';
import { FromTo } from '../../from-to.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { zoneOffset } from '../../kit/series.ts';
import { stateWords } from '../../kit/state-words.ts';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { now } from '../../kit/ticker.ts';
import { useCampus } from '../../use-live.tsx';
import { classes, type Filter, isFiltered, noFilter, states } from './filter.ts';
import { words } from './words.ts';

/** What is looked for; behind a button on a phone. */
export function FilterBar({
  filter,
  onChange,
}: {
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
}) {
  const say = useWords(words);
  const isPhone = useMedia(phoneQuery);
  const fields = (
    <div className="alarms-filter">
      <Choices filter={filter} onChange={onChange} />
      {filter.view === 'history' && <Period key={`${filter.from} ${filter.to}`} filter={filter} onChange={onChange} />}
      {isFiltered(filter) && (
        <Button type="link" onClick={() => onChange({ ...noFilter, view: filter.view })}>
          {say.clear}
        </Button>
      )}
    </div>
  );
  if (!isPhone) return fields;
  return (
    <details className="alarms-filter-fold" open={isFiltered(filter)}>
      <summary>{say.filters}</summary>
      {fields}
    </details>
  );
}

function Choices({ filter, onChange }: { readonly filter: Filter; readonly onChange: (filter: Filter) => void }) {
  const say = useWords(words);
  const named = useWords(stateWords);
  const name = useName();
  const campus = useCampus();
  return (
    <>
      <Select
        mode="multiple"
        allowClear
        maxTagCount="responsive"
        aria-label={say.class}
        placeholder={say.anyClass}
        value={[...filter.classes]}
        onChange={(value) => onChange({ ...filter, classes: value })}
        options={classes.map((one) => ({ value: one, label: named[`class:${one}`] }))}
      />
      <Select
        allowClear
        aria-label={say.zone}
        placeholder={say.anyZone}
        value={filter.zone === '' ? null : filter.zone}
        onChange={(value) => onChange({ ...filter, zone: value ?? '' })}
        options={(campus?.zones ?? []).map((zone) => ({ value: zone.id, label: name(zone.name) }))}
      />
      <Select
        allowClear
        showSearch={{ optionFilterProp: 'label' }}
        aria-label={say.device}
        placeholder={say.anyDevice}
        value={filter.device === '' ? null : filter.device}
        onChange={(value) => onChange({ ...filter, device: value ?? '' })}
        options={(campus?.devices ?? []).map((device) => ({ value: device.id, label: name(device.name) }))}
      />
      {filter.view === 'history' && (
        <Select
          mode="multiple"
          allowClear
          maxTagCount="responsive"
          aria-label={say.state}
          placeholder={say.anyState}
          value={[...filter.states]}
          onChange={(value) => onChange({ ...filter, states: value })}
          options={states.map((one) => ({ value: one, label: named[`alarm:${one}`] }))}
        />
      )}
    </>
  );
}

const day = 86_400_000;

/** Days that begin at the campus's midnight, or a time of one's own by the campus's clock. */
function Period({ filter, onChange }: { readonly filter: Filter; readonly onChange: (filter: Filter) => void }) {
  const say = useWords(words);
  const formats = useFormats();
  const midnight = formats.startOfDay(now());
  const shift = zoneOffset(midnight);
  const [from, setFrom] = useState(filter.from === null ? '' : toField(filter.from, shift));
  const [to, setTo] = useState(filter.to === null ? '' : toField(filter.to, shift));
  const [problem, setProblem] = useState('');
  const choices = [
    { value: midnight, label: say.today },
    { value: midnight - 6 * day, label: say.days(7) },
    { value: midnight - 29 * day, label: say.days(30) },
    { value: 0, label: say.allTime },
  ];
  const chosen = filter.to === null ? (filter.from ?? 0) : -1;
  const apply = (event: FormEvent) => {
    event.preventDefault();
    const [first, last] = [from === '' ? null : fromField(from, shift), to === '' ? null : fromField(to, shift)];
    if (first !== null && last !== null && first >= last) setProblem(say.badPeriod);
    else onChange({ ...filter, from: first, to: last });
  };
  return (
    <form className="alarms-period" onSubmit={apply}>
      <Segmented<number>
        aria-label={say.period}
        value={choices.some(({ value }) => value === chosen) ? chosen : -1}
        onChange={(value) => onChange({ ...filter, from: value === 0 ? null : value, to: null })}
        options={choices}
      />
      <FromTo className="alarms-field" labels={say} from={from} to={to} onFrom={setFrom} onTo={setTo} />
      <Button htmlType="submit">{say.apply}</Button>
      <span className="kit-form-error" role="alert">
        {problem}
      </span>
    </form>
  );
}
