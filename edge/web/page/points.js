import { openCurve } from './curve.js';
import { byId, keyedList, make, setClass, setText, show } from './dom.js';
import { plain } from './phrases.js';
import { named, pointLabel, say, state, timeOf, zoneName } from './state.js';
import { isTripped, qualityOf, qualityText, valueText } from './values.js';

/* Zone by zone, device by device; what a person looks for first, the rest folded away. */

const mostOpen = 8;
/** What is of use to whoever repairs it, not to whoever watches. */
const folded =
  /^(linkquality|battery|battery_low|voltage|clock_skew|packets_sent|online|events|current|apparent_power|reactive_power|power_factor|frequency|energy_export|power_l\d)$/;

const zones = keyedList(byId('points'), zoneBox);

export function showPoints() {
  const byDevice = Map.groupBy(state.points.values(), (point) => point.device);
  const devices = [...byDevice.values()].map((points) => ({ zone: points[0].zone, points }));
  const byZone = Map.groupBy(devices, ({ zone }) => zone);
  const known = (state.campus?.zones ?? []).map(({ id }) => id).filter((id) => byZone.has(id));
  const others = [...byZone.keys()].filter((id) => !known.includes(id));
  zones([...known, ...others].map((id) => [id, { id, devices: byZone.get(id) }]));
}

function zoneBox() {
  const title = make('h3');
  const place = make('div', { className: 'devices' });
  const devices = keyedList(place, deviceBox);
  return {
    root: make('section', { className: 'zone' }, title, place),
    update({ id, devices: found }) {
      setText(title, zoneName(id) || id);
      devices(found.map(({ points }) => [points[0].device, points]));
    },
  };
}

function deviceBox() {
  const title = make('h4');
  const fault = make('p', { className: 'fault-words' });
  const main = make('ul');
  const summary = make('summary');
  const rest = make('ul');
  const box = make('details', {}, summary, rest);
  const root = make('article', {}, title, fault, main, box);
  const showMain = keyedList(main, pointRow);
  const showRest = keyedList(rest, pointRow);
  return {
    root,
    update(points) {
      const health = state.devices.find(({ device }) => device === points[0].device);
      const isFaulty = health !== undefined && health.state !== 'online';
      root.dataset.device = points[0].device;
      setClass(root, `device ${isFaulty ? 'faulty' : ''}`);
      setText(title, named(points[0].deviceName));
      show(fault, isFaulty);
      if (isFaulty) setText(fault, `▲ ${say(`s:${health.state}`)} · ${plain(health.message)}`);
      const { open, closed } = sorted(points);
      showMain(open.map((point) => [point.id, point]));
      showRest(closed.map((point) => [point.id, point]));
      show(box, closed.length > 0);
      const wrong = closed.filter((point) => qualityOf(point) !== 'good' && point.reason !== 'never-read').length;
      const more = `${say('more')} ${closed.length} ${say('items')}`.trim();
      setText(summary, wrong === 0 ? more : `${more} · ${wrong} ${say('notGood')}`);
    },
  };
}

/** The split hangs on the points, never on their values, so that nothing jumps while they change. */
function sorted(points) {
  const open = points.filter(({ point }) => !folded.test(point));
  const first = open.length > 0 ? open.slice(0, mostOpen) : points.slice(0, 3);
  return { open: first, closed: points.filter((point) => !first.includes(point)) };
}

function pointRow(point) {
  const isNumber = point.type === 'number' || typeof point.value === 'number';
  const name = make('span', { className: 'name' });
  const value = make('span', { className: 'value' });
  const why = make('span', { className: 'why' });
  const row = make(isNumber ? 'button' : 'div', { className: 'point' }, name, value, why);
  const root = make('li', { data: { point: point.id } }, row);
  let latest = point;
  if (isNumber) {
    row.type = 'button';
    row.addEventListener('click', () => openCurve(latest));
  }
  return {
    root,
    update(now) {
      latest = now;
      setClass(row, `point ${qualityOf(now)} ${isTripped(now) ? 'tripped' : ''} ${now.reason ?? ''}`);
      row.title = isNumber ? `${say('curveHelp')} · ${now.id}` : now.id;
      setText(name, pointLabel(now));
      setText(value, `${isTripped(now) ? '▲ ' : ''}${valueText(now.value, now.unit, now.point)}`);
      const wrong = qualityText(now);
      setText(
        why,
        wrong !== '' && now.value !== null && now.sourceTime > 0 ? `${wrong} · ${timeOf(now.sourceTime)}` : wrong,
      );
    },
  };
}
