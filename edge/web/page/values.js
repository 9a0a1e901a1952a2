import { knows, say, state } from './state.js';
import { friendlyUnit } from './units.js';

/* How values and qualities are put. Quality is always said in words; colour only helps. */

/** What true and false mean for points whose name says it. */
const meanings = [
  [/^(smoke|water_leak|alarm|gas|carbon_monoxide|fault|tamper|intrusion)$/, 'tripped', 'normal'],
  [/^contact$/, 'closed', 'opened'],
  [/^(occupancy|presence)$/, 'someone', 'noone'],
  [/^(motion|person|vehicle)$/, 'detected', 'nothing'],
  [/^online$/, 'reachable', 'unreachable'],
  [/^battery_low$/, 'lowBattery', 'normal'],
  [/^(relay|switch|state|light)/, 'on', 'off'],
];

function booleanWord(value, point) {
  const [, yes, no] = meanings.find(([pattern]) => pattern.test(point)) ?? [null, 'yes', 'no'];
  return say(value ? yes : no);
}

/** A true that means trouble. */
export function isTripped({ value, point }) {
  return value === true && meanings.some(([pattern, yes]) => yes === 'tripped' && pattern.test(point));
}

export function numberText(value, unit) {
  const size = Math.abs(value);
  const digits = Number.isInteger(value) || size >= 10_000 ? 0 : size >= 1000 ? 1 : size >= 10 ? 1 : 2;
  const isCounter = unit.endsWith('.h');
  return value.toLocaleString('en-US', { maximumFractionDigits: isCounter ? 1 : digits, useGrouping: size >= 10_000 });
}

/** A value with its unit; `point` is the point's name, which tells what true means. */
export function valueText(value, unit, point) {
  if (value === null || value === undefined) return '—';
  if (typeof value === 'boolean') return booleanWord(value, point ?? '');
  if (typeof value === 'string') {
    if (value === '') return point === 'clip' ? say('silence') : '—';
    return point === 'clip' && knows(`clip:${value}`) ? say(`clip:${value}`) : value;
  }
  return `${numberText(value, unit)} ${friendlyUnit(unit)}`.trim();
}

/** What is wrong with a value; '' when it is good. While the page hears nobody, nothing is good. */
export function qualityText(point) {
  const quality = qualityOf(point);
  if (quality === 'good') return '';
  const reason = point.quality === 'good' ? 'last-usable-value' : point.reason;
  return `${quality === 'bad' ? '✕' : '?'} ${say(reason === undefined ? `q:${quality}` : `q:${reason}`)}`;
}

export function qualityOf(point) {
  return point.quality === 'good' && !(state.reachable && state.connected) ? 'uncertain' : point.quality;
}
