import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { frameWords } from './frame-words.ts';
import { useWords } from './language.tsx';

/* Keys of the whole console, and those of the page that is open. `?` shows them. Nothing is heard while somebody types. */

interface Shortcut {
  /** As KeyboardEvent.key says it: `a`, `/`, `ArrowDown`; two keys after each other: `g a`. */
  readonly keys: string;
  readonly what: string;
  readonly run: () => void;
}

interface Board {
  add(shortcut: { readonly current: Shortcut }): () => void;
  showHelp(): void;
}

const BoardContext = createContext<Board | null>(null);

function useBoard(): Board {
  const board = useContext(BoardContext);
  if (board === null) throw new Error('outside of KitProvider');
  return board;
}

/** Runs `run` when these keys are pressed, for as long as the component is there. `what` is for the help. */
export function useShortcut(keys: string, what: string, run: () => void): void {
  const board = useBoard();
  const latest = useRef<Shortcut>({ keys, what, run });
  latest.current = { keys, what, run };
  useEffect(() => board.add(latest), [board]);
}

export function useShortcutHelp(): () => void {
  return useBoard().showHelp;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** Longest pause between two keys of one shortcut, ms. */
const pause = 900;

export function ShortcutProvider({ children }: { readonly children: ReactNode }) {
  const words = useWords(frameWords);
  const [shown, setShown] = useState<readonly Shortcut[]>([]);
  const dialog = useRef<HTMLDialogElement>(null);
  const shortcuts = useRef(new Set<{ readonly current: Shortcut }>());
  const board = useMemo<Board>(
    () => ({
      add: (shortcut) => {
        shortcuts.current.add(shortcut);
        return () => shortcuts.current.delete(shortcut);
      },
      showHelp: () => {
        setShown([...shortcuts.current].map(({ current }) => current));
        if (dialog.current?.open === false) dialog.current.showModal();
      },
    }),
    [],
  );
  useEffect(() => listenForKeys(shortcuts.current, board), [board]);
  return (
    <BoardContext value={board}>
      {children}
      <dialog ref={dialog} className="kit-dialog" aria-labelledby="shortcut-title" onClose={() => setShown([])}>
        <h2 id="shortcut-title">{words.shortcuts}</h2>
        <dl className="kit-shortcuts">
          {[{ keys: '?', what: words.shortcutHelp }, ...shown].map(({ keys, what }) => (
            <div key={`${keys} ${what}`}>
              <dt>
                {keys.split(' ').map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <button type="button" className="kit-button" onClick={() => dialog.current?.close()}>
          {words.close}
        </button>
      </dialog>
    </BoardContext>
  );
}

function listenForKeys(shortcuts: ReadonlySet<{ readonly current: Shortcut }>, board: Board): () => void {
  let before = { key: '', time: 0 };
  const hear = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
    // A dialog that is open has the keyboard to itself.
    if (document.querySelector('.ant-modal-wrap:not([style*="display: none"]), dialog[open]') !== null) return;
    if (event.key === '?') return board.showHelp();
    const pair = event.timeStamp - before.time < pause ? `${before.key} ${event.key}` : event.key;
    before = { key: event.key, time: event.timeStamp };
    const all = [...shortcuts].map(({ current }) => current);
    const found = all.findLast(({ keys }) => keys === pair) ?? all.findLast(({ keys }) => keys === event.key);
    if (found === undefined) return;
    event.preventDefault();
    found.run();
  };
  addEventListener('keydown', hear);
  return () => removeEventListener('keydown', hear);
}
