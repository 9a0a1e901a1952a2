import { byId, keyedList, make, setText, show } from './dom.js';
import { pictureFrame } from './pictures.js';
import { deviceName, say, state, timeOf, zoneName } from './state.js';

const mostKept = 200;
const mostShown = 24;
const list = keyedList(byId('events'), eventCard);

/** Takes an event that is new to the page; false when it was known already. */
export function takeEvent(event) {
  state.lastEventId = event.id;
  if (state.events.some((known) => known.id === event.id)) return false;
  state.events.unshift(event);
  state.events.splice(mostKept);
  return true;
}

export function showEvents() {
  const shown = sights(state.events).slice(0, mostShown);
  list(shown.map((sight) => [sight.id, sight]));
  show(byId('no-events'), shown.length === 0);
}

/** What one picture shows is one sight: a camera tells of motion and of a person in the same moment. */
function sights(events) {
  const found = new Map();
  for (const event of events) {
    // The end of a state is no news of its own; nobody watches a person leave.
    if (event.active === false) continue;
    const key = event.snapshot ?? event.id;
    const known = found.get(key);
    if (known === undefined) found.set(key, { ...event, id: key, event: event.id, types: [event.type] });
    else if (!known.types.includes(event.type)) known.types.push(event.type);
  }
  return [...found.values()].sort((a, b) => b.time - a.time);
}

const unremarkable = new Set(['motion', 'unknown']);

function eventCard() {
  const picture = pictureFrame();
  const what = make('strong');
  const where = make('span');
  const when = make('time', { className: 'soft' });
  const root = make('li', {}, picture.root, make('div', { className: 'words' }, what, where, when));
  return {
    root,
    update(sight) {
      const types = sight.types.toSorted((a, b) => Number(unremarkable.has(a)) - Number(unremarkable.has(b)));
      const words = types.map((type) => say(`e:${type}`)).join(state.language === 'zh' ? '、' : ', ');
      const place = deviceName(sight.device) || zoneName(sight.zone);
      root.className = `event ${types.every((type) => unremarkable.has(type)) ? 'plain' : ''}`;
      setText(what, words);
      setText(where, place);
      setText(when, timeOf(sight.time));
      show(picture.root, sight.snapshot !== undefined);
      if (sight.snapshot !== undefined)
        picture.update(sight.event, sight.time, `${words} · ${place} · ${timeOf(sight.time)}`);
    },
  };
}
