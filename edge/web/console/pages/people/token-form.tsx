import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Checkbox, Drawer, Input, InputNumber } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import type { z } from 'zod';
import type { Right, Zones } from '#edge/domain/access.ts';
import type { tokenCreated } from '../../../people-schemas.ts';
import { ApiError, api, problemText } from '../../api.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { useSession } from '../../session.tsx';
import { words } from './words.ts';
import { ZoneChoice } from './zone-choice.tsx';

/** Makes a token; its secret is shown once, until the drawer is closed. Only rights one has oneself are offered. */
export function TokenForm({ onClose }: { readonly onClose: () => void }) {
  const say = useWords(words);
  const isPhone = useMedia(phoneQuery);
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <Drawer
      open
      title={secret === null ? say.addToken : say.tokenMade}
      onClose={onClose}
      size={isPhone ? '100%' : 480}
      closable={{ 'aria-label': say.close }}
      mask={{ closable: secret === null }}
    >
      {secret === null ? <Form onMade={setSecret} onClose={onClose} /> : <Secret secret={secret} onClose={onClose} />}
    </Drawer>
  );
}

function Form({ onMade, onClose }: { readonly onMade: (secret: string) => void; readonly onClose: () => void }) {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const me = useSession();
  const ids = useId();
  const [id, setId] = useState('');
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly Right[]>(['see']);
  const [zones, setZones] = useState<Zones>('all');
  const [days, setDays] = useState<number | null>(365);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (id.trim() === '' || name.trim() === '') return setProblem(say.fieldsNeeded);
    if (scopes.length === 0) return setProblem(say.scopesNeeded);
    if (zones !== 'all' && zones.length === 0) return setProblem(say.zonesNeeded);
    setBusy(true);
    setProblem('');
    try {
      const body = { id: id.trim(), name: name.trim(), scopes, zones, days };
      const made = await api.post<z.infer<typeof tokenCreated>>('tokens', body);
      await queries.invalidateQueries({ queryKey: ['tokens'] });
      onMade(made.secret);
    } catch (error) {
      const isBadId = error instanceof ApiError && error.code === 'bad-request';
      setProblem(isBadId ? say.badId : problemText(error, language));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="kit-form" onSubmit={(event) => void submit(event)} noValidate>
      <div className="kit-field">
        <label htmlFor={`${ids}-name`}>{say.tokenName}</label>
        <Input
          id={`${ids}-name`}
          value={name}
          maxLength={64}
          placeholder={say.tokenNameHint}
          onChange={(event) => setName(event.target.value)}
        />
      </div>
      <div className="kit-field">
        <label htmlFor={`${ids}-id`}>{say.tokenId}</label>
        <Input
          id={`${ids}-id`}
          value={id}
          maxLength={63}
          placeholder={say.tokenIdHint}
          aria-describedby={`${ids}-id-help`}
          onChange={(event) => setId(event.target.value.toLowerCase())}
        />
        <p id={`${ids}-id-help`} className="kit-soft">
          {say.idHelp}
        </p>
      </div>
      <fieldset className="people-fieldset">
        <legend>{say.scopes}</legend>
        <Checkbox.Group<Right>
          className="people-scopes"
          value={[...scopes]}
          onChange={setScopes}
          options={me.rights.map((right) => ({ value: right, label: say[`right:${right}`] }))}
        />
      </fieldset>
      <ZoneChoice zones={zones} onChange={setZones} />
      <div className="kit-field">
        <label htmlFor={`${ids}-days`}>{say.days}</label>
        <InputNumber id={`${ids}-days`} min={1} max={3_650} value={days} onChange={setDays} />
        <p className="kit-soft">{say.daysHelp}</p>
      </div>
      <p className="kit-form-error" role="alert">
        {problem}
      </p>
      <div className="people-buttons">
        <Button type="primary" htmlType="submit" loading={isBusy}>
          {say.create}
        </Button>
        <Button onClick={onClose}>{say.cancel}</Button>
      </div>
    </form>
  );
}

function Secret({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }) {
  const say = useWords(words);
  const { message } = App.useApp();
  const copy = async () => {
    await navigator.clipboard.writeText(secret);
    void message.success(say.copied);
  };
  return (
    <div className="kit-form">
      <p>{say.tokenOnce}</p>
      <code className="people-secret">{secret}</code>
      <p className="kit-soft">{say.tokenUse}</p>
      <div className="people-buttons">
        {'clipboard' in navigator && (
          <Button type="primary" onClick={() => void copy()}>
            {say.copy}
          </Button>
        )}
        <Button onClick={onClose}>{say.done}</Button>
      </div>
    </div>
  );
}
