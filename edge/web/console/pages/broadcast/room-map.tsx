import { Segmented } from 'antd';
import { type DragEvent, type KeyboardEvent, memo, useRef, useState } from 'react';
import type { PlanView } from '../../../place-schemas.ts';
import { hashOf } from '../../address.ts';
import { fromHere } from '../../kit/download.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import type { Room } from './data.ts';
import { useBox } from './grid.tsx';
import { type CardActs, toneOf } from './room-card.tsx';
import { neighbour, type Selection } from './selection.ts';
import { usePhrases } from './sentences.ts';
import { clipMime } from './shelf.tsx';
import { words } from './words.ts';

/** Rooms where they lie on a plan: chosen by a press, or by a box that is drawn on the plan. */
export function RoomMap({
  plans,
  rooms,
  selection,
  mayAct,
  acts,
  onSelect,
}: {
  readonly plans: readonly [PlanView, ...PlanView[]];
  readonly rooms: readonly Room[];
  readonly selection: Selection;
  readonly mayAct: boolean;
  readonly acts: CardActs;
  readonly onSelect: (selection: Selection) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const [wanted, setWanted] = useState(plans[0].id);
  const ground = useRef<HTMLDivElement>(null);
  const [box, drawing] = useBox(ground, selection, onSelect);
  const plan = plans.find(({ id }) => id === wanted) ?? plans[0];
  const placed = new Map(plan.places.map((place) => [place.device, place]));
  const here = rooms.filter(({ device }) => placed.has(device));
  const anywhere = new Set(plans.flatMap(({ places }) => places.map(({ device }) => device)));
  const missing = rooms.filter(({ device }) => !anywhere.has(device));
  const move = (event: KeyboardEvent) => {
    if (!event.key.startsWith('Arrow') || !(event.target instanceof HTMLElement)) return;
    const pins = [...(ground.current?.querySelectorAll<HTMLElement>('.broadcast-pin') ?? [])];
    const boxes = pins.map((pin) => pin.getBoundingClientRect());
    event.preventDefault();
    pins[neighbour(boxes, pins.indexOf(event.target), event.key)]?.focus();
  };
  return (
    <div className="broadcast-map">
      {plans.length > 1 && (
        <Segmented
          aria-label={say.plans}
          value={plan.id}
          onChange={setWanted}
          options={plans.map((one) => ({ value: one.id, label: name(one.name) }))}
        />
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the box is for a mouse; keys and fingers choose the pins themselves */}
      <div
        className="broadcast-plan"
        ref={ground}
        data-plan={plan.id}
        style={{ aspectRatio: `${plan.width} / ${plan.height}` }}
        onKeyDown={move}
        {...(mayAct ? drawing : {})}
      >
        <img src={fromHere(plan.image.replace(/^\//, ''))} alt={name(plan.name)} draggable={false} />
        {here.map((room) => (
          <Pin
            key={room.device}
            room={room}
            x={placed.get(room.device)?.x ?? 0}
            y={placed.get(room.device)?.y ?? 0}
            isChosen={selection.has(room.device)}
            mayAct={mayAct}
            acts={acts}
          />
        ))}
        {box !== null && (
          <div
            className="broadcast-box"
            style={{ left: box.left, top: box.top, width: box.right - box.left, height: box.bottom - box.top }}
          />
        )}
      </div>
      {missing.length > 0 && (
        <p className="kit-soft" data-unplaced={missing.length}>
          {say.unplaced(missing.map((room) => name(room.name)).join('、'))}{' '}
          <a className="broadcast-link" href={hashOf('/map')}>
            {say.placeThem}
          </a>
        </p>
      )}
    </div>
  );
}

/** A loudspeaker at its place: what it does is said by its shape and its words, not by its colour alone. */
const Pin = memo(function Pin({
  room,
  x,
  y,
  isChosen,
  mayAct,
  acts,
}: {
  readonly room: Room;
  readonly x: number;
  readonly y: number;
  readonly isChosen: boolean;
  readonly mayAct: boolean;
  readonly acts: CardActs;
}) {
  const name = useName();
  const phrases = usePhrases();
  const why = phrases.room(room);
  const sound = room.playing === null ? '' : name(room.playing.name);
  const isIll = room.online === false || room.trouble !== null;
  const drop = mayAct && {
    onDragOver: (event: DragEvent) => {
      if (event.dataTransfer.types.includes(clipMime)) event.preventDefault();
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      const clip = event.dataTransfer.getData(clipMime);
      if (clip !== '') acts.drop(clip, [room.device]);
    },
  };
  return (
    <button
      type="button"
      className={`broadcast-pin broadcast-is-${toneOf(room)}`}
      style={{ left: `${x * 100}%`, top: `${y * 100}%` }}
      data-room={room.device}
      data-tone={toneOf(room)}
      aria-pressed={isChosen}
      title={why}
      onClick={(event) => (mayAct ? acts.toggle(room.device, event.shiftKey) : acts.open(room.device))}
      onDoubleClick={() => acts.open(room.device)}
      {...drop}
    >
      <span className="broadcast-tick" aria-hidden="true" />
      <strong>{name(room.name)}</strong>
      <span className="broadcast-pin-sound">{sound === '' ? why : sound}</span>
      {isIll && <SignIcon sign="triangle" size={12} />}
    </button>
  );
});
