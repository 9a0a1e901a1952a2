import { friendlyUnits, words } from './words.js';

/* The plain live page: asks the API once, then follows the stream. No library; text only ever goes in as text. */

const byId = (id) => document.getElementById(id);
const state = {
  language: localStorage.getItem('language') === 'en' ? 'en' : 'zh',
  token: sessionStorage.getItem('token') ?? '',
  campus: null,
  points: new Map(),
  outputs: new Map(),
  alarms: new Map(),
  events: [],
  devices: [],
  processes: [],
  connected: true,
  reachable: true,
  pictures: new Map(),
  lastEventId: undefined,
};

const say = (key) => words[state.language][key] ?? key.replace(/^[a-z]:/, '');
const named = (name) => name?.[state.language] ?? name?.zh ?? '';

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

async function api(path, options = {}) {
  const headers = { authorization: `Bearer ${state.token}` };
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(path, { ...options, headers, signal: AbortSignal.timeout(15_000) });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({ message: response.statusText }));
  throw Object.assign(new Error(problem.message), { status: response.status });
}

const get = async (path) => (await api(path)).json();

/* ---- what is shown ---- */

function showTexts() {
  document.documentElement.lang = state.language === 'zh' ? 'zh-CN' : 'en';
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = say(element.dataset.text);
  byId('language').textContent = say('otherLanguage');
  byId('language').lang = state.language === 'zh' ? 'en' : 'zh-CN';
}

function showLink() {
  const link = byId('link');
  const isGood = state.reachable && state.connected;
  link.className = `chip ${isGood ? 'good' : 'bad'}`;
  link.textContent = `${isGood ? '●' : '▲'} ${say(!state.reachable ? 'offline' : state.connected ? 'connected' : 'away')}`;
}

const clockFormat = () =>
  new Intl.DateTimeFormat(state.language === 'zh' ? 'zh-CN' : 'en-GB', {
    dateStyle: 'full',
    timeStyle: 'medium',
    timeZone: state.campus?.timeZone,
  });

const timeOf = (ms) =>
  new Intl.DateTimeFormat(state.language === 'zh' ? 'zh-CN' : 'en-GB', {
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZone: state.campus?.timeZone,
  }).format(ms);

function showValue(value, unit, point) {
  if (value === null || value === undefined) return '—';
  if (typeof value === 'boolean')
    return say(value ? (point?.startsWith('relay') ? 'on' : 'yes') : point?.startsWith('relay') ? 'off' : 'no');
  if (typeof value === 'string') return value === '' ? say('silence') : value;
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 100 ? 1 : 2;
  const shown = value.toLocaleString('en-US', { maximumFractionDigits: Number.isInteger(value) ? 0 : digits });
  return `${shown} ${friendlyUnits[unit] ?? unit}`.trim();
}

function showAlarms() {
  const order = { critical: 0, high: 1, medium: 2, low: 3 };
  const open = [...state.alarms.values()].filter(
    (alarm) => alarm.state !== 'normal' && alarm.suppressedBy === undefined,
  );
  open.sort((a, b) => order[a.class] - order[b.class] || b.raised - a.raised);
  byId('alarm-count').textContent = open.length === 0 ? '' : String(open.length);
  byId('alarms').replaceChildren(
    ...(open.length === 0 ? [make('li', { className: 'empty', textContent: say('noAlarms') })] : open.map(alarmItem)),
  );
}

function alarmItem(alarm) {
  const interlock = alarm.source.startsWith('interlock:') ? alarm.source.split(':')[1] : null;
  const latched = state.campus?.interlocks.find((rule) => rule.id === interlock)?.latch ?? false;
  const buttons = make('div', { className: 'buttons' });
  if (alarm.acknowledged === undefined && alarm.state !== 'acknowledged') {
    buttons.append(
      make('button', {
        type: 'button',
        className: 'main',
        textContent: say('acknowledge'),
        onclick: () => act(() => acknowledge(alarm)),
      }),
    );
  }
  if (latched)
    buttons.append(
      make('button', { type: 'button', textContent: say('reset'), onclick: () => act(() => reset(interlock)) }),
    );
  const place = state.campus?.zones.find((zone) => zone.id === alarm.zone);
  const facts = [
    timeOf(alarm.raised),
    place && named(place.name),
    say(alarm.state),
    alarm.active ? say('active') : null,
    alarm.count > 1 ? `×${alarm.count}` : null,
  ];
  return make(
    'li',
    { className: `alarm ${alarm.class}` },
    make('p', {}, make('span', { className: 'word', textContent: `▲ ${say(alarm.class)}` }), named(alarm.message)),
    make('p', {}, `${say('next')}：${named(alarm.next)}`),
    make('p', { className: 'soft', textContent: facts.filter(Boolean).join(' · ') }),
    buttons,
  );
}

