import { useInfiniteQuery } from '@tanstack/react-query';
import { Button, Segmented } from 'antd';
import { useState } from 'react';
import type { z } from 'zod';
import type { noticeSchema } from '../../../rule-schemas.ts';
import { hashOf } from '../../address.ts';
import { api, errorDetail, errorText, query } from '../../api.ts';
import { type AlarmClass, AlarmClassBadge, type Tone, ToneBadge } from '../../kit/badges.tsx';
import { CardTable } from '../../kit/card-table.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { useSentence } from '../../names.ts';
import { type Channel, detailText } from './notice-words.ts';
import { words } from './words.ts';

export type Notice = z.infer<typeof noticeSchema>;
type State = Notice['state'];

const pageSize = 100;
const states = ['queued', 'delivered', 'failed', 'expired', 'merged'] as const satisfies readonly State[];
const tones: Readonly<Record<State, Tone>> = {
  queued: 'wait',
  delivered: 'good',
  failed: 'bad',
  expired: 'bad',
  merged: 'plain',
};

/** What people were told, newest first, and what became of it. */
export function NoticeList({ channels }: { readonly channels: readonly Channel[] }) {
  const say = useWords(words);
  const language = useLanguage();
  const [state, setState] = useState<State | ''>('');
  const notices = useInfiniteQuery({
    queryKey: ['notices', state],
    queryFn: ({ pageParam, signal }) =>
      api.get<readonly Notice[]>(`notices${query({ limit: pageSize, state, before: pageParam })}`, signal),
    initialPageParam: '',
    getNextPageParam: (last) => (last.length < pageSize ? undefined : last.at(-1)?.id),
    refetchInterval: 10_000,
  });
  const rows = notices.data?.pages.flat() ?? [];
  return (
    <Panel
      title={say.notices}
      extra={
        <Segmented<State | ''>
          className="notices-states"
          aria-label={say.stateFilter}
          value={state}
          onChange={setState}
          options={[
            { value: '', label: say.allStates },
            ...states.map((one) => ({ value: one, label: say[`state:${one}`] })),
          ]}
        />
      }
      className="notices-list"
    >
      <p className="kit-soft">{say.deliveredHelp}</p>
      {notices.isPending ? (
        <PageSkeleton />
      ) : notices.data === undefined ? (
        <ErrorState
          message={errorText(notices.error, language)}
          detail={errorDetail(notices.error)}
          onRetry={() => void notices.refetch()}
        />
      ) : rows.length === 0 ? (
        <EmptyState title={say.noticesNone}>{say.noticesNoneHelp}</EmptyState>
      ) : (
        <NoticeTable rows={rows} channels={channels} />
      )}
      {notices.hasNextPage && (
        <p className="notices-more">
          <Button loading={notices.isFetchingNextPage} onClick={() => void notices.fetchNextPage()}>
            {say.older}
          </Button>
        </p>
      )}
    </Panel>
  );
}

function NoticeTable({ rows, channels }: { readonly rows: readonly Notice[]; readonly channels: readonly Channel[] }) {
  const say = useWords(words);
  const formats = useFormats();
  const whomOf = useWhom(channels);
  return (
    <CardTable<Notice>
      label={say.notices}
      rows={rows}
      keyOf={({ id }) => id}
      minWidth={860}
      columns={[
        { key: 'what', title: say.what, render: (notice) => <What notice={notice} /> },
        { key: 'whom', title: say.whom, render: whomOf },
        { key: 'outcome', title: say.outcome, render: (notice) => <Outcome notice={notice} /> },
        {
          key: 'time',
          title: say.time,
          render: ({ created }) => <span className="kit-number">{formats.moment(created, now())}</span>,
        },
      ]}
    />
  );
}

function isClass(text: string): text is AlarmClass {
  return ['critical', 'high', 'medium', 'low'].includes(text);
}

function What({ notice }: { readonly notice: Notice }) {
  const say = useWords(words);
  const name = useName();
  const sentence = useSentence();
  const { about, title } = notice;
  if (about === 'test') return <span>{say.testNotice}</span>;
  const text = sentence(name(title));
  return (
    <span className="notices-what" data-about={about}>
      {isClass(notice.class) && <AlarmClassBadge alarmClass={notice.class} />}
      {about.startsWith('alarm:') ? <a href={hashOf(`/alarms/${about.slice('alarm:'.length)}`)}>{text}</a> : text}
      {about.startsWith('rule:') && <span className="kit-soft">{say.fromRule}</span>}
      {about.startsWith('flow:') && <span className="kit-soft">{say.fromFlow}</span>}
      {about.startsWith('alarm:') && <span className="kit-soft">{say.stepOf(notice.step + 1)}</span>}
    </span>
  );
}

function useWhom(channels: readonly Channel[]): (notice: Notice) => string {
  const name = useName();
  const say = useWords(words);
  return ({ channel, recipient }) => {
    const way = channels.find(({ id }) => id === channel);
    const called = way === undefined ? channel : name(way.name);
    if (recipient === null) return called;
    const person = way?.recipients.find(({ id }) => id === recipient);
    return say.via(person === undefined ? recipient : name(person.name), called);
  };
}

function Outcome({ notice }: { readonly notice: Notice }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const { state, attempts, at, detail } = notice;
  const tries = [
    attempts > 1 ? say.attempts(attempts) : '',
    state === 'queued' && attempts > 0 ? say.nextTry(formats.moment(at, now())) : '',
    state === 'delivered' ? '' : detailText(detail, language),
  ].filter((part) => part !== '');
  return (
    <span data-notice-state={state} title={detail}>
      <ToneBadge tone={tones[state]}>{say[`state:${state}`]}</ToneBadge>
      {tries.length > 0 && <span className="notices-problem">{tries.join(' · ')}</span>}
    </span>
  );
}
