import { Button, Input, type InputRef, Select } from 'antd';
import { useEffect, useMemo, useRef, useState } from 'react';
import { goTo, hashOf, useAddress } from '../../address.ts';
import type { CampusView } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { useRestHeight } from '../../kit/rest-height.ts';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { EmptyState, ErrorBoundary } from '../../kit/states.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { now } from '../../kit/ticker.ts';
import { VirtualList } from '../../kit/virtual-list.tsx';
import { useOwnerText } from '../../names.ts';
import { useOutput, useReading } from '../../use-live.tsx';
import { Detail } from './detail.tsx';
import { Held } from './held.tsx';
import { manualOf, scheduleOwner } from './hold.ts';
import { PowerIcon } from './power-icon.tsx';
import { inOneLine, shortMoment } from './reasons.ts';
import { type Filter, type Row, shown } from './rows.ts';
import { useStateText } from './state-text.ts';
import { useSpeech } from './use-power.ts';
import { words } from './words.ts';

/** The list and one circuit beside each other need that much. */
const narrowQuery = '(max-width: 1180px)';

export function NowView({ campus, rows }: { readonly campus: CampusView; readonly rows: readonly Row[] }) {
  const say = useWords(words);
  const isNarrow = useMedia(narrowQuery);
  const [split, height] = useRestHeight(400);
  const { path, query } = useAddress();
  const asked = query.get('text') ?? '';
  // What is typed counts at once: the address follows, and would swallow letters of whoever types quickly.
  const [text, setText] = useState(asked);
  useEffect(() => {
    if (!(document.activeElement instanceof HTMLInputElement)) setText(asked);
  }, [asked]);
  const filter: Filter = { text, building: query.get('building') ?? '' };
  const parts = { text: filter.text, building: filter.building };
  const [, , at = '', device = '', point = ''] = path.split('/').map(decodeURIComponent);
  const selected = at === 'at' && point !== '' ? `${device}/${point}` : null;
  const change = (next: Filter) => {
    setText(next.text);
    goTo(hashOf(path, { text: next.text, building: next.building }), 'replace');
  };
  const hrefOf = (ref: string) => hashOf(`/power/at/${ref}`, parts);
  const found = useMemo(
    () => shown(rows, { text: filter.text, building: filter.building }),
    [rows, filter.text, filter.building],
  );
  const row = rows.find(({ ref }) => ref === selected);
  const detail = selected !== null && (
    <ErrorBoundary name={selected}>
      {row === undefined ? (
        <EmptyState title={say.missing}>{say.missingHelp}</EmptyState>
      ) : (
        <Detail key={selected} row={row} />
      )}
    </ErrorBoundary>
  );
  if (isNarrow && selected !== null)
    return (
      <>
        <p className="power-back">
          <a href={hashOf('/power', parts)}>← {say.back}</a>
        </p>
        {detail}
      </>
    );
  // Enter in the search opens what was found: one search, one answer.
  const openFirst = () => {
    const [first] = found;
    if (first !== undefined) goTo(hrefOf(first.ref));
  };
  return (
    <>
      <Held rows={rows} hrefOf={hrefOf} />
      <FilterBar campus={campus} rows={rows} filter={filter} onChange={change} onEnter={openFirst} />
      <div className="power-split" ref={split} style={{ height }}>
        <section className="power-side kit-panel" aria-label={say.list}>
          <List rows={found} selected={selected} hrefOf={hrefOf} onClear={() => change({ text: '', building: '' })} />
        </section>
        {!isNarrow && (
          <section className="power-pane" aria-label={say.whySo}>
            {detail === false ? (
              <div className="kit-panel power-pick">
                <EmptyState title={say.pick}>{say.pickHelp}</EmptyState>
              </div>
            ) : (
              detail
            )}
          </section>
        )}
      </div>
    </>
  );
}