async function acknowledge(alarm) {
  const response = await api(`/api/v1/alarms/${alarm.id}/acknowledge`, { method: 'POST', body: '{}' });
  const changed = await response.json();
  state.alarms.set(changed.id, changed);
  showAlarms();
}

async function reset(interlock) {
  const reason = window.prompt(say('resetReason'))?.trim();
  if (!reason) return;
  const response = await api(`/api/v1/interlocks/${interlock}/reset`, {
    method: 'POST',
    body: JSON.stringify({ reason }),
  });
  toast(say((await response.json()).reset ? 'resetDone' : 'stillActive'));
}

function showEvents() {
  // The end of a state is no news of its own; nobody watches a person leave.
  const shown = state.events.filter((event) => event.active !== false).slice(0, 24);
  byId('events').replaceChildren(
    ...(shown.length === 0 ? [make('li', { className: 'empty', textContent: say('noEvents') })] : shown.map(eventItem)),
  );
}

function eventItem(event) {
  const device = state.campus?.devices.find((candidate) => candidate.id === event.device);
  const picture =
    event.snapshot === undefined
      ? null
      : make('img', { className: 'picture', alt: `${named(device?.name)} ${timeOf(event.time)}` });
  if (picture !== null) void loadPicture(event, picture);
  return make(
    'li',
    { className: 'event' },
    picture,
    make(
      'div',
      {},
      make('strong', { textContent: say(`e:${event.type}`) }),
      make('p', { textContent: named(device?.name) || event.device || '' }),
      make('p', { className: 'soft', textContent: timeOf(event.time) }),
    ),
  );
}

