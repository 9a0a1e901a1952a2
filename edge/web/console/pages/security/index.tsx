import { useQuery } from '@tanstack/react-query';
import { Button, Segmented } from 'antd';
import type { SecurityView } from '../../../system-schemas.ts';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { api, errorDetail, errorText } from '../../api.ts';
import { type Tone, ToneBadge } from '../../kit/badges.tsx';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { words } from './words.ts';
import './security.css';

type ControlPoint = SecurityView['points'][number];
type State = ControlPoint['state'];

const states: readonly State[] = ['met', 'partly', 'not-met', 'outside'];
const stateWords = { met: 'met', partly: 'partly', 'not-met': 'unmet', outside: 'outside' } as const;
const stateTones: Readonly<Record<State, Tone>> = { met: 'good', partly: 'wait', 'not-met': 'bad', outside: 'plain' };

export function Page() {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const name = useName();
  const { query } = useAddress();
  const view = useQuery({
    queryKey: ['security'],
    queryFn: ({ signal }) => api.get<SecurityView>('security', signal),
  });
  if (view.isPending) return <PageSkeleton />;
  if (view.isError) {
    return (
      <ErrorState
        message={errorText(view.error, language)}
        detail={errorDetail(view.error)}
        onRetry={() => void view.refetch()}
      />
    );
  }
  const isOnlyOpen = query.get('show') === 'open';
  const { checked, notice, points } = view.data;
  const shown = isOnlyOpen ? points.filter(({ state }) => state === 'not-met' || state === 'partly') : points;
  return (
    <div className="security">
      <PageHeader
        title={say.title}
        about={say.about}
        actions={
          <>
            <Button onClick={() => void view.refetch()} loading={view.isFetching}>
              {say.again}
            </Button>
            <Button onClick={() => window.print()}>{say.print}</Button>
          </>
        }
      />
      <Summary points={points} checked={formats.dateTime(checked)} />
      <p className="security-notice kit-soft">{name(notice)}</p>
      <div className="security-choice">
        <Segmented
          value={isOnlyOpen ? 'open' : 'all'}
          aria-label={say.show}
          onChange={(show) => goTo(hashOf('/security', { show: show === 'open' ? show : '' }), 'replace')}
          options={[
            { value: 'all', label: say.all },
            { value: 'open', label: say.only },
          ]}
        />
      </div>
      {shown.length === 0 && <EmptyState title={say.none}>{say.noneHelp}</EmptyState>}
      <div className="security-groups">
        <Groups points={shown} />
      </div>
    </div>
  );
}

function Summary({ points, checked }: { readonly points: readonly ControlPoint[]; readonly checked: string }) {
  const say = useWords(words);
  return (
    <section className="kit-panel security-summary" aria-label={say.summary}>
      {states.map((state) => (
        <div key={state} data-state={state}>
          <span className="security-count">{points.filter((point) => point.state === state).length}</span>
          <ToneBadge tone={stateTones[state]}>{say[stateWords[state]]}</ToneBadge>
        </div>
      ))}
      <p className="kit-soft">
        {say.checked} {checked}
      </p>
    </section>
  );
}

function Groups({ points }: { readonly points: readonly ControlPoint[] }) {
  const name = useName();
  const groups = Map.groupBy(points, ({ group }) => group.en);
  return [...groups.values()].map((members) => (
    <Panel key={members[0]?.group.en} title={name(members[0]?.group)} className="security-group">
      <ul>
        {members.map((point) => (
          <PointLine key={point.id} point={point} />
        ))}
      </ul>
    </Panel>
  ));
}

function PointLine({ point }: { readonly point: ControlPoint }) {
  const say = useWords(words);
  const name = useName();
  const { id, title, state, evidence, next } = point;
  return (
    <li data-control={id} data-state={state}>
      <div className="security-head">
        <h3>{name(title)}</h3>
        <ToneBadge tone={stateTones[state]}>{say[stateWords[state]]}</ToneBadge>
      </div>
      <dl>
        <div>
          <dt>{say.evidence}</dt>
          <dd>{name(evidence)}</dd>
        </div>
        {name(next) !== '' && (
          <div>
            <dt>{say.next}</dt>
            <dd>{name(next)}</dd>
          </div>
        )}
      </dl>
    </li>
  );
}
