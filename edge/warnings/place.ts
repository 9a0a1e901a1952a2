import type { WarningArea, WarningPoint } from '#edge/domain/warning.ts';

/** Where this campus is, as warnings name places. */
export interface WarningPlace {
  readonly point: WarningPoint | null;
  /** Statistical division codes (行政区划代码) it lies in, 6 to 12 digits; the most exact is enough. */
  readonly codes: readonly string[];
}

const earthRadius = 6_371;
const radians = Math.PI / 180;
/** Names under which senders give division codes; any other system of codes tells this campus nothing. */
const divisionSystems = /行政区划|^(?:adcode|area ?code|division(?: ?code)?|gb\/?t ?2260.*)$/i;
/** Digits of province, city, district, town, village. */
const levels = [2, 4, 6, 9, 12];

/**
 * Is this place meant? Without an area everybody is. What cannot be judged (a description in words, or a place whose own position nobody
 * entered) counts as meant: of two mistakes the silent one is worse.
 */
export function isMeant(areas: readonly WarningArea[], place: WarningPlace): boolean {
  return areas.length === 0 || areas.some((area) => isIn(area, place));
}

function isIn(area: WarningArea, { point, codes }: WarningPlace): boolean {
  const divisions = area.codes
    .filter(({ system, code }) => divisionSystems.test(system) && /^\d{6}(?:\d{3}){0,2}$/.test(code))
    .map(({ code }) => stemOf(code));
  const canTellByShape = point !== null && area.polygons.length + area.circles.length > 0;
  const canTellByCode = divisions.length > 0 && codes.length > 0;
  if (!canTellByShape && !canTellByCode) return true;
  const isInShape =
    point !== null &&
    (area.polygons.some((polygon) => isInside(point, polygon)) ||
      area.circles.some(({ center, kilometres }) => distance(point, center) <= kilometres));
  // A part of the district that this campus says it is in may well be its own.
  const isInDivision = codes
    .map(stemOf)
    .some((mine) => divisions.some((division) => mine.startsWith(division) || division.startsWith(mine)));
  return isInShape || isInDivision;
}

/** `510400000000` and `510400` -> `5104`. */
function stemOf(code: string): string {
  const length = levels.find((digits) => /^0*$/.test(code.slice(digits)));
  return code.slice(0, length);
}

/** Even-odd rule on degrees; a polygon over the date line is not China's. */
function isInside({ latitude, longitude }: WarningPoint, polygon: readonly WarningPoint[]): boolean {
  let inside = false;
  let before = polygon.at(-1);
  for (const corner of polygon) {
    if (before !== undefined && corner.latitude > latitude !== before.latitude > latitude) {
      const share = (latitude - corner.latitude) / (before.latitude - corner.latitude);
      if (longitude < corner.longitude + share * (before.longitude - corner.longitude)) inside = !inside;
    }
    before = corner;
  }
  return inside;
}

/** Kilometres on the sphere. */
function distance(a: WarningPoint, b: WarningPoint): number {
  const [north, east] = [(b.latitude - a.latitude) * radians, (b.longitude - a.longitude) * radians];
  const half =
    Math.sin(north / 2) ** 2 +
    Math.cos(a.latitude * radians) * Math.cos(b.latitude * radians) * Math.sin(east / 2) ** 2;
  return 2 * earthRadius * Math.asin(Math.min(1, Math.sqrt(half)));
}
