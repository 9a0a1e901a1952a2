import { encodeJpeg, type Picture } from './camera-jpeg.ts';

/*
 * What a simulated camera sees: a school yard, a figure that crosses it, and the usual overlay with the camera's name
 * and clock, so that a person can tell which camera took a picture and when.
 */

const width = 640;
const height = 360;

/** 5 x 7 dot matrix, seven rows of five bits per character as base-32 digits. */
const glyphs: Readonly<Record<string, string>> = {
  '0': 'ehjlphe',
  '1': '4c4444e',
  '2': 'eh1248v',
  '3': 'v2421he',
  '4': '26aiv22',
  '5': 'vgu11he',
  '6': '68guhhe',
  '7': 'v124888',
  '8': 'ehhehhe',
  '9': 'ehhf12c',
  A: 'ehhvhhh',
  B: 'uhhuhhu',
  C: 'ehggghe',
  D: 'sihhhis',
  E: 'vgguggv',
  F: 'vgguggg',
  G: 'ehgnhhf',
  H: 'hhhvhhh',
  I: 'e44444e',
  J: '72222ic',
  K: 'hikokih',
  L: 'ggggggv',
  M: 'hrllhhh',
  N: 'hhpljhh',
  O: 'ehhhhhe',
  P: 'uhhuggg',
  Q: 'ehhhlid',
  R: 'uhhukih',
  S: 'fgge11u',
  T: 'v444444',
  U: 'hhhhhhe',
  V: 'hhhhha4',
  W: 'hhhllla',
  X: 'hha4ahh',
  Y: 'hhha444',
  Z: 'v1248gv',
  '-': '000v000',
  ':': '0cc0cc0',
  '.': '00000cc',
  '/': '01248g0',
};

type Colour = readonly [red: number, green: number, blue: number];

function fill(rgb: Uint8Array, left: number, top: number, right: number, bottom: number, colour: Colour): void {
  for (let y = Math.max(0, Math.round(top)); y < Math.min(height, Math.round(bottom)); y++) {
    for (let x = Math.max(0, Math.round(left)); x < Math.min(width, Math.round(right)); x++) {
      rgb.set(colour, (y * width + x) * 3);
    }
  }
}

/** White on a dark plate, `size` pixels per dot. */
function write(rgb: Uint8Array, text: string, left: number, top: number, size: number): void {
  fill(rgb, left - size, top - size, left + text.length * 6 * size, top + 8 * size, [20, 20, 24]);
  [...text.toUpperCase()].forEach((letter, index) => {
    [...(glyphs[letter] ?? '')].forEach((digit, row) => {
      for (let column = 0; column < 5; column++) {
        if (((Number.parseInt(digit, 32) >> (4 - column)) & 1) === 0) continue;
        const x = left + (index * 6 + column) * size;
        fill(rgb, x, top + row * size, x + size, top + (row + 1) * size, [245, 245, 245]);
      }
    });
  });
}

function drawBackground(rgb: Uint8Array): void {
  const horizon = 190;
  for (let y = 0; y < height; y++) {
    const t = y < horizon ? y / horizon : (y - horizon) / (height - horizon);
    const from: Colour = y < horizon ? [92, 140, 190] : [96, 112, 92];
    const to: Colour = y < horizon ? [206, 222, 232] : [142, 138, 126];
    const colour: Colour = [
      from[0] + (to[0] - from[0]) * t,
      from[1] + (to[1] - from[1]) * t,
      from[2] + (to[2] - from[2]) * t,
    ];
    fill(rgb, 0, y, width, y + 1, colour);
  }
  fill(rgb, 60, 84, 400, horizon + 16, [176, 150, 128]);
  fill(rgb, 60, 78, 400, 86, [120, 70, 58]);
  for (let storey = 0; storey < 3; storey++) {
    for (let x = 76; x < 380; x += 38) fill(rgb, x, 96 + storey * 34, x + 24, 116 + storey * 34, [70, 92, 112]);
  }
  fill(rgb, 470, 120, 478, horizon + 30, [84, 84, 88]);
  fill(rgb, 478, 122, 530, 156, [196, 48, 44]);
}

/** Somebody who needs 16 s to cross the yard and swings arms and legs meanwhile. */
function drawFigure(rgb: Uint8Array, time: number): void {
  const x = ((time / 16_000) % 1) * (width + 60) - 30;
  const swing = Math.sin(time / 160) * 7;
  const ground = 318;
  fill(rgb, x - 18, ground, x + 18, ground + 4, [86, 86, 80]);
  fill(rgb, x - 5 + swing, ground - 34, x + swing, ground, [36, 42, 70]);
  fill(rgb, x + 1 - swing, ground - 34, x + 6 - swing, ground, [30, 36, 60]);
  fill(rgb, x - 9, ground - 74, x + 10, ground - 32, [206, 90, 44]);
  fill(rgb, x - 13 - swing / 2, ground - 70, x - 9, ground - 40, [190, 78, 36]);
  fill(rgb, x + 10, ground - 70, x + 14 + swing / 2, ground - 40, [190, 78, 36]);
  fill(rgb, x - 6, ground - 92, x + 7, ground - 75, [228, 190, 158]);
}

export interface SceneOptions {
  /** Shown top left; letters A-Z, digits, `-`, `:`, `.`, `/`. */
  readonly name: string;
  /** The camera's clock, ms since epoch UTC, and its zone, minutes east. */
  readonly time: number;
  readonly utcOffsetMinutes: number;
  readonly person: boolean;
  /** Written where the clock is, instead of it: a clip that is played over and over knows no time. */
  readonly caption?: string;
}

export function drawScene({ name, time, utcOffsetMinutes, person, caption }: SceneOptions): Picture {
  const rgb = new Uint8Array(width * height * 3);
  drawBackground(rgb);
  if (person) drawFigure(rgb, time);
  const clock = caption ?? new Date(time + utcOffsetMinutes * 60_000).toISOString().slice(0, 19).replace('T', ' ');
  write(rgb, name.slice(0, 32), 14, 14, 2);
  write(rgb, clock, width - 14 - clock.length * 18, height - 36, 3);
  return { width, height, rgb };
}

/** 640 x 360, baseline JPEG, about 25 kB. */
export function photograph(options: SceneOptions): Buffer {
  return encodeJpeg(drawScene(options), 72);
}
