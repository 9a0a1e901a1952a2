import type { RefObject } from 'react';
import { goTo } from '../../address.ts';
import { useWords } from '../../kit/language.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { words } from './words.ts';

/** Up and down choose a line of a virtual list and show it; Enter on it goes on to its details. */
export function useRowKeys({
  box,
  rowHeight,
  ids,
  selected,
  hrefOf,
}: {
  readonly box: RefObject<HTMLElement | null>;
  readonly rowHeight: number;
  readonly ids: readonly string[];
  readonly selected: string | null;
  readonly hrefOf: (id: string) => string;
}): void {
  const say = useWords(words);
  const move = (step: 1 | -1) => {
    const at = selected === null ? -1 : ids.indexOf(selected);
    const next = at < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, at + step));
    const id = ids[next];
    if (id === undefined) return;
    goTo(hrefOf(id), 'replace');
    const list = box.current?.querySelector('.kit-virtual, .ant-table-tbody-virtual-holder');
    if (!(list instanceof HTMLElement)) return;
    const [top, bottom] = [next * rowHeight, (next + 1) * rowHeight];
    if (top < list.scrollTop) list.scrollTop = top;
    else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
    // The line may be drawn only after the list has scrolled.
    requestAnimationFrame(() => {
      const link = list.querySelector(`[data-alarm="${id}"] a, a[data-history="${id}"]`);
      if (link instanceof HTMLElement) link.focus({ preventScroll: true });
    });
  };
  useShortcut('ArrowDown', say.keyDown, () => move(1));
  useShortcut('ArrowUp', say.keyUp, () => move(-1));
}
