import { get } from './api.js';
import { drawBars, drawLine } from './chart.js';
import { byId, make, setText, show } from './dom.js';
import { labelOf, pair, say } from './state.js';
import { valueText } from './values.js';

/* The history of one point, asked of the API like anybody would. */

const ranges = [
  { word: 'lastHour', hours: 1, step: 'raw' },
  { word: 'lastDay', hours: 24, step: '15min' },
  { word: 'lastWeek', hours: 168, step: '1h' },
];
let asked = 0;
let refresh;

export function openCurve(point) {
  setText(byId('curve-title'), labelOf(point.id));
  const buttons = ranges.map((range) => {
    const button = make('button', { type: 'button', textContent: say(range.word) });
    button.addEventListener('click', () => choose(range, button));
    return button;
  });
  const choose = (range, button) => {
    for (const other of buttons) other.setAttribute('aria-pressed', String(other === button));
    clearInterval(refresh);
    refresh = setInterval(() => void draw(point, range), 20_000);
    setText(byId('curve-note'), say('loading'));
    void draw(point, range);
  };
  byId('curve-ranges').replaceChildren(...buttons);
  byId('curve').replaceChildren();
  byId('curve-dialog').showModal();
  choose(ranges[0], buttons[0]);
}

byId('curve-dialog').addEventListener('close', () => clearInterval(refresh));

async function draw(point, { hours, step }) {
  const turn = ++asked;
  const to = Date.now();
  const from = to - hours * 3_600_000;
  try {
    const path = `/api/v1/points/${point.id}/history?from=${from}&to=${to + 60_000}&step=${step}&limit=20000`;
    const history = await get(path);
    // Of a point that is known for minutes only, an hour would be an empty picture.
    const first = history.samples?.[0]?.t ?? from;
    const start = Math.max(from, Math.min(first, to - 60_000));
    if (turn === asked) paint(point, history, { from: start, to, isLong: hours > 24 });
  } catch (error) {
    if (turn === asked) setText(byId('curve-note'), error.words ?? error.message);
  }
}

function paint(point, { step, samples = [], buckets = [] }, span) {
  const isCounter = buckets.some(({ delta }) => delta !== null);
  const marks = step === 'raw' ? samples.map(rawMark) : buckets.map(bucketMark);
  const values = marks.flatMap(({ low, high }) => (low === null ? [] : [low, high]));
  const words = (value) => valueText(value, point.unit, point.point);
  byId('curve').replaceChildren();
  if (values.length === 0) return setText(byId('curve-note'), say('noHistory'));
  if (isCounter) {
    const bars = buckets.map(({ t, delta }) => ({ t, value: delta ?? 0 }));
    byId('curve').append(drawBars(bars, { ...span, width: step === '1h' ? 3_600_000 : 900_000, words }));
    const total = bars.reduce((sum, { value }) => sum + value, 0);
    return setText(byId('curve-note'), pair(say('sum'), words(total)));
  }
  byId('curve').append(drawLine(marks, { ...span, words }));
  const middle = marks.filter(({ value }) => value !== null).map(({ value }) => value);
  const mean = middle.reduce((sum, value) => sum + value, 0) / Math.max(1, middle.length);
  const facts = [
    [say('min'), Math.min(...values)],
    ...(step === 'raw' ? [] : [[say('mean'), mean]]),
    [say('max'), Math.max(...values)],
  ];
  setText(byId('curve-note'), facts.map(([name, value]) => pair(name, words(value))).join(' · '));
  show(byId('curve'), true);
}

function rawMark({ t, value, quality }) {
  const known = quality === 'bad' || typeof value !== 'number' ? null : value;
  return { t, value: known, low: known, high: known };
}

function bucketMark({ t, mean, last, min, max }) {
  return { t, value: mean ?? last, low: min, high: max };
}
