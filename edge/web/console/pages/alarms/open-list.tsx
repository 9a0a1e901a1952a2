import { Button, Checkbox, Input } from 'antd';
import { type ReactNode, useMemo, useRef, useState } from 'react';
import type { AlarmView } from '../../api.ts';
import { useWords } from '../../kit/language.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { VirtualList } from '../../kit/virtual-list.tsx';
import type { AlarmActs } from './acts.ts';
import { AlarmRow } from './alarm-row.tsx';
import { type Filter, isFiltered, passes } from './filter.ts';
import { type Cause, causesOf, isUnseen, type Line, linesOf, shelvedOf } from './lines.ts';
import { useHeld } from './use-held.ts';
import { useRowKeys } from './use-row-keys.ts';
import { words } from './words.ts';

export interface OpenListProps {
  readonly alarms: readonly AlarmView[];
  readonly filter: Filter;
  readonly selected: string | null;
  readonly acts: AlarmActs;
  readonly hrefOf: (alarm: AlarmView) => string;
  /** What the detail's note says of the selected alarm. */
  readonly note: string;
  readonly onShelve: (alarms: readonly AlarmView[]) => void;
  readonly onClearFilter: () => void;
}

/** What stands now, or what is shelved: by cause, most urgent first, holding still under a finger. */
export function OpenList(props: OpenListProps) {
  const { alarms, filter, selected, acts, hrefOf, note, onShelve } = props;
  const box = useRef<HTMLDivElement>(null);
  const isPhone = useMedia(phoneQuery);
  const say = useWords(words);
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const all = useMemo(() => (filter.view === 'shelved' ? shelvedOf(alarms) : causesOf(alarms)), [alarms, filter.view]);
  const wanted = useMemo(
    () => all.filter(({ head, others }) => [head, ...others].some((alarm) => passes(alarm, filter))),
    [all, filter],
  );
  const open = useMemo(() => new Set(alarms.map(({ id }) => id)), [alarms]);
  const held = useHeld(wanted, open, box);
  const lines = useMemo(() => linesOf(held.causes, unfolded, held.over), [held.causes, held.over, unfolded]);
  const ticked = useMemo(() => alarms.filter(({ id }) => chosen.has(id)), [alarms, chosen]);
  const targets = ticked.length > 0 ? ticked : alarms.filter(({ id }) => id === selected);
  const mayChoose = acts.may && !isPhone && filter.view === 'now';
  const rowHeight = isPhone ? 122 : 92;
  const acknowledge = async (text: string) => {
    if (await acts.acknowledge(targets, text)) setChosen(new Set());
  };
  const choose = ({ id }: AlarmView) => setChosen((before) => toggled(before, id));

  useRowKeys({
    box,
    rowHeight,
    ids: lines.map(({ alarm }) => alarm.id),
    selected,
    hrefOf: (id) => hrefById(lines, id, hrefOf),
  });
  useShortcut('a', say.keyAcknowledge, () => {
    if (acts.may && !acts.isAway && targets.length > 0) void acknowledge(ticked.length > 0 ? '' : note.trim());
  });
  useShortcut('s', say.keyShelve, () => {
    const free = targets.filter(({ shelved }) => shelved === undefined);
    if (acts.may && !acts.isAway && free.length > 0) onShelve(free);
  });
  useShortcut('u', say.keyUnshelve, () => {
    const shelved = targets.find((alarm) => alarm.shelved !== undefined);
    if (acts.may && !acts.isAway && shelved !== undefined) void acts.unshelve(shelved);
  });
  useShortcut('x', say.keyChoose, () => {
    const alarm = lines.find((line) => line.alarm.id === selected)?.alarm;
    if (mayChoose && alarm !== undefined) choose(alarm);
  });

  return (
    <div className="alarms-list" ref={box}>
      {mayChoose && (
        <BulkBar
          lines={lines}
          ticked={ticked}
          acts={acts}
          onChoose={setChosen}
          onAcknowledge={(text) => void acknowledge(text)}
          onShelve={() => onShelve(ticked)}
        />
      )}
      {held.fresh.length > 0 && <FreshPill fresh={held.fresh} onShow={held.release} />}
      {lines.length === 0 ? (
        <Nothing {...props} hidden={all.length} />
      ) : (
        <div className="alarms-lines">
          <VirtualList
            label={say.list}
            items={lines}
            rowHeight={rowHeight}
            keyOf={({ alarm, isUnder }) => `${isUnder ? 'under ' : ''}${alarm.id}`}
            render={(line) => (
              <AlarmRow
                line={line}
                isSelected={line.alarm.id === selected}
                isChosen={chosen.has(line.alarm.id)}
                isUnfolded={unfolded.has(line.alarm.id)}
                hands={{
                  acts,
                  hrefOf,
                  onChoose: mayChoose ? choose : null,
                  onFold: ({ id }) => setUnfolded((before) => toggled(before, id)),
                }}
              />
            )}
          />
        </div>
      )}
      {lines.length > 0 && all.length > wanted.length && (
        <p className="alarms-hidden kit-soft">
          {say.hiddenByFilter(all.length - wanted.length)}{' '}
          <Button type="link" size="small" onClick={props.onClearFilter}>
            {say.clear}
          </Button>
        </p>
      )}
    </div>
  );
}

