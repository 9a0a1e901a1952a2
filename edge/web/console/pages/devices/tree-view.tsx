import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { domainText } from '../../domain-words.ts';
import { KindIcon } from '../../kind-icons.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { stateWords } from '../../kit/state-words.ts';
import type { Branch, Line } from './tree.ts';
import { rollUp, type Troubles, troubleOf } from './troubles.ts';
import { wordOf, words } from './words.ts';

/* The tree of devices: only the lines in sight are drawn, and the keyboard works as in every tree (WAI-ARIA tree view). */

/** Lines that are drawn above and below those in sight. */
const margin = 8;

export interface TreeViewProps {
  readonly lines: readonly Line[];
  readonly troubles: Troubles;
  readonly rowHeight: number;
  /** Id of the device whose details are open. */
  readonly selected: string | null;
  readonly onToggle: (key: string) => void;
  readonly onOpen: (device: string) => void;
}

export function TreeView({ lines, troubles, rowHeight, selected, onToggle, onOpen }: TreeViewProps) {
  const say = useWords(words);
  const ids = useId();
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [active, setActive] = useState<string | null>(null);
  const at = lines.findIndex(({ key }) => key === (active ?? selected));
  const first = Math.max(0, Math.floor(view.top / rowHeight) - margin);
  const last = Math.min(lines.length, Math.ceil((view.top + view.height) / rowHeight) + margin);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const look = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);

  const reveal = (index: number) => {
    const element = box.current;
    const line = lines[index];
    if (element === null || line === undefined) return;
    setActive(line.key);
    const top = index * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    if (top + rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = top + rowHeight - element.clientHeight;
  };

  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const line = lines[at];
    const keys: Readonly<Record<string, () => void>> = {
      ArrowDown: () => reveal(Math.min(lines.length - 1, at + 1)),
      ArrowUp: () => reveal(Math.max(0, at - 1)),
      Home: () => reveal(0),
      End: () => reveal(lines.length - 1),
      PageDown: () => reveal(Math.min(lines.length - 1, at + Math.floor(view.height / rowHeight))),
      PageUp: () => reveal(Math.max(0, at - Math.floor(view.height / rowHeight))),
      ArrowRight: () => {
        if (line?.branch !== null && line !== undefined && !line.isOpen) onToggle(line.key);
        else reveal(Math.min(lines.length - 1, at + 1));
      },
      ArrowLeft: () => {
        if (line?.branch !== null && line?.isOpen) onToggle(line.key);
        else reveal(lines.findIndex(({ key }) => key === line?.parent));
      },
      Enter: () => line !== undefined && choose(line),
      ' ': () => line !== undefined && choose(line),
    };
    const run = keys[event.key];
    if (run === undefined) return;
    event.preventDefault();
    run();
  };
  const choose = (line: Line) => {
    setActive(line.key);
    if (line.device === null) onToggle(line.key);
    else onOpen(line.device.id);
  };
  const isDrawn = at >= first && at < last;

  return (
    <div
      ref={box}
      className="devices-tree"
      role="tree"
      aria-label={say.tree}
      tabIndex={0}
      onKeyDown={press}
      onFocus={() => at < 0 && setActive(lines[0]?.key ?? null)}
      {...(isDrawn ? { 'aria-activedescendant': `${ids}${at}` } : {})}
    >
      <div role="presentation" style={{ height: lines.length * rowHeight, position: 'relative' }}>
        {lines.slice(first, last).map((line, offset) => {
          const index = first + offset;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keyboard.
            // biome-ignore lint/a11y/useFocusableInteractive: the tree is focused, and says which line is active.
            <div
              key={line.key}
              id={`${ids}${index}`}
              role="treeitem"
              className="devices-line"
              data-device={line.device?.id}
              data-active={index === at}
              aria-level={line.level}
              aria-posinset={line.position}
              aria-setsize={line.siblings}
              aria-selected={line.device !== null && line.device.id === selected}
              {...(line.branch === null ? {} : { 'aria-expanded': line.isOpen })}
              style={{ top: index * rowHeight, height: rowHeight, paddingInlineStart: 6 + (line.level - 1) * 14 }}
              onClick={() => choose(line)}
            >
              {line.branch !== null && <BranchLine branch={line.branch} isOpen={line.isOpen} troubles={troubles} />}
              {line.device !== null && <DeviceLine line={line} troubles={troubles} />}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function BranchLine({
  branch,
  isOpen,
  troubles,
}: {
  readonly branch: Branch;
  readonly isOpen: boolean;
  readonly troubles: Troubles;
}) {
  const say = useWords(words);
  const name = useName();
  const sum = rollUp(troubles, branch.all);
  const language = useLanguage();
  const called = branch.key.startsWith('kind:')
    ? domainText('kind', branch.name?.zh ?? '', language)
    : name(branch.name);
  return (
    <>
      <svg
        className="devices-twist"
        viewBox="0 0 12 12"
        width="12"
        height="12"
        data-open={isOpen}
        aria-hidden="true"
        focusable="false"
      >
        <path d="M4 2l4 4-4 4" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
      </svg>
      <span className="devices-line-name">{branch.name === null ? say.noRoom : called}</span>
      <span className="devices-line-count">{branch.all.length}</span>
      {sum.devices > 0 && (
        <span className="kit-badge kit-quality-bad" title={say.troubleOf(sum.devices, sum.bad, sum.uncertain)}>
          <SignIcon sign="cross" size={11} />
          {sum.devices}
          <span className="kit-unseen">{say.troubleOf(sum.devices, sum.bad, sum.uncertain)}</span>
        </span>
      )}
    </>
  );
}

function DeviceLine({ line, troubles }: { readonly line: Line; readonly troubles: Troubles }) {
  const name = useName();
  const { device } = line;
  if (device === null) return null;
  return (
    <>
      <KindIcon kind={device.kind} size={16} />
      <span className="devices-line-name">{name(device.name)}</span>
      <TroubleBadge troubles={troubles} device={device.id} />
    </>
  );
}

/** What is wrong with a device in a word: its state, else how many of its values are not good. */
export function TroubleBadge({
  troubles,
  device,
  isLong = false,
}: {
  readonly troubles: Troubles;
  readonly device: string;
  /** In words, where there is room. */
  readonly isLong?: boolean;
}) {
  const say = useWords(words);
  const states = useWords(stateWords);
  const { bad, uncertain, state } = troubleOf(troubles, device);
  if (state !== null) {
    return (
      <span className="kit-badge kit-tone-bad">
        <SignIcon sign="cross" size={11} />
        {wordOf(states, `state:${state}`, state)}
      </span>
    );
  }
  if (bad === 0 && uncertain === 0) return null;
  const quality = bad > 0 ? 'bad' : 'uncertain';
  const text = bad > 0 ? say.badValues(bad) : say.uncertainValues(uncertain);
  return (
    <span className={`kit-badge kit-quality-${quality}`} title={text}>
      <SignIcon sign={bad > 0 ? 'cross' : 'doubt'} size={11} />
      {isLong ? text : bad > 0 ? bad : uncertain}
      {!isLong && <span className="kit-unseen">{text}</span>}
    </span>
  );
}