/** The picture may follow its event by a second or two. */
async function loadPicture(event, image) {
  for (let attempt = 0; attempt < 4; attempt++) {
    const known = state.pictures.get(event.id);
    if (known !== undefined) {
      image.src = known;
      return;
    }
    try {
      const blob = await (await api(`/api/v1/events/${event.id}/snapshot`)).blob();
      if (!state.pictures.has(event.id)) state.pictures.set(event.id, URL.createObjectURL(blob));
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
  }
  image.replaceWith(make('span', { className: 'picture', textContent: say('noPicture') }));
}

function showOutputs() {
  const all = [...state.outputs.values()].sort(
    (a, b) => (a.priority ?? 99) - (b.priority ?? 99) || a.ref.localeCompare(b.ref),
  );
  const held = all.filter((output) => output.holder !== null);
  const free = all.filter((output) => output.holder === null);
  const more = make(
    'details',
    { className: 'output' },
    make('summary', { textContent: `${say('nobody')} (${free.length})` }),
    ...free.map(outputItem),
  );
  byId('outputs').replaceChildren(...held.map(outputItem), ...(free.length > 0 ? [more] : []));
}

function labelOf(ref) {
  const point = state.points.get(ref);
  return point === undefined ? ref : `${named(point.deviceName)} · ${named(point.label)}`;
}

function outputItem(output) {
  const [, point] = output.ref.split('/');
  const confirmed =
    output.confirmed === null
      ? say('notConfirmed')
      : `${say('confirmed')}: ${showValue(output.confirmed.value, '', point)} (${output.confirmed.outcome})`;
  const stack = output.stack.map((hold) => {
    const until = hold.until === null ? say('untilReset') : `${say('until')} ${timeOf(hold.until)}`;
    const item = make('li', {
      textContent: `${say(`p:${hold.priority}`)} · ${showValue(hold.value, '', point)} · ${hold.owner} · ${until} — ${hold.reason}`,
    });
    item.dataset.priority = hold.priority;
    return item;
  });
  const value = output.value === null ? state.points.get(output.ref)?.value : output.value;
  return make(
    'div',
    { className: 'output' },
    make(
      'p',
      { className: 'line' },
      make('span', { textContent: labelOf(output.ref) }),
      make('b', { textContent: showValue(value, '', point) }),
    ),
    output.holder === null ? null : make('p', { className: 'soft', textContent: confirmed }),
    stack.length > 0 ? make('ol', {}, ...stack) : null,
  );
}

function showPoints() {
  const devices = Map.groupBy(state.points.values(), (point) => point.device);
  byId('points').replaceChildren(
    ...[...devices].map(([device, points]) => {
      const health = state.devices.find((candidate) => candidate.device === device);
      const zone = state.campus?.zones.find((candidate) => candidate.id === points[0].zone);
      return make(
        'article',
        { className: 'device' },
        make(
          'h3',
          {},
          named(points[0].deviceName),
          make('span', { className: 'soft', textContent: named(zone?.name) }),
        ),
        health !== undefined && health.state !== 'online'
          ? make('p', { className: 'soft', textContent: `${say(`s:${health.state}`)}: ${health.message}` })
          : null,
        ...points.map(pointItem),
      );
    }),
  );
}

function pointItem(point) {
  const why =
    point.quality === 'good'
      ? null
      : make('span', {
          className: 'why',
          textContent: `${point.quality === 'bad' ? '✕' : '?'} ${say(`q:${point.reason ?? ''}`)}`,
        });
  return make(
    'p',
    { className: `point ${point.quality}`, title: point.id },
    make('span', { textContent: named(point.label) }),
    make('span', { className: 'value' }, showValue(point.value, point.unit, point.point), why),
  );
}

const lampOf = (word) =>
  ['ready', 'online'].includes(word)
    ? ['good', '●']
    : ['starting', 'backing-off', 'degraded'].includes(word)
      ? ['wait', '◐']
      : ['bad', '▲'];

function showHealth() {
  byId('processes').replaceChildren(
    ...state.processes.map((child) => {
      const [tone, sign] = lampOf(child.state);
      const lamp = make('span', { className: `lamp ${tone}`, textContent: `${child.name} ${say(`s:${child.state}`)}` });
      lamp.dataset.sign = sign;
      const facts = [
        child.rss === null ? null : `${Math.round(child.rss / 1e6)} MB`,
        child.restarts > 0 ? `${child.restarts} ${say('restarts')}` : null,
        child.restarts > 0 ? child.lastExit : null,
      ];
      return make(
        'li',
        { className: 'process' },
        lamp,
        make('span', { className: 'soft', textContent: facts.filter(Boolean).join(' · ') }),
      );
    }),
  );
  const faulty = state.devices.filter((device) => device.state !== 'online');
  byId('devices').replaceChildren(
    ...(faulty.length === 0
      ? [make('li', { className: 'empty', textContent: say('allGood') })]
      : faulty.map((device) => {
          const [tone, sign] = lampOf(device.state);
          const named_ = state.campus?.devices.find((candidate) => candidate.id === device.device);
          const lamp = make('span', {
            className: `lamp ${tone}`,
            textContent: `${named(named_?.name) || device.device} · ${say(`s:${device.state}`)}`,
          });
          lamp.dataset.sign = sign;
          return make(
            'li',
            { className: 'fault' },
            lamp,
            make('span', { className: 'soft', textContent: device.message }),
          );
        })),
  );
}

function showAll() {
  showTexts();
  showLink();
  if (state.campus === null) return;
  byId('campus-name').textContent = named(state.campus.name);
  document.title = `${named(state.campus.name)} · Campus Edge`;
  byId('flows-link').hidden = !state.campus.flowsEditor;
  showAlarms();
  showEvents();
  showOutputs();
  showPoints();
  showHealth();
}

function toast(text) {
  const box = byId('toast');
  box.textContent = text;
  box.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => {
    box.hidden = true;
  }, 6000);
}

async function act(action) {
  try {
    await action();
  } catch (error) {
    toast(error.message);
  }
}

/* ---- following the campus ---- */

/** Many readings a second make one repaint a second; alarms and events are painted at once. */
const stale = new Set();
function repaintSoon(part) {
  stale.add(part);
}
setInterval(() => {
  byId('clock').textContent = clockFormat().format(Date.now());
  if (state.campus === null) return;
  for (const part of stale) part();
  stale.clear();
}, 1000);

