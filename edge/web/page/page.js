import { showAlarms } from './alarms.js';
import { api, get, listen } from './api.js';
import { closeAll } from './dialogs.js';
import { byId, setClass, setText, show } from './dom.js';
import { showEvents, takeEvent } from './events.js';
import { showHealth } from './health.js';
import { act } from './notice.js';
import { showOutputs } from './outputs.js';
import { showPoints } from './points.js';
import { named, nowInFull, say, state } from './state.js';

/* The live page: opens the stream, asks for what is, and then keeps both in step. No library. */

function showTexts() {
  document.documentElement.lang = state.language === 'zh' ? 'zh-CN' : 'en';
  for (const element of document.querySelectorAll('[data-text]')) setText(element, say(element.dataset.text));
  byId('language').lang = state.language === 'zh' ? 'en' : 'zh-CN';
  setText(byId('clock'), nowInFull());
}

function showLink() {
  const word = !state.reachable ? 'offline' : state.connected ? 'connected' : 'away';
  setClass(byId('link'), `chip ${word === 'connected' ? 'good' : 'bad'}`);
  setText(byId('link'), `${word === 'connected' ? '●' : '▲'} ${say(word)}`);
  show(byId('away'), state.campus !== null && word !== 'connected');
  setText(byId('away'), word === 'connected' ? '' : say(`${word}Help`));
}

const parts = [showAlarms, showEvents, showOutputs, showPoints, showHealth];

function showAll() {
  showTexts();
  showLink();
  if (state.campus === null) return;
  setText(byId('campus-name'), named(state.campus.name));
  show(byId('flows-link'), state.campus.flowsEditor);
  for (const part of parts) part();
}

/* Many readings a second make one repaint a second; alarms and events are painted at once. */
const stale = new Set();
setInterval(() => {
  setText(byId('clock'), nowInFull());
  if (state.campus === null) return;
  for (const part of stale) part();
  stale.clear();
}, 1000);

const handlers = {
  core({ connected }) {
    // What ended while core was away is not told again: everything is asked for anew.
    if (connected && !state.connected) void reload();
    state.connected = connected;
    showLink();
    stale.add(showPoints);
  },
  processes(processes) {
    const restarts = (all) => all.find(({ name }) => name === 'core')?.restarts;
    if (state.processes.length > 0 && restarts(processes) !== restarts(state.processes)) void reload();
    state.processes = processes;
    stale.add(showHealth);
  },
  reading(reading) {
    const known = state.points.get(reading.ref) ?? {
      id: reading.ref,
      deviceName: { zh: reading.device, en: reading.device },
      label: { zh: reading.point, en: reading.point },
      zone: '',
    };
    state.points.set(reading.ref, { ...known, reason: undefined, ...reading });
    stale.add(showPoints);
    if (known.write !== undefined) stale.add(showOutputs);
  },
  output(output) {
    state.outputs.set(output.ref, output);
    stale.add(showOutputs);
  },
  alarm(alarm) {
    if (alarm.state === 'normal') state.alarms.delete(alarm.id);
    else state.alarms.set(alarm.id, alarm);
    showAlarms();
  },
  event(event) {
    if (takeEvent(event)) showEvents();
  },
  missed: () => void reload(),
  health: () => void stale.add(refreshDevices),
};

async function refreshDevices() {
  try {
    state.devices = await get('/api/v1/devices');
    showHealth();
    stale.add(showPoints);
  } catch {
    // The stream notices too, and says so; the next word of a driver asks again.
  }
}

/** What came over the stream while the answers were on their way is applied after them. */
let waiting = null;

function hear(kind, body) {
  if (waiting !== null) waiting.push([kind, body]);
  else handlers[kind]?.(body);
}

