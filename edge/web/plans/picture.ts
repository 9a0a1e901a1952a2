import { CodedError } from '#edge/runtime/errors.ts';

export interface Picture {
  readonly format: 'png' | 'svg';
  readonly width: number;
  readonly height: number;
}

/** Largest body of an upload, bytes. */
export const pictureBytes = 5_000_000;
/** Longest side, pixels or units of a viewBox. */
const longestSide = 10_000;
/** A browser needs 4 bytes for each. */
const mostPixels = 50_000_000;

/** `BAD_PICTURE` is 400: what was sent cannot be a plan, in words that say what and where. */
export function refusePicture(message: string): CodedError {
  return new CodedError('BAD_PICTURE', message);
}

export function requireSize(width: number, height: number, unit: string): { width: number; height: number } {
  const isGood = [width, height].every((side) => Number.isFinite(side) && side > 0 && side <= longestSide);
  if (isGood && (unit !== 'pixels' || width * height <= mostPixels)) return { width, height };
  const limit = unit === 'pixels' ? `, and ${mostPixels / 1e6} million in all` : '';
  throw refusePicture(`it is ${width} x ${height} ${unit}; at most ${longestSide} each way are taken${limit}`);
}
