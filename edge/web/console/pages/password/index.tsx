import { useQueryClient } from '@tanstack/react-query';
import { Button, Input } from 'antd';
import { type FormEvent, useState } from 'react';
import { api, problemText } from '../../api.ts';
import { Door } from '../../kit/door.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { Mark } from '../../mark.tsx';
import { useSession, useSignOut } from '../../session.tsx';
import { isComplete, NewPasswordFields } from './new-password.tsx';
import { words } from './words.ts';

/** Nothing else is open until a new password is chosen. */
export function PasswordPage() {
  const say = useWords(words);
  const language = useLanguage();
  const { id, name } = useSession();
  const signOut = useSignOut();
  const queries = useQueryClient();
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState({ password: '', again: '' });
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const owner = [id, name];

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!isComplete(fresh, owner)) return setProblem(fresh.password === fresh.again ? say.unmet : say.different);
    setBusy(true);
    setProblem('');
    try {
      await api.post('me/password', { old, password: fresh.password });
      await queries.invalidateQueries({ queryKey: ['me'] });
    } catch (error) {
      setProblem(problemText(error, language));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Door mark={<Mark size={40} />} title={say.title} about={say.about}>
      <form className="kit-form" onSubmit={(event) => void submit(event)} noValidate>
        <div className="kit-field">
          <label htmlFor="old">{say.old}</label>
          <Input.Password
            id="old"
            autoFocus
            autoComplete="current-password"
            value={old}
            onChange={(event) => setOld(event.target.value)}
          />
        </div>
        <NewPasswordFields value={fresh} owner={owner} onChange={setFresh} />
        <p className="kit-form-error" role="alert" data-problem>
          {problem}
        </p>
        <Button type="primary" htmlType="submit" size="large" block loading={isBusy}>
          {say.save}
        </Button>
        <Button type="text" block onClick={() => void signOut()}>
          {say.signOut}
        </Button>
      </form>
    </Door>
  );
}
