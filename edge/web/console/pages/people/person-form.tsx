import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Checkbox, Drawer, Input, Select } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import { campusWideRoles, type Role, rightsOf, roleNames, roles } from '#edge/domain/access.ts';
import type { PersonView } from '../../../people-schemas.ts';
import { ApiError, api, problemText } from '../../api.ts';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { useSession } from '../../session.tsx';
import { isComplete, NewPasswordFields } from '../password/new-password.tsx';
import { suggestPassword } from './suggest-password.ts';
import { words } from './words.ts';
import { ZoneChoice } from './zone-choice.tsx';

interface Draft {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly zones: PersonView['zones'];
  readonly oidc: string;
  readonly disabled: boolean;
  readonly clearFactor: boolean;
  readonly fresh: { readonly password: string; readonly again: string };
}

function draftOf(person: PersonView | null): Draft {
  return {
    id: person?.id ?? '',
    name: person?.name ?? '',
    role: person?.role ?? 'security',
    zones: person?.zones ?? 'all',
    oidc: person?.oidc ?? '',
    disabled: person?.disabled ?? false,
    clearFactor: false,
    fresh: { password: '', again: '' },
  };
}

/** A new account (`person` null) or changes to one. What is not one's own to change is not offered. */
export function PersonForm({ person, onClose }: { readonly person: PersonView | null; readonly onClose: () => void }) {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const isPhone = useMedia(phoneQuery);
  const [draft, setDraft] = useState(() => draftOf(person));
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const mistake = mistakeIn(draft, person);
    if (mistake !== null) return setProblem(say[mistake]);
    setBusy(true);
    setProblem('');
    try {
      if (person === null) await api.post('people', bodyOfNew(draft));
      else await api.patch(`people/${person.id}`, bodyOfChange(draft, person));
      void message.success(say.saved);
      await queries.invalidateQueries({ queryKey: ['people'] });
      onClose();
    } catch (error) {
      const isBadId = person === null && error instanceof ApiError && error.code === 'bad-request';
      setProblem(isBadId ? say.badId : problemText(error, language));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Drawer
      open
      title={person === null ? say.add : say.editOf(person.name)}
      onClose={onClose}
      size={isPhone ? '100%' : 480}
      closable={{ 'aria-label': say.close }}
    >
      <form className="kit-form" onSubmit={(event) => void submit(event)} noValidate autoComplete="off">
        <Fields draft={draft} person={person} onChange={(part) => setDraft({ ...draft, ...part })} />
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
        <div className="people-buttons">
          <Button type="primary" htmlType="submit" loading={isBusy}>
            {person === null ? say.create : say.save}
          </Button>
          <Button onClick={onClose}>{say.cancel}</Button>
        </div>
      </form>
    </Drawer>
  );
}

function mistakeIn(draft: Draft, person: PersonView | null) {
  if (draft.id.trim() === '' || draft.name.trim() === '') return 'fieldsNeeded';
  if (draft.zones !== 'all' && draft.zones.length === 0) return 'zonesNeeded';
  const isPasswordWanted = draft.fresh.password !== '' || (person === null && draft.oidc.trim() === '');
  if (!isPasswordWanted || isComplete(draft.fresh, [draft.id, draft.name])) return null;
  return draft.fresh.password === draft.fresh.again ? 'passwordUnmet' : 'passwordDifferent';
}

function bodyOfNew({ id, name, role, zones, oidc, fresh }: Draft): object {
  return {
    id: id.trim(),
    name: name.trim(),
    role,
    zones,
    oidc: oidc.trim() === '' ? null : oidc.trim(),
    ...(fresh.password === '' ? {} : { password: fresh.password }),
  };
}

/** Only what was changed is sent: what another changed meanwhile is not undone by accident. */
function bodyOfChange(draft: Draft, person: PersonView): object {
  const oidc = draft.oidc.trim() === '' ? null : draft.oidc.trim();
  return {
    rev: person.rev,
    ...(draft.name.trim() === person.name ? {} : { name: draft.name.trim() }),
    ...(draft.role === person.role ? {} : { role: draft.role }),
    ...(JSON.stringify(draft.zones) === JSON.stringify(person.zones) ? {} : { zones: draft.zones }),
    ...(oidc === person.oidc ? {} : { oidc }),
    ...(draft.disabled === person.disabled ? {} : { disabled: draft.disabled }),
    ...(draft.clearFactor ? { totp: null } : {}),
    ...(draft.fresh.password === '' ? {} : { password: draft.fresh.password }),
  };
}

