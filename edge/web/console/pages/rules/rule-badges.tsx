import { ToneBadge } from '../../kit/badges.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useWords } from '../../kit/language.tsx';
import type { RuleSummary } from './rules-api.ts';
import { sentenceWords } from './sentence-words.ts';
import { words } from './words.ts';

const tones = { draft: 'plain', shadow: 'wait', active: 'good', off: 'plain' } as const;

export function StateOfRule({ state }: { readonly state: RuleSummary['state'] }) {
  const say = useWords(words);
  return <ToneBadge tone={tones[state]}>{say[`state:${state}`]}</ToneBadge>;
}

export function KindBadge({ kind }: { readonly kind: RuleSummary['kind'] }) {
  const say = useWords(sentenceWords);
  return <span className={`kit-badge rules-kind rules-kind-${kind}`}>{say[`kind:${kind}`]}</span>;
}

/** What must be seen at once: fired, blind, waiting for somebody, wrong. */
export function NowBadges({ rule }: { readonly rule: RuleSummary }) {
  const say = useWords(words);
  const { fired, blind, instances, proposal, problems, state, shadow } = rule;
  const places = (one: string, many: (count: string) => string, count: number) =>
    instances > 1 ? many(String(count)) : one;
  return (
    <>
      {fired > 0 && (
        <span className="kit-badge kit-class-high" data-fired={fired}>
          <SignIcon sign="triangle" />
          {places(say.firedNow, say.firedPlaces, fired)}
        </span>
      )}
      {blind > 0 && <ToneBadge tone="bad">{places(say.blind, say.blindPlaces, blind)}</ToneBadge>}
      {state === 'active' && shadow !== null && <ToneBadge tone="wait">{say.shadowOf(String(shadow))}</ToneBadge>}
      {proposal !== null && <ToneBadge tone="wait">{say.waits}</ToneBadge>}
      {problems.length > 0 && (
        <ToneBadge tone="bad" title={problems.join('\n')}>
          {say.problem}
        </ToneBadge>
      )}
    </>
  );
}
