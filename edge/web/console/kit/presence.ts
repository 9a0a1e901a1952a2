/* Whether somebody is in front of the screen: what the page asks for by itself must not keep a session alive. */

/** ms without a key, finger or mouse after which nobody is taken to be there. */
const patience = 60_000;

let lastInput = performance.now();
const noteInput = () => {
  lastInput = performance.now();
};
if (typeof window !== 'undefined') {
  for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart']) {
    window.addEventListener(kind, noteInput, { passive: true, capture: true });
  }
}

/** Somebody does something that is neither key nor finger: he speaks. */
export function noteSomebody(): void {
  noteInput();
}

export function isSomebodyThere(): boolean {
  return performance.now() - lastInput < patience;
}
