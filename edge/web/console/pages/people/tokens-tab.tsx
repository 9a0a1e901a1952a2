import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useState } from 'react';
import type { TokenView } from '../../../people-schemas.ts';
import { api, errorDetail, errorText, problemText } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { ToneBadge } from '../../kit/badges.tsx';
import { CardTable } from '../../kit/card-table.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { useZoneName } from '../../names.ts';
import { TokenForm } from './token-form.tsx';
import { useWhoText } from './who.tsx';
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
    <Panel
      title={say.countTokens(tokens.data.length)}
      extra={
        <Button type="primary" onClick={() => setMaking(true)}>
          {say.addToken}
        </Button>
      }
    >
      {tokens.data.length === 0 ? (
        <EmptyState title={say.noneTokens}>{say.noneTokensHelp}</EmptyState>
      ) : (
        <TokenTable tokens={tokens.data} />
      )}
      {isMaking && <TokenForm onClose={() => setMaking(false)} />}
    </Panel>
  );
}

function TokenTable({ tokens }: { readonly tokens: readonly TokenView[] }) {
  const say = useWords(words);
  const whoText = useWhoText();
  const zoneName = useZoneName();
  return (
    <CardTable<TokenView>
      label={say.tokens}
      rows={tokens}
      keyOf={({ id }) => id}
      minWidth={960}
      columns={[
        {
          key: 'name',
          title: say.tokenName,
          width: 200,
          render: ({ name, id }) => (
            <span className="people-name">
              <strong>{name}</strong> <span className="kit-soft">{id}</span>
            </span>
          ),
        },
        {
          key: 'scopes',
          title: say.scopes,
          render: ({ scopes }) => scopes.map((scope) => say[`right:${scope}`]).join(say.comma),
        },
        {
          key: 'zones',
          title: say.zones,
          width: 130,
          render: ({ zones }) => (zones === 'all' ? say.wholeCampus : zones.map(zoneName).join(say.comma)),
        },
        { key: 'expires', title: say.expires, width: 130, render: ({ expires }) => <Expiry expires={expires} /> },
        {
          key: 'used',
          title: say.lastUsed,
          width: 120,
          render: ({ lastUsed }) =>
            lastUsed === null ? <span className="kit-soft">{say.never}</span> : <Age time={lastUsed} />,
        },
        { key: 'by', title: say.by, width: 110, render: ({ by }) => whoText(by) },
      ]}
      actions={{ title: say.actions, width: 90, render: (token) => <RemoveToken token={token} /> }}
    />
  );
}

function Expiry({ expires }: { readonly expires: number | null }) {
  const say = useWords(words);
  const formats = useFormats();
  if (expires === null) return <ToneBadge tone="wait">{say.forever}</ToneBadge>;
  if (expires <= now()) return <ToneBadge tone="bad">{say.expired}</ToneBadge>;
  return <span className="kit-number">{formats.date(expires)}</span>;
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
    <Button size="small" type="text" danger aria-label={say.deleteToken(token.name)} onClick={ask}>
      {say.remove}
    </Button>
  );
}
