import { byId, keyedList, make, setClass, setText, show } from './dom.js';
import { plain } from './phrases.js';
import { deviceName, say, state, timeOf } from './state.js';

const processes = keyedList(byId('processes'), healthRow);
const devices = keyedList(byId('devices'), healthRow);

const good = new Set(['ready', 'online']);
const waiting = new Set(['starting', 'backing-off', 'degraded', 'stopping']);

export function showHealth() {
  processes(state.processes.map((child) => [child.name, processWords(child)]));
  const faulty = state.devices.filter((device) => device.state !== 'online');
  devices(faulty.map((device) => [device.device, deviceWords(device)]));
  show(byId('no-faults'), faulty.length === 0);
  const unwell = state.processes.filter(({ state: now }) => now !== 'ready').length + faulty.length;
  const chip = byId('faults-chip');
  show(chip, unwell > 0);
  setText(chip, `◐ ${unwell} ${say('notGood')}`);
}

function processWords(child) {
  const facts = [
    child.rss === null ? '' : `${Math.round(child.rss / 1e6)} MB`,
    child.restarts > 0 ? `${child.restarts} ${say('restarts')}` : '',
    child.restarts > 0 ? plain(child.lastExit ?? '') : '',
  ];
  return {
    name: say(`process:${child.name}`),
    state: child.state,
    facts: facts.filter((fact) => fact !== '').join(' · '),
  };
}

function deviceWords({ device, state: now, message, since }) {
  const facts = [plain(message), since > 0 ? `${say('since')} ${timeOf(since)}` : ''];
  return { name: deviceName(device), state: now, facts: facts.filter((fact) => fact !== '').join(' · ') };
}

function healthRow() {
  const lamp = make('span', { className: 'lamp', ariaHidden: 'true' });
  const name = make('span', { className: 'name' });
  const word = make('span', { className: 'state' });
  const facts = make('span', { className: 'facts soft' });
  const root = make('li', {}, lamp, name, word, facts);
  return {
    root,
    update(words) {
      const tone = good.has(words.state) ? 'good' : waiting.has(words.state) ? 'wait' : 'bad';
      setClass(root, `health ${tone}`);
      setText(lamp, { good: '●', wait: '◐', bad: '▲' }[tone]);
      setText(name, words.name);
      setText(word, say(`s:${words.state}`));
      setText(facts, words.facts);
    },
  };
}
