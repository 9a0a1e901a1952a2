import { byId, setText, show } from './dom.js';

let timer;

/** A few words at the bottom of the page that go by themselves. */
export function notice(text) {
  const box = byId('notice');
  setText(box, text);
  show(box, true);
  clearTimeout(timer);
  timer = setTimeout(() => show(box, false), 7_000);
}

/** Runs what a button asks for, once at a time, and says in words when it did not work. */
export async function act(button, action) {
  button.disabled = true;
  try {
    await action();
  } catch (error) {
    notice(error.words ?? error.message);
  } finally {
    button.disabled = false;
  }
}
