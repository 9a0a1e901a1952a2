import { useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Segmented } from 'antd';
import { lazy, Suspense, useState } from 'react';
import { useLocation } from 'wouter';
import type { InboxView, ProfileView } from '../../../place-schemas.ts';
import { api, errorDetail, errorText, query } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useCampus } from '../../use-live.tsx';
import { InboxCard } from './inbox-card.tsx';
import { words } from './words.ts';
import './inbox.css';

/* What was heard and nobody knows: `/inbox`; `/inbox?add` begins to add a device that never speaks first. */

const AdoptDrawer = lazy(async () => ({ default: (await import('./adopt-drawer.tsx')).AdoptDrawer }));

/** What is being adopted: a line of the inbox, or (null) a device that never spoke. */
interface Adopting {
  readonly line: InboxView | null;
}

/** Lines that are drawn at once; whoever has more has one cause for them. */
const mostShown = 200;
const pace = 10_000;

export function Page() {
  const say = useWords(words);
  const language = useLanguage();
  const [location, navigate] = useLocation();
  const isAdding = /[?&]add\b/.test(location);
  const [adopting, setAdopting] = useState<Adopting | null>(null);
  const [isIgnored, setIgnored] = useState(false);
  const inbox = useQuery({
    queryKey: ['inbox'],
    queryFn: ({ signal }) => api.get<readonly InboxView[]>(`inbox?limit=${mostShown}`, signal),
    refetchInterval: pace,
  });
  const profiles = useQuery({
    queryKey: ['profiles'],
    queryFn: ({ signal }) => api.get<readonly ProfileView[]>('profiles', signal),
    staleTime: 60_000,
  });
  const campus = useCampus();
  const actions = useInboxActions();
  const lines = inbox.data ?? [];
  const shown = lines.filter(({ ignored }) => ignored === isIgnored);
  const open = adopting ?? (isAdding ? { line: null } : null);
  const close = () => {
    setAdopting(null);
    if (isAdding) navigate('/inbox', { replace: true });
  };

  return (
    <>
      <PageHeader
        title={say.title}
        about={say.about}
        actions={
          <Button type="primary" onClick={() => setAdopting({ line: null })}>
            {say.add}
          </Button>
        }
      />
      <Segmented<boolean>
        aria-label={say.show}
        className="inbox-which"
        value={isIgnored}
        onChange={setIgnored}
        options={[
          { value: false, label: say.waiting(lines.filter(({ ignored }) => !ignored).length) },
          { value: true, label: say.ignoredTab(lines.filter(({ ignored }) => ignored).length) },
        ]}
      />
      {inbox.isPending && <PageSkeleton />}
      {inbox.isError && (
        <ErrorState
          message={errorText(inbox.error, language)}
          detail={errorDetail(inbox.error)}
          onRetry={() => void inbox.refetch()}
        />
      )}
      {inbox.isSuccess && shown.length === 0 && (
        <EmptyState title={isIgnored ? say.noneIgnored : say.none}>{isIgnored ? undefined : say.noneHelp}</EmptyState>
      )}
      <ul className="inbox-list">
        {shown.map((line) => (
          <li key={line.key}>
            <InboxCard
              line={line}
              profiles={profiles.data ?? []}
              onApprove={() => setAdopting({ line })}
              onIgnore={(ignored) => void actions.ignore(line, ignored)}
              onForget={() => void actions.forget(line)}
            />
          </li>
        ))}
      </ul>
      {open !== null && campus !== undefined && profiles.data !== undefined && (
        <Suspense fallback={null}>
          <AdoptDrawer
            key={open.line?.key ?? ''}
            line={open.line}
            profiles={profiles.data}
            campus={campus}
            onClose={close}
          />
        </Suspense>
      )}
    </>
  );
}

/** Ignoring can be undone; a line that is cleared comes back by itself when it is heard again. */
function useInboxActions() {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const { message, notification } = App.useApp();
  const act = async (work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      void message.error(errorText(error, language));
      return false;
    } finally {
      await queries.invalidateQueries({ queryKey: ['inbox'] });
    }
  };
  const ignore = async ({ key }: InboxView, ignored: boolean): Promise<void> => {
    const done = await act(() => api.post('inbox/ignore', { key, ignored }));
    if (!done || !ignored) return;
    notification.info({
      key,
      title: say.ignoredDone(key),
      placement: 'bottomRight',
      duration: 8,
      actions: (
        <Button
          onClick={() => {
            notification.destroy(key);
            void act(() => api.post('inbox/ignore', { key, ignored: false }));
          }}
        >
          {say.undo}
        </Button>
      ),
    });
  };
  const forget = async ({ key }: InboxView): Promise<void> => {
    if (await act(() => api.delete(`inbox${query({ key })}`))) void message.success(say.forgotten);
  };
  return { ignore, forget };
}
