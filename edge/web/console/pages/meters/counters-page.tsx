import { Button } from 'antd';
import { useState } from 'react';
import { hashOf, useAddress } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { Panel } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { usePointName } from '../../names.ts';
import { usePlan } from '../energy/data.ts';
import { counterWords } from './counter-words.ts';
import { useOpenSteps, useSteps } from './data.ts';
import { DecidedTable } from './decided-table.tsx';
import { StepCard } from './step-card.tsx';
import { type Deciding, StepDialog } from './step-dialog.tsx';
import { groupSteps } from './step-story.ts';

const first = 100;
const most = 500;

/** `#/energy/counters`, `?ref=<device>/<point>`: what waits for a decision, then what was decided. */
export function CountersPage() {
  const say = useWords(counterWords);
  const language = useLanguage();
  const pointName = usePointName();
  const ref = useAddress().query.get('ref') ?? '';
  const [limit, setLimit] = useState(first);
  const [deciding, setDeciding] = useState<Deciding | null>(null);
  const open = useOpenSteps();
  const all = useSteps(ref, limit);
  const hrefOf = useMeterHref();
  if (open.isPending) return <PageSkeleton />;
  if (open.isError) {
    return (
      <ErrorState
        message={errorText(open.error, language)}
        detail={errorDetail(open.error)}
        onRetry={() => void open.refetch()}
      />
    );
  }
  // Who comes for one counter gets its whole story.
  const groups = groupSteps(open.data).filter(
    ({ head, others }) => ref === '' || [head, ...others].some((step) => step.ref === ref),
  );
  const waiting = groups.reduce((sum, { others }) => sum + 1 + others.length, 0);
  const decided = (all.data ?? []).filter(({ state }) => state !== 'open');
  return (
    <div className="meters-counters">
      {ref !== '' && (
        <p className="meters-only">
          {say.onlyOf(pointName(ref))} <a href={hashOf('/energy/counters')}>{say.showAll}</a>
        </p>
      )}
      <h2>{waiting === 0 ? say.open : say.openCount(waiting)}</h2>
      {waiting === 0 ? (
        <div className="kit-panel">
          <EmptyState title={say.noneOpen}>{say.noneOpenHelp}</EmptyState>
        </div>
      ) : (
        groups.map((group) => (
          <StepCard key={group.id} group={group} meterHref={hrefOf(group.head.ref)} onDecide={setDeciding} />
        ))
      )}
      <Panel title={say.decided} className="meters-decided">
        {all.isPending ? (
          <PageSkeleton />
        ) : decided.length === 0 ? (
          <p className="kit-soft meters-well">{say.noneDecided}</p>
        ) : (
          <DecidedTable steps={decided} onDecide={setDeciding} />
        )}
      </Panel>
      {limit < most && all.data?.length === limit && (
        <p>
          <Button onClick={() => setLimit(most)}>{say.more}</Button>
        </p>
      )}
      {deciding !== null && (
        <StepDialog
          key={`${deciding.steps[0].id} ${deciding.verdict}`}
          deciding={deciding}
          onClose={() => setDeciding(null)}
        />
      )}
    </div>
  );
}

/** The page of the meter that counts with a point. */
function useMeterHref(): (ref: string) => string | null {
  const meters = usePlan().data?.meters ?? [];
  return (ref) => {
    const meter = meters.find(({ energy }) => energy === ref);
    return meter === undefined ? null : hashOf(`/energy/meters/${meter.id}`);
  };
}
