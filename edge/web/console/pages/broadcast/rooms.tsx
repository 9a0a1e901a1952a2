import { Button, Input, Segmented } from 'antd';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { usePreference } from '../../kit/preferences.ts';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { useRight } from '../../session.tsx';
import { useCampus } from '../../use-live.tsx';
import { type Room, type SoundNow, usePlans } from './data.ts';
import { RoomGrid } from './grid.tsx';
import { groupsOf } from './groups.ts';
import { NowList } from './now-list.tsx';
import { PlayDialog } from './play-dialog.tsx';
import { QuietDialog } from './quiet-dialog.tsx';
import type { CardActs } from './room-card.tsx';
import { RoomMap } from './room-map.tsx';
import { ranged, type Selection, stillThere, toggled, toggledAll } from './selection.ts';
import { Shelf } from './shelf.tsx';
import { TalkDialog } from './talk-dialog.tsx';
import { TextDialog } from './text-dialog.tsx';
import { VolumeDialog } from './volume-dialog.tsx';
import { words } from './words.ts';

type Act = 'play' | 'speak' | 'talk' | 'volume' | 'quiet';
interface Doing {
  readonly act: Act;
  readonly devices: readonly string[];
  readonly clip: string | null;
}

/** Rooms, what plays, what can be played, and what is done with those that are chosen. */
export function Rooms({ now, onOpen }: { readonly now: SoundNow; readonly onOpen: (device: string) => void }) {
  const say = useWords(words);
  const language = useLanguage();
  const campus = useCampus();
  const mayAct = useRight('broadcast');
  const [layout, setLayout] = usePreference('broadcast.groups', ['zone', 'floor', 'map']);
  const plans = usePlans();
  const [firstPlan, ...morePlans] = plans;
  const isMap = layout === 'map' && firstPlan !== undefined;
  const grouping = layout === 'floor' ? 'floor' : 'zone';
  const [sought, setSought] = useState('');
  const [doing, setDoing] = useState<Doing | null>(null);
  const { rooms, items } = now;
  const wanted = sought.trim().toLowerCase();
  const shown = useMemo(
    () =>
      wanted === ''
        ? rooms
        : rooms.filter((room) => `${room.device} ${room.name.zh} ${room.name.en}`.toLowerCase().includes(wanted)),
    [rooms, wanted],
  );
  const groups = useMemo(
    () => groupsOf(shown, campus, grouping, { language, elsewhere: say.elsewhere }),
    [shown, campus, grouping, language, say],
  );
  const order = useMemo(() => groups.flatMap((group) => group.rooms.map(({ device }) => device)), [groups]);
  const chosen = useChosen(rooms, order);
  const { selection } = chosen;
  const acts = useMemo<CardActs>(
    () => ({
      toggle: chosen.toggle,
      open: onOpen,
      drop: (clip, devices) => setDoing({ act: 'play', devices, clip }),
    }),
    [chosen.toggle, onOpen],
  );
  const begin = (act: Act, clip: string | null = null) => setDoing({ act, devices: [...selection], clip });
  const silent = shown.filter(({ reason }) => reason === 'nothing-asked').map(({ device }) => device);
  const playing = shown.filter((room) => room.playing !== null).map(({ device }) => device);
  useShortcut('a', say.selectAll, () => chosen.set(new Set(order)));
  useShortcut('Escape', say.selectNone, () => chosen.set(new Set()));
  return (
    <div className="broadcast-page">
      <div className="broadcast-main">
        <div className="broadcast-bar">
          <Input
            type="search"
            allowClear
            className="broadcast-seek"
            aria-label={say.filter}
            placeholder={say.filter}
            value={sought}
            onChange={(event) => setSought(event.target.value)}
          />
          <Segmented
            aria-label={say.groupBy}
            value={isMap ? 'map' : grouping}
            onChange={setLayout}
            options={[
              { value: 'zone' as const, label: say.byZone },
              { value: 'floor' as const, label: say.byFloor },
              ...(firstPlan === undefined ? [] : [{ value: 'map' as const, label: say.onMap }]),
            ]}
          />
          {mayAct && (
            <div className="kit-actions">
              <Button data-act="all" onClick={() => chosen.set(new Set(order))}>
                {say.selectAll}
              </Button>
              <Button onClick={() => chosen.set(new Set(silent))}>{say.selectSilent}</Button>
              <Button disabled={playing.length === 0} onClick={() => chosen.set(new Set(playing))}>
                {say.selectPlaying}
              </Button>
            </div>
          )}
        </div>
        <p className="kit-soft broadcast-help">{mayAct ? say.selectHelp : say.noRight}</p>
        {groups.length === 0 && <p>{say.noneFound}</p>}
        {isMap ? (
          <RoomMap
            plans={[firstPlan, ...morePlans]}
            rooms={shown}
            {...{ selection, mayAct, acts }}
            onSelect={chosen.set}
          />
        ) : (
          <RoomGrid {...{ groups, selection, mayAct, acts }} onSelect={chosen.set} onGroup={chosen.group} />
        )}
      </div>
      <aside className="broadcast-side">
        <NowList items={items} rooms={rooms} selection={selection} />
        {mayAct && <Shelf onPick={(clip) => begin('play', clip)} />}
      </aside>
      {mayAct && <ActionBar count={selection.size} onAct={begin} onNone={() => chosen.set(new Set())} />}
      {doing !== null && <ActDialog doing={doing} rooms={rooms} onClose={() => setDoing(null)} />}
    </div>
  );
}

