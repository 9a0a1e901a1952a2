import { useQueryClient } from '@tanstack/react-query';
import { App, Input } from 'antd';
import { useId, useState } from 'react';
import { ApiError, api, errorText } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { useDeviceName, usePointName, useSentence } from '../../names.ts';
import { counterWords } from './counter-words.ts';
import type { Decision, Step } from './data.ts';
import { amountIn, countedSince, jumpOf } from './step-story.ts';
import { useStepTexts } from './step-texts.ts';

export interface Deciding {
  /** Of one meter; the first is the one that people know it by. */
  readonly steps: readonly [Step, ...Step[]];
  readonly verdict: 'accept' | 'reject';
}

/** What was typed for each step, by its id. */
type Typed = Readonly<Record<string, string>>;

/** Says exactly what a decision does before it is made; what it rests on goes into the audit. */
export function StepDialog({ deciding, onClose }: { readonly deciding: Deciding; readonly onClose: () => void }) {
  const { steps, verdict } = deciding;
  const [head] = steps;
  const say = useWords(counterWords);
  const language = useLanguage();
  const sentence = useSentence();
  const pointName = usePointName();
  const deviceName = useDeviceName();
  const { message } = App.useApp();
  const decide = useDecide();
  const isChange = head.state === 'accepted';
  const [typed, setTyped] = useState<Typed>(() =>
    Object.fromEntries(steps.map(({ id, between }) => [id, between === undefined ? '' : String(between)])),
  );
  const name = steps.length === 1 ? pointName(head.ref) : deviceName(head.ref.split('/')[0] ?? '');
  const words = {
    reject: [say.dialogReject(name), say.doReject, say.doneReject(name)],
    change: [say.dialogChange(name), say.doChange, say.doneChange(name)],
    accept: [say.dialogAccept(name), say.doAccept, say.doneAccept(name)],
  } as const;
  const [title, action, done] = words[verdict === 'reject' ? 'reject' : isChange ? 'change' : 'accept'];
  const confirm = async (note: string) => {
    const betweens = steps.map(({ id }) => amountIn(typed[id] ?? ''));
    if (verdict === 'accept' && betweens.includes(undefined)) throw new Error(say.betweenWrong);
    if (isChange && betweens[0] === null) throw new Error(say.betweenNeeded);
    const figures = steps.map(({ id }, i) => ({ id, between: verdict === 'accept' ? (betweens[i] ?? null) : null }));
    await decide({ steps: figures, verdict, note });
    void message.success(done);
  };
  return (
    <ReasonDialog
      open
      title={title}
      action={action}
      isDangerous={verdict === 'reject'}
      sayError={(error) => {
        if (!(error instanceof ApiError)) return error instanceof Error ? error.message : errorText(error, language);
        if (error.code !== 'counter-step-refused') return errorText(error, language);
        // Core says why in its own words, and of several which it is.
        const [, ref, why] = /^([a-z0-9_-]+\/[a-z0-9_-]+): (.+)$/s.exec(error.message) ?? [];
        return why === undefined ? sentence(error.message) : say.refusedOf(pointName(ref ?? ''), sentence(why));
      }}
      onConfirm={({ reason }) => confirm(reason)}
      onClose={onClose}
    >
      {verdict === 'accept' && (
        <Betweens steps={steps} typed={typed} onTyped={(id, text) => setTyped({ ...typed, [id]: text })} />
      )}
      {verdict === 'accept' ? <Accepting steps={steps} typed={typed} /> : <Rejecting steps={steps} />}
    </ReasonDialog>
  );
}

