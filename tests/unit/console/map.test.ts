import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../edge/web/console/api.ts';
import { clustersOf } from '../../../edge/web/console/pages/map/clusters.ts';
import { pictureProblem } from '../../../edge/web/console/pages/map/picture-problem.ts';
import { newPlanId } from '../../../edge/web/console/pages/map/plan-id.ts';
import {
  firstView,
  handlesOf,
  pulledFar,
  pulledSide,
  sectorPath,
  settledView,
  viewOf,
} from '../../../edge/web/console/pages/map/sector.ts';
import { centred, closest, framed, layerOf, settled, zoomed } from '../../../edge/web/console/pages/map/view.ts';

const plan = { width: 1600, height: 1000 };
const stage = { width: 800, height: 600 };
const whole = settled({ zoom: 1, x: 0, y: 0 }, plan, stage);

describe('the window onto a plan', () => {
  test('shows the whole plan in its middle at first, and never less than it', () => {
    expect(whole).toEqual({ zoom: 1, x: 0, y: 50 });
    expect(zoomed(whole, 0.1, { x: 400, y: 300 }, plan, stage)).toEqual(whole);
  });

  test('keeps what lies under the pointer there while it zooms, within bounds', () => {
    const at = { x: 500, y: 300 };
    const view = zoomed(whole, 3, at, plan, stage);
    const before = (at.x - whole.x) / layerOf(plan, stage, 1).width;
    expect((at.x - view.x) / layerOf(plan, stage, view.zoom).width).toBeCloseTo(before, 6);
    expect(zoomed(view, 1_000, at, plan, stage).zoom).toBe(closest);
  });

  test('does not lose the plan, however far somebody drags', () => {
    const view = settled({ zoom: 2, x: 9_000, y: -9_000 }, plan, stage);
    expect(view.x).toBeLessThan(stage.width / 2);
    expect(view.y + layerOf(plan, stage, 2).height).toBeGreaterThan(stage.height / 2);
  });

  test('brings a spot to where it is wanted, and several into view together', () => {
    const view = centred(whole, { x: 0.5, y: 0.5 }, 4, plan, stage);
    const layer = layerOf(plan, stage, 4);
    expect([view.x + layer.width / 2, view.y + layer.height / 2]).toEqual([400, 300]);
    const spots = [
      { x: 0.2, y: 0.4 },
      { x: 0.3, y: 0.5 },
    ];
    const framing = framed(spots, plan, stage);
    const shown = layerOf(plan, stage, framing.zoom);
    for (const { x, y } of spots) {
      expect(framing.x + x * shown.width).toBeGreaterThan(0);
      expect(framing.x + x * shown.width).toBeLessThan(stage.width);
      expect(framing.y + y * shown.height).toBeLessThan(stage.height);
    }
  });
});

describe('glyphs that are too close', () => {
  const at = (id: string, x: number, y: number, space: string | null = null) => ({ id, x, y, space });
  const ids = (layer: { width: number; height: number }, ...placed: ReturnType<typeof at>[]) =>
    clustersOf(placed, layer).map(({ members }) => members.map(({ id }) => id));

  test('become one, those of one room from further away, and part when one comes closer', () => {
    const placed = [at('a', 0.1, 0.1, 'r1'), at('b', 0.145, 0.1, 'r1'), at('c', 0.19, 0.1, 'r2'), at('d', 0.9, 0.9)];
    expect(ids({ width: 1_000, height: 600 }, ...placed)).toEqual([['a', 'b'], ['c'], ['d']]);
    expect(ids({ width: 4_000, height: 2_400 }, ...placed)).toEqual([['a'], ['b'], ['c'], ['d']]);
  });

  test('leave nothing covered, and lose nobody', () => {
    const placed = Array.from({ length: 2_000 }, (_, n) => at(`d${n}`, (n % 50) / 50, Math.floor(n / 50) / 40));
    const layer = { width: 800, height: 500 };
    const clusters = clustersOf(placed, layer);
    expect(clusters.flatMap(({ members }) => members)).toHaveLength(2_000);
    expect(clusters.length).toBeLessThan(500);
  });
});