/** What is chosen, as the grid changes it. Its functions stay the same, so that cards are not drawn again for them. */
function useChosen(rooms: readonly Room[], order: readonly string[]) {
  const [selection, set] = useState<Selection>(new Set());
  const last = useRef<string | null>(null);
  const seen = useRef(order);
  seen.current = order;
  useEffect(() => set((before) => stillThere(before, rooms)), [rooms]);
  const toggle = useCallback((device: string, isRange: boolean) => {
    const from = last.current;
    last.current = device;
    set((before) => (isRange ? ranged(before, seen.current, from, device) : toggled(before, device)));
  }, []);
  const group = useCallback((devices: readonly string[]) => set((before) => toggledAll(before, devices)), []);
  return { selection, set, toggle, group };
}

const actOrder: readonly Act[] = ['talk', 'speak', 'play', 'volume', 'quiet'];

function ActionBar({
  count,
  onAct,
  onNone,
}: {
  readonly count: number;
  readonly onAct: (act: Act) => void;
  readonly onNone: () => void;
}) {
  const say = useWords(words);
  return (
    <section className="broadcast-actions" aria-label={say.selected(count)} data-chosen={count}>
      <strong aria-live="polite">{count === 0 ? say.chooseFirst : say.selected(count)}</strong>
      <div className="kit-actions">
        {actOrder.map((act) => (
          <Button
            key={act}
            data-act={act}
            disabled={count === 0}
            {...(act === 'talk' ? { type: 'primary' as const } : {})}
            onClick={() => onAct(act)}
          >
            {say[act]}
          </Button>
        ))}
        {count > 0 && (
          <Button type="text" onClick={onNone}>
            {say.selectNone}
          </Button>
        )}
      </div>
    </section>
  );
}

function ActDialog({
  doing,
  rooms,
  onClose,
}: {
  readonly doing: Doing;
  readonly rooms: readonly Room[];
  readonly onClose: () => void;
}) {
  const wanted = new Set(doing.devices);
  const target = rooms.filter(({ device }) => wanted.has(device));
  const parts = { rooms: target, all: rooms, onClose };
  switch (doing.act) {
    case 'play':
      return <PlayDialog {...parts} clip={doing.clip} />;
    case 'speak':
      return <TextDialog {...parts} />;
    case 'talk':
      return <TalkDialog {...parts} />;
    case 'volume':
      return <VolumeDialog {...parts} />;
    case 'quiet':
      return <QuietDialog {...parts} />;
  }
}
