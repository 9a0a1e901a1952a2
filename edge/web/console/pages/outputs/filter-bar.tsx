import { Input, type InputRef, Select, Switch } from 'antd';
import { useRef } from 'react';
import type { CampusView } from '../../api.ts';
import { useName, useWords } from '../../kit/language.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { LevelText } from '../../level.tsx';
import { type Filter, type HolderKind, holderKinds, type Level, levels } from './rows.ts';
import { words } from './words.ts';

/** Which outputs are looked for. */
export function FilterBar({
  campus,
  filter,
  onChange,
}: {
  readonly campus: CampusView;
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const field = useRef<InputRef>(null);
  useShortcut('/', say.search, () => field.current?.focus());
  return (
    <search className="outputs-filter" aria-label={say.filters}>
      <Input
        ref={field}
        allowClear
        type="search"
        aria-label={say.search}
        placeholder={say.searchHint}
        value={filter.text}
        onChange={(event) => onChange({ ...filter, text: event.target.value })}
      />
      <Select<string>
        aria-label={say.zone}
        value={filter.zone}
        onChange={(zone) => onChange({ ...filter, zone })}
        options={[
          { value: '', label: say.allZones },
          ...campus.zones.map((zone) => ({ value: zone.id, label: name(zone.name) })),
        ]}
      />
      <Select<HolderKind | ''>
        aria-label={say.holder}
        value={filter.holder}
        onChange={(holder) => onChange({ ...filter, holder })}
        options={[
          { value: '', label: say.anyHolder },
          ...holderKinds.map((kind) => ({ value: kind, label: say[`holder:${kind}`] })),
        ]}
      />
      <Select<Level | 0>
        aria-label={say.level}
        value={filter.level ?? 0}
        onChange={(level) => onChange({ ...filter, level: level === 0 ? null : level })}
        options={[
          { value: 0, label: say.anyLevel },
          ...levels.map((level) => ({ value: level, label: <LevelText level={level} /> })),
        ]}
      />
      {/* biome-ignore lint/a11y/noLabelWithoutControl: the switch is the control. */}
      <label className="outputs-only">
        <Switch size="small" checked={filter.odd} onChange={(odd) => onChange({ ...filter, odd })} />
        {say.onlyOdd}
      </label>
    </search>
  );
}
