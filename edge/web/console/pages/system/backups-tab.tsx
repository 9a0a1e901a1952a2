import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import type { z } from 'zod';
import type { BackupView, backupMadeSchema } from '../../../system-schemas.ts';
import { api, errorDetail, errorText, problemText } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { ToneBadge } from '../../kit/badges.tsx';
import { CardTable } from '../../kit/card-table.tsx';
import { DownloadLink } from '../../kit/download.tsx';
import { Panel } from '../../kit/frame.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { words } from './words.ts';

/** A large database takes a while to copy and pack. */
const patience = 10 * 60_000;

export function BackupsTab() {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const backups = useQuery({
    queryKey: ['backups'],
    queryFn: ({ signal }) => api.get<BackupView[]>('backups', signal),
  });
  const make = useMutation({
    mutationFn: () => api.post<z.infer<typeof backupMadeSchema>>('backups', {}, { patience }),
    onSuccess: (made) => void message.success(say.made(made.name)),
    onError: (error) => void message.error(problemText(error, language)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['backups'] }),
  });
  if (backups.isPending) return <PageSkeleton />;
  if (backups.isError) {
    return (
      <ErrorState
        message={errorText(backups.error, language)}
        detail={errorDetail(backups.error)}
        onRetry={() => void backups.refetch()}
      />
    );
  }
  return (
    <div className="system-backups">
      <p className="system-note" role="note">
        <SignIcon sign="triangle" />
        {make.data === undefined ? say.backupWarning : name(make.data.notice)}
      </p>
      <Panel
        title={say.backupsList}
        extra={
          <Button type="primary" loading={make.isPending} onClick={() => make.mutate()}>
            {make.isPending ? say.making : say.make}
          </Button>
        }
      >
        {backups.data.length === 0 ? (
          <EmptyState title={say.backupsNone}>{say.backupsNoneHelp}</EmptyState>
        ) : (
          <BackupTable backups={backups.data} />
        )}
      </Panel>
      <p className="kit-soft">{say.backupAbout}</p>
    </div>
  );
}

function BackupTable({ backups }: { readonly backups: readonly BackupView[] }) {
  const say = useWords(words);
  const formats = useFormats();
  const latest = Math.max(...backups.map(({ time }) => time));
  return (
    <CardTable<BackupView>
      label={say.backupsList}
      rows={backups}
      keyOf={({ name }) => name}
      minWidth={640}
      columns={[
        {
          key: 'file',
          title: say.file,
          render: ({ name, time }) => (
            <>
              {name} {time === latest && <ToneBadge tone="good">{say.latest}</ToneBadge>}
            </>
          ),
        },
        {
          key: 'time',
          title: say.age,
          render: ({ time }) => (
            <>
              {formats.dateTime(time)}{' '}
              <span className="kit-soft">
                <Age time={time} />
              </span>
            </>
          ),
        },
        {
          key: 'size',
          title: say.size,
          align: 'right',
          render: ({ bytes }) => <span className="kit-number">{formats.bytes(bytes)}</span>,
        },
      ]}
      actions={{
        title: say.actions,
        render: ({ name }) => (
          <DownloadLink href={`api/v1/backups/${encodeURIComponent(name)}`} name={name}>
            {say.fetch}
          </DownloadLink>
        ),
      }}
    />
  );
}
