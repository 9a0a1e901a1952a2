import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { PlanView } from '../../../place-schemas.ts';
import { goTo, useAddress } from '../../address.ts';
import type { CampusView, PointView } from '../../api.ts';
import { useName, useWords } from '../../kit/language.tsx';
import { useRight } from '../../session.tsx';
import { usePlanActs } from './acts.tsx';
import { mapHash } from './address.ts';
import { Card } from './card.tsx';
import { CarriedBadge, PlacingBar } from './carried.tsx';
import { type Cluster, clustersOf } from './clusters.ts';
import { DeviceCard } from './device-card.tsx';
import { ClusterGlyph, Glyph, type PlacedThing } from './glyph.tsx';
import { MapHeader } from './map-header.tsx';
import { type Carried, usePlacing } from './placing.ts';
import { PlanStage } from './plan-stage.tsx';
import { SectorLegend, Sectors } from './sectors.tsx';
import { SideList } from './side-list.tsx';
import type { Thing } from './status.ts';
import { ThingRow } from './thing-row.tsx';
import { useLists, useSpaceName, useThings } from './things.ts';
import { TurningBar, TurningHandles } from './turning.tsx';
import { useLooking } from './use-looking.ts';
import { type Stage, useStage } from './use-stage.ts';
import { words } from './words.ts';

/** As close as one comes to a device that is looked for. */
const closeUp = 2.5;

