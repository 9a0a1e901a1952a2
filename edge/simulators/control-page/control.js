const labels = {
  'smoke-101': ['101 教室冒烟', 'smoke in room 101'],
  'smoke-201': ['201 教室冒烟', 'smoke in room 201'],
  'fire-panel': ['消防主机报警', 'fire panel trips'],
  'leak-kitchen': ['厨房漏水', 'water in the kitchen'],
  'pir-101': ['101 教室有人', 'people in room 101'],
  overload: ['总线过载', 'mains overload'],
  'water-leak': ['宿舍水管渗漏', 'a pipe drips in the boarding house'],
  'meter-ac-silent': ['空调电表失联', 'air-conditioning meter is silent'],
  'meter-lights-swap': ['更换路灯电表', 'street-light meter is swapped'],
  'person-gate': ['有人走过校门', 'a person at the gate'],
  'person-playground': ['有人走过操场', 'a person on the playground'],
  'camera-gate-dead': ['校门摄像机死机', 'gate camera hangs'],
  button: ['按下一键报警', 'press the alarm button'],
};

const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

async function show() {
  const state = await (await fetch('/state')).json();
  document.getElementById('switches').replaceChildren(
    ...Object.entries(state.switches).map(([name, isOn]) => {
      const [zh, en] = labels[name] ?? [name, name];
      const button = make('button', { type: 'button' }, zh, make('br', {}), make('small', { textContent: en }));
      button.setAttribute('aria-pressed', String(isOn));
      button.onclick = async () => {
        await fetch(`/switch/${name}/${isOn ? 'off' : 'on'}`, { method: 'POST' });
        await show();
      };
      return button;
    }),
  );
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
  document.getElementById('relays').textContent = state.relays.map((on, i) => `${i + 1}${on ? '●' : '○'}`).join('  ');
}

await show();
setInterval(() => void show().catch(() => {}), 1000);
