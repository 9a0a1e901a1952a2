import { useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import type { PlacedView, PlanView } from '../../../place-schemas.ts';
import { api, call, errorText, query } from '../../api.ts';
import { useAnnounce } from '../../kit/announce.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import type { NamePair } from '../../kit/words.ts';
import { useDeviceName } from '../../names.ts';
import type { Spot } from './view.ts';
import { words } from './words.ts';

/* What changes plans and places. Each shows what came of it; placing, moving and taking off can be undone. */

export const plansKey = ['plans'] as const;
/** A picture of 5 MB over a school's uplink, ms. */
const patience = 120_000;

export interface NewPlan {
  readonly id: string;
  readonly name: NamePair;
  readonly floor: string | null;
  readonly picture: File;
}

export interface PlanActs {
  /** Rejects like `call`. */
  readonly add: (plan: NewPlan) => Promise<PlanView>;
  /** Rejects like `call`. */
  readonly change: (
    plan: PlanView,
    to: { readonly name: NamePair; readonly floor: string | null; readonly picture: File | null },
  ) => Promise<void>;
  /** One earlier (-1) or later (1) in the order. */
  readonly shift: (plans: readonly PlanView[], plan: PlanView, by: -1 | 1) => Promise<void>;
  readonly remove: (plan: PlanView) => Promise<boolean>;
  /** Puts a device on a plan, or elsewhere on it. */
  readonly place: (plan: PlanView, device: string, spot: Spot) => Promise<boolean>;
  /** Says what a camera that lies there sees of it; null: nothing that anybody drew. */
  readonly look: (plan: PlanView, camera: string, view: PlacedView | null) => Promise<boolean>;
  readonly takeOff: (plan: PlanView, device: string) => Promise<boolean>;
}

export function typeOfPicture({ name, type }: File): string | null {
  if (type === 'image/png' || /\.png$/i.test(name)) return 'image/png';
  if (type === 'image/svg+xml' || /\.svg$/i.test(name)) return 'image/svg+xml';
  return null;
}

export function usePlanActs(): PlanActs {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const deviceName = useDeviceName();
  const announce = useAnnounce();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const offerUndo = useUndo();
  const again = () => queries.invalidateQueries({ queryKey: plansKey });
  const plansNow = () => queries.getQueryData<readonly PlanView[]>(plansKey) ?? [];
  const take = (changed: PlanView, device?: string) =>
    queries.setQueryData<readonly PlanView[]>(plansKey, (all) =>
      all?.map((plan) => {
        if (plan.id === changed.id) return changed;
        // A device lies on one plan only.
        return { ...plan, places: plan.places.filter((place) => place.device !== device) };
      }),
    );
  const tried = async (work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      void message.error(errorText(error, language));
      await again();
      return false;
    }
  };
  const put = async (plan: string, device: string, { x, y }: Spot, view?: PlacedView | null) => {
    const body = { x, y, ...(view === undefined ? {} : { view }) };
    take(await api.put<PlanView>(`plans/${plan}/places/${device}`, body), device);
  };
  const drop = async (plan: string, device: string) =>
    take(await api.delete<PlanView>(`plans/${plan}/places/${device}`), device);
  const placeNow = (device: string) => {
    const plan = plansNow().find(({ places }) => places.some((place) => place.device === device));
    const spot = plan?.places.find((place) => place.device === device);
    return plan === undefined || spot === undefined ? null : { plan: plan.id, spot };
  };
  const putBack = (device: string, before: ReturnType<typeof placeNow>) => () => {
    const now = placeNow(device);
    void tried(async () => {
      if (before !== null) await put(before.plan, device, before.spot, before.spot.view);
      else if (now !== null) await drop(now.plan, device);
    });
  };
  return {
    add: async (plan) => {
      const { zh, en } = plan.name;
      const path = `plans${query({ id: plan.id, zh, en, floor: plan.floor })}`;
      const made = await sendPicture(path, 'POST', plan.picture);
      await again();
      return made;
    },
    change: async (plan, { name: given, floor, picture }) => {
      const isSame = given.zh === plan.name.zh && given.en === plan.name.en && floor === plan.floor;
      const named = isSame
        ? plan
        : await api.patch<PlanView>(`plans/${plan.id}`, { rev: plan.rev, name: given, floor });
      take(named);
      if (picture === null) return;
      take(await sendPicture(`plans/${plan.id}/image${query({ rev: named.rev })}`, 'PUT', picture));
    },
    shift: async (plans, plan, by) => {
      const order = plans.filter(({ id }) => id !== plan.id);
      order.splice(plans.indexOf(plan) + by, 0, plan);
      await tried(async () => {
        for (const [at, { id, rev, order: before }] of order.entries()) {
          if (before !== at) await api.patch(`plans/${id}`, { rev, order: at });
        }
      });
      await again();
    },
    remove: async (plan) => {
      const done = await tried(() => api.delete(`plans/${plan.id}${query({ rev: plan.rev })}`));
      await again();
      if (done) void message.success(say.removed(name(plan.name)));
      return done;
    },
    place: async (plan, device, spot) => {
      const before = placeNow(device);
      const done = await tried(() => put(plan.id, device, spot));
      if (!done) return false;
      const said = before?.plan === plan.id ? say.moved(deviceName(device)) : say.placed(deviceName(device));
      announce(said);
      offerUndo(said, putBack(device, before));
      return true;
    },
    look: async (plan, camera, view) => {
      const before = placeNow(camera);
      if (before === null || before.plan !== plan.id) return false;
      const done = await tried(() => put(plan.id, camera, before.spot, view));
      if (!done) return false;
      const said = view === null ? say.viewGone(deviceName(camera)) : say.viewDrawn(deviceName(camera));
      announce(said);
      const was = before.spot.view ?? null;
      offerUndo(said, () => void tried(() => put(plan.id, camera, before.spot, was)));
      return true;
    },
    takeOff: async (plan, device) => {
      const before = placeNow(device);
      const done = await tried(() => drop(plan.id, device));
      if (!done) return false;
      const said = say.takenOff(deviceName(device));
      announce(said);
      offerUndo(said, putBack(device, before));
      return true;
    },
  };
}

async function sendPicture(path: string, method: 'POST' | 'PUT', picture: File): Promise<PlanView> {
  const type = typeOfPicture(picture) ?? picture.type;
  const answer = await call(path, { method, body: picture, type, patience });
  // The server's own shape, checked there.
  return (await answer.json()) as PlanView;
}

const undoKey = 'map-undo';

function useUndo(): (said: string, undo: () => void) => void {
  const say = useWords(words);
  const { notification } = App.useApp();
  return (said, undo) =>
    notification.info({
      key: undoKey,
      title: said,
      placement: 'bottomLeft',
      duration: 8,
      actions: (
        <Button
          onClick={() => {
            notification.destroy(undoKey);
            undo();
          }}
        >
          {say.undo}
        </Button>
      ),
    });
}