test('a refused picture is explained in the language of the screen, with its place', () => {
  const refused = (message: string) => new ApiError(400, 'bad-picture', message);
  const script = refused('line 12: <script> is not allowed in a plan. Save it as plain SVG, or as PNG.');
  expect(pictureProblem(script, 'zh')).toMatch(/^第 12 行：.*<script>/);
  expect(pictureProblem(script, 'en')).toMatch(/^Line 12: .*<script>/);
  expect(pictureProblem(refused('line 1: <svg onload> is not allowed'), 'zh')).toMatch(/<svg>.*onload/);
  expect(pictureProblem(refused('byte 33: the part IDAT is damaged'), 'zh')).toMatch(/^第 33 字节：.*损坏/);
  expect(pictureProblem(refused('something new'), 'zh')).toContain('something new');
  expect(pictureProblem(new ApiError(413, 'fst-err-ctp-body-too-large', ''), 'zh')).toContain('5 MB');
});

test('a new plan has an id of its own', () => {
  expect(newPlanId('Teaching building, 1st floor', [])).toBe('teaching-building-1st-floor');
  expect(newPlanId('Grounds', [{ id: 'grounds' }, { id: 'grounds-2' }])).toBe('grounds-3');
  expect(newPlanId('教学楼', [])).toBe('plan');
});

describe('what a camera sees', () => {
  const spot = { x: 0.5, y: 0.5 };

  test('is what somebody drew, else what the site file says, else nothing', () => {
    const site = { direction: 90, angle: 60, range: 30 };
    expect(viewOf(firstView, site)).toBe(firstView);
    expect(viewOf(undefined, site)).toEqual({ direction: 90, angle: 60, reach: 0.2 });
    expect(viewOf(undefined, { direction: 360, angle: 0, range: 500 })).toEqual({ direction: 0, angle: 5, reach: 0.6 });
    expect(viewOf(undefined, null)).toBeNull();
  });

  test('is a sector that begins at the camera, opens to both sides and is round where it is whole', () => {
    const path = sectorPath(spot, { direction: 90, angle: 90, reach: 0.1 }, plan);
    expect(path).toBe('M800.0 500.0L913.1 386.9A160.0 160.0 0 0 1 913.1 613.1Z');
    expect(sectorPath(spot, { direction: 0, angle: 200, reach: 0.1 }, plan)).toContain('A160.0 160.0 0 1 1');
    expect(sectorPath(spot, { direction: 0, angle: 360, reach: 0.1 }, plan)).not.toContain('L');
  });

  test('follows the hand that pulls its far end or its side, and stays what it is where nobody pulls', () => {
    for (const view of [
      firstView,
      { direction: 350, angle: 40, reach: 0.3 },
      { direction: 0, angle: 180, reach: 0.05 },
    ]) {
      const { far, side } = handlesOf(spot, view, plan);
      expect(pulledFar(spot, view, far, plan)).toEqual(view);
      expect(pulledSide(spot, view, side, plan)).toEqual(view);
    }
    expect(pulledFar(spot, firstView, { x: 0.5, y: 0.34 }, plan)).toEqual({ direction: 0, angle: 80, reach: 0.1 });
    expect(pulledFar(spot, firstView, spot, plan)).toBe(firstView);
    expect(pulledSide(spot, { ...firstView, direction: 350 }, { x: 0.5, y: 0.3 }, plan).angle).toBe(20);
  });

  test('is never wider than all around, nor so narrow or near that it cannot be taken hold of', () => {
    expect(settledView({ direction: -10, angle: 400, reach: 9 })).toEqual({ direction: 350, angle: 360, reach: 0.6 });
    expect(settledView({ direction: 719.6, angle: 0, reach: 0 })).toEqual({ direction: 0, angle: 5, reach: 0.02 });
  });
});
