import { Button } from 'antd';
import { type DragEvent, type KeyboardEvent, memo, type PointerEvent, useRef, useState } from 'react';
import { useWords } from '../../kit/language.tsx';
import type { Group } from './groups.ts';
import { type CardActs, RoomCard } from './room-card.tsx';
import { type Box, boxOf, neighbour, type Selection, touches } from './selection.ts';
import { clipMime } from './shelf.tsx';
import { words } from './words.ts';

/** All rooms by where they are. A box is drawn with the mouse on the ground between the cards; arrow keys go from card to card. */
export function RoomGrid({
  groups,
  selection,
  mayAct,
  acts,
  onSelect,
  onGroup,
}: {
  readonly groups: readonly Group[];
  readonly selection: Selection;
  readonly mayAct: boolean;
  readonly acts: CardActs;
  readonly onSelect: (selection: Selection) => void;
  readonly onGroup: (devices: readonly string[]) => void;
}) {
  const ground = useRef<HTMLDivElement>(null);
  const [box, drawing] = useBox(ground, selection, onSelect);
  const move = (event: KeyboardEvent) => {
    if (!event.key.startsWith('Arrow') || !(event.target instanceof HTMLElement)) return;
    if (!event.target.classList.contains('broadcast-pick')) return;
    const cards = [...(ground.current?.querySelectorAll<HTMLElement>('.broadcast-pick') ?? [])];
    const to = neighbour(
      cards.map((card) => card.getBoundingClientRect()),
      cards.indexOf(event.target),
      event.key,
    );
    event.preventDefault();
    cards[to]?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the box is for a mouse; keys and fingers choose on the cards themselves
    <div className="broadcast-grid" ref={ground} onKeyDown={move} {...(mayAct ? drawing : {})}>
      {groups.map((group) => (
        <GroupSection
          key={group.id}
          group={group}
          chosen={group.rooms
            .filter(({ device }) => selection.has(device))
            .map(({ device }) => device)
            .join()}
          mayAct={mayAct}
          acts={acts}
          onGroup={onGroup}
        />
      ))}
      {box !== null && (
        <div
          className="broadcast-box"
          style={{ left: box.left, top: box.top, width: box.right - box.left, height: box.bottom - box.top }}
        />
      )}
    </div>
  );
}

/** `chosen` is text, so that a section in which nothing changed is not drawn again. */
const GroupSection = memo(function GroupSection({
  group,
  chosen,
  mayAct,
  acts,
  onGroup,
}: {
  readonly group: Group;
  readonly chosen: string;
  readonly mayAct: boolean;
  readonly acts: CardActs;
  readonly onGroup: (devices: readonly string[]) => void;
}) {
  const say = useWords(words);
  const [isOver, setOver] = useState(false);
  const here = new Set(chosen === '' ? [] : chosen.split(','));
  const devices = group.rooms.map(({ device }) => device);
  const choice = here.size === devices.length ? say.selectNone : say.selectAll;
  const playing = group.rooms.filter((room) => room.playing !== null).length;
  const drop = mayAct && {
    onDragOver: (event: DragEvent) => {
      if (!event.dataTransfer.types.includes(clipMime)) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      const clip = event.dataTransfer.getData(clipMime);
      if (clip !== '') acts.drop(clip, devices);
    },
  };
  return (
    <section className={`broadcast-group${isOver ? ' broadcast-over' : ''}`} data-group={group.id} {...drop}>
      <header>
        <h3>{group.name}</h3>
        <span className="kit-soft">{say.countPlaying(playing, group.rooms.length)}</span>
        {mayAct && (
          <Button
            size="small"
            aria-pressed={here.size === devices.length}
            aria-label={say.ofPlace(choice, group.name)}
            onClick={() => onGroup(devices)}
          >
            {choice}
          </Button>
        )}
      </header>
      <div className="broadcast-cards">
        {group.rooms.map((room) => (
          <RoomCard key={room.device} room={room} isChosen={here.has(room.device)} mayDrop={mayAct} acts={acts} />
        ))}
      </div>
    </section>
  );
});

/** A box drawn with the mouse adds what it touches to what was chosen. */
export function useBox(
  ground: { readonly current: HTMLDivElement | null },
  selection: Selection,
  onSelect: (selection: Selection) => void,
) {
  const [box, setBox] = useState<Box | null>(null);
  const began = useRef<{ readonly x: number; readonly y: number; readonly before: Selection } | null>(null);
  const place = (event: PointerEvent) => {
    const area = ground.current?.getBoundingClientRect();
    return { x: event.clientX - (area?.left ?? 0), y: event.clientY - (area?.top ?? 0) };
  };
  const handlers = {
    onPointerDown: (event: PointerEvent) => {
      if (event.pointerType !== 'mouse' || event.button !== 0) return;
      if (event.target instanceof Element && event.target.closest('button, a, input') !== null) return;
      event.preventDefault();
      event.currentTarget.setPointerCapture(event.pointerId);
      began.current = { ...place(event), before: event.shiftKey || event.ctrlKey ? selection : new Set() };
    },
    onPointerMove: (event: PointerEvent) => {
      const start = began.current;
      if (start === null) return;
      const drawn = boxOf(start, place(event));
      if (drawn.right - drawn.left + drawn.bottom - drawn.top < 8) return;
      setBox(drawn);
      const area = ground.current?.getBoundingClientRect();
      const onScreen = {
        ...{ left: drawn.left + (area?.left ?? 0), right: drawn.right + (area?.left ?? 0) },
        ...{ top: drawn.top + (area?.top ?? 0), bottom: drawn.bottom + (area?.top ?? 0) },
      };
      const hit = [...(ground.current?.querySelectorAll<HTMLElement>('[data-room]') ?? [])]
        .filter((card) => touches(onScreen, card.getBoundingClientRect()))
        .map((card) => card.dataset.room ?? '');
      onSelect(new Set([...start.before, ...hit]));
    },
    onPointerUp: () => {
      began.current = null;
      setBox(null);
    },
    onPointerCancel: () => {
      began.current = null;
      setBox(null);
    },
  };
  return [box, handlers] as const;
}
