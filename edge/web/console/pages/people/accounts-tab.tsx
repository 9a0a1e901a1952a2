import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Table, type TableColumnsType } from 'antd';
import { useState } from 'react';
import { roleNames } from '#edge/domain/access.ts';
import type { PersonView } from '../../../people-schemas.ts';
import { api, errorDetail, errorText, problemText } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { ToneBadge } from '../../kit/badges.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { useZoneName } from '../../names.ts';
import { useSession } from '../../session.tsx';
import { PersonForm } from './person-form.tsx';
import { words } from './words.ts';

export function AccountsTab() {
  const say = useWords(words);
  const language = useLanguage();
  const people = useQuery({
    queryKey: ['people'],
    queryFn: ({ signal }) => api.get<PersonView[]>('people', signal),
  });
  const [editing, setEditing] = useState<PersonView | 'new' | null>(null);
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
  return (
    <>
      <div className="people-actions">
        <Button type="primary" onClick={() => setEditing('new')}>
          {say.add}
        </Button>
      </div>
      <PeopleTable people={people.data} onEdit={setEditing} />
      {editing !== null && <PersonForm person={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />}
    </>
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
  const me = useSession();
  const columns: TableColumnsType<PersonView> = [
    {
      title: say.name,
      key: 'name',
      render: (_, person) => (
        <>
          <strong>{person.name}</strong> <span className="kit-soft">{person.id}</span>{' '}
          {person.id === me.id && <ToneBadge tone="plain">{say.you}</ToneBadge>}
        </>
      ),
    },
    { title: say.role, dataIndex: 'role', render: (role: PersonView['role']) => name(roleNames[role]) },
    {
      title: say.zones,
      dataIndex: 'zones',
      render: (zones: PersonView['zones']) => (zones === 'all' ? say.wholeCampus : zones.map(zoneName).join('、')),
    },
    { title: say.state, key: 'state', render: (_, person) => <AccountState person={person} /> },
    { title: say.factor, dataIndex: 'totp', render: (isOn: boolean) => (isOn ? say.on : say.off) },
    {
      title: say.lastSeen,
      dataIndex: 'lastSeen',
      render: (time: number | null) => (time === null ? say.never : <Age time={time} />),
    },
    { title: say.actions, key: 'actions', render: (_, person) => <PersonActions person={person} onEdit={onEdit} /> },
  ];
  return (
    <Table<PersonView>
      columns={columns}
      dataSource={people}
      rowKey="id"
      size="middle"
      pagination={people.length > 50 ? { pageSize: 50 } : false}
      scroll={{ x: 900 }}
    />
  );
}

function AccountState({ person }: { readonly person: PersonView }) {
  const say = useWords(words);
  if (person.disabled) return <ToneBadge tone="plain">{say.stateDisabled}</ToneBadge>;
  if (person.lockedUntil !== null && person.lockedUntil > now()) {
    return <ToneBadge tone="bad">{say.stateLocked}</ToneBadge>;
  }
  if (person.mustChangePassword) return <ToneBadge tone="wait">{say.stateExpired}</ToneBadge>;
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
  const askRemove = () =>
    void modal.confirm({
      title: say.removeOf(person.name),
      content: say.removeHelp,
      okText: say.remove,
      okButtonProps: { danger: true },
      cancelText: say.cancel,
      onOk: () => remove.mutateAsync().catch(() => {}),
    });
  const isLocked = person.lockedUntil !== null && person.lockedUntil > now();
  return (
    <div className="people-row-actions">
      <Button size="small" onClick={() => onEdit(person)} aria-label={say.editOf(person.name)}>
        {say.edit}
      </Button>
      {isLocked && (
        <Button size="small" onClick={() => unlock.mutate()}>
          {say.unlock}
        </Button>
      )}
      {person.id !== me.id && (
        <Button size="small" danger onClick={askRemove} aria-label={say.removeOf(person.name)}>
          {say.remove}
        </Button>
      )}
    </div>
  );
}