/** One plan, beside it its list; a card for what is chosen; buttons for those who arrange it. */
export function MapView({
  plan,
  plans,
  campus,
  points,
  selected,
}: {
  readonly plan: PlanView;
  readonly plans: readonly PlanView[];
  readonly campus: CampusView;
  readonly points: readonly PointView[];
  /** A device. */
  readonly selected: string | null;
}) {
  const say = useWords(words);
  const mayEdit = useRight('devices');
  const isEditing = useAddress().query.get('edit') !== null && mayEdit;
  const stage = useStage(plan);
  const acts = usePlanActs();
  const placing = usePlacing(plan, stage, acts);
  const things = useThings(campus, points);
  const lists = useLists(things, plans, plan);
  const spaceName = useSpaceName(campus);
  const aboutOf = useAboutOf(plans, plan, spaceName);
  const [opened, setOpened] = useState<Cluster<PlacedThing> | null>(null);
  const placed = usePlaced(plan, things, placing.carried);
  const chosen = placed.find(({ id }) => id === selected);
  useComing(stage, chosen);
  const looking = useLooking(plan, placed, acts, chosen?.id ?? null);
  const { turning } = looking;

  const open = (device: string | null) => goTo(mapHash(plan.id, device, isEditing), 'replace');
  const show = (device: string | null) => {
    setOpened(null);
    open(device);
  };
  const take = (device: string) => {
    looking.cancel();
    const place = plan.places.find((one) => one.device === device);
    placing.begin(device, place ?? stage.middle());
    if (place !== undefined) stage.centreOn(place, 1);
  };
  const onGlyph = useStable((device: string) => (isEditing ? take(device) : show(selected === device ? null : device)));
  const onRow = useStable((device: string) => {
    const place = plan.places.find((one) => one.device === device);
    if (isEditing) return take(device);
    if (place === undefined) return goTo(`#/devices/${device}`);
    stage.centreOn(place, closeUp);
    show(device);
  });
  const turn = (device: string) => {
    const place = plan.places.find((one) => one.device === device);
    if (place === undefined) return;
    placing.cancel();
    stage.centreOn(place, 1);
    looking.begin(device);
  };
  const canTurn = (device: string | undefined) =>
    looking.mayTurn &&
    things.get(device ?? '')?.device.kind === 'camera' &&
    plan.places.some((place) => place.device === device);
  const pointsOf = useMemo(() => Map.groupBy(points, ({ device }) => device), [points]);
  return (
    <div className="map">
      <MapHeader plan={plan} plans={plans} campus={campus} acts={acts} isEditing={isEditing} mayEdit={mayEdit} />
      {isEditing && turning !== null && (
        <TurningBar
          turning={turning}
          onChange={looking.turn}
          onSave={() => looking.put(turning.view)}
          onRemove={() => looking.put(null)}
          onCancel={looking.cancel}
        />
      )}
      <div className="map-split">
        <PlanStage
          plan={plan}
          stage={stage}
          placing={placing}
          carriedThing={placing.carried === null ? undefined : things.get(placing.carried.device)}
          onPressGround={() => show(null)}
          glyphs={
            <>
              <Sectors plan={plan} cameras={looking.cameras} onPress={isEditing ? null : onGlyph} />
              <Glyphs
                placed={placed}
                stage={stage}
                open={chosen?.id ?? opened?.id ?? null}
                drag={isEditing ? placing.drag : null}
                spaceName={spaceName}
                onGlyph={onGlyph}
                onCluster={setOpened}
              />
              {isEditing && turning !== null && (
                <TurningHandles turning={turning} plan={plan} stage={stage} onChange={looking.turn} />
              )}
            </>
          }
        >
          {placed.length === 0 && placing.carried === null && (
            <p className="map-hint">{isEditing ? say.emptyEdit : mayEdit ? say.emptyMayEdit : say.emptyPlan}</p>
          )}
          {chosen !== undefined && !isEditing && (
            <Card
              key={chosen.id}
              stage={stage}
              spot={chosen}
              title={<Title thing={chosen} />}
              onClose={() => show(null)}
            >
              <DeviceCard
                thing={chosen}
                points={pointsOf.get(chosen.id) ?? []}
                place={spaceName(chosen.device.space)}
              />
            </Card>
          )}
          {opened !== null && chosen === undefined && !isEditing && (
            <ClusterCard
              cluster={opened}
              things={things}
              stage={stage}
              aboutOf={aboutOf}
              onPress={show}
              onClose={() => setOpened(null)}
            />
          )}
          {looking.cameras.length > 0 && !isEditing && (
            <SectorLegend isPulsing={looking.cameras.some((camera) => camera.isPulsing)} />
          )}
          <PlacingBar placing={placing} things={things} onTurn={canTurn(placing.carried?.device) ? turn : null} />
        </PlanStage>
        <SideList
          lists={lists}
          aboutOf={aboutOf}
          current={placing.carried?.device ?? selected}
          acts={{
            onPress: onRow,
            edit: isEditing
              ? {
                  onTakeOff: (device) => void acts.takeOff(plan, device),
                  drag: placing.drag,
                  onTurn: looking.mayTurn ? turn : null,
                }
              : null,
          }}
        />
      </div>
      <CarriedBadge
        carried={placing.carried}
        isHere={plan.places.some(({ device }) => device === placing.carried?.device)}
        things={things}
      />
    </div>
  );
}

/** A function that is always the same, and does what its latest version does. */
function useStable<Args extends readonly unknown[]>(run: (...args: Args) => void): (...args: Args) => void {
  const latest = useRef(run);
  latest.current = run;
  return useCallback((...args: Args) => latest.current(...args), []);
}

/** A link to a device brings it to the middle, once. */
function useComing(stage: Stage, chosen: PlacedThing | undefined): void {
  const isDone = useRef(false);
  const isReady = stage.size !== null;
  useEffect(() => {
    if (!isReady || isDone.current) return;
    isDone.current = true;
    if (chosen !== undefined) stage.centreOn(chosen, closeUp);
  }, [isReady, chosen, stage]);
}

/** What is drawn: everything that lies there, what is dragged where it is held; not what is moved by keys. */
function usePlaced(
  plan: PlanView,
  things: ReadonlyMap<string, Thing>,
  carried: Carried | null,
): readonly PlacedThing[] {
  return useMemo(() => {
    const spots = new Map(plan.places.map(({ device, x, y }) => [device, { x, y }]));
    if (carried?.how === 'keys') spots.delete(carried.device);
    else if (carried !== null && carried.spot !== null) spots.set(carried.device, carried.spot);
    return [...spots].flatMap(([id, spot]) => {
      const thing = things.get(id);
      return thing === undefined ? [] : [{ ...thing, ...spot, id, space: thing.device.space }];
    });
  }, [plan, things, carried]);
}

