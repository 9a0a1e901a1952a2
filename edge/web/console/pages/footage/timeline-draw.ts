import type { Range } from './coverage.ts';
import { placeOf, type Scale, ticksOf } from './scale.ts';

/* The timeline as a picture: times above, one strip per camera below. Shape and hatching tell as much as colour. */

export interface DrawnLane {
  readonly ranges: readonly Range[];
  readonly kept: readonly Range[];
  readonly deaf: readonly Range[];
  /** Start of the oldest footage; null: not known. */
  readonly oldest: number | null;
}

export interface Drawing {
  readonly scale: Scale;
  readonly lanes: readonly DrawnLane[];
  readonly now: number;
  /** Of the day in the middle. */
  readonly midnight: number;
  readonly selection: { readonly from: number | null; readonly to: number | null };
  readonly say: {
    readonly tick: (time: number, step: number) => string;
    readonly now: string;
    readonly edge: string;
  };
}

export interface Colours {
  readonly line: string;
  readonly text: string;
  readonly soft: string;
  readonly footage: string;
  readonly empty: string;
  readonly hatch: string;
  readonly kept: string;
  readonly deaf: string;
  readonly now: string;
  readonly accent: string;
  readonly future: string;
  readonly font: string;
}

/** px. */
export const rulerHeight = 24;
export const marksHeight = 30;
const laneGap = 4;

export function laneHeight(lanes: number): number {
  return lanes <= 1 ? 40 : lanes === 2 ? 28 : 22;
}

export function timelineHeight(lanes: number): number {
  return rulerHeight + marksHeight + Math.max(1, lanes) * (laneHeight(lanes) + laneGap) + 2;
}

export function laneTop(index: number, lanes: number): number {
  return rulerHeight + marksHeight + index * (laneHeight(lanes) + laneGap);
}

const names = {
  line: '--kit-line',
  text: '--kit-text',
  soft: '--kit-soft',
  footage: '--footage-there',
  empty: '--footage-empty',
  hatch: '--kit-hatch',
  kept: '--kit-low',
  deaf: '--kit-high',
  now: '--kit-critical',
  accent: '--kit-accent',
  future: '--kit-bg',
} as const;

export function coloursOf(element: HTMLElement): Colours {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(name).trim();
  const entries = Object.entries(names).map(([key, name]) => [key, of(name)]);
  return { ...(Object.fromEntries(entries) as Record<keyof typeof names, string>), font: style.fontFamily };
}

export function draw(context: CanvasRenderingContext2D, drawing: Drawing, colours: Colours): void {
  const { scale, lanes } = drawing;
  const height = timelineHeight(lanes.length);
  context.clearRect(0, 0, scale.width, height);
  const hatch = hatchOf(context, colours.hatch, 6);
  lanes.forEach((lane, index) => {
    drawLane(
      context,
      drawing,
      { lane, top: laneTop(index, lanes.length), tall: laneHeight(lanes.length) },
      colours,
      hatch,
    );
  });
  drawFuture(context, drawing, height, colours);
  drawTicks(context, drawing, height, colours);
  drawSelection(context, drawing, height, colours);
  drawNow(context, drawing, height, colours);
}

interface LanePlace {
  readonly lane: DrawnLane;
  readonly top: number;
  readonly tall: number;
}

function drawLane(
  context: CanvasRenderingContext2D,
  { scale }: Drawing,
  { lane, top, tall }: LanePlace,
  colours: Colours,
  hatch: CanvasPattern | string,
): void {
  // Below everything there is nothing: hatched.
  context.fillStyle = colours.empty;
  context.fillRect(0, top, scale.width, tall);
  context.fillStyle = hatch;
  context.fillRect(0, top, scale.width, tall);
  context.fillStyle = colours.footage;
  for (const [x, width] of barsOf(lane.ranges, scale)) context.fillRect(x, top, width, tall);
  const strip = Math.max(4, Math.round(tall / 6));
  context.fillStyle = colours.kept;
  for (const [x, width] of barsOf(lane.kept, scale)) context.fillRect(x, top, width, strip);
  for (const [x, width] of barsOf(lane.deaf, scale)) {
    context.fillStyle = colours.empty;
    context.fillRect(x, top + tall - strip, width, strip);
    context.fillStyle = hatchOf(context, colours.deaf, 4);
    context.fillRect(x, top + tall - strip, width, strip);
  }
  if (lane.oldest !== null) drawEdge(context, placeOf(scale, lane.oldest), top, tall, colours);
}

function drawEdge(context: CanvasRenderingContext2D, x: number, top: number, tall: number, colours: Colours): void {
  if (x < 0) return;
  context.strokeStyle = colours.text;
  context.lineWidth = 2;
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(x, top);
  context.lineTo(x, top + tall);
  context.stroke();
  context.setLineDash([]);
}

