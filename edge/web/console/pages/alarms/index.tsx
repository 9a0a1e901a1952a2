import { useQuery } from '@tanstack/react-query';
import { Segmented } from 'antd';
import { lazy, Suspense, useMemo, useState } from 'react';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { needsAction } from '../../alarm-groups.ts';
import { type AlarmView, api } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useWords } from '../../kit/language.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { EmptyState, ErrorBoundary, PageSkeleton } from '../../kit/states.tsx';
import { useMedia } from '../../kit/theme.tsx';
import { useLive, useOpenAlarms } from '../../use-live.tsx';
import { type AlarmActs, useAlarmActs } from './acts.ts';
import { Detail } from './detail.tsx';
import { type Filter, filterIn, filterParts, noFilter, type View, views } from './filter.ts';
import { FilterBar } from './filter-bar.tsx';
import { HistoryList } from './history-list.tsx';
import { isUnseen } from './lines.ts';
import { OpenList } from './open-list.tsx';
import { ShelveDialog } from './shelve-dialog.tsx';
import { SoundBar } from './sound-bar.tsx';
import { words } from './words.ts';
import './alarms.css';

/* `#/alarms`, `#/alarms/<id>`, `#/alarms/report`: what a guard works from. The filter is in the address, so that a view can be handed on. */

const AlarmReport = lazy(async () => ({ default: (await import('./report.tsx')).AlarmReport }));

/** Details beside the list would leave neither enough: they take its place. */
const narrowQuery = '(max-width: 1180px)';
/** As many as the console asks for at once. */
const mostOpen = 1_000;

export function Page() {
  if (useAddress().path === '/alarms/report') {
    return (
      <Suspense fallback={<PageSkeleton />}>
        <AlarmReport />
      </Suspense>
    );
  }
  return <Alarms />;
}

function Alarms() {
  const say = useWords(words);
  const isNarrow = useMedia(narrowQuery);
  const { path, query } = useAddress();
  const address = query.toString();
  const filter = useMemo(() => filterIn(new URLSearchParams(address)), [address]);
  const alarms = useOpenAlarms();
  const isKnown = useIsKnown(alarms.length);
  const acts = useAlarmActs();
  const [shelving, setShelving] = useState<readonly AlarmView[]>([]);
  const [note, setNote] = useState({ id: '', text: '' });
  const given = decodeURIComponent(path.split('/')[2] ?? '');
  const selected = given === '' ? null : given;
  const hrefOf = ({ id }: AlarmView) => hashOf(`/alarms/${id}`, filterParts(filter));
  const noteText = note.id === selected ? note.text : '';
  const change = (next: Filter) =>
    goTo(hashOf(selected === null || isNarrow ? '/alarms' : path, filterParts(next)), 'replace');
  const clear = () => change({ ...noFilter, view: filter.view });
  // Looking back wants the width; details come when they are asked for.
  const isWide = filter.view === 'history' && selected === null;
  const dialog = <ShelveDialog alarms={shelving} acts={acts} onClose={() => setShelving([])} />;
  const detail = selected !== null && (
    <ErrorBoundary name={selected}>
      <Detail
        key={selected}
        id={selected}
        open={alarms}
        acts={acts}
        note={noteText}
        onNote={(text) => setNote({ id: selected, text })}
        onShelve={setShelving}
        hrefOf={hrefOf}
      />
    </ErrorBoundary>
  );
  if (isNarrow && selected !== null) {
    return (
      <>
        <PageHeader title={say.detail} isUnseen />
        <DetailKeys
          alarm={alarms.find(({ id }) => id === selected)}
          acts={acts}
          note={noteText}
          onShelve={setShelving}
          onBack={() => goTo(hashOf('/alarms', filterParts(filter)))}
        />
        <p className="alarms-back">
          <a href={hashOf('/alarms', filterParts(filter))}>← {say.back}</a>
        </p>
        <div className="kit-panel">{detail}</div>
        {dialog}
      </>
    );
  }
  return (
    <div className="alarms">
      <Head alarms={alarms} filter={filter} onChange={change} />
      {alarms.length >= mostOpen && <p className="kit-banner">{say.truncated}</p>}
      <div className={`alarms-split ${isWide ? 'alarms-split-wide' : ''}`}>
        <section className="alarms-side kit-panel" aria-label={say.list}>
          {filter.view === 'history' ? (
            <HistoryList filter={filter} selected={selected} hrefOf={hrefOf} onClearFilter={clear} />
          ) : !isKnown ? (
            <PageSkeleton />
          ) : (
            <OpenList
              key={address}
              alarms={alarms}
              filter={filter}
              selected={selected}
              acts={acts}
              hrefOf={hrefOf}
              note={noteText}
              onShelve={setShelving}
              onClearFilter={clear}
            />
          )}
        </section>
        {!isNarrow && !isWide && (
          <section className="alarms-pane kit-panel" aria-label={say.detail}>
            {detail === false ? <EmptyState title={say.pick}>{say.pickHelp}</EmptyState> : detail}
          </section>
        )}
      </div>
      {dialog}
    </div>
  );
}

/** The keys of the list, where details have taken its place. */
function DetailKeys({
  alarm,
  acts,
  note,
  onShelve,
  onBack,
}: {
  readonly alarm: AlarmView | undefined;
  readonly acts: AlarmActs;
  readonly note: string;
  readonly onShelve: (alarms: readonly AlarmView[]) => void;
  readonly onBack: () => void;
}) {
  const say = useWords(words);
  const isFree = alarm !== undefined && acts.may && !acts.isAway;
  useShortcut('a', say.keyAcknowledge, () => {
    if (isFree) void acts.acknowledge([alarm], note.trim());
  });
  useShortcut('s', say.keyShelve, () => {
    if (isFree && alarm.shelved === undefined) onShelve([alarm]);
  });
  useShortcut('Escape', say.back, onBack);
  return null;
}

/** Title, counts, sound, which alarms, and the filter. */
function Head({
  alarms,
  filter,
  onChange,
}: {
  readonly alarms: readonly AlarmView[];
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
}) {
  const say = useWords(words);
  const waiting = alarms.filter(needsAction);
  const shelved = alarms.filter((alarm) => alarm.shelved !== undefined).length;
  const counts: Readonly<Record<View, number>> = { now: waiting.length, shelved, history: 0 };
  return (
    <>
      <PageHeader
        title={say.title}
        about={say.about(waiting.filter(isUnseen).length, waiting.length)}
        actions={
          <>
            <SoundBar alarms={alarms} />
            <a className="kit-button" href="#/alarms/report">
              {say.report}
            </a>
          </>
        }
      />
      <div className="alarms-bar">
        <Segmented<View>
          aria-label={say.views}
          value={filter.view}
          onChange={(view) => onChange({ ...filter, view })}
          options={views.map((view) => ({
            value: view,
            label: counts[view] === 0 ? say[view] : `${say[view]} ${counts[view]}`,
          }))}
        />
        <FilterBar filter={filter} onChange={onChange} />
      </div>
    </>
  );
}

/** Whether it is known which alarms are open: "none" is only said when somebody has said it. */
function useIsKnown(count: number): boolean {
  const live = useLive();
  const asked = useQuery({
    queryKey: ['alarms-open'],
    queryFn: ({ signal }) => api.get<readonly AlarmView[]>('alarms?open=true&limit=1', signal),
    staleTime: 0,
  });
  return count > 0 || live.alarms.version > 0 || asked.data?.length === 0;
}
