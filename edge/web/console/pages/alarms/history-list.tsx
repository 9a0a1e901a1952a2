import { useInfiniteQuery } from '@tanstack/react-query';
import { Button, type TableColumnsType } from 'antd';
import { type RefObject, useLayoutEffect, useRef, useState } from 'react';
import { type AlarmView, api, errorDetail, errorText } from '../../api.ts';
import { AlarmClassBadge } from '../../kit/badges.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { now } from '../../kit/ticker.ts';
import { VirtualList } from '../../kit/virtual-list.tsx';
import { VirtualTable } from '../../kit/virtual-table.tsx';
import { useSentence, useZoneName } from '../../names.ts';
import { StateWords } from './alarm-row.tsx';
import { type Filter, historyQuery, isFiltered } from './filter.ts';
import { useRowKeys } from './use-row-keys.ts';
import { words } from './words.ts';

const pageSize = 200;
/** How often the newest page is asked for again, ms. */
const pace = 30_000;
/** px, of the table. */
const rowHeight = 48;
const headHeight = 48;

interface HistoryProps {
  readonly filter: Filter;
  readonly selected: string | null;
  readonly hrefOf: (alarm: AlarmView) => string;
  readonly onClearFilter: () => void;
}

/** Every alarm that ever was, latest raised first, page after page. */
export function HistoryList({ filter, selected, hrefOf, onClearFilter }: HistoryProps) {
  const say = useWords(words);
  const language = useLanguage();
  const { view: _, ...asked } = filter;
  const alarms = useInfiniteQuery({
    queryKey: ['alarms', asked],
    queryFn: ({ pageParam, signal }) =>
      api.get<readonly AlarmView[]>(`alarms${historyQuery(filter, pageSize, pageParam)}`, signal),
    initialPageParam: null as string | null,
    // Whoever has gone further back reads: what is above him stays as it is.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : pace),
    getNextPageParam: (last) => (last.length < pageSize ? null : (last.at(-1)?.id ?? null)),
  });
  if (alarms.isPending) return <PageSkeleton />;
  if (alarms.isError) {
    return (
      <ErrorState
        message={errorText(alarms.error, language)}
        detail={errorDetail(alarms.error)}
        onRetry={() => void alarms.refetch()}
      />
    );
  }
  const rows = alarms.data.pages.flat();
  if (rows.length === 0) {
    const clear = isFiltered(filter) ? { action: <Button onClick={onClearFilter}>{say.clear}</Button> } : {};
    return (
      <EmptyState title={say.noneHistory} {...clear}>
        {say.noneHistoryHelp}
      </EmptyState>
    );
  }
  return (
    <>
      <Rows rows={rows} selected={selected} hrefOf={hrefOf} />
      <p className="alarms-more kit-soft">
        {say.loaded(rows.length)}
        {alarms.hasNextPage && (
          <Button loading={alarms.isFetchingNextPage} onClick={() => void alarms.fetchNextPage()}>
            {say.more}
          </Button>
        )}
      </p>
    </>
  );
}

function Rows({
  rows,
  selected,
  hrefOf,
}: Pick<HistoryProps, 'selected' | 'hrefOf'> & { readonly rows: readonly AlarmView[] }) {
  const say = useWords(words);
  const isPhone = useMedia(phoneQuery);
  const box = useRef<HTMLDivElement>(null);
  const height = useHeight(box);
  const columns = useColumns(hrefOf, selected);
  useRowKeys({
    box,
    rowHeight,
    ids: rows.map(({ id }) => id),
    selected,
    hrefOf: (id) => {
      const found = rows.find((alarm) => alarm.id === id);
      return found === undefined ? '' : hrefOf(found);
    },
  });
  return (
    <div className="alarms-history" ref={box}>
      {isPhone ? (
        <VirtualList
          label={say.list}
          items={rows}
          rowHeight={92}
          keyOf={({ id }) => id}
          render={(alarm) => <Card alarm={alarm} href={hrefOf(alarm)} />}
        />
      ) : (
        <VirtualTable
          columns={columns}
          rows={rows}
          rowKey="id"
          height={Math.max(120, height - headHeight)}
          minWidth={640}
          rowClassName={({ id }) => (id === selected ? 'alarms-history-selected' : '')}
        />
      )}
    </div>
  );
}

function useColumns(hrefOf: HistoryProps['hrefOf'], selected: string | null): TableColumnsType<AlarmView> {
  const say = useWords(words);
  const formats = useFormats();
  const name = useName();
  const sentence = useSentence();
  const zoneName = useZoneName();
  const lasted = useLasted();
  return [
    {
      title: say.raised,
      dataIndex: 'raised',
      width: 122,
      render: (time: number) => <span className="kit-number">{formats.moment(time, now())}</span>,
    },
    { title: say.class, dataIndex: 'class', width: 90, render: (one) => <AlarmClassBadge alarmClass={one} /> },
    {
      title: say.message,
      dataIndex: 'message',
      width: 260,
      ellipsis: true,
      render: (_, alarm) => (
        <a
          className="alarms-history-link"
          data-history={alarm.id}
          href={hrefOf(alarm)}
          aria-current={alarm.id === selected ? 'true' : undefined}
        >
          {sentence(name(alarm.message))}
        </a>
      ),
    },
    { title: say.place, dataIndex: 'zone', width: 90, ellipsis: true, render: (zone) => zoneName(zone) },
    { title: say.state, width: 130, ellipsis: true, render: (_, alarm) => <StateWords alarm={alarm} /> },
    // Beside the details of one there is no room for everything.
    ...(selected === null
      ? [{ title: say.lasted, width: 100, render: (_: unknown, alarm: AlarmView) => lasted(alarm) }]
      : []),
  ];
}

/** Of the place that the table has, px. */
function useHeight(box: RefObject<HTMLElement | null>): number {
  const [height, setHeight] = useState(480);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return height;
}

function useLasted(): (alarm: AlarmView) => string {
  const say = useWords(words);
  const formats = useFormats();
  return ({ raised, returned, ended }) => {
    const end = returned ?? ended;
    return end === undefined ? say.stillOpen : formats.duration(end - raised);
  };
}

function Card({ alarm, href }: { readonly alarm: AlarmView; readonly href: string }) {
  const formats = useFormats();
  const name = useName();
  const sentence = useSentence();
  const zoneName = useZoneName();
  const lasted = useLasted();
  return (
    <a className="alarms-card" href={href} data-history={alarm.id}>
      <span>
        <AlarmClassBadge alarmClass={alarm.class} />{' '}
        <span className="kit-soft kit-number">{formats.moment(alarm.raised, now())}</span>
      </span>
      <strong>{sentence(name(alarm.message))}</strong>
      <span className="kit-soft">
        {[zoneName(alarm.zone), lasted(alarm)].filter((text) => text !== '').join(' · ')} · <StateWords alarm={alarm} />
      </span>
    </a>
  );
}
