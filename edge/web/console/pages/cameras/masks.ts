/* Parts of a picture that are covered, while they are drawn: 0 to 1 from its upper left corner. Pure. */

export interface Mask {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** As the site file takes them. */
export const mostMasks = 16;
/** Smaller is a slip of the hand. */
export const leastSize = 0.02;
export const newMask: Mask = { x: 0.4, y: 0.4, width: 0.2, height: 0.2 };

/** A hundredth of the picture is as exact as anybody draws. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Within the picture, at least so large that it can be taken hold of. */
export function settled({ x, y, width, height }: Mask): Mask {
  const wide = rounded(Math.min(1, Math.max(leastSize, width)));
  const high = rounded(Math.min(1, Math.max(leastSize, height)));
  return {
    x: rounded(Math.min(1 - wide, Math.max(0, x))),
    y: rounded(Math.min(1 - high, Math.max(0, y))),
    width: wide,
    height: high,
  };
}

/** Between two corners, whichever they are; null when it is a slip of the hand. */
export function between(a: { x: number; y: number }, b: { x: number; y: number }): Mask | null {
  const clip = (value: number) => Math.min(1, Math.max(0, value));
  const [left, right] = [clip(Math.min(a.x, b.x)), clip(Math.max(a.x, b.x))];
  const [top, bottom] = [clip(Math.min(a.y, b.y)), clip(Math.max(a.y, b.y))];
  if (right - left < leastSize || bottom - top < leastSize) return null;
  return settled({ x: left, y: top, width: right - left, height: bottom - top });
}

const step = 0.01;
const moves: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-step, 0],
  ArrowRight: [step, 0],
  ArrowUp: [0, -step],
  ArrowDown: [0, step],
};

/** What an arrow key does to it: moves it, with Shift changes its size. null: no arrow. */
export function byKey(mask: Mask, key: string, withShift: boolean): Mask | null {
  const move = moves[key];
  if (move === undefined) return null;
  const [dx, dy] = move;
  if (withShift) {
    const width = Math.min(mask.width + dx, 1 - mask.x);
    return settled({ ...mask, width, height: Math.min(mask.height + dy, 1 - mask.y) });
  }
  return settled({ ...mask, x: mask.x + dx, y: mask.y + dy });
}

/** As it stands in the site file. */
export function yamlOf(camera: string, masks: readonly Mask[]): string {
  const lines = masks.map(
    ({ x, y, width, height }) => `        - {x: ${x}, y: ${y}, width: ${width}, height: ${height}}`,
  );
  const list = lines.length === 0 ? [`      masks: []`] : ['      masks:', ...lines];
  return ['cameras:', '  byCamera:', `    ${camera}:`, ...list].join('\n');
}
