import { tickOf } from './state.js';

/* A curve as inline SVG: gaps stay gaps, the band between least and greatest is shaded, axes name their ends. */

const box = { width: 720, height: 260, left: 70, right: 14, top: 12, bottom: 26 };

function svg(tag, attributes, text = '') {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.textContent = text;
  return element;
}

function frame({ from, to, isLong, words }, least, most) {
  const root = svg('svg', { viewBox: `0 0 ${box.width} ${box.height}`, role: 'img', class: 'chart' });
  const x = (t) => box.left + ((t - from) / (to - from)) * (box.width - box.left - box.right);
  const slack = (most - least || Math.abs(most) || 1) * 0.08;
  const bottom = least >= 0 && least - slack < 0 ? 0 : least - slack;
  const top = most + slack;
  const y = (value) =>
    box.height - box.bottom - ((value - bottom) / (top - bottom)) * (box.height - box.top - box.bottom);
  for (const value of [least, (least + most) / 2, most]) {
    root.append(svg('line', { x1: box.left, x2: box.width - box.right, y1: y(value), y2: y(value), class: 'rule' }));
    root.append(svg('text', { x: box.left - 6, y: y(value) + 4, 'text-anchor': 'end' }, words(value)));
    if (least === most) break;
  }
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const t = from + part * (to - from);
    const anchor = part === 0 ? 'start' : part === 1 ? 'end' : 'middle';
    root.append(svg('text', { x: x(t), y: box.height - 6, 'text-anchor': anchor }, tickOf(t, isLong)));
  }
  return { root, x, y };
}

/** Marks `{t, value, low, high}`, null where nothing is known. */
export function drawLine(marks, span) {
  const known = marks.filter(({ low }) => low !== null);
  const least = Math.min(...known.map(({ low }) => low));
  const most = Math.max(...known.map(({ high }) => high));
  const { root, x, y } = frame(span, least, most);
  for (const run of runs(marks)) {
    const inside = run.map((mark) => ({ ...mark, t: Math.max(mark.t, span.from) }));
    const up = inside.map(({ t, high }) => `${x(t).toFixed(1)},${y(high).toFixed(1)}`);
    const down = inside.map(({ t, low }) => `${x(t).toFixed(1)},${y(low).toFixed(1)}`).reverse();
    root.append(svg('polygon', { points: [...up, ...down].join(' '), class: 'band' }));
    const line = inside.map(({ t, value }) => `${x(t).toFixed(1)},${y(value).toFixed(1)}`);
    root.append(svg('polyline', { points: line.join(' '), class: 'curve' }));
    if (inside.length === 1)
      root.append(svg('circle', { cx: x(inside[0].t), cy: y(inside[0].value), r: 2.5, class: 'dot' }));
  }
  return root;
}

/** Neighbours without an unknown between them. */
function runs(marks) {
  const found = [[]];
  for (const mark of marks) {
    if (mark.value === null || mark.low === null) found.push([]);
    else found.at(-1).push(mark);
  }
  return found.filter((run) => run.length > 0);
}

/** What a counter rose by, bar by bar; `width` is a bar's time, ms. */
export function drawBars(bars, span) {
  const { root, x, y } = frame(span, 0, Math.max(...bars.map(({ value }) => value), 0));
  for (const { t, value } of bars) {
    const start = Math.max(x(t), box.left);
    const end = Math.min(x(t + span.width), box.width - box.right);
    if (end <= start) continue;
    root.append(
      svg('rect', {
        x: start,
        y: y(value),
        width: Math.max(1, end - start - 1),
        height: y(0) - y(value),
        class: 'bar-mark',
      }),
    );
  }
  return root;
}