function useAboutOf(
  plans: readonly PlanView[],
  plan: PlanView,
  spaceName: (space: string | null) => string,
): (thing: Thing) => string {
  const say = useWords(words);
  const name = useName();
  const planOf = usePlanOf(plans);
  return useCallback(
    ({ device }) => {
      const other = planOf(device.id);
      if (other !== undefined && other.id !== plan.id) return say.liesOn(name(other.name));
      return spaceName(device.space);
    },
    [planOf, plan.id, say, name, spaceName],
  );
}

function usePlanOf(plans: readonly PlanView[]): (device: string) => PlanView | undefined {
  return useMemo(() => {
    const byDevice = new Map(plans.flatMap((plan) => plan.places.map(({ device }) => [device, plan] as const)));
    return (device) => byDevice.get(device);
  }, [plans]);
}

function Glyphs({
  placed,
  stage,
  open,
  drag,
  spaceName,
  onGlyph,
  onCluster,
}: {
  readonly placed: readonly PlacedThing[];
  readonly stage: Stage;
  readonly open: string | null;
  /** null: nobody edits, so what is too close is drawn as one. */
  readonly drag: ReturnType<typeof usePlacing>['drag'] | null;
  readonly spaceName: (space: string | null) => string;
  readonly onGlyph: (device: string) => void;
  readonly onCluster: (cluster: Cluster<PlacedThing>) => void;
}) {
  const { layer } = stage;
  const clusters = useMemo(
    () =>
      drag === null
        ? clustersOf(placed, layer)
        : placed.map((thing) => ({ id: thing.id, x: thing.x, y: thing.y, members: [thing] })),
    [placed, layer, drag],
  );
  return clusters.map((cluster) => {
    const [only, ...others] = cluster.members;
    if (only === undefined) return null;
    if (others.length > 0) {
      return (
        <ClusterGlyph
          key={`with ${cluster.id}`}
          cluster={cluster}
          isOpen={open === cluster.id}
          spaceName={({ space }) => spaceName(space)}
          onPress={onCluster}
        />
      );
    }
    return (
      <Glyph
        key={only.id}
        device={only.device}
        headline={only.headline}
        alarm={only.alarm}
        x={only.x}
        y={only.y}
        isOpen={open === only.id}
        drag={drag}
        onPress={onGlyph}
      />
    );
  });
}

function Title({ thing }: { readonly thing: Thing }) {
  return useName()(thing.device.name);
}

/** What stands together, in words; and a way to come closer. */
function ClusterCard({
  cluster,
  things,
  stage,
  aboutOf,
  onPress,
  onClose,
}: {
  readonly cluster: Cluster<PlacedThing>;
  readonly things: ReadonlyMap<string, Thing>;
  readonly stage: Stage;
  readonly aboutOf: (thing: Thing) => string;
  readonly onPress: (device: string) => void;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const { members } = cluster;
  return (
    <Card key={cluster.id} stage={stage} spot={cluster} title={say.severalDevices(members.length)} onClose={onClose}>
      <ul className="map-cluster-list">
        {members.map(({ id }) => {
          const thing = things.get(id);
          if (thing === undefined) return null;
          return (
            <li key={id}>
              <ThingRow
                device={thing.device}
                headline={thing.headline}
                alarm={thing.alarm}
                about={aboutOf(thing)}
                isCurrent={false}
                onPress={onPress}
              />
            </li>
          );
        })}
      </ul>
      <p className="map-card-links">
        <button
          type="button"
          className="kit-button"
          onClick={() => {
            stage.frame(members);
            onClose();
          }}
        >
          {say.comeCloser}
        </button>
      </p>
    </Card>
  );
}
