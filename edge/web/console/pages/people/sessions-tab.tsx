import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Table, type TableColumnsType } from 'antd';
import type { SessionView } from '../../../people-schemas.ts';
import { api, errorDetail, errorText, problemText } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { ToneBadge } from '../../kit/badges.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { browserOf } from '../account/browser.ts';
import { words } from './words.ts';

/** Everybody who is signed in, with the way to end it. */
export function SessionsTab() {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const sessions = useQuery({
    queryKey: ['sessions'],
    queryFn: ({ signal }) => api.get<SessionView[]>('sessions?all=true', signal),
    refetchInterval: 30_000,
  });
  const end = useMutation({
    mutationFn: (id: string) => api.delete(`sessions/${encodeURIComponent(id)}`),
    onSuccess: () => void message.success(say.ended),
    onError: (error) => void message.error(problemText(error, language)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['sessions'] }),
  });
  if (sessions.isPending) return <PageSkeleton />;
  if (sessions.isError) {
    return (
      <ErrorState
        message={errorText(sessions.error, language)}
        detail={errorDetail(sessions.error)}
        onRetry={() => void sessions.refetch()}
      />
    );
  }
  const columns: TableColumnsType<SessionView> = [
    {
      title: say.person,
      key: 'person',
      render: (_, { personName, person, current }) => (
        <>
          <strong>{personName}</strong> <span className="kit-soft">{person}</span>{' '}
          {current && <ToneBadge tone="good">{say.current}</ToneBadge>}
        </>
      ),
    },
    { title: say.from, dataIndex: 'from' },
    { title: say.browser, dataIndex: 'agent', render: browserOf },
    { title: say.since, dataIndex: 'created', render: formats.dateTime },
    { title: say.lastSeen, dataIndex: 'lastSeen', render: (time: number) => <Age time={time} /> },
    {
      title: say.actions,
      key: 'actions',
      render: (_, { id, personName, from, current }) =>
        !current && (
          <Button size="small" danger aria-label={say.endOf(personName, from)} onClick={() => end.mutate(id)}>
            {say.end}
          </Button>
        ),
    },
  ];
  if (sessions.data.length === 0) return <EmptyState title={say.noneSessions}>{say.noneSessionsHelp}</EmptyState>;
  return (
    <Table<SessionView>
      columns={columns}
      dataSource={sessions.data}
      rowKey="id"
      size="middle"
      pagination={sessions.data.length > 50 ? { pageSize: 50 } : false}
      scroll={{ x: 860 }}
    />
  );
}
