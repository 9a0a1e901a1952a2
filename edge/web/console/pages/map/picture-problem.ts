import { ApiError, errorDetail, errorText } from '../../api.ts';
import { type Language, pairIn } from '../../kit/words.ts';
import { words } from './words.ts';

/* Why a picture was refused: the server says what and where in English; what people meet is said in their words. */

/** `line 12: <script> …`, `byte 33: …`. */
const place = /^(line|byte) (\d+): (.*)$/s;

/** What went wrong when a picture was sent, in one sentence with its place. */
export function pictureProblem(error: unknown, language: Language): string {
  const say = words[language];
  if (!(error instanceof ApiError)) return errorText(error, language);
  if (error.status === 413) return say.tooLarge;
  if (error.status === 415) return say.wrongType;
  if (error.code === 'plans-full') return say.plansFull;
  if (error.code !== 'bad-picture') return errorText(error, language);
  const detail = errorDetail(error);
  const [, unit, number = '', rest = detail] = place.exec(detail) ?? [];
  const where = unit === undefined ? '' : unit === 'line' ? say.line(number) : say.byte(number);
  const what = reasonOf(rest, language);
  return where === '' ? what : pairIn(language, where, what);
}

function reasonOf(text: string, language: Language): string {
  const say = words[language];
  const forbidden = /^<([^>\s]+)> is not allowed in a plan/.exec(text);
  if (forbidden !== null) return say.forbiddenElement(forbidden[1] ?? '');
  const attribute = /^<(\S+) ([^>\s]+)>:? is not allowed/.exec(text);
  if (attribute !== null) return say.forbiddenAttribute(attribute[1] ?? '', attribute[2] ?? '');
  if (/may only point at something|holds an address/.test(text)) return say.pointsOutside;
  if (/not a PNG|first bytes differ/.test(text)) return say.notPng;
  if (/no <svg> in it|is not an SVG drawing/.test(text)) return say.notSvg;
  if (/needs a viewBox|viewBox must be/.test(text)) return say.noSize;
  if (/not UTF-8/.test(text)) return say.notUtf8;
  if (/the body is empty/.test(text)) return say.emptyFile;
  if (/is damaged|a broken part|ends in the middle|never closed|closes nothing/.test(text)) return say.damaged;
  const size = /^it is ([\d.]+) x ([\d.]+) (pixels|units)/.exec(text);
  if (size !== null) return say.tooBig(size[1] ?? '', size[2] ?? '');
  return say.otherProblem(text);
}
