import type { PlacedView } from '../../../place-schemas.ts';
import type { Size, Spot } from './view.ts';

/*
 * What a camera sees of a plan, as a sector. Pure. Directions are degrees of the drawing, clockwise from its upper edge; spots are
 * fractions of the plan, as everywhere; paths are in the units of the drawing.
 */

/** What the site file says: compass direction, opening angle, how far in metres. */
export interface SiteView {
  readonly direction: number;
  readonly angle: number;
  readonly range: number;
}

/** Until somebody draws it, a plan is taken to be so wide, m, with north at its upper edge. */
const usualWidth = 150;
const least = { angle: 5, reach: 0.02 } as const;
const most = { angle: 360, reach: 0.6 } as const;
export const limits = { least, most } as const;

/** What a camera begins with that nobody has said anything about. */
export const firstView: PlacedView = { direction: 180, angle: 80, reach: 0.12 };

export function viewOf(placed: PlacedView | undefined, site: SiteView | null): PlacedView | null {
  if (placed !== undefined) return placed;
  if (site === null) return null;
  return settledView({ direction: site.direction, angle: site.angle, reach: site.range / usualWidth });
}

function within(value: number, from: number, to: number): number {
  return Math.min(to, Math.max(from, value));
}

/** Whole degrees and thousandths: more is noise of the pointer. */
export function settledView({ direction, angle, reach }: PlacedView): PlacedView {
  return {
    direction: ((Math.round(direction) % 360) + 360) % 360,
    angle: Math.round(within(angle, least.angle, most.angle)),
    reach: Math.round(within(reach, least.reach, most.reach) * 1_000) / 1_000,
  };
}

function radians(direction: number): number {
  return ((direction - 90) * Math.PI) / 180;
}

function away({ x, y }: Spot, direction: number, far: number): Spot {
  const turn = radians(direction);
  return { x: x + Math.cos(turn) * far, y: y + Math.sin(turn) * far };
}

/** Where the camera is and how far it sees, in the units of the drawing. */
export function circleOf(spot: Spot, { reach }: PlacedView, plan: Size): Spot & { readonly radius: number } {
  return { x: spot.x * plan.width, y: spot.y * plan.height, radius: reach * plan.width };
}

/** The outline of what it sees, as the `d` of a path. */
export function sectorPath(spot: Spot, view: PlacedView, plan: Size): string {
  const { x, y, radius } = circleOf(spot, view, plan);
  const text = (at: Spot) => `${at.x.toFixed(1)} ${at.y.toFixed(1)}`;
  const r = radius.toFixed(1);
  if (view.angle >= 359.5) {
    const [top, bottom] = [away({ x, y }, 0, radius), away({ x, y }, 180, radius)];
    return `M${text(top)}A${r} ${r} 0 1 1 ${text(bottom)}A${r} ${r} 0 1 1 ${text(top)}Z`;
  }
  const from = away({ x, y }, view.direction - view.angle / 2, radius);
  const to = away({ x, y }, view.direction + view.angle / 2, radius);
  return `M${text({ x, y })}L${text(from)}A${r} ${r} 0 ${view.angle > 180 ? 1 : 0} 1 ${text(to)}Z`;
}

/** Where a hand takes hold of it, as fractions of the plan: in the middle of the arc, and at its right end. */
export function handlesOf(spot: Spot, view: PlacedView, plan: Size): { readonly far: Spot; readonly side: Spot } {
  const circle = circleOf(spot, view, plan);
  const onPlan = (at: Spot): Spot => ({ x: at.x / plan.width, y: at.y / plan.height });
  return {
    far: onPlan(away(circle, view.direction, circle.radius)),
    side: onPlan(away(circle, view.direction + view.angle / 2, circle.radius)),
  };
}

function directionTo(spot: Spot, to: Spot, plan: Size): number {
  const [right, down] = [(to.x - spot.x) * plan.width, (to.y - spot.y) * plan.height];
  return (Math.atan2(down, right) * 180) / Math.PI + 90;
}

/** The middle of the arc is pulled there: another direction and reach. */
export function pulledFar(spot: Spot, view: PlacedView, to: Spot, plan: Size): PlacedView {
  const far = Math.hypot((to.x - spot.x) * plan.width, (to.y - spot.y) * plan.height);
  if (far === 0) return view;
  return settledView({ ...view, direction: directionTo(spot, to, plan), reach: far / plan.width });
}

/** The end of the arc is pulled there: another angle, the same on both sides. */
export function pulledSide(spot: Spot, view: PlacedView, to: Spot, plan: Size): PlacedView {
  const apart = (((directionTo(spot, to, plan) - view.direction) % 360) + 360) % 360;
  return settledView({ ...view, angle: Math.min(apart, 360 - apart) * 2 });
}
