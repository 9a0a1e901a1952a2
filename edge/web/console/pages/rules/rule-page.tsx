import { Button, Tabs } from 'antd';
import { lazy, Suspense } from 'react';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { ApiError, errorDetail, errorText } from '../../api.ts';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { LevelText } from '../../level.tsx';
import { FileText } from './file-text.tsx';
import { Journal } from './journal.tsx';
import { LifeBar } from './life-bar.tsx';
import { mistakeSentence } from './mistake-text.ts';
import { Proposal } from './proposal.tsx';
import { readBody } from './read-body.ts';
import { useMayWrite } from './rights.ts';
import { KindBadge, NowBadges, StateOfRule } from './rule-badges.tsx';
import { type RuleView, shownVersion, useRule } from './rules-api.ts';
import { endingTexts, onBadTexts, ruleSentence } from './sentence.ts';
import { Versions } from './versions.tsx';
import { useVocabulary } from './vocabulary.ts';
import { WhyNow } from './why-now.tsx';
import { words } from './words.ts';

const Rehearse = lazy(async () => ({ default: (await import('./rehearse.tsx')).Rehearse }));

export function RulePage({ id }: { readonly id: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const rule = useRule(id);
  if (rule.data !== undefined) return <OneRule rule={rule.data} />;
  if (rule.isPending) return <PageSkeleton />;
  const { error } = rule;
  if (error instanceof ApiError && (error.status === 404 || error.status === 400)) {
    return (
      <EmptyState title={say.missing} action={<a href="#/rules">{say.back}</a>}>
        {say.missingHelp}
      </EmptyState>
    );
  }
  return (
    <ErrorState message={errorText(error, language)} detail={errorDetail(error)} onRetry={() => void rule.refetch()} />
  );
}

function OneRule({ rule }: { readonly rule: RuleView }) {
  const say = useWords(words);
  const name = useName();
  const mayWrite = useMayWrite();
  return (
    <div className="rules-page" data-rule-page={rule.id} data-state={rule.state}>
      <p className="rules-back">
        <a href="#/rules">← {say.back}</a>
      </p>
      <PageHeader
        title={name(rule.name)}
        about={
          <span className="rules-badges">
            <KindBadge kind={rule.kind} />
            <StateOfRule state={rule.state} />
            <span className="kit-soft">
              {say.priority} <LevelText level={rule.priority} />
            </span>
            {rule.active !== null && <span className="kit-soft">{say.version(String(rule.active))}</span>}
            <NowBadges rule={rule} />
          </span>
        }
        actions={
          mayWrite ? (
            <>
              <Button href={hashOf(`/rules/${rule.id}/edit`)}>{say.edit}</Button>
              <LifeBar rule={rule} />
            </>
          ) : undefined
        }
      />
      {rule.proposal !== null && <Proposal rule={rule} proposal={rule.proposal} />}
      {rule.hasDraft && rule.proposal === null && mayWrite && (
        <p className="kit-banner">{say.latestWaits(String(rule.latest))}</p>
      )}
      <Sentence rule={rule} />
      <RuleTabs rule={rule} mayWrite={mayWrite} />
    </div>
  );
}

/** What the rule says, how it ends, what broken sensors mean; and what is wrong with it here. */
function Sentence({ rule }: { readonly rule: RuleView }) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const vocabulary = useVocabulary();
  const version = shownVersion(rule);
  if (version === undefined) return null;
  const draft = readBody(version.body);
  const about = name(rule.about);
  return (
    <Panel title={say.sentence} className="rules-sentence">
      <p className="rules-sentence-text">{ruleSentence(draft, vocabulary)}</p>
      <ul className="rules-notes kit-soft">
        {[...endingTexts(draft, vocabulary), ...onBadTexts(draft, vocabulary), ...(about === '' ? [] : [about])].map(
          (note) => (
            <li key={note}>{note}</li>
          ),
        )}
      </ul>
      {rule.problems.length > 0 && (
        <ul className="rules-problems">
          {rule.problems.slice(0, 10).map((problem) => (
            <li key={problem} title={problem}>
              {mistakeSentence(problem, language)}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

const tabs = ['now', 'journal', 'versions', 'rehearse', 'file'] as const;

function RuleTabs({ rule, mayWrite }: { readonly rule: RuleView; readonly mayWrite: boolean }) {
  const say = useWords(words);
  const { query } = useAddress();
  const tab = tabs.find((one) => one === query.get('tab')) ?? 'now';
  const latest = rule.versions[0];
  return (
    <Tabs
      activeKey={tab}
      destroyOnHidden
      onChange={(key) => goTo(hashOf(`/rules/${rule.id}`, { tab: key === 'now' ? '' : key }), 'replace')}
      items={[
        { key: 'now', label: say.tabNow, children: <WhyNow rule={rule} /> },
        { key: 'journal', label: say.tabJournal, children: <Journal rule={rule} /> },
        { key: 'versions', label: say.tabVersions(String(rule.versions.length)), children: <Versions rule={rule} /> },
        ...(mayWrite && latest !== undefined
          ? [
              {
                key: 'rehearse',
                label: say.tabRehearse,
                children: (
                  <Suspense fallback={<PageSkeleton />}>
                    <Rehearse
                      rule={rule.id}
                      versions={rule.versions.map(({ version }) => version)}
                      active={rule.active}
                      body={null}
                    />
                  </Suspense>
                ),
              },
            ]
          : []),
        { key: 'file', label: say.tabText, children: <FileText body={shownVersion(rule)?.body ?? {}} /> },
      ]}
    />
  );
}
