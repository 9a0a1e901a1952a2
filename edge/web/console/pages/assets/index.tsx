import { useQuery } from '@tanstack/react-query';
import { Button, Input, Select } from 'antd';
import { useState } from 'react';
import type { AssetView } from '../../../place-schemas.ts';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { api, errorDetail, errorText, query } from '../../api.ts';
import { DownloadLink, fromHere } from '../../kit/download.tsx';
import { PageHeader } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { useRight } from '../../session.tsx';
import { AssetDrawer } from './asset-drawer.tsx';
import { AssetTable } from './asset-table.tsx';
import { choose, type Show, shows } from './filters.ts';
import { ImportDrawer } from './import-drawer.tsx';
import { words } from './words.ts';
import './assets.css';

/** `#/assets/<device>` opens the entry of a device. */
export function Page() {
  const say = useWords(words);
  const language = useLanguage();
  const { path, query: search } = useAddress();
  const assets = useQuery({
    queryKey: ['assets'],
    queryFn: ({ signal }) => api.get<AssetView[]>('assets', signal),
  });
  const mayWrite = useRight('assets');
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [isImporting, setImporting] = useState(false);
  if (assets.isPending) return <PageSkeleton />;
  if (assets.isError) {
    return (
      <ErrorState
        message={errorText(assets.error, language)}
        detail={errorDetail(assets.error)}
        onRetry={() => void assets.refetch()}
      />
    );
  }
  const show = shows.find((one) => one === search.get('show')) ?? 'everything';
  const shown = choose(assets.data, show, text, now());
  const opened = assets.data.find(({ device }) => device === path.split('/')[2]);
  const back = () => goTo(hashOf('/assets', { show: show === 'everything' ? '' : show }), 'replace');
  const setShow = (next: Show) => goTo(hashOf('/assets', { show: next === 'everything' ? '' : next }), 'replace');
  return (
    <>
      <PageHeader
        title={say.title}
        about={say.about}
        actions={
          <>
            <DownloadLink href={`api/v1/assets.csv${query({ lang: language })}`}>{say.export}</DownloadLink>
            {mayWrite && <Button onClick={() => setImporting(true)}>{say.import}</Button>}
            <Labels chosen={chosen} />
          </>
        }
      />
      <div className="assets-filter">
        <div className="kit-field">
          <label htmlFor="assets-text">{say.search}</label>
          <Input
            id="assets-text"
            allowClear
            placeholder={say.searchHint}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
        <div className="kit-field">
          <label htmlFor="assets-show">{say.show}</label>
          <Select<Show>
            id="assets-show"
            value={show}
            onChange={setShow}
            options={shows.map((one) => ({ value: one, label: say[one] }))}
          />
        </div>
        <span className="kit-soft assets-count">{say.count(shown.length)}</span>
        {chosen.length > 0 && (
          <Button type="text" onClick={() => setChosen([])}>
            {say.clearChoice}
          </Button>
        )}
      </div>
      {shown.length === 0 ? (
        <EmptyState title={say.none}>{say.noneHelp}</EmptyState>
      ) : (
        <AssetTable assets={shown} chosen={chosen} onChoose={setChosen} />
      )}
      {opened !== undefined && <AssetDrawer asset={opened} mayWrite={mayWrite} onClose={back} />}
      {isImporting && <ImportDrawer onClose={() => setImporting(false)} />}
    </>
  );
}

/** A sheet for the printer opens beside; it holds no script, so the browser's own print does the rest. */
function Labels({ chosen }: { readonly chosen: readonly string[] }) {
  const say = useWords(words);
  if (chosen.length === 0) {
    return (
      <Button disabled title={say.labelsHelp}>
        {say.labels}
      </Button>
    );
  }
  const href = fromHere(`api/v1/assets/labels.html${query({ devices: chosen.join(',') })}`);
  return (
    <a className="kit-button" href={href} target="_blank" rel="noopener">
      {say.labelsOf(chosen.length)}
    </a>
  );
}
