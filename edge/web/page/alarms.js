import { post } from './api.js';
import { askToReset } from './dialogs.js';
import { byId, keyedList, make, setClass, setText, show } from './dom.js';
import { act } from './notice.js';
import { plain } from './phrases.js';
import { pictureFrame } from './pictures.js';
import { named, pair, say, state, timeOf, zoneName } from './state.js';

const rank = { critical: 0, high: 1, medium: 2, low: 3 };
const list = keyedList(byId('alarms'), alarmCard);
const announced = new Set();

export function openAlarms() {
  const open = [...state.alarms.values()].filter(
    (alarm) => alarm.state !== 'normal' && alarm.suppressedBy === undefined,
  );
  const unseen = (alarm) => (alarm.state === 'acknowledged' ? 1 : 0);
  return open.sort((a, b) => unseen(a) - unseen(b) || rank[a.class] - rank[b.class] || b.raised - a.raised);
}

export function showAlarms() {
  const open = openAlarms();
  list(open.map((alarm) => [alarm.id, alarm]));
  show(byId('no-alarms'), open.length === 0);
  setText(byId('alarm-count'), open.length === 0 ? '' : String(open.length));
  setClass(byId('alarms-panel'), `panel alarms ${open[0] === undefined ? 'calm' : open[0].class}`);
  const name = named(state.campus?.name) || 'Campus Edge';
  document.title = open.length === 0 ? name : `(${open.length}) ${name}`;
  announce(open);
}

/** What is read aloud: each alarm once, when it is new and nobody has seen it. */
function announce(open) {
  const fresh = open.filter((alarm) => alarm.state === 'unacknowledged' && !announced.has(alarm.id));
  for (const id of announced) if (!state.alarms.has(id)) announced.delete(id);
  for (const alarm of fresh) announced.add(alarm.id);
  if (fresh.length === 0) return;
  const words = fresh.map((alarm) => `${say(alarm.class)} · ${named(alarm.message)}`);
  setText(byId('announce'), pair(say('newAlarm'), words.join('; ')));
}

function alarmCard() {
  const picture = pictureFrame();
  const word = make('span', { className: 'word' });
  const title = make('strong');
  const next = make('p', { className: 'next' });
  const facts = make('p', { className: 'soft' });
  const because = make('p', { className: 'soft' });
  const seen = make('button', { type: 'button', className: 'main' });
  const reset = make('button', { type: 'button' });
  const root = make(
    'li',
    {},
    picture.root,
    make('div', { className: 'words' }, make('p', { className: 'title' }, word, title), next, facts, because),
    make('div', { className: 'buttons' }, seen, reset),
  );
  let alarm;
  seen.addEventListener('click', () => act(seen, () => acknowledge(alarm)));
  reset.addEventListener('click', () => askToReset(interlockOf(alarm)));
  return {
    root,
    update(now) {
      alarm = now;
      setClass(root, `alarm ${alarm.class} ${alarm.state} ${alarm.event === undefined ? '' : 'pictured'}`);
      root.dataset.source = alarm.source;
      show(picture.root, alarm.event !== undefined);
      if (alarm.event !== undefined)
        picture.update(alarm.event, timeOfEvent(alarm), `${named(alarm.message)} ${timeOf(alarm.raised)}`);
      setText(word, `${alarm.state === 'acknowledged' ? '△' : '▲'} ${say(alarm.class)}`);
      setText(title, plain(named(alarm.message)));
      setText(next, pair(say('next'), plain(named(alarm.next))));
      setText(facts, factsOf(alarm));
      show(because, alarm.reason !== undefined && alarm.reason !== '');
      setText(because, pair(say('because'), plain(alarm.reason ?? '')));
      show(seen, alarm.state === 'unacknowledged' || alarm.state === 'returned');
      setText(seen, say('acknowledge'));
      show(reset, isLatched(alarm));
      setText(reset, say('reset'));
    },
  };
}

function factsOf(alarm) {
  const { acknowledged } = alarm;
  const facts = [
    `${say('raised')} ${timeOf(alarm.raised)}`,
    zoneName(alarm.zone),
    acknowledged === undefined
      ? say(alarm.state)
      : `${say('acknowledged')} ${acknowledged.by} ${timeOf(acknowledged.time)}`,
    alarm.active ? say('active') : '',
    alarm.count > 1 ? `${alarm.count} ${say('times')}` : '',
  ];
  return facts.filter((fact) => fact !== '').join(' · ');
}

function interlockOf(alarm) {
  return alarm.source.startsWith('interlock:') ? alarm.source.slice('interlock:'.length) : null;
}

function isLatched(alarm) {
  const id = interlockOf(alarm);
  return id !== null && state.campus?.interlocks.find((rule) => rule.id === id)?.latch === true;
}

async function acknowledge(alarm) {
  const changed = await post(`/api/v1/alarms/${alarm.id}/acknowledge`, {});
  if (changed.state === 'normal') state.alarms.delete(changed.id);
  else state.alarms.set(changed.id, changed);
  showAlarms();
}

/** An alarm that came back shows the latest event, which may be of this moment; a UUIDv7 begins with its time. */
function timeOfEvent({ event }) {
  return Number.parseInt(event.replaceAll('-', '').slice(0, 12), 16);
}