function toggled(before: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const after = new Set(before);
  if (!after.delete(id)) after.add(id);
  return after;
}

function hrefById(lines: readonly Line[], id: string, hrefOf: (alarm: AlarmView) => string): string {
  const found = lines.find(({ alarm }) => alarm.id === id);
  return found === undefined ? '' : hrefOf(found.alarm);
}

/** In the way of nothing, and red when one of them is critical. */
function FreshPill({ fresh, onShow }: { readonly fresh: readonly Cause[]; readonly onShow: () => void }) {
  const say = useWords(words);
  const critical = fresh.filter(({ head }) => head.class === 'critical').length;
  return (
    <button
      type="button"
      className={`alarms-fresh ${critical > 0 ? 'alarms-fresh-critical' : ''}`}
      data-fresh={fresh.length}
      onClick={onShow}
    >
      ↑ {critical > 0 ? say.freshCritical(fresh.length, critical) : say.fresh(fresh.length)}
    </button>
  );
}

function BulkBar({
  lines,
  ticked,
  acts,
  onChoose,
  onAcknowledge,
  onShelve,
}: {
  readonly lines: readonly Line[];
  readonly ticked: readonly AlarmView[];
  readonly acts: AlarmActs;
  readonly onChoose: (ids: ReadonlySet<string>) => void;
  readonly onAcknowledge: (note: string) => void;
  readonly onShelve: () => void;
}) {
  const say = useWords(words);
  const [note, setNote] = useState('');
  const unseen = lines.filter(({ alarm, isOver }) => isUnseen(alarm) && !isOver && alarm.suppressedBy === undefined);
  const toDo = ticked.filter(isUnseen).length;
  if (ticked.length === 0 && unseen.length < 2) return null;
  const send = () => {
    onAcknowledge(note.trim());
    setNote('');
  };
  return (
    <div className="alarms-bulk">
      <Checkbox
        checked={ticked.length > 0}
        indeterminate={ticked.length > 0 && toDo < unseen.length}
        onChange={() => onChoose(ticked.length > 0 ? new Set() : new Set(unseen.map(({ alarm }) => alarm.id)))}
      >
        {ticked.length > 0 ? say.chosen(ticked.length) : say.chooseAll}
      </Checkbox>
      {ticked.length > 0 && (
        <>
          <Input
            aria-label={say.note}
            placeholder={say.noteHint}
            maxLength={500}
            value={note}
            onChange={(event) => setNote(event.target.value)}
            onPressEnter={send}
          />
          <Button type="primary" disabled={acts.isAway || toDo === 0} loading={acts.isBusy} onClick={send}>
            {say.acknowledgeMany(toDo)}
          </Button>
          <Button disabled={acts.isAway} onClick={onShelve}>
            {say.shelveMany(ticked.length)}
          </Button>
        </>
      )}
    </div>
  );
}

function Nothing({ alarms, filter, onClearFilter, hidden }: OpenListProps & { readonly hidden: number }): ReactNode {
  const say = useWords(words);
  const clear = <Button onClick={onClearFilter}>{say.clear}</Button>;
  if (isFiltered(filter) && hidden > 0) {
    return (
      <EmptyState title={say.noneFiltered} action={clear}>
        {say.noneFilteredHelp(hidden)}
      </EmptyState>
    );
  }
  if (filter.view === 'shelved') return <EmptyState title={say.noneShelved}>{say.noneShelvedHelp}</EmptyState>;
  const shelved = alarms.filter((alarm) => alarm.shelved !== undefined).length;
  return <EmptyState title={say.none}>{say.noneHelp(shelved)}</EmptyState>;
}