/** Who acts does not become the auditor of himself: that takes another account. */
function rolesFor(person: PersonView | null): readonly Role[] {
  if (person === null) return roles;
  return roles.filter((role) => (role === 'auditor') === (person.role === 'auditor'));
}

function Fields({
  draft,
  person,
  onChange,
}: {
  readonly draft: Draft;
  readonly person: PersonView | null;
  readonly onChange: (part: Partial<Draft>) => void;
}) {
  const say = useWords(words);
  const name = useName();
  const me = useSession();
  const id = useId();
  const isMe = person?.id === me.id;
  const isWide = campusWideRoles.includes(draft.role);
  return (
    <>
      {person === null && (
        <div className="kit-field">
          <label htmlFor={`${id}-id`}>{say.account}</label>
          <Input
            id={`${id}-id`}
            value={draft.id}
            maxLength={63}
            autoComplete="off"
            aria-describedby={`${id}-id-help`}
            onChange={(event) => onChange({ id: event.target.value.toLowerCase() })}
          />
          <p id={`${id}-id-help`} className="kit-soft">
            {say.accountHelp}
          </p>
        </div>
      )}
      <div className="kit-field">
        <label htmlFor={`${id}-name`}>{say.name}</label>
        <Input
          id={`${id}-name`}
          value={draft.name}
          maxLength={64}
          autoComplete="off"
          onChange={(event) => onChange({ name: event.target.value })}
        />
      </div>
      {!isMe && (
        <div className="kit-field">
          <label htmlFor={`${id}-role`}>{say.role}</label>
          <Select<Role>
            id={`${id}-role`}
            value={draft.role}
            onChange={(role) => onChange({ role, ...(campusWideRoles.includes(role) ? { zones: 'all' } : {}) })}
            options={rolesFor(person).map((role) => ({ value: role, label: name(roleNames[role]) }))}
          />
          <p className="kit-soft">
            {say.rightsOf(rightsOf[draft.role].map((right) => say[`right:${right}`]).join(say.comma))}
          </p>
          {person !== null && (
            <p className="kit-soft">{person.role === 'auditor' ? say.staysAuditor : say.noAuditor}</p>
          )}
        </div>
      )}
      {isWide && <p className="kit-soft">{say.zonesFixed}</p>}
      {!isWide && !isMe && <ZoneChoice zones={draft.zones} onChange={(zones) => onChange({ zones })} />}
      {!isMe && (
        <fieldset className="people-fieldset">
          <legend>{person === null ? say.firstPassword : say.newPassword}</legend>
          <p className="kit-soft">{person === null ? say.firstPasswordHelp : say.newPasswordHelp}</p>
          <NewPasswordFields
            value={draft.fresh}
            owner={[draft.id, draft.name]}
            onChange={(fresh) => onChange({ fresh })}
          />
          <Suggestion owner={[draft.id, draft.name]} onTake={(fresh) => onChange({ fresh })} />
        </fieldset>
      )}
      {(me.oidc !== null || draft.oidc !== '') && (
        <div className="kit-field">
          <label htmlFor={`${id}-oidc`}>{say.oidc}</label>
          <Input id={`${id}-oidc`} value={draft.oidc} onChange={(event) => onChange({ oidc: event.target.value })} />
          <p className="kit-soft">{say.oidcHelp}</p>
        </div>
      )}
      {person?.totp === true && !isMe && (
        <Checkbox checked={draft.clearFactor} onChange={(event) => onChange({ clearFactor: event.target.checked })}>
          {say.clearFactor}
        </Checkbox>
      )}
      {person !== null && !isMe && (
        <Checkbox checked={draft.disabled} onChange={(event) => onChange({ disabled: event.target.checked })}>
          {say.disabled}
        </Checkbox>
      )}
    </>
  );
}

/** A first password to be told by word of mouth: strong, and without letters that look alike. */
function Suggestion({
  owner,
  onTake,
}: {
  readonly owner: readonly string[];
  readonly onTake: (fresh: Draft['fresh']) => void;
}) {
  const say = useWords(words);
  const [suggested, setSuggested] = useState('');
  const suggest = () => {
    const password = suggestPassword(owner);
    setSuggested(password);
    onTake({ password, again: password });
  };
  return (
    <div className="people-suggestion">
      <Button size="small" onClick={suggest}>
        {say.suggest}
      </Button>
      {suggested !== '' && (
        <p role="status">
          {say.suggested} <code>{suggested}</code>
        </p>
      )}
    </div>
  );
}