/** All counters of a meter, or none. */
function useDecide() {
  const queries = useQueryClient();
  return async (decision: Decision) => {
    await api.post('counters/decide', decision);
    void Promise.all(['counters', 'energy', 'history'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
  };
}

/** The total is asked for; what its parts counted is folded away: few know it. */
function Betweens({
  steps: [head, ...others],
  typed,
  onTyped,
}: {
  readonly steps: Deciding['steps'];
  readonly typed: Typed;
  readonly onTyped: (id: string, text: string) => void;
}) {
  const say = useWords(counterWords);
  const isAlone = others.length === 0;
  const field = (step: Step) => (
    <Between
      key={step.id}
      step={step}
      isAlone={isAlone}
      typed={typed[step.id] ?? ''}
      onTyped={(text) => onTyped(step.id, text)}
    />
  );
  return (
    <>
      {field(head)}
      {!isAlone && (
        <details className="meters-more">
          <summary>{say.betweenOthers(others.length)}</summary>
          <div className="meters-fields">{others.map(field)}</div>
        </details>
      )}
    </>
  );
}

/** What was counted across the step; may be left empty. */
function Between({
  step,
  isAlone,
  typed,
  onTyped,
}: {
  readonly step: Step;
  readonly isAlone: boolean;
  readonly typed: string;
  readonly onTyped: (text: string) => void;
}) {
  const say = useWords(counterWords);
  const id = useId();
  const { amount, unit, label } = useStepTexts(step);
  const isWrong = amountIn(typed) === undefined;
  const jump = jumpOf(step);
  const asked = jump === null ? say.between(unit) : say.betweenSpike(unit);
  const help = jump === null ? say.betweenHelp(amount(step.from)) : say.betweenHelpSpike(amount(jump));
  return (
    <div className="kit-field">
      <label htmlFor={id}>{isAlone ? asked : say.betweenOf(label, asked)}</label>
      <Input
        id={id}
        data-between={step.ref}
        inputMode="decimal"
        value={typed}
        status={isWrong ? 'error' : ''}
        aria-invalid={isWrong}
        aria-describedby={`${id}-help`}
        onChange={(event) => onTyped(event.target.value)}
      />
      <p id={`${id}-help`} className="kit-soft">
        {isWrong ? say.betweenWrong : help}
      </p>
    </div>
  );
}

function Accepting({ steps, typed }: { readonly steps: Deciding['steps']; readonly typed: Typed }) {
  const say = useWords(counterWords);
  const [head, ...others] = steps;
  const told = [head, ...others.filter(({ id }) => (typed[id] ?? '') !== '')];
  const rest = steps.length - told.length;
  return (
    <ul className="meters-will" aria-live="polite">
      {told.map((step) => (
        <Counted key={step.id} step={step} between={amountIn(typed[step.id] ?? '') ?? 0} isAlone={steps.length === 1} />
      ))}
      {rest > 0 && <li>{say.willOthers(rest)}</li>}
      <li>{say.willCorrect}</li>
      {head.state === 'open' && <li>{say.willEndAlarm}</li>}
    </ul>
  );
}

function Counted({
  step,
  between,
  isAlone,
}: {
  readonly step: Step;
  readonly between: number;
  readonly isAlone: boolean;
}) {
  const say = useWords(counterWords);
  const { amount, label } = useStepTexts(step);
  const after = countedSince(step);
  const isChange = step.state === 'accepted';
  return (
    <li>
      {!isAlone && <strong>{label} </strong>}
      {!isChange && `${say.willAccept(amount(step.from), amount(step.to))} `}
      {isChange
        ? say.willCountAlone(amount(between))
        : say.willCount(amount(between), amount(after), amount(between + after))}
    </li>
  );
}

function Rejecting({ steps: [head, ...others] }: { readonly steps: Deciding['steps'] }) {
  const say = useWords(counterWords);
  return (
    <ul className="meters-will">
      <Ignored step={head} isAlone={others.length === 0} />
      {others.length > 0 && <li>{say.willIgnoreOthers(others.length)}</li>}
      <li>{say.willRejectLater}</li>
      <li>{say.willEndAlarm}</li>
    </ul>
  );
}

function Ignored({ step, isAlone }: { readonly step: Step; readonly isAlone: boolean }) {
  const say = useWords(counterWords);
  const { amount, label } = useStepTexts(step);
  return (
    <li>
      {!isAlone && <strong>{label} </strong>}
      {say.willReject(amount(step.from))}
    </li>
  );
}