function FilterBar({
  campus,
  rows,
  filter,
  onChange,
  onEnter,
}: {
  readonly campus: CampusView;
  readonly rows: readonly Row[];
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
  readonly onEnter: () => void;
}) {
  const say = useWords(words);
  const name = useName();
  const field = useRef<InputRef>(null);
  useShortcut('/', say.search, () => field.current?.focus());
  const used = new Set(rows.map(({ building }) => building));
  return (
    <search className="power-filter" aria-label={say.filters}>
      <Input
        ref={field}
        allowClear
        type="search"
        aria-label={say.search}
        placeholder={say.searchHint}
        value={filter.text}
        onChange={(event) => onChange({ ...filter, text: event.target.value })}
        onPressEnter={onEnter}
      />
      <Select<string>
        aria-label={say.building}
        value={filter.building}
        onChange={(building) => onChange({ ...filter, building })}
        options={[
          { value: '', label: say.allBuildings },
          ...campus.buildings
            .filter(({ id }) => used.has(id))
            .map(({ id, name: one }) => ({ value: id, label: name(one) })),
          ...(used.has('') ? [{ value: 'outside', label: say.outside }] : []),
        ]}
      />
    </search>
  );
}

function List({
  rows,
  selected,
  hrefOf,
  onClear,
}: {
  readonly rows: readonly Row[];
  readonly selected: string | null;
  readonly hrefOf: (ref: string) => string;
  readonly onClear: () => void;
}) {
  const say = useWords(words);
  const isPhone = useMedia(phoneQuery);
  if (rows.length === 0)
    return (
      <EmptyState title={say.noneInView} action={<Button onClick={onClear}>{say.clear}</Button>}>
        {say.noneInViewHelp}
      </EmptyState>
    );
  return (
    <VirtualList
      label={say.list}
      items={rows}
      rowHeight={isPhone ? 100 : 76}
      keyOf={({ ref, circuit }) => `${circuit?.entry ?? ''} ${ref}`}
      render={(row) => <RowLink row={row} isSelected={row.ref === selected} href={hrefOf(row.ref)} />}
    />
  );
}

function RowLink({
  row,
  isSelected,
  href,
}: {
  readonly row: Row;
  readonly isSelected: boolean;
  readonly href: string;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const stateOf = useStateText();
  const output = useOutput(row.ref);
  const reading = useReading(row.ref);
  const state = stateOf(row, reading?.value ?? output?.value ?? null);
  const manual = manualOf(output);
  const wanted = output?.value ?? null;
  const isBehind =
    wanted !== null && reading !== undefined && reading.value !== wanted && output?.confirmed?.outcome !== 'sent';
  return (
    <a
      className="power-row"
      href={href}
      aria-current={isSelected ? 'true' : undefined}
      data-power-row={row.ref}
      data-state={state.look}
    >
      <span className="power-row-icon">
        <PowerIcon kind={row.kind} />
      </span>
      <span className="power-row-words">
        <span className="power-row-title">
          <strong>{row.title}</strong>
          <span className="kit-soft">{row.place}</span>
        </span>
        <WhyLine row={row} />
        {isBehind && (
          <span className="power-row-held">
            <ToneBadge tone="bad">{say.behind(stateOf(row, output?.value ?? null).text)}</ToneBadge>
          </span>
        )}
        {manual?.until !== null && manual !== null && (
          <span className="power-row-held">
            <ToneBadge tone="wait">
              {say.heldShort(stateOf(row, manual.value).text, shortMoment(manual.until, now(), formats))}
            </ToneBadge>
          </span>
        )}
      </span>
      <span className="power-state" data-look={state.look}>
        {state.text}
      </span>
    </a>
  );
}

/** Why, in one line: of the schedule while it holds it, else of whoever does. */
function WhyLine({ row }: { readonly row: Row }) {
  const say = useWords(words);
  const speech = useSpeech();
  const ownerOf = useOwnerText();
  const output = useOutput(row.ref);
  const holder = output?.holder ?? null;
  if (row.circuit !== null && (holder === null || holder === scheduleOwner(row.circuit.entry)))
    return <span className="power-row-why">{inOneLine(row.circuit.decision.why, speech)}</span>;
  if (holder === null)
    return <span className="power-row-why kit-soft">{row.entry === null ? say.outsidePlan : say.schedulePaused}</span>;
  const manual = manualOf(output);
  if (manual?.owner === holder) return <span className="power-row-why">{say.byPerson(manual.reason)}</span>;
  return <span className="power-row-why">{say.byOther(ownerOf(holder))}</span>;
}
