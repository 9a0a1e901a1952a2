import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Alert, App, Button, Table } from 'antd';
import type { BackupView } from '../../../system-schemas.ts';
import { api, errorDetail, errorText, problemText } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { DownloadLink } from '../../kit/download.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { words } from './words.ts';

/** A large database takes a while to copy and pack. */
const patience = 10 * 60_000;

export function BackupsTab() {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const backups = useQuery({
    queryKey: ['backups'],
    queryFn: ({ signal }) => api.get<BackupView[]>('backups', signal),
  });
  const make = useMutation({
    mutationFn: () => api.post<BackupView>('backups', {}, { patience }),
    onSuccess: () => void message.success(say.made),
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
      <Alert type="warning" showIcon title={say.backupWarning} />
      <div>
        <Button type="primary" loading={make.isPending} onClick={() => make.mutate()}>
          {make.isPending ? say.making : say.make}
        </Button>
      </div>
      {backups.data.length === 0 ? (
        <EmptyState title={say.backupsNone}>{say.backupsNoneHelp}</EmptyState>
      ) : (
        <Table<BackupView>
          columns={[
            { title: say.file, dataIndex: 'name' },
            { title: say.age, dataIndex: 'time', render: (time: number) => <Age time={time} /> },
            { title: say.size, dataIndex: 'bytes', render: formats.bytes },
            {
              title: say.fetch,
              key: 'fetch',
              render: (_, { name }) => (
                <DownloadLink href={`api/v1/backups/${encodeURIComponent(name)}`} name={name}>
                  {say.fetch}
                </DownloadLink>
              ),
            },
          ]}
          dataSource={backups.data}
          rowKey="name"
          size="middle"
          pagination={false}
          scroll={{ x: 600 }}
        />
      )}
    </div>
  );
}
