import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Input } from 'antd';
import { type FormEvent, useState } from 'react';
import type { Me } from '../../../people-schemas.ts';
import { api, problemText, setCsrf } from '../../api.ts';
import { Panel } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { useSession } from '../../session.tsx';
import { isComplete, NewPasswordFields } from '../password/new-password.tsx';
import { words } from './words.ts';

const nothing = { password: '', again: '' };

export function PasswordPanel() {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const { id, name, hasPassword } = useSession();
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState(nothing);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [isOpen, setOpen] = useState(false);
  if (!hasPassword) {
    return (
      <Panel title={say.password}>
        <p className="kit-soft">{say.noPassword}</p>
      </Panel>
    );
  }
  const close = () => {
    setOpen(false);
    setOld('');
    setFresh(nothing);
    setProblem('');
  };
  if (!isOpen) {
    return (
      <Panel title={say.password}>
        <p className="kit-soft">{say.passwordRest}</p>
        <Button onClick={() => setOpen(true)}>{say.change}</Button>
      </Panel>
    );
  }

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!isComplete(fresh, [id, name])) return setProblem(fresh.password === fresh.again ? say.unmet : say.different);
    setBusy(true);
    setProblem('');
    try {
      const me = await api.post<Me>('me/password', { old, password: fresh.password });
      // The browser has a new session now, and with it a new token against forged requests.
      if (me.state === 'signed-in') setCsrf(me.csrf);
      queries.setQueryData(['me'], me);
      await queries.invalidateQueries({ queryKey: ['my-sessions'] });
      close();
      void message.success(say.changed);
    } catch (error) {
      setProblem(problemText(error, language));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Panel title={say.password}>
      <form className="kit-form" onSubmit={(event) => void submit(event)} noValidate>
        <p className="kit-soft">{say.passwordAbout}</p>
        <input type="text" name="username" autoComplete="username" value={id} readOnly hidden />
        <div className="kit-field">
          <label htmlFor="account-old">{say.old}</label>
          <Input.Password
            id="account-old"
            autoFocus
            autoComplete="current-password"
            value={old}
            onChange={(event) => setOld(event.target.value)}
          />
        </div>
        <NewPasswordFields value={fresh} owner={[id, name]} onChange={setFresh} />
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
        <div className="account-buttons">
          <Button type="primary" htmlType="submit" loading={isBusy} disabled={old === '' || fresh.password === ''}>
            {say.change}
          </Button>
          <Button onClick={close}>{say.cancel}</Button>
        </div>
      </form>
    </Panel>
  );
}
