import { lazy, type ReactNode, Suspense } from 'react';
import { hashOf, useAddress } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { useRight } from '../../session.tsx';
import { useCampus, usePoints } from '../../use-live.tsx';
import { NowView } from './now.tsx';
import { rowsOf } from './rows.ts';
import { useDateOf, usePowerNow, useWeeks } from './use-power.ts';
import { WeekView } from './week.tsx';
import { words } from './words.ts';
import './power.css';

/*
 * `#/power` now, `#/power/at/<device>/<point>` one circuit and why, `#/power/week` the grid, `#/power/draft` the entries,
 * `#/power/edit/<entry>` the form (`new`: a new one). The filter is in the address.
 */

const Draft = lazy(async () => ({ default: (await import('./draft.tsx')).Draft }));
const Edit = lazy(async () => ({ default: (await import('./edit.tsx')).Edit }));

export function Page() {
  const say = useWords(words);
  const { path } = useAddress();
  const [, , view = '', id = ''] = path.split('/').map(decodeURIComponent);
  const mayEdit = useRight('school');
  if (view === 'edit' && id !== '')
    return (
      <Suspense fallback={<PageSkeleton />}>
        <Edit key={id} id={id} />
      </Suspense>
    );
  const tabs = [
    ['', say.viewNow],
    ['week', say.viewWeek],
    ...(mayEdit ? [['draft', say.viewDraft] as const] : []),
  ] as const;
  const current = tabs.find(([key]) => key !== '' && key === view)?.[0] ?? '';
  const bar = (
    <nav className="power-tabs" aria-label={say.views}>
      {tabs.map(([key, label]) => (
        <a
          key={key}
          href={hashOf(key === '' ? '/power' : `/power/${key}`)}
          aria-current={key === current ? 'page' : undefined}
        >
          {label}
        </a>
      ))}
    </nav>
  );
  if (current === 'week') return <WeekView tabs={bar} />;
  if (current === 'draft')
    return (
      <Suspense fallback={<PageSkeleton />}>
        <Draft tabs={bar} />
      </Suspense>
    );
  return <Now tabs={bar} />;
}

function Now({ tabs }: { readonly tabs: ReactNode }) {
  const say = useWords(words);
  const language = useLanguage();
  const campus = useCampus();
  const points = usePoints();
  const power = usePowerNow();
  const today = useDateOf()(now());
  const signed = useWeeks('signed', today, today, power.data?.circuits === null);
  if (power.isError && power.data === undefined)
    return (
      <>
        <PageHeader title={say.title} actions={tabs} />
        <ErrorState
          message={errorText(power.error, language)}
          detail={errorDetail(power.error)}
          onRetry={() => void power.refetch()}
        />
      </>
    );
  if (campus === undefined || points === undefined || power.data === undefined) return <PageSkeleton />;
  const { circuits } = power.data;
  // While the clock is doubted nothing is decided; what is signed is known all the same.
  const rows = rowsOf(campus, points, circuits ?? signed.data?.circuits ?? [], language);
  const planned = rows.filter(({ entry }) => entry !== null);
  const on = planned.filter(({ circuit }) => circuit?.decision.on).length;
  return (
    <div className="power">
      <PageHeader title={say.title} about={say.about(planned.length, on)} actions={tabs} />
      {power.isError && <Notice>{say.old}</Notice>}
      {circuits === null && (
        <Notice>
          {say.paused} <a href="#/system">{say.pausedLink}</a>
        </Notice>
      )}
      {circuits !== null && circuits.length === 0 && <NothingSigned />}
      <NowView campus={campus} rows={rows} />
    </div>
  );
}

function Notice({ children }: { readonly children: ReactNode }) {
  return (
    <p className="power-notice" role="status">
      <SignIcon sign="triangle" size={14} /> <span>{children}</span>
    </p>
  );
}

function NothingSigned() {
  const say = useWords(words);
  const mayEdit = useRight('school');
  return (
    <div className="kit-panel power-none">
      <EmptyState
        title={say.nothingSigned}
        action={
          mayEdit ? (
            <p className="power-links">
              <a href="#/power/draft">{say.toDraft}</a> <a href="#/school-day">{say.toSign}</a>
            </p>
          ) : undefined
        }
      >
        {say.nothingSignedHelp}
      </EmptyState>
    </div>
  );
}
