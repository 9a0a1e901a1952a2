import { Button, Input, type InputRef, Segmented, Switch } from 'antd';
import { useCallback, useDeferredValue, useMemo, useRef, useState } from 'react';
import { deviceHash, goTo } from '../../address.ts';
import type { CampusView } from '../../api.ts';
import { useWords } from '../../kit/language.tsx';
import { usePreference } from '../../kit/preferences.ts';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { touchQuery, useMedia } from '../../kit/theme.tsx';
import { useRight } from '../../session.tsx';
import { type Grouping, groupings, linesOf, matches, pruned, treeOf } from './tree.ts';
import { TreeView } from './tree-view.tsx';
import { type Troubles, useTroubles } from './troubles.ts';
import { words } from './words.ts';

/** Every device, grouped as people look for it, searched and filtered. */
export function DeviceList({ campus, selected }: { readonly campus: CampusView; readonly selected: string | null }) {
  const say = useWords(words);
  const [grouping, setGrouping] = usePreference<Grouping>('devices.grouping', ['place', 'type', 'zone']);
  const [search, setSearch] = useState('');
  const [onlyTrouble, setOnlyTrouble] = useState(false);
  const mayAdopt = useRight('devices');
  const field = useRef<InputRef>(null);
  useShortcut('/', say.shortcutSearch, () => field.current?.focus());
  const labels = { place: say.byPlace, type: say.byType, zone: say.byZone };
  const troubles = useTroubles();
  return (
    <div className="devices-list">
      <header className="devices-list-head">
        <h1>
          {say.title} <small>{say.count(campus.devices.length)}</small>
        </h1>
        {mayAdopt && (
          <a className="kit-button" href="#/inbox?add">
            {say.add}
          </a>
        )}
      </header>
      <Input
        ref={field}
        allowClear
        type="search"
        aria-label={say.search}
        placeholder={say.searchHint}
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <Segmented<Grouping>
        block
        aria-label={say.groupBy}
        value={grouping}
        onChange={setGrouping}
        options={groupings.map((value) => ({ value, label: labels[value] }))}
      />
      {/* biome-ignore lint/a11y/noLabelWithoutControl: the switch is the control. */}
      <label className="devices-only">
        <Switch size="small" checked={onlyTrouble} onChange={setOnlyTrouble} />
        {say.onlyTrouble(troubles.size)}
      </label>
      <Tree
        campus={campus}
        troubles={troubles}
        grouping={grouping}
        search={useDeferredValue(search.trim())}
        onlyTrouble={onlyTrouble}
        selected={selected}
        onClear={() => {
          setSearch('');
          setOnlyTrouble(false);
        }}
      />
    </div>
  );
}

function Tree({
  campus,
  troubles,
  grouping,
  search,
  onlyTrouble,
  selected,
  onClear,
}: {
  readonly campus: CampusView;
  readonly troubles: Troubles;
  readonly grouping: Grouping;
  readonly search: string;
  readonly onlyTrouble: boolean;
  readonly selected: string | null;
  readonly onClear: () => void;
}) {
  const say = useWords(words);
  const isTouch = useMedia(touchQuery);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const tree = useMemo(() => treeOf(campus, grouping), [campus, grouping]);
  const isFiltered = search !== '' || onlyTrouble;
  const shown = useMemo(() => {
    if (!isFiltered) return tree;
    return pruned(
      tree,
      (device, places) =>
        (!onlyTrouble || troubles.has(device.id)) && (search === '' || matches(device, search, places)),
    );
  }, [tree, isFiltered, onlyTrouble, search, troubles]);
  // What was searched for is shown, whatever was closed.
  const lines = useMemo(() => linesOf(shown, (key) => !isFiltered && closed.has(key)), [shown, closed, isFiltered]);
  const toggle = useCallback((key: string) => {
    setClosed((before) => {
      const after = new Set(before);
      if (!after.delete(key)) after.add(key);
      return after;
    });
  }, []);
  if (campus.devices.length === 0) {
    return <EmptyState title={say.noDevices}>{campus.allZones ? say.noDevicesHelp : say.noDevicesScoped}</EmptyState>;
  }
  if (lines.length === 0) {
    return (
      <EmptyState title={say.nothingFound} action={<Button onClick={onClear}>{say.clear}</Button>}>
        {say.nothingFoundHelp}
      </EmptyState>
    );
  }
  return (
    <TreeView
      lines={lines}
      troubles={troubles}
      rowHeight={isTouch ? 44 : 34}
      selected={selected}
      onToggle={toggle}
      onOpen={(device) => goTo(deviceHash(device))}
    />
  );
}
