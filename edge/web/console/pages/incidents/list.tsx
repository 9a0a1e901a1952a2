import { Button } from 'antd';
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { goTo } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { VirtualList } from '../../kit/virtual-list.tsx';
import type { IncidentActs } from './acts.ts';
import { type IncidentView, useIncidents } from './data.ts';
import { type Filter, isFiltered, stillPasses } from './filter.ts';
import { IncidentRow } from './incident-row.tsx';
import { useStill } from './use-still.ts';
import { words } from './words.ts';

export interface ListProps {
  readonly filter: Filter;
  /** Whose details are open. */
  readonly selected: string | null;
  /** Details stand beside the list: moving in it shows them. */
  readonly isBeside: boolean;
  readonly acts: IncidentActs;
  readonly hrefOf: (id: string) => string;
  readonly onResolve: (incident: IncidentView) => void;
  readonly onExport: ((incident: IncidentView) => void) | null;
  readonly onClearFilter: () => void;
}

/** The live list: newest first, still under a hand, worked through by keys. */
export function IncidentList(props: ListProps) {
  const { filter, acts, hrefOf } = props;
  const say = useWords(words);
  const language = useLanguage();
  const box = useRef<HTMLDivElement>(null);
  const isPhone = useMedia(phoneQuery);
  const { incidents, ...asked } = useIncidents(filter);
  const isWanted = useCallback((incident: IncidentView) => stillPasses(incident, filter), [filter]);
  const { shown, fresh, release } = useStill(incidents, isWanted, box);
  const [chosen, choose, setChosen] = useChosen(shown);
  const ticked = useMemo(() => shown.filter(({ id }) => chosen.has(id)), [shown, chosen]);
  const rowHeight = isPhone ? 128 : 104;
  const cursor = useCursor({ ...props, box, rowHeight, ids: shown.map(({ id }) => id) });
  const current = shown.find(({ id }) => id === cursor);
  useListKeys(props, { current, ticked, choose, clear: () => setChosen(new Set()) });
  if (asked.error !== null && incidents.length === 0) {
    return (
      <ErrorState
        message={errorText(asked.error, language)}
        detail={errorDetail(asked.error)}
        onRetry={() => asked.retry()}
      />
    );
  }
  const unseen = shown.filter(({ seenBy }) => seenBy === null);
  return (
    <div className="incidents-list" ref={box}>
      {(ticked.length > 0 || unseen.length > 1) && (
        <div className="incidents-bulk">
          <Button
            type="link"
            size="small"
            onClick={() => setChosen(ticked.length > 0 ? new Set() : new Set(unseen.map(({ id }) => id)))}
          >
            {ticked.length > 0 ? say.chooseNone : say.chooseUnseen(unseen.length)}
          </Button>
          {ticked.length > 0 && (
            <>
              <span>{say.chosen(ticked.length)}</span>
              <Button
                type="primary"
                disabled={acts.isAway}
                hidden={ticked.every(({ seenBy }) => seenBy !== null)}
                loading={acts.isBusy}
                data-act="see-many"
                onClick={async () => (await acts.see(ticked)) && setChosen(new Set())}
              >
                {say.seeMany(ticked.filter(({ seenBy }) => seenBy === null).length)}
              </Button>
            </>
          )}
        </div>
      )}
      {fresh.length > 0 && <FreshPill fresh={fresh} onShow={release} />}
      {asked.isUnknown ? (
        <PageSkeleton />
      ) : shown.length === 0 ? (
        <Nothing {...props} />
      ) : (
        <div className="incidents-lines">
          <VirtualList
            label={say.list}
            items={shown}
            rowHeight={rowHeight}
            keyOf={({ id }) => id}
            render={(incident) => (
              <IncidentRow
                incident={incident}
                isSelected={incident.id === cursor}
                isChosen={chosen.has(incident.id)}
                isOver={!stillPasses(incident, filter)}
                hands={{ acts, hrefOf, onChoose: isPhone ? null : choose }}
              />
            )}
          />
        </div>
      )}
      {asked.hasMore && (
        <p className="incidents-more">
          <Button loading={asked.isLoadingMore} onClick={asked.loadMore}>
            {say.more}
          </Button>
        </p>
      )}
    </div>
  );
}

