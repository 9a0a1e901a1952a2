const labels = {
  'smoke-101': ['101 教室冒烟', 'smoke in room 101'],
  'smoke-201': ['201 教室冒烟', 'smoke in room 201'],
  'fire-panel': ['消防主机报警', 'fire panel trips'],
  'leak-kitchen': ['厨房漏水', 'water in the kitchen'],
  'pir-101': ['101 教室有人', 'people in room 101'],
  'pir-203': ['203 教室有人', 'people in room 203'],
  'screen-203-deaf': ['拔掉 203 投影机网线', 'unplug the projector of room 203'],
  'panel-201-off': ['关闭 201 一体机', 'turn the panel of room 201 off'],
  overload: ['总线过载', 'mains overload'],
  'water-leak': ['宿舍水管渗漏', 'a pipe drips in the boarding house'],
  'meter-ac-silent': ['空调电表失联', 'air-conditioning meter is silent'],
  'meter-lights-swap': ['更换路灯电表', 'street-light meter is swapped'],
  'person-gate': ['有人走过校门', 'a person at the gate'],
  'person-playground': ['有人走过操场', 'a person on the playground'],
  'camera-gate-dead': ['校门摄像机死机', 'gate camera hangs'],
  'line-gate': ['有人翻越校门警戒线', 'somebody crosses the line at the gate'],
  'camera-gate-covered': ['校门摄像机被遮挡', 'gate camera is covered'],
  'alarm-button': ['按住一键报警按钮', 'hold down the alarm button'],
  'alarm-wire': ['剪断报警按钮的线', 'cut the wire of the alarm button'],
  button: ['按无线按钮', 'press the wireless button'],
};
/** What happens where; what no group names comes last. */
const groups = [
  [
    '门卫',
    'gatehouse',
    [
      'alarm-button',
      'alarm-wire',
      'person-gate',
      'person-playground',
      'line-gate',
      'camera-gate-covered',
      'camera-gate-dead',
      'button',
    ],
  ],
  ['二层教室', 'second floor', ['pir-203', 'screen-203-deaf', 'panel-201-off']],
  ['消防与水', 'fire and water', ['smoke-101', 'smoke-201', 'fire-panel', 'leak-kitchen', 'water-leak']],
];

const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

function makeSwitch(name) {
  const [zh, en] = labels[name] ?? [name, name];
  const button = make('button', { type: 'button', name }, zh, make('br', {}), make('small', { textContent: en }));
  button.onclick = async () => {
    const isOn = button.getAttribute('aria-pressed') === 'true';
    await fetch(`/switch/${name}/${isOn ? 'off' : 'on'}`, { method: 'POST' });
    await show();
  };
  return button;
}

async function show() {
  const state = await (await fetch('/state')).json();
  const named = new Set(groups.flatMap(([, , names]) => names));
  const others = Object.keys(state.switches).filter((name) => !named.has(name));
  // Buttons are made once: whoever uses keys stays where he is.
  const place = document.getElementById('switches');
  if (place.childElementCount === 0) {
    for (const [zh, en, names] of [...groups, ['其他', 'everything else', others]]) {
      const title = make('h3', {}, `${zh} `, make('small', { textContent: en }));
      place.append(title, make('div', { className: 'grid' }, ...names.map(makeSwitch)));
    }
  }
  for (const button of place.querySelectorAll('button')) {
    button.setAttribute('aria-pressed', String(state.switches[button.name] === true));
  }
  document.getElementById('speakers').replaceChildren(
    ...state.speakers.map((speaker) => {
      const isPlaying = speaker.packets > 0 && speaker.silentSince === null;
      const text = isPlaying ? `♪ ${speaker.tone ?? '—'} Hz, ${Math.round(speaker.level ?? 0)} dBFS` : '安静 silence';
      const facts = `${speaker.packets} RTP, ${speaker.lost} lost, ${speaker.late} late`;
      return make(
        'div',
        { className: `speaker${isPlaying ? ' playing' : ''}` },
        speaker.name,
        make('br', {}),
        text,
        make('br', {}),
        make('small', { textContent: facts }),
      );
    }),
  );
  const circuits = (list) => list.map((on, i) => `${i + 1}${on ? '●' : '○'}`).join('  ');
  document.getElementById('relays').textContent = circuits(state.relays);
  document.getElementById('lights').textContent = circuits(state.lights);
  document.getElementById('screens').textContent = state.screens === null ? '—' : told(state.screens);
}

function told({ projector, panel, board }) {
  const power = ['待机 standby', '亮 on', '冷却 cooling', '预热 warming'][projector.power];
  const awake = panel.isAwake ? '亮 on' : '睡眠 asleep';
  return `203 投影机 projector: ${power}, ${projector.input} · 201 一体机 panel: ${awake}, ${panel.heard} 次唤醒 wake-ups · 校门电子屏 board: ${board.text === '' ? '—' : board.text}`;
}

await show();
setInterval(() => void show().catch(() => {}), 1000);
