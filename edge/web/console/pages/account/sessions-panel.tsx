import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import type { SessionView } from '../../../people-schemas.ts';
import { api, errorDetail, errorText } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { ToneBadge } from '../../kit/badges.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { browserOf } from './browser.ts';
import { words } from './words.ts';

export function SessionsPanel() {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const sessions = useQuery({
    queryKey: ['my-sessions'],
    queryFn: ({ signal }) => api.get<SessionView[]>('sessions', signal),
  });
  const end = useMutation({
    mutationFn: (id: string) => api.delete(`sessions/${encodeURIComponent(id)}`),
    onSuccess: () => void message.success(say.ended),
    onError: (error) => void message.error(errorText(error, language)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['my-sessions'] }),
  });
  return (
    <Panel title={say.sessions}>
      <p className="kit-soft">{say.sessionsAbout}</p>
      {sessions.isPending && <PageSkeleton />}
      {sessions.isError && (
        <ErrorState
          message={errorText(sessions.error, language)}
          detail={errorDetail(sessions.error)}
          onRetry={() => void sessions.refetch()}
        />
      )}
      <ul className="account-sessions">
        {sessions.data?.map((session) => (
          <SessionLine key={session.id} session={session} onEnd={() => end.mutate(session.id)} />
        ))}
      </ul>
    </Panel>
  );
}

const methodWords = { password: 'byPassword', totp: 'byTotp', oidc: 'byOidc', setup: 'bySetup' } as const;

function SessionLine({ session, onEnd }: { readonly session: SessionView; readonly onEnd: () => void }) {
  const say = useWords(words);
  const formats = useFormats();
  const { from, agent, method, current, created, lastSeen } = session;
  return (
    <li>
      <div>
        <p>
          <strong>{browserOf(agent)}</strong> · {say[methodWords[method]]}{' '}
          {current && <ToneBadge tone="good">{say.current}</ToneBadge>}
        </p>
        <p className="kit-soft">
          {say.from} {from} · {say.since} {formats.dateTime(created)} · {say.lastSeen} <Age time={lastSeen} />
        </p>
      </div>
      {!current && (
        <Button type="text" danger aria-label={say.endLabel(from)} onClick={onEnd}>
          {say.end}
        </Button>
      )}
    </li>
  );
}