/** Which are ticked; with Shift all between this and the one before. */
function useChosen(shown: readonly IncidentView[]) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string | null>(null);
  const choose = ({ id }: IncidentView, isRange: boolean) => {
    const ids = shown.map((incident) => incident.id);
    const [from, to] = [ids.indexOf(last.current ?? id), ids.indexOf(id)];
    last.current = id;
    setChosen((before) => {
      const after = new Set(before);
      if (isRange && from >= 0) for (const one of ids.slice(Math.min(from, to), Math.max(from, to) + 1)) after.add(one);
      else if (!after.delete(id)) after.add(id);
      return after;
    });
  };
  return [chosen, choose, setChosen] as const;
}

/** j and k (and arrows) move; beside the list the details follow, else Enter opens them. */
function useCursor({
  selected,
  isBeside,
  hrefOf,
  box,
  rowHeight,
  ids,
}: ListProps & {
  readonly box: RefObject<HTMLElement | null>;
  readonly rowHeight: number;
  readonly ids: readonly string[];
}): string | null {
  const say = useWords(words);
  const [at, setAt] = useState<string | null>(selected);
  useEffect(() => {
    if (selected !== null) setAt(selected);
  }, [selected]);
  const move = (step: 1 | -1) => {
    const before = at === null ? -1 : ids.indexOf(at);
    const next = before < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, before + step));
    const id = ids[next];
    if (id === undefined) return;
    setAt(id);
    if (isBeside) goTo(hrefOf(id), 'replace');
    const list = box.current?.querySelector('.kit-virtual');
    if (!(list instanceof HTMLElement)) return;
    const [top, bottom] = [next * rowHeight, (next + 1) * rowHeight];
    if (top < list.scrollTop) list.scrollTop = top;
    else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
    // The line may be drawn only after the list has scrolled.
    requestAnimationFrame(() => {
      const link = list.querySelector(`[data-incident="${id}"] a`);
      if (link instanceof HTMLElement) link.focus({ preventScroll: true });
    });
  };
  useShortcut('j', say.keyDown, () => move(1));
  useShortcut('ArrowDown', say.keyDown, () => move(1));
  useShortcut('k', say.keyUp, () => move(-1));
  useShortcut('ArrowUp', say.keyUp, () => move(-1));
  useShortcut('Enter', say.keyOpen, () => {
    if (at !== null) goTo(hrefOf(at));
  });
  return at;
}

function useListKeys(
  { acts, onResolve, onExport }: ListProps,
  {
    current,
    ticked,
    choose,
    clear,
  }: {
    readonly current: IncidentView | undefined;
    readonly ticked: readonly IncidentView[];
    readonly choose: (incident: IncidentView, isRange: boolean) => void;
    readonly clear: () => void;
  },
): void {
  const say = useWords(words);
  const isFree = current !== undefined && !acts.isAway;
  const see = async (which: readonly IncidentView[]) => {
    if (await acts.see(which)) clear();
  };
  useShortcut('a', say.keySeen, () => {
    const which = ticked.length > 0 ? ticked : current === undefined ? [] : [current];
    if (!acts.isAway && which.length > 0) void see(which);
  });
  useShortcut('c', say.keyClaim, () => {
    if (isFree && current.claimedBy === null && current.state !== 'resolved') void acts.claim(current);
  });
  useShortcut('r', say.keyResolve, () => {
    if (isFree && current.state !== 'resolved' && current.emergency === null) onResolve(current);
  });
  useShortcut('e', say.keyExport, () => {
    if (isFree && onExport !== null) onExport(current);
  });
  useShortcut('x', say.keyChoose, () => {
    if (current !== undefined) choose(current, false);
  });
}

/** In the way of nothing, and red when one of them is critical. */
function FreshPill({ fresh, onShow }: { readonly fresh: readonly IncidentView[]; readonly onShow: () => void }) {
  const say = useWords(words);
  const critical = fresh.filter((incident) => incident.class === 'critical').length;
  return (
    <button
      type="button"
      className={`incidents-fresh ${critical > 0 ? 'incidents-fresh-critical' : ''}`}
      data-fresh={fresh.length}
      onClick={onShow}
    >
      ↑ {critical > 0 ? say.freshCritical(fresh.length, critical) : say.fresh(fresh.length)}
    </button>
  );
}

function Nothing({ filter, onClearFilter }: ListProps) {
  const say = useWords(words);
  if (isFiltered(filter) || filter.show !== 'open') {
    return (
      <EmptyState title={say.noneFiltered} action={<Button onClick={onClearFilter}>{say.clear}</Button>}>
        {say.noneFilteredHelp}
      </EmptyState>
    );
  }
  return <EmptyState title={say.none}>{say.noneHelp}</EmptyState>;
}
