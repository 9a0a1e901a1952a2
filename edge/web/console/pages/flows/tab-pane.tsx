import type { ReactNode } from 'react';
import { ToneBadge } from '../../kit/badges.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { budgetWhy } from './flow-words.ts';
import { type FlowTab, stateTones } from './index.tsx';
import { Versions } from './versions.tsx';
import { words } from './words.ts';

/** One flow: whether it runs, what it takes, and what it was. */
export function TabPane({ tab }: { readonly tab: FlowTab }) {
  const say = useWords(words);
  const formats = useFormats();
  return (
    <article className="kit-panel flows-pane" data-flow={tab.id} aria-label={tab.label || tab.id}>
      <header className="flows-pane-head">
        <h2>{tab.label || tab.id}</h2>
        <ToneBadge tone={stateTones[tab.state]}>{say[`state:${tab.state}`]}</ToneBadge>
      </header>
      <p className="flows-state" data-state={tab.state}>
        {say[`stateHelp:${tab.state}`]}
      </p>
      <p className="kit-soft">
        {tab.kind === 'tab' ? say.tab : say.subflow} · {say.nodes(tab.nodes)}
        {tab.locked && ` · ${say.locked}`} · <code>{tab.file}</code>
      </p>
      {tab.ended !== null && (
        <section className="flows-part flows-ended">
          <h3>{say.ended}</h3>
          <p>
            {say.endedHelp(
              tab.ended.name || tab.ended.node,
              tab.ended.times.map((time) => formats.dateTime(time)).join(', '),
            )}
          </p>
        </section>
      )}
      {tab.budget !== null && <Budget budget={tab.budget} />}
      <Versions tab={tab} />
    </article>
  );
}

function Budget({ budget }: { readonly budget: NonNullable<FlowTab['budget']> }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const { offender, why } = budget;
  const isWithin = budget.state === 'within';
  return (
    <section className="flows-part">
      <h3>{say.budget}</h3>
      <dl className="flows-figures">
        <Figure name={say.messages}>{say.perSecond(formats.number(budget.messages, 1))}</Figure>
        <Figure name={say.cpu}>{say.ofCore(formats.percent(budget.cpu))}</Figure>
        <Figure name={say.requests}>{say.perMinute(formats.number(budget.requests, 1))}</Figure>
        {budget.refused > 0 && <Figure name={say.refused}>{say.times(budget.refused)}</Figure>}
      </dl>
      {!isWithin && (
        <p className="flows-offender">
          <strong>{budgetWhy(why, language)}</strong>
          {offender !== null && (
            <span>
              {say.offender}: {say.nodeOf(offender.name || offender.node, offender.type)}
            </span>
          )}
        </p>
      )}
    </section>
  );
}

function Figure({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="kit-number">{children}</dd>
    </div>
  );
}
