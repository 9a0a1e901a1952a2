import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';
import type { PlanView } from '../../../place-schemas.ts';
import { goTo, useAddress } from '../../address.ts';
import { api, errorDetail, errorText } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useRight } from '../../session.tsx';
import { useCampus, usePoints } from '../../use-live.tsx';
import { plansKey, usePlanActs } from './acts.tsx';
import { mapHash } from './address.ts';
import { MapView } from './map-view.tsx';
import { PlanForm } from './plan-form.tsx';
import { words } from './words.ts';
import './map.css';

/* `/map`, `/map/<plan>?device=<id>`: plans of floors and grounds with what lies on them. */

export function Page() {
  const say = useWords(words);
  const language = useLanguage();
  const { path, query } = useAddress();
  const campus = useCampus();
  const points = usePoints();
  const plans = useQuery({
    queryKey: plansKey,
    queryFn: ({ signal }) => api.get<readonly PlanView[]>('plans', signal),
    staleTime: 30_000,
    refetchInterval: 60_000,
  });
  if (plans.isError && plans.data === undefined) {
    return (
      <ErrorState
        message={errorText(plans.error, language)}
        detail={errorDetail(plans.error)}
        onRetry={() => void plans.refetch()}
      />
    );
  }
  if (campus === undefined || points === undefined || plans.data === undefined) {
    return (
      <>
        <PageHeader title={say.title} />
        <PageSkeleton />
      </>
    );
  }
  const device = query.get('device');
  const wanted = decodeURIComponent(path.split('/')[2] ?? '');
  const plan =
    plans.data.find(({ id }) => id === wanted) ??
    plans.data.find(({ places }) => places.some((place) => place.device === device)) ??
    plans.data[0];
  if (plan === undefined) return <NoPlan />;
  return <MapView key={plan.id} plan={plan} plans={plans.data} campus={campus} points={points} selected={device} />;
}

function NoPlan() {
  const say = useWords(words);
  const mayEdit = useRight('devices');
  const campus = useCampus();
  const acts = usePlanActs();
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <PageHeader title={say.title} about={say.about} />
      <EmptyState
        title={say.noPlan}
        action={
          mayEdit ? (
            <Button type="primary" onClick={() => setAdding(true)}>
              {say.upload}
            </Button>
          ) : undefined
        }
      >
        {mayEdit ? say.noPlanHelp : say.noPlanAsk}
      </EmptyState>
      {isAdding && campus !== undefined && (
        <PlanForm
          plan={null}
          plans={[]}
          campus={campus}
          acts={acts}
          onDone={(id) => goTo(mapHash(id, null, true))}
          onClose={() => setAdding(false)}
        />
      )}
    </>
  );
}
