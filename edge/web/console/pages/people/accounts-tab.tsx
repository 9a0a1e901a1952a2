import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Input } from 'antd';
import { useState } from 'react';
import { roleNames } from '#edge/domain/access.ts';
import type { PersonView } from '../../../people-schemas.ts';
import { api, errorDetail, errorText, problemText } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { ToneBadge } from '../../kit/badges.tsx';
import { CardTable } from '../../kit/card-table.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useTicking } from '../../kit/ticker.ts';
import { useZoneName } from '../../names.ts';
import { useSession } from '../../session.tsx';
import { PersonForm } from './person-form.tsx';
import { words } from './words.ts';

/** With more accounts than this one wants to search. */
const fewAccounts = 8;

export function AccountsTab() {
  const say = useWords(words);
  const language = useLanguage();
  const people = useQuery({
    queryKey: ['people'],
    queryFn: ({ signal }) => api.get<PersonView[]>('people', signal),
    refetchInterval: 30_000,
  });
  const [editing, setEditing] = useState<PersonView | 'new' | null>(null);
  const [text, setText] = useState('');
  if (people.isPending) return <PageSkeleton />;
  if (people.isError) {
    return (
      <ErrorState
        message={errorText(people.error, language)}
        detail={errorDetail(people.error)}
        onRetry={() => void people.refetch()}
      />
    );
  }
  // What is changed must be what is there now: the person may have chosen a password since the list was fetched.
  const edit = async (person: PersonView) => {
    const fresh = await people.refetch();
    setEditing(fresh.data?.find(({ id }) => id === person.id) ?? person);
  };
  const wanted = text.trim().toLowerCase();
  const shown = people.data.filter(({ id, name }) => `${id} ${name}`.toLowerCase().includes(wanted));
  return (
    <Panel
      title={say.countAccounts(people.data.length)}
      extra={
        <div className="people-buttons">
          {people.data.length > fewAccounts && (
            <Input
              className="people-search"
              allowClear
              aria-label={say.search}
              placeholder={say.search}
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          )}
          <Button type="primary" onClick={() => setEditing('new')}>
            {say.add}
          </Button>
        </div>
      }
    >
      {shown.length === 0 ? (
        <EmptyState title={say.nobodyFits}>{say.nobodyFitsHelp}</EmptyState>
      ) : (
        <PeopleTable people={shown} onEdit={(person) => void edit(person)} />
      )}
      {editing !== null && <PersonForm person={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />}
    </Panel>
  );
}

function PeopleTable({
  people,
  onEdit,
}: {
  readonly people: readonly PersonView[];
  readonly onEdit: (person: PersonView) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const zoneName = useZoneName();
  return (
    <CardTable<PersonView>
      label={say.accounts}
      rows={people}
      keyOf={({ id }) => id}
      minWidth={880}
      columns={[
        { key: 'name', title: say.name, render: (person) => <PersonName person={person} /> },
        { key: 'role', title: say.role, render: ({ role }) => name(roleNames[role]) },
        {
          key: 'zones',
          title: say.zones,
          render: ({ zones }) => (zones === 'all' ? say.wholeCampus : zones.map(zoneName).join(say.comma)),
        },
        { key: 'state', title: say.state, render: (person) => <AccountState person={person} /> },
        { key: 'factor', title: say.proof, render: (person) => <Proof person={person} /> },
        {
          key: 'seen',
          title: say.lastSeen,
          render: ({ lastSeen }) =>
            lastSeen === null ? <span className="kit-soft">{say.notSeen}</span> : <Age time={lastSeen} />,
        },
      ]}
      actions={{ title: say.actions, render: (person) => <PersonActions person={person} onEdit={onEdit} /> }}
    />
  );
}

function PersonName({ person: { id, name } }: { readonly person: PersonView }) {
  const say = useWords(words);
  const me = useSession();
  return (
    <span className="people-name">
      <strong>{name}</strong> <span className="kit-soft">{id}</span>
      {id === me.id && <ToneBadge tone="plain">{say.you}</ToneBadge>}
    </span>
  );
}

/** How somebody proves who he is. */
function Proof({ person: { hasPassword, totp, oidc } }: { readonly person: PersonView }) {
  const say = useWords(words);
  const ways = [hasPassword && say.byPassword, totp && say.secondFactor, oidc !== null && say.byOidc];
  return ways.filter((way) => way !== false).join(say.plus);
}

function AccountState({ person: { disabled, lockedUntil, mustChangePassword } }: { readonly person: PersonView }) {
  const say = useWords(words);
  const formats = useFormats();
  const isLocked = useTicking((time) => lockedUntil !== null && lockedUntil > time);
  if (disabled) return <ToneBadge tone="plain">{say.stateDisabled}</ToneBadge>;
  if (isLocked && lockedUntil !== null) {
    return <ToneBadge tone="bad">{say.stateLocked(formats.clock(lockedUntil))}</ToneBadge>;
  }
  if (mustChangePassword) return <ToneBadge tone="wait">{say.stateExpired}</ToneBadge>;
  return <ToneBadge tone="good">{say.stateActive}</ToneBadge>;
}

function PersonActions({
  person,
  onEdit,
}: {
  readonly person: PersonView;
  readonly onEdit: (person: PersonView) => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const { message, modal } = App.useApp();
  const me = useSession();
  const after = (said: string) => ({
    onSuccess: () => void message.success(said),
    onError: (error: Error) => void message.error(problemText(error, language)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['people'] }),
  });
  const unlock = useMutation({ mutationFn: () => api.post(`people/${person.id}/unlock`), ...after(say.unlocked) });
  const remove = useMutation({ mutationFn: () => api.delete(`people/${person.id}`), ...after(say.removed) });
  const isLocked = useTicking((time) => person.lockedUntil !== null && person.lockedUntil > time);
  const askRemove = () =>
    void modal.confirm({
      title: say.removeOf(person.name),
      content: say.removeHelp,
      okText: say.remove,
      okButtonProps: { danger: true },
      cancelText: say.cancel,
      onOk: () => remove.mutateAsync().catch(() => {}),
    });
  return (
    <>
      {isLocked && (
        <Button size="small" loading={unlock.isPending} onClick={() => unlock.mutate()}>
          {say.unlock}
        </Button>
      )}
      <Button size="small" data-act="edit" onClick={() => onEdit(person)} aria-label={say.editOf(person.name)}>
        {say.edit}
      </Button>
      {person.id !== me.id && (
        <Button size="small" type="text" danger onClick={askRemove} aria-label={say.removeOf(person.name)}>
          {say.remove}
        </Button>
      )}
    </>
  );
}
