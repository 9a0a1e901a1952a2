import { useQueryClient } from '@tanstack/react-query';
import { App, Input } from 'antd';
import { useId, useState } from 'react';
import { ApiError, api, errorText } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { useSentence } from '../../names.ts';
import { counterWords } from './counter-words.ts';
import type { Step } from './data.ts';
import { amountIn, countedSince, jumpOf } from './step-story.ts';
import { useStepTexts } from './step-texts.ts';

export interface Deciding {
  readonly step: Step;
  readonly verdict: 'accept' | 'reject';
}

/** Says exactly what a decision does before it is made; what it rests on goes into the audit. */
export function StepDialog({ deciding, onClose }: { readonly deciding: Deciding; readonly onClose: () => void }) {
  const { step, verdict } = deciding;
  const say = useWords(counterWords);
  const language = useLanguage();
  const sentence = useSentence();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const { name } = useStepTexts(step);
  const isChange = step.state === 'accepted';
  const [typed, setTyped] = useState(isChange && step.between !== undefined ? String(step.between) : '');
  const between = amountIn(typed);
  const words =
    verdict === 'reject'
      ? ([say.dialogReject(name), say.doReject, say.doneReject(name)] as const)
      : isChange
        ? ([say.dialogChange(name), say.doChange, say.doneChange(name)] as const)
        : ([say.dialogAccept(name), say.doAccept, say.doneAccept(name)] as const);
  const [title, action, done] = words;
  const decide = async (note: string) => {
    if (verdict === 'accept' && between === undefined) throw new Error(say.betweenWrong);
    if (isChange && between === null) throw new Error(say.betweenNeeded);
    await api.post(`counters/${step.id}/decide`, { verdict, between: verdict === 'accept' ? between : null, note });
    void message.success(done);
    await Promise.all(['counters', 'energy', 'history'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
  };
  return (
    <ReasonDialog
      open
      title={title}
      action={action}
      isDangerous={verdict === 'reject'}
      sayError={(error) => {
        if (!(error instanceof ApiError)) return error instanceof Error ? error.message : errorText(error, language);
        // Core says why in its own words.
        return error.code === 'counter-step-refused' ? sentence(error.message) : errorText(error, language);
      }}
      onConfirm={({ reason }) => decide(reason)}
      onClose={onClose}
    >
      {verdict === 'accept' ? <Accepting step={step} typed={typed} onTyped={setTyped} /> : <Rejecting step={step} />}
    </ReasonDialog>
  );
}

function Accepting({
  step,
  typed,
  onTyped,
}: {
  readonly step: Step;
  readonly typed: string;
  readonly onTyped: (text: string) => void;
}) {
  const say = useWords(counterWords);
  const id = useId();
  const { amount, unit } = useStepTexts(step);
  const between = amountIn(typed);
  const jump = jumpOf(step);
  const after = countedSince(step);
  const isChange = step.state === 'accepted';
  return (
    <>
      <div className="kit-field">
        <label htmlFor={id}>{jump === null ? say.between(unit) : say.betweenSpike(unit)}</label>
        <Input
          id={id}
          inputMode="decimal"
          value={typed}
          status={between === undefined ? 'error' : ''}
          aria-invalid={between === undefined}
          aria-describedby={`${id}-help`}
          onChange={(event) => onTyped(event.target.value)}
        />
        <p id={`${id}-help`} className="kit-soft">
          {between === undefined
            ? say.betweenWrong
            : jump === null
              ? say.betweenHelp(amount(step.from))
              : say.betweenHelpSpike(amount(jump))}
        </p>
      </div>
      <ul className="meters-will" aria-live="polite">
        {!isChange && <li>{say.willAccept(amount(step.from), amount(step.to))}</li>}
        <li>
          {isChange
            ? say.willCountAlone(amount(between ?? 0))
            : say.willCount(amount(between ?? 0), amount(after), amount((between ?? 0) + after))}
        </li>
        <li>{say.willCorrect}</li>
        {step.state === 'open' && <li>{say.willEndAlarm}</li>}
      </ul>
    </>
  );
}

function Rejecting({ step }: { readonly step: Step }) {
  const say = useWords(counterWords);
  const { amount } = useStepTexts(step);
  return (
    <ul className="meters-will">
      <li>{say.willReject(amount(step.from))}</li>
      <li>{say.willRejectLater}</li>
      <li>{say.willEndAlarm}</li>
    </ul>
  );
}
