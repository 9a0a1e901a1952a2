import { useMemo, useState } from 'react';
import type { PlacedView, PlanView } from '../../../place-schemas.ts';
import { useRight } from '../../session.tsx';
import { useCameras } from '../../use-cameras.ts';
import type { PlanActs } from './acts.tsx';
import { useUnclaimed } from './camera-state.ts';
import type { PlacedThing } from './glyph.tsx';
import { firstView, viewOf } from './sector.ts';
import type { Looking } from './sectors.tsx';
import type { Turning } from './turning.tsx';

export interface Lookout {
  readonly cameras: readonly Looking[];
  readonly turning: Turning | null;
  /** Begins to turn what this camera sees; `put` and `cancel` end it. */
  readonly begin: (device: string) => void;
  readonly turn: (view: PlacedView) => void;
  /** null: nothing is to be drawn for it here. */
  readonly put: (view: PlacedView | null) => void;
  readonly cancel: () => void;
  /** Whether he may say what a camera sees, so that he is offered it. */
  readonly mayTurn: boolean;
}

/** What the cameras on a plan see of it, and the one that is being turned. */
export function useLooking(
  plan: PlanView,
  placed: readonly PlacedThing[],
  acts: PlanActs,
  chosen: string | null,
): Lookout {
  const mayTurn = useRight('live');
  const list = useCameras().data?.cameras;
  const unclaimed = useUnclaimed();
  const [turning, setTurning] = useState<Turning | null>(null);
  const known = useMemo(() => new Map(list?.map((camera) => [camera.id, camera])), [list]);
  const drawn = useMemo(() => new Map(plan.places.map(({ device, view }) => [device, view])), [plan]);
  const cameras = useMemo(
    () =>
      placed.flatMap(({ id, x, y }): Looking[] => {
        const camera = known.get(id);
        if (camera === undefined) return [];
        const isTurned = turning?.device === id;
        const view = isTurned ? turning.view : viewOf(drawn.get(id), camera.view);
        if (view === null) return [];
        const spot = isTurned ? turning.spot : { x, y };
        const isChosen = isTurned || chosen === id;
        return [{ id, spot, view, recording: camera.recording, isPulsing: unclaimed.has(id), isChosen }];
      }),
    [placed, known, drawn, unclaimed, turning, chosen],
  );
  return {
    cameras,
    turning,
    begin: (device) => {
      const place = plan.places.find((one) => one.device === device);
      if (place === undefined) return;
      const view = viewOf(place.view, known.get(device)?.view ?? null) ?? firstView;
      setTurning({ device, spot: { x: place.x, y: place.y }, view, isDrawn: place.view !== undefined });
    },
    turn: (view) => setTurning((now) => (now === null ? null : { ...now, view })),
    put: (view) => {
      if (turning === null) return;
      void acts.look(plan, turning.device, view).then((isDone) => {
        if (isDone) setTurning(null);
      });
    },
    cancel: () => setTurning(null),
    mayTurn,
  };
}
