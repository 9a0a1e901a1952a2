import { HolderOutlined } from '@ant-design/icons';
import { Button, Input, Segmented } from 'antd';
import { useMemo, useState } from 'react';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { VirtualList } from '../../kit/virtual-list.tsx';
import { type DragHandlers, useDrag } from './gestures.ts';
import type { Thing } from './status.ts';
import { ThingRow } from './thing-row.tsx';
import { words } from './words.ts';

const rowHeight = 56;

export type Where = 'here' | 'nowhere' | 'elsewhere';
export type Lists = Readonly<Record<Where, readonly Thing[]>>;

export interface SideActs {
  /** Opens one that lies here, or takes it up while one edits. */
  readonly onPress: (device: string) => void;
  /** null: nobody edits. */
  readonly edit: {
    readonly onTakeOff: (device: string) => void;
    readonly drag: (device: string) => DragHandlers;
    /** Says what a camera sees; null: he may not. */
    readonly onTurn: ((device: string) => void) | null;
  } | null;
}

/** Everything on the plan in words, worst first; and what lies on no plan yet, or on another one. */
export function SideList({
  lists,
  aboutOf,
  current,
  acts,
}: {
  readonly lists: Lists;
  readonly aboutOf: (thing: Thing) => string;
  readonly current: string | null;
  readonly acts: SideActs;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const [chosen, setChosen] = useState<Where | null>(null);
  const [sought, setSought] = useState('');
  // Whoever edits an empty plan wants what can be put there.
  const where = chosen ?? (acts.edit !== null && lists.here.length === 0 ? 'nowhere' : 'here');
  const isThere = where !== 'elsewhere' || lists.elsewhere.length > 0;
  const all = lists[isThere ? where : 'here'];
  const shown = useMemo(() => {
    const wanted = sought.trim().toLocaleLowerCase(language);
    if (wanted === '') return all;
    const parts = wanted.split(/\s+/);
    return all.filter((thing) => {
      const text = `${name(thing.device.name)} ${thing.device.id} ${aboutOf(thing)}`.toLocaleLowerCase(language);
      return parts.every((part) => text.includes(part));
    });
  }, [all, sought, language, name, aboutOf]);
  return (
    <aside className="map-side" aria-label={say.list} data-editing={acts.edit !== null}>
      <div className="map-side-top">
        <Segmented<Where>
          block
          aria-label={say.show}
          value={isThere ? where : 'here'}
          onChange={setChosen}
          options={[
            { value: 'here', label: say.here(lists.here.length) },
            { value: 'nowhere', label: say.nowhere(lists.nowhere.length) },
            ...(lists.elsewhere.length > 0
              ? [{ value: 'elsewhere' as const, label: say.elsewhere(lists.elsewhere.length) }]
              : []),
          ]}
        />
        <Input
          type="search"
          aria-label={say.seek}
          placeholder={say.seek}
          value={sought}
          allowClear
          onChange={(event) => setSought(event.target.value)}
        />
      </div>
      {acts.edit !== null && where !== 'here' && shown.length > 0 && (
        <p className="kit-soft map-side-help">{say.placeFrom}</p>
      )}
      <div className="map-side-list" data-where={where}>
        {shown.length === 0 ? (
          <EmptyState title={sought.trim() === '' ? say[`none-${where}`] : say.noneFound} />
        ) : (
          <VirtualList
            items={shown}
            rowHeight={rowHeight}
            keyOf={({ device }) => device.id}
            label={say.list}
            render={(thing) => (
              <Row
                thing={thing}
                about={aboutOf(thing)}
                isCurrent={thing.device.id === current}
                where={where}
                acts={acts}
              />
            )}
          />
        )}
      </div>
    </aside>
  );
}

function Row({
  thing: { device, headline, alarm },
  about,
  isCurrent,
  where,
  acts: { onPress, edit },
}: {
  readonly thing: Thing;
  readonly about: string;
  readonly isCurrent: boolean;
  readonly where: Where;
  readonly acts: SideActs;
}) {
  const say = useWords(words);
  const name = useName();
  const drag = useDrag(edit === null || where === 'here' ? null : edit.drag(device.id));
  const canDrag = edit !== null && where !== 'here';
  return (
    <div className={`map-row-line ${canDrag ? 'map-movable' : ''}`} {...drag}>
      {canDrag && (
        <span className="map-handle" aria-hidden="true">
          <HolderOutlined />
        </span>
      )}
      <ThingRow
        device={device}
        headline={headline}
        alarm={alarm}
        about={about}
        isCurrent={isCurrent}
        onPress={onPress}
      />
      {edit !== null && edit.onTurn !== null && where === 'here' && device.kind === 'camera' && (
        <Button
          aria-label={`${say.viewOf} ${name(device.name)}`}
          title={say.viewHelp}
          data-turn={device.id}
          onClick={() => edit.onTurn?.(device.id)}
        >
          {say.viewOf}
        </Button>
      )}
      {edit !== null && where === 'here' && (
        <Button
          aria-label={`${say.takeOff} ${name(device.name)}`}
          title={say.takeOffHelp}
          onClick={() => edit.onTakeOff(device.id)}
        >
          {say.takeOff}
        </Button>
      )}
      {canDrag && (
        <Button aria-label={`${say.place} ${name(device.name)}`} onClick={() => onPress(device.id)}>
          {say.place}
        </Button>
      )}
    </div>
  );
}
