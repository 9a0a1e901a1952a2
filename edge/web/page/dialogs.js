import { post } from './api.js';
import { byId, make, setText, show } from './dom.js';
import { notice } from './notice.js';
import { plain } from './phrases.js';
import { interlockName, labelOf, pair, say, state } from './state.js';
import { friendlyUnit } from './units.js';
import { valueText } from './values.js';

/* The two things a person does here, each with a reason that goes into the audit. */

const durations = [
  ['minutes5', 300],
  ['minutes30', 1_800],
  ['hours1', 3_600],
  ['hours4', 14_400],
  ['hours24', 86_400],
];

for (const dialog of document.querySelectorAll('dialog')) {
  for (const button of dialog.querySelectorAll('[data-close]')) button.addEventListener('click', () => dialog.close());
  // A click beside the dialog closes it, as people expect.
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
}

/** Opens a dialog whose form is sent at most once at a time; `send` returns what is to be said, or throws. */
function ask(id, send) {
  const dialog = byId(id);
  const form = dialog.querySelector('form');
  const problem = dialog.querySelector('.error');
  const submit = dialog.querySelector('[type=submit]');
  setText(problem, '');
  submit.disabled = false;
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (submit.disabled) return;
    submit.disabled = true;
    setText(problem, '');
    try {
      notice(await send());
      dialog.close();
    } catch (error) {
      setText(problem, error.words ?? error.message);
    } finally {
      submit.disabled = false;
    }
  };
  dialog.showModal();
}

/** A refusal that the person can read in the dialog. */
function refusal(words) {
  return Object.assign(new Error(words), { words });
}

export function askToReset(interlock) {
  setText(byId('reset-what'), interlockName(interlock));
  byId('reset-reason').value = '';
  ask('reset-dialog', async () => {
    const reason = byId('reset-reason').value.trim();
    const { reset, message } = await post(`/api/v1/interlocks/${interlock}/reset`, { reason });
    if (!reset) throw refusal(pair(say('stillActive'), plain(message ?? '')));
    return pair(interlockName(interlock), say('resetDone'));
  });
}

export function askToOperate(point) {
  setText(byId('operate-what'), labelOf(point.id));
  setText(byId('operate-now'), pair(say('nowValue'), valueText(point.value, point.unit, point.point)));
  const read = valueField(point);
  byId('operate-seconds').replaceChildren(
    ...durations.map(([word, seconds]) => make('option', { value: String(seconds), textContent: say(word) })),
  );
  byId('operate-seconds').value = '1800';
  byId('operate-reason').value = '';
  ask('operate-dialog', async () => {
    const seconds = Number(byId('operate-seconds').value);
    return request({ point: point.id, value: read(), seconds, reason: byId('operate-reason').value.trim() });
  });
}

/** Lets go of what a person asked for on this page; says what came of it. */
export function letGo(point) {
  return request({ point, value: null, seconds: 1, reason: say('relinquish') });
}

async function request(wish) {
  const { accepted, outcome, message } = await post('/api/v1/requests', wish);
  if (accepted) return pair(labelOf(wish.point), say(`outcome:${outcome}`));
  throw refusal(`${say(`outcome:${outcome}`)} · ${plain(message)}`);
}

/** Puts the right field into the form; the result reads it. */
function valueField(point) {
  const place = byId('operate-value');
  if (point.type === 'boolean') {
    place.replaceChildren(
      ...[true, false].map((value) => radio(value, valueText(value, '', point.point), point.value !== true)),
    );
    return () => place.querySelector('input:checked').value === 'true';
  }
  if (point.point === 'clip') {
    const clips = ['', ...(state.campus?.clips ?? [])];
    const options = clips.map((clip) => make('option', { value: clip, textContent: valueText(clip, '', 'clip') }));
    place.replaceChildren(make('select', { ariaLabel: say('setTo') }, ...options));
    return () => place.querySelector('select').value;
  }
  const isNumber = point.type === 'number';
  const { min = '', max = '', step = 'any' } = point.write ?? {};
  const rules = isNumber
    ? { type: 'number', min: String(min), max: String(max), step: String(step) }
    : { type: 'text' };
  const field = make('input', { ...rules, required: true, ariaLabel: say('setTo') });
  place.replaceChildren(field, make('span', { textContent: friendlyUnit(point.unit) }));
  return () => (isNumber ? field.valueAsNumber : field.value);
}

function radio(value, words, isChosenForTrue) {
  const field = make('input', {
    type: 'radio',
    name: 'value',
    value: String(value),
    checked: value === isChosenForTrue,
  });
  return make('label', { className: 'choice' }, field, make('span', { textContent: words }));
}

export function closeAll() {
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  show(byId('notice'), false);
}
