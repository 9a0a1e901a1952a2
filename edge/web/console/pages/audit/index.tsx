import { useInfiniteQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import type { AuditPage } from '../../../system-schemas.ts';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { api, errorDetail, errorText, query } from '../../api.ts';
import { DownloadLink } from '../../kit/download.tsx';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { AuditTable } from './audit-table.tsx';
import { type Filter, FilterForm, filterIn, isEmpty } from './filter-form.tsx';
import { VerifyPanel } from './verify-panel.tsx';
import { words } from './words.ts';
import './audit.css';

const pageSize = 200;

export function Page() {
  const say = useWords(words);
  const language = useLanguage();
  const { timeZone } = useFormats();
  const filter = filterIn(useAddress().query);
  const lines = useInfiniteQuery({
    queryKey: ['audit', filter],
    queryFn: ({ pageParam, signal }) =>
      api.get<AuditPage>(`audit${query({ ...filter, before: pageParam, limit: pageSize })}`, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => last.before,
  });
  const rows = lines.data?.pages.flatMap((page) => page.lines) ?? [];
  const change = (next: Filter) => goTo(hashOf('/audit', { ...next }), 'replace');

  return (
    <>
      <PageHeader
        title={say.title}
        about={say.about}
        actions={
          <DownloadLink href={`api/v1/audit.csv${query({ ...filter, lang: language })}`}>{say.export}</DownloadLink>
        }
      />
      <VerifyPanel />
      <Panel title={say.list} extra={<span className="kit-soft">{say.count(rows.length)}</span>}>
        <FilterForm key={`${JSON.stringify(filter)} ${timeZone}`} filter={filter} onChange={change} />
        {lines.isPending && <PageSkeleton />}
        {lines.isError && (
          <ErrorState
            message={errorText(lines.error, language)}
            detail={errorDetail(lines.error)}
            onRetry={() => void lines.refetch()}
          />
        )}
        {lines.isSuccess && rows.length === 0 && (
          <EmptyState title={lines.hasNextPage ? say.noneYet : isEmpty(filter) ? say.empty : say.none}>
            {lines.hasNextPage ? say.noneYetHelp : isEmpty(filter) ? say.emptyHelp : say.noneHelp}
          </EmptyState>
        )}
        {rows.length > 0 && <AuditTable rows={rows} />}
        {lines.hasNextPage && (
          <div className="audit-more">
            <Button loading={lines.isFetchingNextPage} onClick={() => void lines.fetchNextPage()}>
              {say.more}
            </Button>
          </div>
        )}
      </Panel>
    </>
  );
}
