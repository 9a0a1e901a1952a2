// The city's one page. Everything from the API is put in as text, never as markup.

const texts = {
  'zh-CN': {
    title: '校园总览',
    other: 'English',
    token: '访问令牌',
    enter: '进入',
    tokenHint: '令牌在城市数据文件夹的 admin-token 文件中。',
    wrongToken: '令牌不对。',
    away: '城市服务没有回答，稍后再试。',
    none: '还没有登记学校。',
    online: '在线',
    offline: '离线',
    lastWord: '最后消息',
    never: '从未',
    lanes: '数据通道',
    lane: '通道',
    laneNames: { alarm: '报警', event: '事件', agg1m: '分钟汇总', health: '设备健康' },
    watermark: '已收到序号',
    backlog: '待收',
    gaps: '缺口',
    missing: (n) => `缺 ${n} 条`,
    unsized: '数量不明',
    alarms: '报警',
    noAlarms: '没有报警。',
    raised: '发生时间',
    message: '内容',
    alarmState: '状态',
    states: { unacknowledged: '未确认', acknowledged: '已确认', returned: '已恢复未确认', normal: '已结束' },
    curves: '最近一小时',
    noCurves: '这一小时没有数据。',
    more: (n) => `另有 ${n} 个点未画出。`,
    moreCampuses: (n) => `另有 ${n} 所学校未列出。`,
    clock: (s) => `时钟相差 ${s} 秒`,
    updated: '更新于',
  },
  en: {
    title: 'Campuses',
    other: '中文',
    token: 'Access token',
    enter: 'Enter',
    tokenHint: "The token is in the file admin-token of the city's data folder.",
    wrongToken: 'This token is wrong.',
    away: 'The city does not answer; trying again.',
    none: 'No campus is registered yet.',
    online: 'online',
    offline: 'offline',
    lastWord: 'last word',
    never: 'never',
    lanes: 'Lanes',
    lane: 'Lane',
    laneNames: { alarm: 'alarms', event: 'events', agg1m: 'minute summaries', health: 'device health' },
    watermark: 'Received up to no.',
    backlog: 'Waiting',
    gaps: 'Gaps',
    missing: (n) => `${n} missing`,
    unsized: 'unknown size',
    alarms: 'Alarms',
    noAlarms: 'No alarms.',
    raised: 'Raised',
    message: 'What',
    alarmState: 'State',
    states: {
      unacknowledged: 'unacknowledged',
      acknowledged: 'acknowledged',
      returned: 'returned, unacknowledged',
      normal: 'ended',
    },
    curves: 'The last hour',
    noCurves: 'Nothing came in this hour.',
    more: (n) => `${n} more points are not drawn.`,
    moreCampuses: (n) => `${n} more campuses are not listed.`,
    clock: (s) => `clock differs by ${s} s`,
    updated: 'updated',
  },
};

const shownPoints = 9;
const shownAlarms = 10;
const shownCampuses = 30;
const refreshEvery = 5000;
const units = { 'kW.h': 'kWh', Cel: '°C', '[ppm]': 'ppm', '%{RH}': '%RH', 1: '' };

let language = localStorage.getItem('language') === 'en' ? 'en' : 'zh-CN';
let token = takeToken();
let timer = 0;

const at = (id) => document.getElementById(id);
const say = (key) => texts[language][key];

/** `#token=...` is taken out of the address bar at once: the URL may be shown to others. */
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given !== null) {
    sessionStorage.setItem('token', given);
    history.replaceState(null, '', location.pathname);
  }
  return given ?? sessionStorage.getItem('token');
}

async function ask(path) {
  const answer = await fetch(path, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  });
  if (answer.status === 401) throw new Error('401');
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

function make(name, options = {}, ...children) {
  const element = document.createElement(name);
  if (options.text !== undefined) element.textContent = options.text;
  if (options.kind !== undefined) element.className = options.kind;
  element.append(...children);
  return element;
}

