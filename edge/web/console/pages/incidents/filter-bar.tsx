import { Button, Checkbox, Input, Select } from 'antd';
import { useEffect, useState } from 'react';
import { useName, useWords } from '../../kit/language.tsx';
import { stateWords } from '../../kit/state-words.ts';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { useCampus } from '../../use-live.tsx';
import { classes, type Filter, isFiltered, noFilter } from './filter.ts';
import { knownTypes, useIncidentTexts } from './texts.ts';
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
    <div className="incidents-filter">
      <Choices filter={filter} onChange={onChange} />
      <Checkbox checked={filter.isUnseen} onChange={(event) => onChange({ ...filter, isUnseen: event.target.checked })}>
        {say.onlyUnseen}
      </Checkbox>
      <Search filter={filter} onChange={onChange} />
      {isFiltered(filter) && (
        <Button type="link" onClick={() => onChange({ ...noFilter, show: filter.show })}>
          {say.clear}
        </Button>
      )}
    </div>
  );
  if (!isPhone) return fields;
  return (
    <details className="incidents-filter-fold" open={isFiltered(filter)}>
      <summary>{say.filters}</summary>
      {fields}
    </details>
  );
}

function Choices({ filter, onChange }: { readonly filter: Filter; readonly onChange: (filter: Filter) => void }) {
  const say = useWords(words);
  const named = useWords(stateWords);
  const { typeText } = useIncidentTexts();
  const name = useName();
  const campus = useCampus();
  const cameras = (campus?.devices ?? []).filter(({ kind }) => kind === 'camera');
  const one = (value: string) => (value === '' ? null : value);
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
        options={classes.map((value) => ({ value, label: named[`class:${value}`] }))}
      />
      <Select
        allowClear
        aria-label={say.zone}
        placeholder={say.anyZone}
        value={one(filter.zone)}
        onChange={(value) => onChange({ ...filter, zone: value ?? '' })}
        options={(campus?.zones ?? []).map((zone) => ({ value: zone.id, label: name(zone.name) }))}
      />
      <Select
        allowClear
        aria-label={say.type}
        placeholder={say.anyType}
        value={one(filter.type)}
        onChange={(value) => onChange({ ...filter, type: value ?? '' })}
        options={knownTypes.map((value) => ({ value, label: typeText(value) }))}
      />
      {cameras.length > 0 && (
        <Select
          allowClear
          showSearch={{ optionFilterProp: 'label' }}
          aria-label={say.camera}
          placeholder={say.anyCamera}
          value={one(filter.camera)}
          onChange={(value) => onChange({ ...filter, camera: value ?? '' })}
          options={cameras.map((camera) => ({ value: camera.id, label: name(camera.name) }))}
        />
      )}
    </>
  );
}

/** Asked for when somebody stops typing, ms. */
const typing = 350;

function Search({ filter, onChange }: { readonly filter: Filter; readonly onChange: (filter: Filter) => void }) {
  const say = useWords(words);
  const [text, setText] = useState(filter.text);
  useEffect(() => setText(filter.text), [filter.text]);
  useEffect(() => {
    if (text.trim() === filter.text) return;
    const timer = setTimeout(() => onChange({ ...filter, text: text.trim() }), typing);
    return () => clearTimeout(timer);
  }, [text, filter, onChange]);
  return (
    <Input
      type="search"
      allowClear
      aria-label={say.search}
      placeholder={say.search}
      maxLength={100}
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  );
}
