/* Where a plan lies in its stage: pure geometry, all in px of the screen unless said otherwise. */

export interface Size {
  readonly width: number;
  readonly height: number;
}
/** Of a plan: fractions of its width and height from the upper left corner. */
export interface Spot {
  readonly x: number;
  readonly y: number;
}
/** `zoom` 1: the whole plan fits. `x`, `y`: its upper left corner, px from that of the stage. */
export interface View extends Spot {
  readonly zoom: number;
}

export const closest = 12;
/** Glyphs at the very edge of a plan can be moved away from the edge of the stage, px. */
const margin = 60;

/** Size of the plan on the screen. */
export function layerOf(plan: Size, stage: Size, zoom: number): Size {
  const fit = Math.min(stage.width / plan.width, stage.height / plan.height) * zoom;
  return { width: plan.width * fit, height: plan.height * fit };
}

/** The plan stays within reach; one that is smaller than its stage lies in the middle. */
export function settled(view: View, plan: Size, stage: Size): View {
  const zoom = Math.min(closest, Math.max(1, view.zoom));
  const layer = layerOf(plan, stage, zoom);
  const along = (at: number, size: number, place: number) => {
    if (size <= place) return (place - size) / 2;
    return Math.min(margin, Math.max(place - size - margin, at));
  };
  return { zoom, x: along(view.x, layer.width, stage.width), y: along(view.y, layer.height, stage.height) };
}

/** Zooms by a factor; what lies under `at` stays there. */
export function zoomed(view: View, factor: number, at: Spot, plan: Size, stage: Size): View {
  const zoom = Math.min(closest, Math.max(1, view.zoom * factor));
  const by = zoom / view.zoom;
  return settled({ zoom, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by }, plan, stage);
}

/** Brings a spot of the plan to the middle (or `down` of the stage's height), at least as close as `zoom`. */
export function centred(view: View, spot: Spot, zoom: number, plan: Size, stage: Size, down = 0.5): View {
  const closer = Math.min(closest, Math.max(view.zoom, zoom));
  const layer = layerOf(plan, stage, closer);
  const x = stage.width / 2 - spot.x * layer.width;
  const y = stage.height * down - spot.y * layer.height;
  return settled({ zoom: closer, x, y }, plan, stage);
}

/** The smallest piece of the plan with all these spots in it, as large as the stage allows. */
export function framed(spots: readonly Spot[], plan: Size, stage: Size): View {
  const xs = spots.map(({ x }) => x);
  const ys = spots.map(({ y }) => y);
  const middle = { x: (Math.min(...xs) + Math.max(...xs)) / 2, y: (Math.min(...ys) + Math.max(...ys)) / 2 };
  const layer = layerOf(plan, stage, 1);
  const wide = Math.max(1, (Math.max(...xs) - Math.min(...xs)) * layer.width);
  const high = Math.max(1, (Math.max(...ys) - Math.min(...ys)) * layer.height);
  const zoom = Math.min((stage.width - 3 * margin) / wide, (stage.height - 3 * margin) / high);
  return centred({ zoom: 1, x: 0, y: 0 }, middle, zoom, plan, stage);
}

/** On the plan, to a tenth of a thousandth: more is noise of the pointer. */
export function onPlan({ x, y }: Spot): Spot {
  const within = (at: number) => Math.round(Math.min(1, Math.max(0, at)) * 10_000) / 10_000;
  return { x: within(x), y: within(y) };
}
