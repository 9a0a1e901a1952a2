import { useMemo } from 'react';
import { deviceHash, goTo, hashOf, useAddress } from '../../address.ts';
import type { CampusView } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { useRestHeight } from '../../kit/rest-height.ts';
import { EmptyState, ErrorBoundary, PageSkeleton } from '../../kit/states.tsx';
import { useMedia } from '../../kit/theme.tsx';
import { useZoneName } from '../../names.ts';
import { useCampus, useOutputs, usePoints } from '../../use-live.tsx';
import { OutputCard } from '../devices/output-card.tsx';
import { placeOf } from '../devices/tree.ts';
import { FilterBar } from './filter-bar.tsx';
import { OutputList } from './list.tsx';
import { Modes } from './modes.tsx';
import { type Filter, filterIn, filterParts, type Row, rowsOf } from './rows.ts';
import { Rungs } from './rungs.tsx';
import { words } from './words.ts';
import '../devices/devices.css';
import './outputs.css';

/* `#/outputs`, `#/outputs/<device>/<point>`: every output, who holds it and why. The filter is in the address. */

/** Details beside the list would leave neither enough: they take its place. */
const narrowQuery = '(max-width: 1180px)';

export function Page() {
  const campus = useCampus();
  const points = usePoints();
  const outputs = useOutputs();
  const rows = useMemo(
    () => (campus === undefined || points === undefined ? [] : rowsOf(campus, points, outputs)),
    [campus, points, outputs],
  );
  if (campus === undefined || points === undefined) return <PageSkeleton />;
  return <Outputs campus={campus} rows={rows} />;
}

function Outputs({ campus, rows }: { readonly campus: CampusView; readonly rows: readonly Row[] }) {
  const say = useWords(words);
  const isNarrow = useMedia(narrowQuery);
  const [split, height] = useRestHeight(400);
  const { path, query } = useAddress();
  const filter = filterIn(query);
  const [, , device = '', point = ''] = path.split('/').map(decodeURIComponent);
  const selected = device === '' || point === '' ? null : `${device}/${point}`;
  const change = (next: Filter) => goTo(hashOf(path, filterParts(next)), 'replace');
  const hrefOf = (ref: string) => hashOf(`/outputs/${ref}`, filterParts(filter));
  const detail = selected !== null && (
    <ErrorBoundary name={selected}>
      <Detail key={selected} campus={campus} row={rows.find((row) => row.point.id === selected)} />
    </ErrorBoundary>
  );
  if (isNarrow && selected !== null) {
    return (
      <>
        <PageHeader title={say.title} isUnseen />
        <p className="outputs-back">
          <a href={hashOf('/outputs', filterParts(filter))}>← {say.back}</a>
        </p>
        {detail}
      </>
    );
  }
  const held = rows.filter(({ output }) => output?.holder !== undefined && output.holder !== null).length;
  return (
    <div className="outputs">
      <PageHeader title={say.title} about={say.about(held, rows.length)} />
      <Modes />
      {rows.length > 0 && <FilterBar campus={campus} filter={filter} onChange={change} />}
      <div className="outputs-split" ref={split} style={{ height }}>
        <section className="outputs-side kit-panel" aria-label={say.list}>
          {rows.length === 0 ? (
            <EmptyState title={say.none}>{say.noneHelp}</EmptyState>
          ) : (
            <OutputList rows={rows} filter={filter} selected={selected} hrefOf={hrefOf} onFilter={change} />
          )}
        </section>
        {!isNarrow && (
          <section className="outputs-pane" aria-label={say.outlook}>
            {detail === false ? (
              <div className="kit-panel outputs-pick">
                <EmptyState title={say.pick}>{say.pickHelp}</EmptyState>
              </div>
            ) : (
              detail
            )}
          </section>
        )}
      </div>
    </div>
  );
}

/** One output: where it is, everything about it, and the buttons of those who may. */
function Detail({ campus, row }: { readonly campus: CampusView; readonly row: Row | undefined }) {
  const say = useWords(words);
  const name = useName();
  const zoneName = useZoneName();
  if (row === undefined) return <EmptyState title={say.missing}>{say.missingHelp}</EmptyState>;
  const { point, output } = row;
  const device = campus.devices.find(({ id }) => id === point.device);
  const place = device === undefined ? [] : placeOf(campus, device).map(name);
  return (
    <article className="kit-panel outputs-detail devices-pane" data-output={point.id}>
      <header className="outputs-detail-head">
        <h2>{name(point.deviceName)}</h2>
        <p className="kit-soft">
          {place.length > 0 ? place.join(' · ') : zoneName(point.zone)} ·{' '}
          <a href={deviceHash(point.device)}>{say.openDevice}</a>
        </p>
      </header>
      <OutputCard
        point={point}
        clips={campus.clips}
        order={output === undefined ? null : <Rungs output={output} point={point} />}
      />
    </article>
  );
}
