import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Input } from 'antd';
import { type FormEvent, useState } from 'react';
import type { z } from 'zod';
import type { totpConfirmed, totpOffer } from '../../../people-schemas.ts';
import { api, problemText } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { useSession } from '../../session.tsx';
import { words } from './words.ts';

type Offer = z.infer<typeof totpOffer>;
type Codes = z.infer<typeof totpConfirmed>['recovery'];
type Step =
  | { readonly at: 'rest' }
  | { readonly at: 'password'; readonly turn: 'on' | 'off' }
  | { readonly at: 'scan'; readonly offer: Offer }
  | { readonly at: 'codes'; readonly codes: Codes };

/** Turning the second factor on (password, scan, code, recovery codes) and off (password). */
export function SecondFactorPanel() {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const { totp, hasPassword } = useSession();
  const [step, setStep] = useState<Step>({ at: 'rest' });
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const goTo = (next: Step) => {
    setStep(next);
    setText('');
    setProblem('');
  };
  const isOn = step.at === 'codes' || totp;

  const proceed = async () => {
    if (step.at === 'scan') {
      const { recovery } = await api.post<z.infer<typeof totpConfirmed>>('me/totp/confirm', { code: text.trim() });
      goTo({ at: 'codes', codes: recovery });
    } else if (step.at === 'password' && step.turn === 'on') {
      goTo({ at: 'scan', offer: await api.post<Offer>('me/totp', { password: text }) });
    } else {
      await api.post('me/totp/remove', { password: text });
      goTo({ at: 'rest' });
      void message.success(say.offDone);
      await queries.invalidateQueries({ queryKey: ['me'] });
    }
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    try {
      await proceed();
    } catch (error) {
      setProblem(problemText(error, language));
    } finally {
      setBusy(false);
    }
  };
  const done = async () => {
    goTo({ at: 'rest' });
    await queries.invalidateQueries({ queryKey: ['me'] });
  };

  const badge = <ToneBadge tone={isOn ? 'good' : 'plain'}>{isOn ? say.factorOn : say.factorOff}</ToneBadge>;
  return (
    <Panel title={say.factor} extra={badge}>
      <p className="kit-soft">{say.factorAbout}</p>
      {step.at === 'rest' && hasPassword && (
        <Button type={isOn ? 'default' : 'primary'} onClick={() => goTo({ at: 'password', turn: isOn ? 'off' : 'on' })}>
          {isOn ? say.turnOff : say.turnOn}
        </Button>
      )}
      {step.at === 'codes' && <RecoveryCodes codes={step.codes} onDone={() => void done()} />}
      {(step.at === 'password' || step.at === 'scan') && (
        <form className="kit-form" onSubmit={(event) => void submit(event)} noValidate>
          {step.at === 'scan' && <Scan offer={step.offer} />}
          <div className="kit-field">
            <label htmlFor="account-proof">{step.at === 'scan' ? say.code : say.confirmWith}</label>
            <Input
              key={step.at}
              id="account-proof"
              type={step.at === 'scan' ? 'text' : 'password'}
              inputMode={step.at === 'scan' ? 'numeric' : 'text'}
              autoComplete={step.at === 'scan' ? 'one-time-code' : 'current-password'}
              autoFocus
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          </div>
          <p className="kit-form-error" role="alert">
            {problem}
          </p>
          <div className="account-buttons">
            <Button type="primary" htmlType="submit" loading={isBusy} disabled={text === ''}>
              {step.at === 'scan' ? say.finish : say.continue}
            </Button>
            <Button onClick={() => goTo({ at: 'rest' })}>{say.cancel}</Button>
          </div>
        </form>
      )}
    </Panel>
  );
}

function Scan({ offer }: { readonly offer: Offer }) {
  const say = useWords(words);
  return (
    <>
      <p>{say.scan}</p>
      <img className="account-qr" alt={say.scanAlt} src={`data:image/svg+xml,${encodeURIComponent(offer.qr)}`} />
      <div>
        <p className="kit-soft">{say.secret}</p>
        <code className="account-secret">{offer.secret.replace(/(.{4})/g, '$1 ').trim()}</code>
      </div>
    </>
  );
}

function RecoveryCodes({ codes, onDone }: { readonly codes: Codes; readonly onDone: () => void }) {
  const say = useWords(words);
  const { message } = App.useApp();
  const copy = async () => {
    await navigator.clipboard.writeText(codes.join('\n'));
    void message.success(say.copied);
  };
  return (
    <section className="kit-form" aria-label={say.recovery}>
      <p>{say.recoveryAbout}</p>
      <ul className="account-codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className="account-buttons">
        <Button type="primary" onClick={onDone}>
          {say.saved}
        </Button>
        <Button onClick={() => window.print()}>{say.print}</Button>
        {'clipboard' in navigator && <Button onClick={() => void copy()}>{say.copy}</Button>}
      </div>
    </section>
  );
}
