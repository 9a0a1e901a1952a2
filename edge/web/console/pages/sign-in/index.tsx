import { Button, Input, type InputRef } from 'antd';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { Me } from '../../../people-schemas.ts';
import { ApiError, api, errorText, query } from '../../api.ts';
import { Door } from '../../kit/door.tsx';
import { fromHere } from '../../kit/download.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { now, useTicking } from '../../kit/ticker.ts';
import { type NamePair, nameIn } from '../../kit/words.ts';
import { Mark } from '../../mark.tsx';
import { useBecome } from '../../session.tsx';
import { words } from './words.ts';

/** Account and password, then the second factor where the account has one; the identity provider where the site has one. */
export function SignInPage({ campus, oidc }: { readonly campus: NamePair; readonly oidc: NamePair | null }) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const [location] = useLocation();
  useEffect(() => {
    document.title = `${words[language].title} · ${nameIn(language, campus)}`;
  }, [campus, language]);
  return (
    <Door mark={<Mark size={40} />} title={name(campus)} about={say.about} foot={say.help}>
      <SignInForm problemOfProvider={/[?&]problem=([a-z-]+)/.exec(location)?.[1]} />
      {oidc !== null && (
        <>
          <p className="sign-in-or">{say.or}</p>
          <a
            className="kit-button sign-in-provider"
            href={fromHere(`api/v1/oidc/start${query({ to: wantedRoute(location) })}`)}
          >
            {say.withProvider(name(oidc))}
          </a>
        </>
      )}
    </Door>
  );
}

/** Where to go afterwards: the route that was asked for. */
function wantedRoute(location: string): string {
  const [path = '/'] = location.split('?');
  return `#${path}`;
}

/** What the identity provider's side says of a try that failed. */
const providerProblems: Readonly<Record<string, 'refused' | 'noProvider' | 'unknownProvider'>> = {
  'oidc-refused': 'refused',
  'oidc-away': 'noProvider',
  'oidc-unknown': 'unknownProvider',
};

function SignInForm({ problemOfProvider }: { readonly problemOfProvider: string | undefined }) {
  const say = useWords(words);
  const language = useLanguage();
  const become = useBecome();
  const passwordInput = useRef<InputRef>(null);
  const codeInput = useRef<InputRef>(null);
  const [id, setId] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [step, setStep] = useState<'password' | 'code'>('password');
  const [problem, setProblem] = useState(() =>
    problemOfProvider === undefined ? '' : say[providerProblems[problemOfProvider] ?? 'refused'],
  );
  const [lockedUntil, setLockedUntil] = useState(0);
  const [isBusy, setBusy] = useState(false);
  const isLocked = useTicking((time) => time < lockedUntil);

  const fail = (error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 'totp-needed') return setStep('code');
    if (error.status === 429 && error.retryAfter !== null) {
      setProblem('');
      return setLockedUntil(now() + error.retryAfter * 1000);
    }
    setProblem(errorText(error, language));
    if (step === 'code') setCode('');
    (step === 'code' ? codeInput : passwordInput).current?.focus({ cursor: 'all' });
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (id.trim() === '' || password === '') return setProblem(say.needBoth);
    if (step === 'code' && code.trim() === '') return setProblem(say.needCode);
    setBusy(true);
    setProblem('');
    try {
      become(
        await api.post<Me>('login', { id: id.trim(), password, ...(step === 'code' ? { totp: code.trim() } : {}) }),
      );
    } catch (error) {
      fail(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form className="kit-form" onSubmit={(event) => void submit(event)} noValidate>
      {step === 'password' ? (
        <>
          <div className="kit-field">
            <label htmlFor="account">{say.account}</label>
            <Input
              id="account"
              size="large"
              autoFocus
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              value={id}
              onChange={(event) => setId(event.target.value)}
            />
          </div>
          <div className="kit-field">
            <label htmlFor="password">{say.password}</label>
            <Input.Password
              id="password"
              size="large"
              ref={passwordInput}
              autoComplete="current-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </div>
        </>
      ) : (
        <div className="kit-field">
          <label htmlFor="code">{say.code}</label>
          <Input
            id="code"
            size="large"
            ref={codeInput}
            autoFocus
            autoComplete="one-time-code"
            aria-describedby="code-help"
            value={code}
            onChange={(event) => setCode(event.target.value)}
          />
          <p id="code-help" className="kit-soft">
            {say.codeHelp}
          </p>
        </div>
      )}
      <p className="kit-form-error" role="alert" data-problem>
        {isLocked ? <Countdown until={lockedUntil} /> : problem}
      </p>
      <Button type="primary" htmlType="submit" size="large" block loading={isBusy} disabled={isLocked}>
        {say.signIn}
      </Button>
      {step === 'code' && (
        <Button type="text" block onClick={() => setStep('password')}>
          {say.back}
        </Button>
      )}
    </form>
  );
}

function Countdown({ until }: { readonly until: number }) {
  const say = useWords(words);
  const formats = useFormats();
  const left = useTicking((time) => formats.duration(Math.max(1_000, Math.ceil((until - time) / 1000) * 1000)));
  return <>{say.lockedFor(left)}</>;
}
