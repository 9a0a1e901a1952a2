import { useQueries, useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import type { ReactNode } from 'react';
import type { Action } from '#edge/domain/rule.ts';
import { hashOf } from '../../address.ts';
import { api, errorDetail, errorText } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { LevelText } from '../../level.tsx';
import { useCampus } from '../../use-live.tsx';
import { whoText, whyText } from './problem-text.ts';
import { readBody } from './read-body.ts';
import { useMayWrite } from './rights.ts';
import { NowBadges, StateOfRule } from './rule-badges.tsx';
import { check, type RuleView, shownVersion, useRules } from './rules-api.ts';
import { safetyWords } from './safety-words.ts';
import { actionText, endingTexts, onBadTexts, ruleSentence } from './sentence.ts';
import { useVocabulary } from './vocabulary.ts';
import { words } from './words.ts';

/** Every interlock and permissive in plain sentences, for whoever answers for the school. */
export function SafetyPage() {
  const say = useWords(safetyWords);
  const base = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const campus = useCampus();
  const name = useName();
  const rules = useRules();
  const ids = (rules.data?.rules ?? []).filter(({ kind }) => kind === 'safety').map(({ id }) => id);
  const found = useQueries({
    queries: ids.map((id) => ({
      queryKey: ['rules', id],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => api.get<RuleView>(`rules/${id}`, signal),
    })),
  });
  if (rules.isError) {
    const { error } = rules;
    return (
      <ErrorState
        message={errorText(error, language)}
        detail={errorDetail(error)}
        onRetry={() => void rules.refetch()}
      />
    );
  }
  if (rules.isPending || found.some(({ isPending }) => isPending)) return <PageSkeleton />;
  const all = found
    .flatMap(({ data }) => (data === undefined ? [] : [data]))
    .sort((a, b) => Number(b.active !== null) - Number(a.active !== null) || a.priority - b.priority);
  const active = all.filter((rule) => rule.active !== null).length;
  return (
    <div className="rules-safety">
      <p className="rules-back">
        <a href="#/rules">← {base.back}</a>
      </p>
      <PageHeader
        title={say.title}
        about={say.about(name(campus?.name), formats.dateTime(now()))}
        actions={<Button onClick={() => window.print()}>{say.print}</Button>}
      />
      <p className="rules-safety-intro">
        {say.intro} {say.count(String(active), String(all.length))}
      </p>
      {all.length === 0 && <EmptyState title={say.none} />}
      {all.map((rule) => (
        <Sheet key={rule.id} rule={rule} />
      ))}
      {/* On paper only: whoever answers for the school has read it. */}
      <p className="rules-signature">{say.signature}</p>
    </div>
  );
}

function Sheet({ rule }: { readonly rule: RuleView }) {
  const say = useWords(safetyWords);
  const language = useLanguage();
  const formats = useFormats();
  const name = useName();
  const vocabulary = useVocabulary();
  const version = shownVersion(rule);
  if (version === undefined) return null;
  const draft = readBody(version.body);
  const texts = (wanted: (action: Action) => boolean) =>
    draft.then.filter(wanted).map((action) => actionText(action, vocabulary));
  const failing = onBadTexts(draft, vocabulary);
  const outputs = texts(({ kind }) => kind === 'hold' || kind === 'forbid' || kind === 'shed');
  const sounds = texts(({ kind }) => kind === 'broadcast');
  return (
    <section className="kit-panel rules-sheet" data-safety={rule.id}>
      <header>
        <h2>
          <a href={hashOf(`/rules/${rule.id}`)}>{name(rule.name)}</a>
        </h2>
        <span className="rules-badges">
          <StateOfRule state={rule.state} />
          <NowBadges rule={rule} />
        </span>
      </header>
      <p className="rules-sentence-text">{ruleSentence(draft, vocabulary)}</p>
      <dl>
        <Fact title={say.priority}>
          <LevelText level={rule.priority} />
        </Fact>
        {outputs.length > 0 && <Fact title={say.outputs}>{outputs.map(line)}</Fact>}
        {sounds.length > 0 && <Fact title={say.speakers}>{sounds.map(line)}</Fact>}
        <Fact title={say.latch}>
          {draft.latch ? say.latched : say.unlatched}
          {endingTexts({ ...draft, latch: false }, vocabulary).map(line)}
        </Fact>
        {failing.length > 0 && <Fact title={say.onBad}>{failing.map(line)}</Fact>}
        <Fact title={say.tests}>
          <Tests rule={rule} count={draft.tests.length} />
        </Fact>
        <Fact title={say.last}>{rule.lastFired === null ? say.never : formats.dateTime(rule.lastFired)}</Fact>
        <Fact title={say.approved}>
          {rule.active === null
            ? say.notActive
            : say.approvedBy(String(version.version), whoText(version.by, language), formats.dateTime(version.time))}
          {rule.active !== null && version.approved !== null && (
            <span className="rules-line-of">
              {say.second(whoText(version.approved.by, language), formats.dateTime(version.approved.time))}
            </span>
          )}
          {line(whyText(version.why, language))}
          <span className="rules-line-of kit-soft">{say.approvers}</span>
          {rule.proposal !== null && <strong className="rules-line-of">{say.waits}</strong>}
        </Fact>
      </dl>
    </section>
  );
}

const line = (text: string) => (
  <span key={text} className="rules-line-of">
    {text}
  </span>
);

function Fact({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

let last: Promise<unknown> = Promise.resolve();

/** Core tries few rules at a time, and answers others that it is busy. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(work, work);
  last = mine;
  return mine;
}

/** The rule's own tests, run now on the engine that runs the campus; only who may write rules may ask for it. */
function Tests({ rule, count }: { readonly rule: RuleView; readonly count: number }) {
  const say = useWords(safetyWords);
  const formats = useFormats();
  const mayWrite = useMayWrite();
  const version = shownVersion(rule);
  const result = useQuery({
    queryKey: ['rule-tests', rule.id, version?.version],
    queryFn: ({ signal }) => inTurn(async () => ({ ...(await check(version?.body ?? {}, signal)), time: now() })),
    enabled: mayWrite && count > 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (count === 0) return say.noTests;
  if (!mayWrite) return `${count} · ${say.testsWho}`;
  if (result.data === undefined) return result.isError ? errorDetail(result.error) : say.testing;
  const failed = result.data.tests.filter(({ passed }) => !passed);
  if (failed.length === 0) return say.testsPassed(String(count), formats.dateTime(result.data.time));
  return <strong className="kit-form-error">{say.testsFailed(String(failed.length), String(count))}</strong>;
}
