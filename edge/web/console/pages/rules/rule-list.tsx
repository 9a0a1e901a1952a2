import { Button, Input, Select } from 'antd';
import { useMemo } from 'react';
import { ruleKinds } from '#edge/domain/rule.ts';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { ToneBadge } from '../../kit/badges.tsx';
import { PageHeader } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useRestHeight } from '../../kit/rest-height.ts';
import { useShortcut } from '../../kit/shortcuts.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { VirtualList } from '../../kit/virtual-list.tsx';
import { readBody } from './read-body.ts';
import { useMayWrite } from './rights.ts';
import { KindBadge, NowBadges, StateOfRule } from './rule-badges.tsx';
import { type RuleSummary, shownVersion, useRule, useRules } from './rules-api.ts';
import { ruleSentence } from './sentence.ts';
import { sentenceWords } from './sentence-words.ts';
import { useVocabulary, type Vocabulary } from './vocabulary.ts';
import { words } from './words.ts';

/** One rule in the list, px. */
const deskRow = 78;
const phoneRow = 136;
const states = ['draft', 'shadow', 'active', 'off'] as const;

/** Every rule: what it is for, how far it is, and what it does now. The filter is in the address. */
export function RuleList() {
  const say = useWords(words);
  const language = useLanguage();
  const rules = useRules();
  const mayWrite = useMayWrite();
  if (rules.isPending) return <PageSkeleton />;
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
  const { rules: all, broken } = rules.data;
  const active = all.filter(({ state }) => state === 'active').length;
  return (
    <>
      <PageHeader
        title={say.title}
        about={say.about(String(all.length), String(active))}
        actions={
          <>
            <a className="kit-button" href="#/rules/safety">
              {say.safetyPage}
            </a>
            {mayWrite && (
              <Button type="primary" href="#/rules/new">
                {say.new}
              </Button>
            )}
          </>
        }
      />
      {broken.length > 0 && (
        <div className="kit-banner" role="status">
          <div>
            {say.broken(String(broken.length))}
            <ul className="rules-broken">
              {broken.slice(0, 10).map(({ file, message }) => (
                <li key={file}>
                  <code>{file}</code> {message}
                </li>
              ))}
            </ul>
          </div>
        </div>
      )}
      {all.length === 0 ? <EmptyState title={say.none}>{say.noneHelp}</EmptyState> : <Filtered all={all} />}
    </>
  );
}

const urgency = ({ proposal, fired, blind, problems }: RuleSummary) =>
  (fired > 0 ? 8 : 0) + (proposal !== null ? 4 : 0) + (blind > 0 || problems.length > 0 ? 2 : 0);

function Filtered({ all }: { readonly all: readonly RuleSummary[] }) {
  const say = useWords(words);
  const kindWords = useWords(sentenceWords);
  const name = useName();
  const vocabulary = useVocabulary();
  const { query } = useAddress();
  const [kind, state, text] = ['kind', 'state', 'q'].map((key) => query.get(key) ?? '') as [string, string, string];
  const [place, height] = useRestHeight(320);
  const row = useMedia(phoneQuery) ? phoneRow : deskRow;
  const shown = useMemo(() => {
    const wanted = text.trim().toLowerCase();
    const fits = (rule: RuleSummary) =>
      (kind === '' || rule.kind === kind) &&
      (state === '' || rule.state === state) &&
      (wanted === '' || `${rule.id} ${rule.name.zh} ${rule.name.en}`.toLowerCase().includes(wanted));
    return all
      .filter(fits)
      .sort((a, b) => urgency(b) - urgency(a) || a.priority - b.priority || (a.id < b.id ? -1 : 1));
  }, [all, kind, state, text]);
  const change = (parts: Readonly<Record<string, string>>) =>
    goTo(hashOf('/rules', { kind, state, q: text, ...parts }), 'replace');
  useShortcut('/', say.search, () => document.getElementById('rules-search')?.focus());
  return (
    <>
      <div className="rules-filter">
        <Input
          id="rules-search"
          type="search"
          allowClear
          aria-label={say.search}
          placeholder={say.searchHint}
          value={text}
          onChange={(event) => change({ q: event.target.value })}
        />
        <Select
          aria-label={say.kind}
          value={kind}
          onChange={(value) => change({ kind: value })}
          options={[
            { value: '', label: say.anyKind },
            ...ruleKinds.map((one) => ({ value: one as string, label: kindWords[`kind:${one}`] })),
          ]}
        />
        <Select
          aria-label={say.state}
          value={state}
          onChange={(value) => change({ state: value })}
          options={[
            { value: '', label: say.anyState },
            ...states.map((one) => ({ value: one as string, label: say[`state:${one}`] })),
          ]}
        />
      </div>
      <div ref={place} className="kit-panel rules-list">
        {shown.length === 0 ? (
          <EmptyState
            title={say.noMatch}
            action={<Button onClick={() => change({ kind: '', state: '', q: '' })}>{say.clear}</Button>}
          />
        ) : (
          <VirtualList
            items={shown}
            rowHeight={row}
            height={Math.min(height, shown.length * row + 2)}
            keyOf={({ id }) => id}
            label={say.list}
            render={(rule) => <Row rule={rule} name={name(rule.name)} vocabulary={vocabulary} />}
          />
        )}
      </div>
    </>
  );
}

function Row({
  rule,
  name,
  vocabulary,
}: {
  readonly rule: RuleSummary;
  readonly name: string;
  readonly vocabulary: Vocabulary;
}) {
  const say = useWords(words);
  const nameOf = useName();
  const about = nameOf(rule.about);
  return (
    <article className="rules-row" data-rule={rule.id} data-state={rule.state} data-kind={rule.kind}>
      <div className="rules-row-head">
        <a className="rules-row-name" href={hashOf(`/rules/${rule.id}`)}>
          {name}
        </a>
        <KindBadge kind={rule.kind} />
        <StateOfRule state={rule.state} />
        <NowBadges rule={rule} />
        {rule.hasDraft && rule.state !== 'draft' && rule.proposal === null && (
          <ToneBadge tone="plain">{say.hasDraft}</ToneBadge>
        )}
      </div>
      <p className="rules-row-text">{about === '' ? <Read id={rule.id} vocabulary={vocabulary} /> : about}</p>
      <p className="rules-row-last kit-soft">
        {rule.lastFired === null ? (
          say.never
        ) : (
          <>
            {say.lastFired} <Age time={rule.lastFired} />
            {rule.firedToday > 0 && ` · ${say.todayTimes(String(rule.firedToday))}`}
          </>
        )}
      </p>
    </article>
  );
}

/** A rule that does not say what it is for reads as what it does: its body is fetched when it comes into sight. */
function Read({ id, vocabulary }: { readonly id: string; readonly vocabulary: Vocabulary }) {
  const rule = useRule(id, false).data;
  const version = rule === undefined ? undefined : shownVersion(rule);
  return version === undefined ? null : ruleSentence(readBody(version.body), vocabulary);
}
