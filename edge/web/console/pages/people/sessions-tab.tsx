import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import type { SessionView } from '../../../people-schemas.ts';
import { api, errorDetail, errorText, problemText } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { ToneBadge } from '../../kit/badges.tsx';
import { CardTable } from '../../kit/card-table.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { browserOf } from '../account/browser.ts';
import { words } from './words.ts';

const methodWords = { password: 'byPassword', totp: 'byTotp', oidc: 'byOidc', setup: 'bySetup' } as const;

/** Everybody who is signed in, with the way to end it. */
export function SessionsTab() {
  const say = useWords(words);
  const language = useLanguage();
  const sessions = useQuery({
    queryKey: ['sessions'],
    queryFn: ({ signal }) => api.get<SessionView[]>('sessions?all=true', signal),
    refetchInterval: 30_000,
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
  const persons = new Set(sessions.data.map(({ person }) => person)).size;
  return (
    <Panel title={say.countSessions(sessions.data.length, persons)}>
      {sessions.data.length === 0 ? (
        <EmptyState title={say.noneSessions}>{say.noneSessionsHelp}</EmptyState>
      ) : (
        <SessionTable sessions={sessions.data} />
      )}
    </Panel>
  );
}

function SessionTable({ sessions }: { readonly sessions: readonly SessionView[] }) {
  const say = useWords(words);
  const formats = useFormats();
  return (
    <CardTable<SessionView>
      label={say.sessions}
      rows={sessions}
      keyOf={({ id }) => id}
      minWidth={820}
      columns={[
        {
          key: 'person',
          title: say.person,
          render: ({ personName, person, current }) => (
            <span className="people-name">
              <strong>{personName}</strong> <span className="kit-soft">{person}</span>
              {current && <ToneBadge tone="good">{say.current}</ToneBadge>}
            </span>
          ),
        },
        { key: 'from', title: say.from, render: ({ from }) => <span className="kit-number">{from}</span> },
        { key: 'browser', title: say.browser, render: ({ agent }) => <span title={agent}>{browserOf(agent)}</span> },
        { key: 'method', title: say.method, render: ({ method }) => say[methodWords[method]] },
        {
          key: 'since',
          title: say.since,
          render: ({ created }) => <span className="kit-number">{formats.dateTime(created)}</span>,
        },
        { key: 'seen', title: say.lastSeen, render: ({ lastSeen }) => <Age time={lastSeen} /> },
      ]}
      actions={{ title: say.actions, render: (session) => <EndSession session={session} /> }}
    />
  );
}

function EndSession({ session: { id, personName, from, current } }: { readonly session: SessionView }) {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const { message, modal } = App.useApp();
  const end = useMutation({
    mutationFn: () => api.delete(`sessions/${encodeURIComponent(id)}`),
    onSuccess: () => void message.success(say.ended),
    onError: (error) => void message.error(problemText(error, language)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['sessions'] }),
  });
  // One's own is ended by signing out.
  if (current) return null;
  const ask = () =>
    void modal.confirm({
      title: say.askEnd(personName),
      content: say.askEndHelp,
      okText: say.end,
      okButtonProps: { danger: true },
      cancelText: say.cancel,
      onOk: () => end.mutateAsync().catch(() => {}),
    });
  return (
    <Button size="small" type="text" danger aria-label={say.endOf(personName, from)} onClick={ask}>
      {say.end}
    </Button>
  );
}
