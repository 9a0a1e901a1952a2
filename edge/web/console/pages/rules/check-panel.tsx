import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { errorDetail } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { editorWords } from './editor-words.ts';
import { mistakeSentence } from './mistake-text.ts';
import type { Body } from './read-body.ts';
import { type CheckView, check } from './rules-api.ts';

/** Typing is over when nothing came for so long, ms. */
const pause = 600;

/** What the server says of a draft, asked again when the writer pauses; the last answer stays until then. */
export function useCheck(body: Body) {
  const text = JSON.stringify(body);
  const [settled, settle] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => settle(text), pause);
    return () => clearTimeout(timer);
  }, [text]);
  const { data, error, isFetching } = useQuery({
    queryKey: ['rule-check', settled],
    queryFn: ({ signal }) => check(JSON.parse(settled) as Body, signal),
    placeholderData: (before) => before,
    staleTime: 60_000,
    retry: 1,
  });
  return { view: data, error, isChecking: isFetching || settled !== text };
}

/** Whether the draft can be used: mistakes, what to mind, where it would run, and its tests. */
export function CheckPanel({
  view,
  error,
  isChecking,
}: {
  readonly view: CheckView | undefined;
  readonly error: Error | null;
  readonly isChecking: boolean;
}) {
  const say = useWords(editorWords);
  const language = useLanguage();
  const name = useName();
  if (view === undefined) {
    return <p className="kit-soft">{error === null ? say.checking : `${say.checkAway} (${errorDetail(error)})`}</p>;
  }
  const { mistakes, problems, instances, tests } = view;
  return (
    <div className="rules-check" aria-live="polite" data-mistakes={mistakes.length} data-checking={isChecking}>
      <p>
        {mistakes.length === 0 ? (
          <ToneBadge tone="good">{say.fine}</ToneBadge>
        ) : (
          <ToneBadge tone="bad">{say.mistakes(String(mistakes.length))}</ToneBadge>
        )}{' '}
        {mistakes.length === 0 && <span className="kit-soft">{say.runsAt(String(instances.length))}</span>}{' '}
        {isChecking && <span className="kit-soft">{say.checking}</span>}
      </p>
      {problems.length > 0 && (
        <>
          <h3>{say.problems}</h3>
          <ul className="rules-problems">
            {problems.map((problem) => (
              <li key={problem} title={problem}>
                {mistakeSentence(problem, language)}
              </li>
            ))}
          </ul>
        </>
      )}
      {tests.length > 0 && (
        <>
          <h3>{say.tests}</h3>
          <ul className="rules-tests">
            {tests.map((test) => (
              <li key={test.name.en} data-passed={test.passed}>
                <ToneBadge tone={test.passed ? 'good' : 'bad'}>{test.passed ? say.passed : say.failed}</ToneBadge>{' '}
                {name(test.name)}
                {!test.passed && <span className="kit-soft"> · {test.detail}</span>}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
