import type { WarningArea, WarningPoint, WarningReference } from '#edge/domain/warning.ts';
import { CodedError } from '#edge/runtime/errors.ts';

/* What the fields of a warning may hold, whether they came as XML or JSON. */

/** Of one text; a description of a real warning is a few hundred characters. */
export const longestText = 8_000;
const mostReferences = 100;
const mostVertices = 2_000;

export function refuse(where: string, what: string): CodedError {
  return new CodedError('CAP_INVALID', `${where}: ${what}`);
}

/** Text as people may see and hear it: control characters become spaces (a line break stays one). */
export function cleanText(text: string, where: string): string {
  if (text.length > longestText) throw refuse(where, `${text.length} characters; at most ${longestText} are read`);
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(/[^\P{C}\n]/gu, ' ')
    .trim();
}

/** CAP 3.2.1: no spaces, commas or restricted characters. */
export function nameText(text: string, where: string): string {
  const name = text.trim();
  if (!/^[^\s,<&\p{C}]{1,200}$/u.test(name))
    throw refuse(where, 'is 1 to 200 characters without spaces, commas, < and &');
  return name;
}

const timePattern = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;

/** ms since epoch. CAP wants a numeric offset; a `Z`, which means the same, is read too: a warning is not lost for a letter. */
export function timeOf(text: string, where: string): number {
  const given = text.trim();
  const day = timePattern.exec(given)?.[1];
  const time = Date.parse(given);
  // A day that does not exist (30 February) would be read as another.
  if (day === undefined || Number.isNaN(time) || new Date(`${day}T00:00:00Z`).toISOString().slice(0, 10) !== day)
    throw refuse(where, `"${given.slice(0, 40)}" is not a time as 2026-11-23T08:00:00+08:00`);
  return time;
}

export function oneOf<T extends string>(text: string, among: readonly T[], where: string): T {
  const given = text.trim();
  const found = among.find((one) => one === given);
  if (found === undefined) throw refuse(where, `"${given.slice(0, 40)}" is none of ${among.join(', ')}`);
  return found;
}

/** `sender,identifier,sent sender,identifier,sent …` */
export function referencesOf(text: string, where: string): readonly WarningReference[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  if (words.length > mostReferences) throw refuse(where, `${words.length} references; at most ${mostReferences}`);
  return words.map((word) => {
    const [sender, identifier, sent, ...more] = word.split(',');
    if (sender === undefined || identifier === undefined || sent === undefined || more.length > 0)
      throw refuse(where, `"${word.slice(0, 80)}" is not sender,identifier,sent`);
    return { sender: nameText(sender, where), identifier: nameText(identifier, where), sent: timeOf(sent, where) };
  });
}

export function polygonOf(text: string, where: string): readonly WarningPoint[] {
  const points = text
    .trim()
    .split(/\s+/)
    .map((word) => pointOf(word, where));
  const [first] = points;
  const last = points.at(-1);
  if (points.length < 4 || points.length > mostVertices)
    throw refuse(where, `${points.length} points; 4 to ${mostVertices} make a polygon`);
  if (first?.latitude !== last?.latitude || first?.longitude !== last?.longitude)
    throw refuse(where, 'the last point of a polygon is its first');
  return points;
}

export function circleOf(text: string, where: string): WarningArea['circles'][number] {
  const [center = '', radius = '', ...more] = text.trim().split(/\s+/);
  const kilometres = Number(radius);
  if (more.length > 0 || radius === '' || !(kilometres >= 0 && kilometres <= 20_100))
    throw refuse(where, 'a circle is latitude,longitude and kilometres');
  return { center: pointOf(center, where), kilometres };
}

function pointOf(word: string, where: string): WarningPoint {
  const [, north = '', east = ''] = /^(-?\d{1,3}(?:\.\d{1,15})?),(-?\d{1,3}(?:\.\d{1,15})?)$/.exec(word) ?? [];
  const latitude = Number(north);
  const longitude = Number(east);
  if (north === '' || Math.abs(latitude) > 90 || Math.abs(longitude) > 180)
    throw refuse(where, `"${word.slice(0, 40)}" is not latitude,longitude in degrees`);
  return { latitude, longitude };
}
