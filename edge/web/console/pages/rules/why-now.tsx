import { Select } from 'antd';
import { useState } from 'react';
import { errorDetail, errorText } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { ToneBadge } from '../../kit/badges.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { valueText } from '../../kit/values.ts';
import { JournalLine } from './journal-line.tsx';
import { placeText } from './place-text.ts';
import { type Draft, readBody } from './read-body.ts';
import { type InstanceView, type RuleView, useWhy, type WhyView } from './rules-api.ts';
import { useVocabulary, type Vocabulary } from './vocabulary.ts';
import { ConditionTree } from './why-tree.tsx';
import { words } from './words.ts';

/** What the rule sees now: above all why it is not fired. */
export function WhyNow({ rule }: { readonly rule: RuleView }) {
  const say = useWords(words);
  const [chosen, choose] = useState<string | null>(null);
  const { now: instances, active } = rule;
  const instance = instances.find((one) => one.instance === chosen) ?? instances[0];
  const why = useWhy(rule.id, active === null ? null : (instance?.instance ?? null));
  const vocabulary = useVocabulary();
  const language = useLanguage();
  if (active === null) return <EmptyState title={say.notRunning} />;
  if (instance === undefined) return <EmptyState title={say.noInstances} />;
  const body = rule.versions.find(({ version }) => version === active)?.body;
  return (
    <div className="rules-now">
      {instances.length > 1 && (
        <Instances rule={rule} value={instance.instance} onChange={choose} vocabulary={vocabulary} />
      )}
      {why.data !== undefined ? (
        <Why view={why.data} draft={readBody(body ?? {})} vocabulary={vocabulary} />
      ) : why.isError ? (
        <ErrorState
          message={`${say.whyAway} · ${errorText(why.error, language)}`}
          detail={errorDetail(why.error)}
          onRetry={() => void why.refetch()}
        />
      ) : (
        <PageSkeleton />
      )}
    </div>
  );
}

function Instances({
  rule,
  value,
  onChange,
  vocabulary,
}: {
  readonly rule: RuleView;
  readonly value: string;
  readonly onChange: (instance: string) => void;
  readonly vocabulary: Vocabulary;
}) {
  const say = useWords(words);
  const fired = rule.now.filter((one) => one.fired).length;
  const label = (one: InstanceView) =>
    [placeText(one.instance, vocabulary), one.fired ? say.instanceFired : '', one.blind ? say.instanceBlind : '']
      .filter((text) => text !== '')
      .join(' · ');
  return (
    <p className="rules-instances">
      <label htmlFor="rules-instance">{say.place}</label>
      <Select
        id="rules-instance"
        showSearch={{ optionFilterProp: 'label' }}
        value={value}
        onChange={onChange}
        options={rule.now.map((one) => ({ value: one.instance, label: label(one) }))}
      />
      <span className="kit-soft">{say.instances(String(rule.now.length), String(fired))}</span>
    </p>
  );
}

function Why({
  view,
  draft,
  vocabulary,
}: {
  readonly view: WhyView;
  readonly draft: Draft;
  readonly vocabulary: Vocabulary;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const { instance, when, while: whiles, holds, last } = view;
  return (
    <>
      <Panel
        title={instance.fired ? say.whyFired : say.whyNot}
        extra={
          <span className="rules-badges">
            {instance.fired ? (
              <ToneBadge tone="wait">{say.firedSince}</ToneBadge>
            ) : (
              <ToneBadge tone="plain">{say.notFired}</ToneBadge>
            )}
            {instance.since !== null && <Age time={instance.since} className="kit-soft" />}
          </span>
        }
      >
        {instance.blind && <p className="kit-banner">{say.blindHelp}</p>}
        {instance.coolsUntil !== null && instance.coolsUntil > now() && (
          <p className="kit-banner">{say.cools(formats.clock(instance.coolsUntil))}</p>
        )}
        <ul className="rules-tree">
          <ConditionTree condition={when} draft={draft} vocabulary={vocabulary} />
        </ul>
        {whiles.length > 0 && (
          <>
            <h3>{say.also}</h3>
            <ul className="rules-tree">
              {whiles.map((one) => (
                <ConditionTree key={one.path} condition={one} draft={draft} vocabulary={vocabulary} />
              ))}
            </ul>
          </>
        )}
      </Panel>
      <Panel title={say.holdsNow}>
        {holds.length === 0 ? (
          <p className="kit-soft rules-plain">{say.holdsNothing}</p>
        ) : (
          <ul className="rules-holds">
            {holds.map(({ ref, value }) => (
              <li key={ref} className="rules-chip-plain">
                {vocabulary.pointName(ref)}{' '}
                <strong>
                  {valueText(value, vocabulary.point(ref)?.unit ?? '', ref.split('/')[1] ?? '', vocabulary.language)}
                </strong>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      {last !== null && (
        <Panel title={say.lastDecision}>
          <JournalLine line={last} vocabulary={vocabulary} />
        </Panel>
      )}
    </>
  );
}
