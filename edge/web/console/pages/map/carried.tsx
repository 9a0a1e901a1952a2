import { Button } from 'antd';
import { KindIcon } from '../../kind-icons.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import type { Carried, Placing } from './placing.ts';
import type { Thing } from './status.ts';
import { words } from './words.ts';

/** While something is moved by keys or by pressing the plan: what to do, and the two ways out of it. */
export function PlacingBar({
  placing,
  things,
  onTurn,
}: {
  readonly placing: Placing;
  readonly things: ReadonlyMap<string, Thing>;
  /** Says what a camera sees; null: not of what is carried. */
  readonly onTurn: ((device: string) => void) | null;
}) {
  const say = useWords(words);
  const name = useName();
  const { carried } = placing;
  if (carried?.how !== 'keys') return null;
  return (
    <div className="map-placing">
      <p>
        <strong>{say.placing(name(things.get(carried.device)?.device.name))}</strong>
        <span className="kit-soft">{say.placeHelp}</span>
      </p>
      <div className="kit-actions">
        <Button type="primary" onClick={() => placing.put()}>
          {say.putHere}
        </Button>
        {onTurn !== null && (
          <Button data-act="turn" onClick={() => onTurn(carried.device)}>
            {say.viewOf}
          </Button>
        )}
        <Button onClick={placing.cancel}>{say.cancel}</Button>
      </div>
    </div>
  );
}

/** Under the pointer on its way from the list to the plan. */
export function CarriedBadge({
  carried,
  isHere,
  things,
}: {
  readonly carried: Carried | null;
  /** Then its glyph itself is seen moving. */
  readonly isHere: boolean;
  readonly things: ReadonlyMap<string, Thing>;
}) {
  const name = useName();
  const thing = carried === null ? undefined : things.get(carried.device);
  if (carried === null || carried.pointer === null || thing === undefined || isHere) return null;
  return (
    <div
      className="map-badge"
      data-over={carried.spot !== null}
      style={{ left: carried.pointer.x, top: carried.pointer.y }}
    >
      <KindIcon kind={thing.device.kind} point={thing.headline?.point} /> {name(thing.device.name)}
    </div>
  );
}