function shape(name, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function moment(time) {
  if (time === null) return say('never');
  return new Date(time).toLocaleString(language, { dateStyle: 'short', timeStyle: 'medium' });
}

function table(heads, rows) {
  const head = make('tr', {}, ...heads.map((text) => make('th', { text })));
  const body = rows.map((cells) => make('tr', {}, ...cells.map((cell) => make('td', cell))));
  return make('div', { kind: 'scroll' }, make('table', {}, make('thead', {}, head), make('tbody', {}, ...body)));
}

function lanesOf(campus) {
  const rows = campus.lanes.map((lane) => [
    { text: say('laneNames')[lane.lane] ?? lane.lane },
    { text: String(lane.watermark) },
    { text: String(lane.backlog), kind: lane.backlog > 0 ? 'warn' : '' },
    {
      text:
        lane.gaps === 0 ? '0' : `${lane.gaps} (${lane.missing > 0 ? say('missing')(lane.missing) : say('unsized')})`,
      kind: lane.gaps > 0 ? 'warn' : '',
    },
  ]);
  return table([say('lane'), say('watermark'), say('backlog'), say('gaps')], rows);
}

function alarmsOf(alarms) {
  if (alarms.length === 0) return make('p', { text: say('noAlarms'), kind: 'quiet' });
  const rows = alarms.slice(0, shownAlarms).map((alarm) => [
    { text: moment(alarm.raised) },
    {
      text: language === 'en' ? alarm.message.en : alarm.message.zh,
      kind: alarm.state === 'normal' ? '' : alarm.class,
    },
    { text: say('states')[alarm.state] ?? alarm.state },
  ]);
  return table([say('raised'), say('message'), say('alarmState')], rows);
}

/** Rows in runs without a missing minute. */
function unbroken(rows) {
  const runs = [];
  for (const row of rows) {
    const run = runs.at(-1);
    if (run !== undefined && row.t - run.at(-1).t <= 90_000) run.push(row);
    else runs.push([row]);
  }
  return runs;
}

/** A line of means over a band from min to max; a missing minute is a break in both. */
function curve(point, from, to) {
  const rows = point.rows.filter((row) => row.mean !== null);
  const low = Math.min(...rows.map((row) => row.min ?? row.mean));
  const high = Math.max(...rows.map((row) => row.max ?? row.mean));
  const x = (t) => (((t - from) / (to - from)) * 300).toFixed(1);
  const y = (value) => (high === low ? 40 : 76 - ((value - low) / (high - low)) * 72).toFixed(1);
  const runs = unbroken(rows);
  const path = (points) => `M${points.join('L')}`;
  const line = runs.map((run) => path(run.map((row) => `${x(row.t)} ${y(row.mean)}`))).join('');
  const edge = (run, key) => run.map((row) => `${x(row.t)} ${y(row[key] ?? row.mean)}`);
  const band = runs.map((run) => `${path([...edge(run, 'max'), ...edge(run, 'min').reverse()])}Z`).join('');
  const unit = units[point.unit] ?? point.unit;
  const newest = rows.at(-1);
  const label = `${Number((newest.last ?? newest.mean).toPrecision(6))} ${unit}`;
  const picture = shape(
    'svg',
    { viewBox: '0 0 300 80', preserveAspectRatio: 'none', role: 'img', 'aria-label': `${point.ref} ${label}` },
    shape('path', { class: 'band', d: band }),
    shape('path', { class: 'mean', d: line }),
  );
  const caption = make('figcaption', {}, make('span', { text: point.ref }), make('strong', { text: label }));
  return make('figure', {}, caption, picture);
}

function curvesOf({ points, from, to }) {
  const drawn = points.filter((point) => point.rows.some((row) => row.mean !== null));
  if (drawn.length === 0) return make('p', { text: say('noCurves'), kind: 'quiet' });
  const box = make('div', { kind: 'curves' }, ...drawn.slice(0, shownPoints).map((point) => curve(point, from, to)));
  const rest = drawn.length - shownPoints;
  return rest > 0 ? make('div', {}, box, make('p', { text: say('more')(rest), kind: 'quiet' })) : box;
}

function heading(campus) {
  const name = campus.name === undefined ? campus.id : language === 'en' ? campus.name.en : campus.name.zh;
  const lamp = campus.online ? 'lamp on' : 'lamp off';
  const offset = Math.round(Math.abs(campus.clockOffset ?? 0) / 1000);
  const word = `${campus.id} · ${say('lastWord')} ${moment(campus.lastSeen)}`;
  const parts = [
    make('h2', { text: name }),
    make('span', { text: campus.online ? say('online') : say('offline'), kind: lamp }),
    make('span', { text: word, kind: 'quiet' }),
  ];
  if (offset > 2) parts.push(make('span', { text: say('clock')(offset), kind: 'warn' }));
  return make('header', {}, ...parts);
}

async function card(campus) {
  if (campus.lastSeen === null) return make('article', {}, heading(campus));
  const base = `/api/v1/campuses/${encodeURIComponent(campus.id)}`;
  const [summaries, alarms] = await Promise.all([ask(`${base}/summaries`), ask(`${base}/alarms`)]);
  return make(
    'article',
    {},
    heading(campus),
    make('h3', { text: say('alarms') }),
    alarmsOf(alarms.alarms),
    make('h3', { text: say('curves') }),
    curvesOf(summaries),
    make('h3', { text: say('lanes') }),
    lanesOf(campus),
  );
}

async function refresh() {
  clearTimeout(timer);
  if (token === null) {
    at('login').hidden = false;
    return;
  }
  try {
    const { campuses, time } = await ask('/api/v1/campuses');
    const cards = await Promise.all(campuses.slice(0, shownCampuses).map(card));
    at('campuses').replaceChildren(...(cards.length > 0 ? cards : [make('p', { text: say('none'), kind: 'quiet' })]));
    if (campuses.length > shownCampuses) {
      const text = say('moreCampuses')(campuses.length - shownCampuses);
      at('campuses').append(make('p', { text, kind: 'quiet' }));
    }
    at('login').hidden = true;
    at('state').textContent = `${say('updated')} ${moment(time)}`;
  } catch (error) {
    if (error.message === '401') {
      sessionStorage.removeItem('token');
      token = null;
      at('login').hidden = false;
      at('state').textContent = say('wrongToken');
      return;
    }
    at('state').textContent = say('away');
  }
  timer = setTimeout(refresh, refreshEvery);
}

function applyLanguage() {
  document.documentElement.lang = language;
  document.title = say('title');
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = say(element.dataset.text);
  at('language').textContent = say('other');
  at('language').lang = language === 'en' ? 'zh-CN' : 'en';
}

at('language').addEventListener('click', () => {
  language = language === 'en' ? 'zh-CN' : 'en';
  localStorage.setItem('language', language);
  applyLanguage();
  void refresh();
});
at('login').addEventListener('submit', (event) => {
  event.preventDefault();
  token = at('token').value.trim();
  sessionStorage.setItem('token', token);
  void refresh();
});
applyLanguage();
void refresh();