async function load() {
  waiting ??= [];
  try {
    const [campus, points, outputs, alarms, events, devices] = await Promise.all([
      get('/api/v1/campus'),
      get('/api/v1/points'),
      get('/api/v1/outputs'),
      get('/api/v1/alarms?open=true'),
      get('/api/v1/events?newest=true&limit=100'),
      get('/api/v1/devices'),
    ]);
    state.campus = campus;
    state.points = new Map(points.map((point) => [point.id, point]));
    state.outputs = new Map(outputs.map((output) => [output.ref, output]));
    state.alarms = new Map(alarms.map((alarm) => [alarm.id, alarm]));
    state.events = events;
    state.devices = devices;
    state.lastEventId = events[0]?.id;
  } finally {
    const heard = waiting ?? [];
    waiting = null;
    for (const [kind, body] of heard) handlers[kind]?.(body);
  }
  show(byId('campus'), true);
  showAll();
}

/** While core makes its database the API answers 503: ask again for as long as the stream is there. */
async function loadUntilDone() {
  for (let pause = 1_000; state.reachable; pause = Math.min(pause * 2, 10_000)) {
    try {
      return await load();
    } catch (error) {
      if (await failed(error)) return;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function reload() {
  if (waiting !== null) return;
  try {
    await load();
  } catch (error) {
    if (error.status === 401) askForToken(say('wrongToken'));
  }
}

let isRunning = false;

async function run() {
  if (isRunning) return;
  isRunning = true;
  let pause = 500;
  while (state.token !== '') {
    try {
      waiting = [];
      await listen({
        lastEventId: state.lastEventId,
        onOpen: () => {
          pause = 500;
          state.reachable = true;
          void loadUntilDone();
        },
        onMessage: hear,
      });
    } catch (error) {
      if (await failed(error)) break;
    }
    waiting = null;
    state.reachable = false;
    showAll();
    await new Promise((resolve) => setTimeout(resolve, pause * (0.75 + Math.random() / 2)));
    pause = Math.min(pause * 2, 10_000);
  }
  isRunning = false;
}

/** True when there is no point in trying again. */
async function failed(error) {
  if (error.status === 401) {
    askForToken(say('wrongToken'));
    return true;
  }
  return error.status === 404 && (await showSiteError());
}

async function showSiteError() {
  const health = await fetch('/healthz')
    .then((answer) => answer.json())
    .catch(() => ({}));
  show(byId('site-error'), Boolean(health.siteError));
  setText(byId('site-error-text'), health.siteError ?? '');
  return Boolean(health.siteError);
}

function askForToken(message) {
  sessionStorage.removeItem('token');
  state.token = '';
  state.campus = null;
  closeAll();
  show(byId('sign-in'), true);
  show(byId('sign-out'), false);
  show(byId('campus'), false);
  show(byId('away'), false);
  setText(byId('sign-in-error'), message);
  byId('token').value = '';
  byId('token').focus();
}

function enter() {
  sessionStorage.setItem('token', state.token);
  show(byId('sign-in'), false);
  show(byId('sign-out'), true);
  void run();
}

byId('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  state.token = byId('token').value.trim();
  enter();
});
byId('sign-out').addEventListener('click', () => {
  sessionStorage.removeItem('token');
  location.reload();
});
byId('language').addEventListener('click', () => {
  state.language = state.language === 'zh' ? 'en' : 'zh';
  localStorage.setItem('language', state.language);
  // What was said in the other language is not said again.
  show(byId('notice'), false);
  setText(byId('announce'), '');
  showAll();
});
byId('flows-link').addEventListener('click', () =>
  act(byId('flows-link'), async () => {
    await api('/api/v1/session', { method: 'POST' });
    window.open('/flows-editor/', '_blank', 'noopener');
  }),
);

/* `npm start` prints a link that carries the token in its fragment, which never leaves the browser. */
const fromLink = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
if (fromLink !== undefined) {
  state.token = fromLink;
  history.replaceState(null, '', location.pathname);
}
showAll();
if (state.token === '') {
  void showSiteError();
  askForToken('');
} else enter();
