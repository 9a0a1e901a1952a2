import { askToOperate, letGo } from './dialogs.js';
import { byId, keyedList, make, setClass, setText, show } from './dom.js';
import { act, notice } from './notice.js';
import { ownerText, plain } from './phrases.js';
import { labelOf, pair, say, state, timeOf } from './state.js';
import { valueText } from './values.js';

const held = keyedList(byId('held-outputs'), outputItem);
const free = keyedList(byId('free-outputs'), outputItem);

export function showOutputs() {
  const all = [...state.points.values()]
    .filter((point) => point.write !== undefined)
    .map((point) => ({ point, output: state.outputs.get(point.id) }));
  const isHeld = ({ output }) => output !== undefined && output.holder !== null;
  const order = (a, b) =>
    (a.output?.priority ?? 99) - (b.output?.priority ?? 99) || a.point.id.localeCompare(b.point.id);
  const holding = all.filter(isHeld).sort(order);
  const idle = all.filter((one) => !isHeld(one)).sort(order);
  held(holding.map((one) => [one.point.id, one]));
  free(idle.map((one) => [one.point.id, one]));
  show(byId('free-box'), idle.length > 0);
  setText(byId('free-summary'), `${idle.length} ${say('freeOutputs')}`);
}

function outputItem() {
  const name = make('span', { className: 'name' });
  const value = make('b');
  const why = make('p', { className: 'why' });
  const confirmed = make('p');
  const below = make('p', { className: 'soft' });
  const stack = make('ol', { className: 'stack' });
  const showStack = keyedList(stack, holdItem);
  const operate = make('button', { type: 'button' });
  const release = make('button', { type: 'button' });
  const root = make(
    'li',
    { className: 'output' },
    make('p', { className: 'line' }, name, value),
    why,
    confirmed,
    below,
    stack,
    make('div', { className: 'buttons' }, operate, release),
  );
  let point;
  operate.addEventListener('click', () => askToOperate(point));
  release.addEventListener('click', () => act(release, async () => notice(await letGo(point.id))));
  return {
    root,
    update({ point: now, output }) {
      point = now;
      root.dataset.ref = point.id;
      const holds = output?.stack ?? [];
      const [top, ...rest] = holds;
      const wanted = output?.value ?? point.value;
      setText(name, labelOf(point.id));
      setText(value, valueText(wanted, point.unit, point.point));
      setText(why, top === undefined ? `${say('nobody')} · ${say('keeps')}` : holdText(top));
      setClass(why, top === undefined ? 'why soft' : `why p${top.priority}`);
      show(why, top !== undefined);
      showConfirmed(confirmed, output, point);
      show(below, rest.length > 0);
      setText(below, say('below'));
      show(stack, rest.length > 0);
      showStack(rest.map((hold) => [hold.owner, { hold, point }]));
      setText(operate, say('operate'));
      setText(release, say('relinquish'));
      show(
        release,
        holds.some(({ owner }) => owner === 'request:web'),
      );
    },
  };
}

function holdText({ owner, priority, until, reason }) {
  const time = until === null ? say('untilReset') : `${say('until')} ${timeOf(until)}`;
  return `${pair(say('why'), plain(reason))} · ${ownerText(owner)} · ${priority} ${say(`p:${priority}`)} · ${time}`;
}

function showConfirmed(element, output, point) {
  show(element, output !== undefined && output.holder !== null);
  const told = output?.confirmed ?? null;
  const word = { done: 'confirmedGood', sent: 'sentOnly' }[told?.outcome] ?? 'confirmedBad';
  setClass(
    element,
    told === null || word === 'sentOnly' ? 'soft' : word === 'confirmedGood' ? 'soft proved' : 'unproved',
  );
  if (told === null) return setText(element, say('notConfirmed'));
  const shown = told.value === null ? '' : ` ${valueText(told.value, point.unit, point.point)}`;
  setText(element, `${say(word)}${shown} · ${timeOf(told.time)}`);
}

function holdItem() {
  const root = make('li');
  return {
    root,
    update({ hold, point }) {
      setText(root, `${valueText(hold.value, point.unit, point.point)} · ${holdText(hold)}`);
    },
  };
}
