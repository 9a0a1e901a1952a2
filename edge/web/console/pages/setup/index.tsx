import { Button, Input } from 'antd';
import { type FormEvent, useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import { slugPattern } from '#edge/domain/ids.ts';
import type { Me } from '../../../people-schemas.ts';
import { api, problemText } from '../../api.ts';
import { Door } from '../../kit/door.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { Mark } from '../../mark.tsx';
import { useBecome } from '../../session.tsx';
import { isComplete, NewPasswordFields } from '../password/new-password.tsx';
import { words } from './words.ts';

/** `#/setup/<code>`: whoever reads the terminal makes the first administrator. */
export function SetupPage() {
  const say = useWords(words);
  const language = useLanguage();
  const become = useBecome();
  const [location, navigate] = useLocation();
  const fromLink = /^\/setup\/([\w-]{4,64})$/.exec(location)?.[1] ?? '';
  const [code, setCode] = useState(fromLink);
  const [id, setId] = useState('admin');
  const [name, setName] = useState('');
  const [fresh, setFresh] = useState({ password: '', again: '' });
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const owner = [id, name];
  useEffect(() => {
    document.title = words[language].title;
  }, [language]);

  const mistake = (): string | null => {
    if (code.trim() === '') return say.noCode;
    if (!slugPattern.test(id)) return say.badAccount;
    if (name.trim() === '') return say.noName;
    if (fresh.password !== fresh.again) return say.different;
    return isComplete(fresh, owner) ? null : say.unmet;
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wrong = mistake();
    setProblem(wrong ?? '');
    if (wrong !== null) return;
    setBusy(true);
    try {
      const me = await api.post<Me>('setup', { code: code.trim(), id, name: name.trim(), password: fresh.password });
      // The code is void now and need not stay in the address.
      navigate('/', { replace: true });
      become(me);
    } catch (error) {
      setProblem(problemText(error, language));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Door mark={<Mark size={40} />} title={say.title} about={say.about} foot={say.local}>
      <form className="kit-form" onSubmit={(event) => void submit(event)} noValidate>
        {fromLink === '' ? (
          <div className="kit-field">
            <label htmlFor="code">{say.code}</label>
            <Input
              id="code"
              autoComplete="off"
              spellCheck={false}
              aria-describedby="code-help"
              value={code}
              onChange={(event) => setCode(event.target.value)}
            />
            <p id="code-help" className="kit-soft">
              {say.codeHelp}
            </p>
          </div>
        ) : (
          <p className="setup-code">
            <SignIcon sign="dot" size={12} /> {say.codeTaken}
          </p>
        )}
        <div className="kit-field">
          <label htmlFor="account">{say.account}</label>
          <Input
            id="account"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            aria-describedby="account-help"
            value={id}
            onChange={(event) => setId(event.target.value.trim().toLowerCase())}
          />
          <p id="account-help" className="kit-soft">
            {say.accountHelp}
          </p>
        </div>
        <div className="kit-field">
          <label htmlFor="name">{say.name}</label>
          <Input
            id="name"
            autoFocus
            autoComplete="name"
            maxLength={64}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </div>
        <NewPasswordFields value={fresh} owner={owner} onChange={setFresh} />
        <p className="kit-form-error" role="alert" data-problem>
          {problem}
        </p>
        <Button type="primary" htmlType="submit" size="large" block loading={isBusy}>
          {say.create}
        </Button>
      </form>
    </Door>
  );
}
