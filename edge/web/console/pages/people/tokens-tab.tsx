import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Table, type TableColumnsType } from 'antd';
import { useState } from 'react';
import type { TokenView } from '../../../people-schemas.ts';
import { api, errorDetail, errorText, problemText } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useZoneName } from '../../names.ts';
import { TokenForm } from './token-form.tsx';
import { words } from './words.ts';

export function TokensTab() {
  const say = useWords(words);
  const language = useLanguage();
  const [isMaking, setMaking] = useState(false);
  const tokens = useQuery({
    queryKey: ['tokens'],
    queryFn: ({ signal }) => api.get<TokenView[]>('tokens', signal),
  });
  if (tokens.isPending) return <PageSkeleton />;
  if (tokens.isError) {
    return (
      <ErrorState
        message={errorText(tokens.error, language)}
        detail={errorDetail(tokens.error)}
        onRetry={() => void tokens.refetch()}
      />
    );
  }
  return (
    <>
      <div className="people-actions">
        <Button type="primary" onClick={() => setMaking(true)}>
          {say.addToken}
        </Button>
      </div>
      {tokens.data.length === 0 ? (
        <EmptyState title={say.noneTokens}>{say.noneTokensHelp}</EmptyState>
      ) : (
        <TokenTable tokens={tokens.data} />
      )}
      {isMaking && <TokenForm onClose={() => setMaking(false)} />}
    </>
  );
}

function TokenTable({ tokens }: { readonly tokens: readonly TokenView[] }) {
  const say = useWords(words);
  const formats = useFormats();
  const zoneName = useZoneName();
  const columns: TableColumnsType<TokenView> = [
    {
      title: say.tokenName,
      key: 'name',
      render: (_, { name, id }) => (
        <>
          <strong>{name}</strong> <span className="kit-soft">{id}</span>
        </>
      ),
    },
    {
      title: say.scopes,
      dataIndex: 'scopes',
      render: (scopes: TokenView['scopes']) => scopes.map((scope) => say[`right:${scope}`]).join('、'),
    },
    {
      title: say.zones,
      dataIndex: 'zones',
      render: (zones: TokenView['zones']) => (zones === 'all' ? say.wholeCampus : zones.map(zoneName).join('、')),
    },
    {
      title: say.expires,
      dataIndex: 'expires',
      render: (time: number | null) => (time === null ? say.forever : formats.date(time)),
    },
    {
      title: say.lastUsed,
      dataIndex: 'lastUsed',
      render: (time: number | null) => (time === null ? say.never : <Age time={time} />),
    },
    { title: say.by, dataIndex: 'by' },
    { title: say.actions, key: 'actions', render: (_, token) => <RemoveToken token={token} /> },
  ];
  return (
    <Table<TokenView>
      columns={columns}
      dataSource={tokens}
      rowKey="id"
      size="middle"
      pagination={false}
      scroll={{ x: 980 }}
    />
  );
}

function RemoveToken({ token }: { readonly token: TokenView }) {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const { message, modal } = App.useApp();
  const remove = useMutation({
    mutationFn: () => api.delete(`tokens/${token.id}`),
    onSuccess: () => void message.success(say.tokenDeleted),
    onError: (error) => void message.error(problemText(error, language)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['tokens'] }),
  });
  const ask = () =>
    void modal.confirm({
      title: say.deleteToken(token.name),
      content: say.deleteTokenHelp,
      okText: say.remove,
      okButtonProps: { danger: true },
      cancelText: say.cancel,
      onOk: () => remove.mutateAsync().catch(() => {}),
    });
  return (
    <Button size="small" danger aria-label={say.deleteToken(token.name)} onClick={ask}>
      {say.remove}
    </Button>
  );
}