/** Ranges as bars, at least 1.5 px wide; those that would touch are one, so that a day of short ones costs no more than its pixels. */
export function barsOf(ranges: readonly Range[], scale: Scale): [x: number, width: number][] {
  const bars: [number, number][] = [];
  for (const { from, to } of ranges) {
    if (to <= scale.from || from >= scale.from + scale.span) continue;
    const x = Math.max(0, placeOf(scale, from));
    const end = Math.max(x + 1.5, Math.min(scale.width, placeOf(scale, to)));
    const last = bars.at(-1);
    if (last !== undefined && x - (last[0] + last[1]) < 0.5) last[1] = Math.max(last[1], end - last[0]);
    else bars.push([x, end - x]);
  }
  return bars;
}

function drawFuture(
  context: CanvasRenderingContext2D,
  { scale, now }: Drawing,
  height: number,
  colours: Colours,
): void {
  const x = placeOf(scale, now);
  if (x >= scale.width) return;
  context.fillStyle = colours.future;
  context.fillRect(Math.max(0, x), rulerHeight, scale.width - Math.max(0, x), height - rulerHeight);
}

function drawTicks(
  context: CanvasRenderingContext2D,
  { scale, midnight, say }: Drawing,
  height: number,
  colours: Colours,
): void {
  const { step, ticks } = ticksOf(scale, midnight);
  context.font = `12px ${colours.font}`;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  for (const { time, isNamed } of ticks) {
    const x = Math.round(placeOf(scale, time)) + 0.5;
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, isNamed ? rulerHeight - 5 : rulerHeight - 2);
    context.lineTo(x, isNamed ? height : rulerHeight);
    context.stroke();
    if (!isNamed) continue;
    context.fillStyle = colours.soft;
    const text = say.tick(time, step);
    const half = context.measureText(text).width / 2;
    if (x - half >= 0 && x + half <= scale.width) context.fillText(text, x, 10);
  }
}

function drawSelection(
  context: CanvasRenderingContext2D,
  { scale, selection: { from, to } }: Drawing,
  height: number,
  colours: Colours,
): void {
  if (from === null && to === null) return;
  const left = from === null ? null : placeOf(scale, from);
  const right = to === null ? null : placeOf(scale, to);
  context.strokeStyle = colours.accent;
  context.fillStyle = colours.accent;
  context.lineWidth = 2;
  if (left !== null && right !== null) {
    context.globalAlpha = 0.18;
    context.fillRect(left, rulerHeight, Math.max(2, right - left), height - rulerHeight);
    context.globalAlpha = 1;
    context.fillRect(left, rulerHeight, Math.max(2, right - left), 3);
  }
  for (const [x, towards] of [
    [left, 1],
    [right, -1],
  ] as const) {
    if (x === null) continue;
    context.beginPath();
    context.moveTo(x + 6 * towards, rulerHeight + 1);
    context.lineTo(x, rulerHeight + 1);
    context.lineTo(x, height - 1);
    context.lineTo(x + 6 * towards, height - 1);
    context.stroke();
  }
}

function drawNow(
  context: CanvasRenderingContext2D,
  { scale, now, say, lanes }: Drawing,
  height: number,
  colours: Colours,
): void {
  const write = (text: string, time: number, colour: string, side: 'left' | 'right') => {
    const x = placeOf(scale, time);
    if (x < 0 || x > scale.width) return;
    context.font = `12px ${colours.font}`;
    const room = context.measureText(text).width + 8;
    // On the side where nothing is, unless there is no room.
    const isCrowded = side === 'left' ? x + room > scale.width : x < room;
    context.textAlign = isCrowded ? (side === 'left' ? 'right' : 'left') : side;
    context.fillStyle = colour;
    context.fillText(text, x + (context.textAlign === 'right' ? -5 : 5), rulerHeight + 9);
  };
  const x = placeOf(scale, now);
  if (x >= 0 && x <= scale.width) {
    context.fillStyle = colours.now;
    context.fillRect(x - 1, rulerHeight, 2, height - rulerHeight);
    write(say.now, now, colours.now, 'left');
  }
  const oldest = lanes.flatMap((lane) => lane.oldest ?? []);
  if (oldest.length > 0) write(say.edge, Math.min(...oldest), colours.soft, 'right');
}

const patterns = new Map<string, CanvasPattern | null>();

/** Slanted lines of a colour. */
function hatchOf(context: CanvasRenderingContext2D, colour: string, apart: number): CanvasPattern | string {
  const key = `${colour} ${apart}`;
  const known = patterns.get(key);
  if (known !== undefined) return known ?? colour;
  if (patterns.size > 32) patterns.clear();
  const tile = document.createElement('canvas');
  [tile.width, tile.height] = [apart, apart];
  const pen = tile.getContext('2d');
  if (pen === null) return colour;
  pen.strokeStyle = colour;
  pen.lineWidth = 1.4;
  pen.beginPath();
  for (const shift of [-apart, 0, apart]) {
    pen.moveTo(shift, apart);
    pen.lineTo(shift + apart, 0);
  }
  pen.stroke();
  const made = context.createPattern(tile, 'repeat');
  patterns.set(key, made);
  return made ?? colour;
}
