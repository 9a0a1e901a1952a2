import { Segmented } from 'antd';
import { useCallback, useMemo, useState } from 'react';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useWords } from '../../kit/language.tsx';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { EmptyState, ErrorBoundary } from '../../kit/states.tsx';
import { useMedia } from '../../kit/theme.tsx';
import { useRight } from '../../session.tsx';
import { useIncidentActs } from './acts.ts';
import { useIncidentCounts } from './data.ts';
import { Detail } from './detail.tsx';
import { ActDialog, type Asking } from './dialogs.tsx';
import { type Filter, filterIn, filterParts, noFilter, type Show, shows } from './filter.ts';
import { FilterBar } from './filter-bar.tsx';
import { IncidentList } from './list.tsx';
import { words } from './words.ts';
import './incidents.css';

/* `#/incidents`, `#/incidents/<id>`: what the gatehouse works from. The filter is in the address, so that a view can be handed on. */

/** Details beside the list would leave neither enough: they take its place. */
const narrowQuery = '(max-width: 1180px)';

export function Page() {
  const say = useWords(words);
  const isNarrow = useMedia(narrowQuery);
  const { path, query } = useAddress();
  const address = query.toString();
  const filter = useMemo(() => filterIn(new URLSearchParams(address)), [address]);
  const acts = useIncidentActs();
  const mayTake = useRight('evidence');
  const [asking, setAsking] = useState<Asking | null>(null);
  const given = decodeURIComponent(path.split('/')[2] ?? '');
  const selected = given === '' ? null : given;
  const parts = useMemo(() => filterParts(filter), [filter]);
  const hrefOf = useCallback((id: string) => hashOf(`/incidents/${id}`, parts), [parts]);
  const isOpen = isNarrow && selected !== null;
  const change = useCallback(
    (next: Filter) => goTo(hashOf(isNarrow ? '/incidents' : path, filterParts(next)), 'replace'),
    [isNarrow, path],
  );
  const dialog = asking !== null && <ActDialog asking={asking} acts={acts} onClose={() => setAsking(null)} />;
  const detail = selected !== null && (
    <ErrorBoundary name={selected}>
      <Detail key={selected} id={selected} acts={acts} hrefOf={hrefOf} onAsk={setAsking} isAlone={isNarrow} />
    </ErrorBoundary>
  );
  if (isOpen) {
    const back = hashOf('/incidents', parts);
    return (
      <>
        <PageHeader title={say.detail} isUnseen />
        <Back href={back} />
        <div className="kit-panel">{detail}</div>
        {dialog}
      </>
    );
  }
  return (
    <div className="incidents">
      <Head filter={filter} onChange={change} />
      <div className="incidents-split">
        <section className="incidents-side kit-panel" aria-label={say.list}>
          <IncidentList
            key={address}
            filter={filter}
            selected={selected}
            isBeside={!isNarrow}
            acts={acts}
            hrefOf={hrefOf}
            onResolve={(incident) => setAsking({ what: 'resolve', incident })}
            onExport={mayTake ? (incident) => setAsking({ what: 'export', incident }) : null}
            onClearFilter={() => change(noFilter)}
          />
        </section>
        {!isNarrow && (
          <section className="incidents-pane kit-panel" aria-label={say.detail}>
            {detail === false ? <EmptyState title={say.pick}>{say.pickHelp}</EmptyState> : detail}
          </section>
        )}
      </div>
      {dialog}
    </div>
  );
}

function Back({ href }: { readonly href: string }) {
  const say = useWords(words);
  useShortcut('Escape', say.back, () => goTo(href));
  return (
    <p className="incidents-back">
      <a href={href}>← {say.back}</a>
    </p>
  );
}

/** Title, counts, which incidents, and the filter. */
function Head({ filter, onChange }: { readonly filter: Filter; readonly onChange: (filter: Filter) => void }) {
  const say = useWords(words);
  const counts = useIncidentCounts();
  const sum = (of: Readonly<Record<string, number>>) => Object.values(of).reduce((all, one) => all + one, 0);
  const states = counts?.byState ?? { new: 0, claimed: 0, escalated: 0, resolved: 0 };
  const shown: Readonly<Record<Show, number>> = {
    open: states.new + states.claimed + states.escalated,
    escalated: states.escalated,
    resolved: 0,
    all: 0,
  };
  return (
    <>
      <PageHeader
        title={say.title}
        {...(counts === undefined ? {} : { about: say.about(sum(counts.open), sum(counts.unseen)) })}
      />
      <div className="incidents-bar">
        <Segmented<Show>
          aria-label={say.shows}
          value={filter.show}
          onChange={(show) => onChange({ ...filter, show })}
          options={shows.map((show) => ({
            value: show,
            label: shown[show] === 0 ? say[`show:${show}`] : `${say[`show:${show}`]} ${shown[show]}`,
          }))}
        />
        <FilterBar filter={filter} onChange={onChange} />
      </div>
    </>
  );
}
