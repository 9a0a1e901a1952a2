import { words } from './words.js';

/* What the page knows, and how it says it in the chosen language. */

export const state = {
  language: localStorage.getItem('language') === 'en' ? 'en' : 'zh',
  token: sessionStorage.getItem('token') ?? '',
  campus: null,
  points: new Map(),
  outputs: new Map(),
  alarms: new Map(),
  events: [],
  devices: [],
  processes: [],
  /** Core is heard by the web process. */
  connected: true,
  /** The web process is heard by this page. */
  reachable: true,
  lastEventId: undefined,
};

export function knows(key) {
  return Object.hasOwn(words, key);
}

/** A word of the page; of what it does not know, the part behind the colon. */
export function say(key) {
  if (!knows(key)) return key.replace(/^[a-z]+:/, '');
  return words[key][state.language === 'zh' ? 0 : 1];
}

export function named(name) {
  return name?.[state.language] ?? name?.zh ?? '';
}

/** `key: value` with the colon of the language. */
export function pair(key, value) {
  return state.language === 'zh' ? `${key}：${value}` : `${key}: ${value}`;
}

export function zoneName(id) {
  return named(state.campus?.zones.find((zone) => zone.id === id)?.name);
}

export function deviceName(id) {
  const name = named(state.campus?.devices.find((device) => device.id === id)?.name);
  // The flows speak for themselves as a device would.
  return name || (knows(`process:${id}`) ? say(`process:${id}`) : (id ?? ''));
}

export function pointLabel(point) {
  const { label } = point;
  return label.zh === point.point && knows(`name:${point.point}`) ? say(`name:${point.point}`) : named(label);
}

export function labelOf(ref) {
  const point = state.points.get(ref);
  return point === undefined ? ref : `${named(point.deviceName)} · ${pointLabel(point)}`;
}

export function interlockName(id) {
  return named(state.campus?.interlocks.find((rule) => rule.id === id)?.name) || id;
}

/* Times are the campus's, wherever the browser is. */

const formats = new Map();

function format(options) {
  const key = `${state.language} ${state.campus?.timeZone} ${JSON.stringify(options)}`;
  const locale = state.language === 'zh' ? 'zh-CN' : 'en-GB';
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat(locale, { ...options, timeZone: state.campus?.timeZone }));
  }
  return formats.get(key);
}

const day = { year: 'numeric', month: '2-digit', day: '2-digit' };
const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
const shortTime = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
const shortDay = { month: '2-digit', day: '2-digit' };

/** The time of day; with the date when it is not today. */
export function timeOf(ms) {
  const isToday = format(day).format(ms) === format(day).format(Date.now());
  return isToday ? format(clock).format(ms) : `${format(shortDay).format(ms)} ${format(shortTime).format(ms)}`;
}

export function nowInFull() {
  return format({ dateStyle: 'full', timeStyle: 'medium', hourCycle: 'h23' }).format(Date.now());
}

/** For an axis: hours within a day, else days. */
export function tickOf(ms, isLong) {
  return format(isLong ? shortDay : shortTime).format(ms);
}