const handlers = {
  core: ({ connected }) => {
    state.connected = connected;
    showLink();
  },
  processes: (processes) => {
    state.processes = processes;
    repaintSoon(showHealth);
  },
  reading: (reading) => {
    const known = state.points.get(reading.ref) ?? {
      id: reading.ref,
      deviceName: { zh: reading.device, en: reading.device },
      label: { zh: reading.point, en: reading.point },
      zone: '',
    };
    state.points.set(reading.ref, { ...known, reason: undefined, ...reading });
    repaintSoon(showPoints);
  },
  output: (output) => {
    state.outputs.set(output.ref, output);
    repaintSoon(showOutputs);
  },
  alarm: (alarm) => {
    if (alarm.state === 'normal') state.alarms.delete(alarm.id);
    else state.alarms.set(alarm.id, alarm);
    showAlarms();
  },
  event: (event) => {
    state.lastEventId = event.id;
    if (state.events.some((known) => known.id === event.id)) return;
    state.events.unshift(event);
    for (const old of state.events.splice(100)) {
      URL.revokeObjectURL(state.pictures.get(old.id));
      state.pictures.delete(old.id);
    }
    showEvents();
  },
  health: () => {
    repaintSoon(refreshDevices);
  },
};

async function refreshDevices() {
  await act(async () => {
    state.devices = await get('/api/v1/devices');
    showHealth();
  });
}

async function load() {
  const [campus, points, outputs, alarms, events, devices] = await Promise.all(
    ['campus', 'points', 'outputs', 'alarms?open=true', 'events?newest=true&limit=50', 'devices'].map((path) =>
      get(`/api/v1/${path}`),
    ),
  );
  state.campus = campus;
  state.points = new Map(points.map((point) => [point.id, point]));
  state.outputs = new Map(outputs.map((output) => [output.ref, output]));
  state.alarms = new Map(alarms.map((alarm) => [alarm.id, alarm]));
  state.events = events;
  state.devices = devices;
  state.lastEventId = events[0]?.id;
  byId('campus').hidden = false;
  showAll();
}

/** The stream is read with fetch, because EventSource cannot send the token. */
async function follow() {
  const headers = { authorization: `Bearer ${state.token}` };
  if (state.lastEventId !== undefined) headers['last-event-id'] = state.lastEventId;
  const response = await fetch('/api/v1/stream', { headers });
  if (!response.ok) throw Object.assign(new Error(response.statusText), { status: response.status });
  state.reachable = true;
  showLink();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const frames = (rest + value).split('\n\n');
    rest = frames.pop();
    for (const frame of frames) {
      const kind = /^event: (.*)$/m.exec(frame)?.[1];
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (kind !== undefined && data !== undefined) handlers[kind]?.(JSON.parse(data));
    }
  }
}

async function run() {
  let pause = 500;
  for (;;) {
    try {
      await load();
      pause = 500;
      await follow();
    } catch (error) {
      if (error.status === 401) return askForToken(say('wrongToken'));
      if (error.status === 404 && (await showSiteError())) return;
    }
    state.reachable = false;
    showLink();
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, 10_000);
  }
}

async function showSiteError() {
  const health = await (await fetch('/healthz')).json().catch(() => ({}));
  byId('site-error').hidden = !health.siteError;
  byId('site-error-text').textContent = health.siteError ?? '';
  return Boolean(health.siteError);
}

function askForToken(message) {
  byId('sign-in').hidden = false;
  byId('campus').hidden = true;
  byId('sign-in-error').textContent = message;
  byId('token').focus();
}

function enter() {
  sessionStorage.setItem('token', state.token);
  byId('sign-in').hidden = true;
  void run();
}

byId('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  state.token = byId('token').value.trim();
  enter();
});
byId('language').addEventListener('click', () => {
  state.language = state.language === 'zh' ? 'en' : 'zh';
  localStorage.setItem('language', state.language);
  showAll();
});
byId('flows-link').addEventListener('click', (event) => {
  event.preventDefault();
  void act(async () => {
    await api('/api/v1/session', { method: 'POST' });
    window.open('/flows-editor/', '_blank', 'noopener');
  });
});

/* `npm start` prints a link that carries the token in its fragment, which never leaves the browser. */
const fromLink = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
if (fromLink !== undefined) {
  state.token = fromLink;
  history.replaceState(null, '', location.pathname);
}
showTexts();
if (state.token === '') {
  void showSiteError();
  askForToken('');
} else enter();
