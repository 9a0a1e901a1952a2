import { Button, Progress, Segmented, Select } from 'antd';
import { type ReactNode, useState } from 'react';
import { ApiError, errorDetail, errorText } from '../../api.ts';
import { fromField, toField } from '../../field-time.ts';
import { FromTo } from '../../from-to.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { zoneOffset } from '../../kit/series.ts';
import { ErrorState } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import type { Body } from './read-body.ts';
import { RehearsalResult } from './rehearsal-result.tsx';
import { rehearseWords } from './rehearse-words.ts';
import { useRehearsal } from './use-rehearsal.ts';

const day = 86_400_000;
const windows = ['yesterday', '7', '30', 'own'] as const;
type Window = (typeof windows)[number];

interface RehearseProps {
  readonly rule: string;
  /** Saved versions that can be chosen, newest first; none while a draft is written. */
  readonly versions: readonly number[];
  /** The version that runs; the rehearsal is laid beside it. */
  readonly active: number | null;
  /** A draft; null: one of the saved versions. */
  readonly body: Body | null;
}

/** What the rule would have done in a stretch of the past, beside what runs. */
export function Rehearse({ rule, versions, active, body }: RehearseProps) {
  const say = useWords(rehearseWords);
  const [version, setVersion] = useState(versions[0] ?? 0);
  const rehearsal = useRehearsal();
  const { view, error } = rehearsal;
  const of = body ?? version;
  const compares = active !== null && of !== active;
  return (
    <div className="rules-rehearse">
      <p className="kit-soft">
        {say.help} {compares && say.against(String(active))}
      </p>
      <Choice
        isBusy={rehearsal.isStarting || view?.state === 'running'}
        wasDone={view !== undefined}
        onStart={(span) => rehearsal.start({ rule, of, ...span, against: compares ? 'active' : null })}
      >
        {body === null && versions.length > 1 && (
          <Select
            aria-label={say.which}
            value={version}
            onChange={setVersion}
            options={versions.map((one) => ({ value: one, label: say.version(String(one)) }))}
          />
        )}
      </Choice>
      {error !== null && <Failure error={error} />}
      {view?.state === 'running' && (
        <div className="rules-running" role="status">
          <Progress percent={Math.round(view.progress * 100)} aria-label={say.running('')} />
          <Button onClick={() => void rehearsal.stop()}>{say.stop}</Button>
        </div>
      )}
      {view?.state === 'failed' && <ErrorState message={say.failed} detail={view.message} />}
      {view?.state === 'ended' && <p>{say.stopped}</p>}
      {view?.state === 'done' && view.draft !== null && <RehearsalResult view={view} draft={view.draft} />}
    </div>
  );
}

function Failure({ error }: { readonly error: Error }) {
  const say = useWords(rehearseWords);
  const language = useLanguage();
  if (error instanceof ApiError && error.code === 'rehearsal-not-found') return <p>{say.gone}</p>;
  const isBusy = error instanceof ApiError && error.status === 429;
  return <ErrorState message={isBusy ? say.problemBusy : errorText(error, language)} detail={errorDetail(error)} />;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function Choice({
  isBusy,
  wasDone,
  onStart,
  children,
}: {
  readonly isBusy: boolean;
  readonly wasDone: boolean;
  readonly onStart: (span: Span) => void;
  readonly children: ReactNode;
}) {
  const say = useWords(rehearseWords);
  const formats = useFormats();
  const midnight = formats.startOfDay(now());
  const shift = zoneOffset(midnight);
  const [window, setWindow] = useState<Window>('7');
  const [from, setFrom] = useState(toField(midnight - 2 * day, shift));
  const [to, setTo] = useState(toField(midnight, shift));
  const [problem, setProblem] = useState('');
  const spanOf = (): Span | null => {
    if (window === 'yesterday') return { from: midnight - day, to: midnight };
    if (window !== 'own') return { from: midnight - Number(window) * day, to: now() };
    const [first, last] = [fromField(from, shift), fromField(to, shift)];
    return first === null || last === null || first >= last ? null : { from: first, to: last };
  };
  const start = () => {
    const span = spanOf();
    setProblem(span === null ? say.badWindow : '');
    if (span !== null) onStart(span);
  };
  const labels = { yesterday: say.yesterday, '7': say.days('7'), '30': say.days('30'), own: say.own };
  return (
    <div className="rules-choice">
      {children}
      <Segmented<Window>
        aria-label={say.window}
        value={window}
        onChange={setWindow}
        options={windows.map((value) => ({ value, label: labels[value] }))}
      />
      {window === 'own' && (
        <span className="rules-own">
          <FromTo className="rules-field" labels={say} from={from} to={to} onFrom={setFrom} onTo={setTo} />
        </span>
      )}
      <Button type={wasDone ? 'default' : 'primary'} loading={isBusy} data-act="rehearse" onClick={start}>
        {wasDone ? say.again : say.start}
      </Button>
      <span className="kit-form-error" role="alert">
        {problem}
      </span>
    </div>
  );
}
