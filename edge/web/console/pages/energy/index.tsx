import { lazy, Suspense } from 'react';
import { useAddress } from '../../address.ts';
import { ErrorBoundary, PageSkeleton } from '../../kit/states.tsx';
import { Overview } from './overview.tsx';
import './energy.css';

/* `#/energy`: how things stand; `#/energy/report?kind=month&date=2026-11-01`: one period in all its figures. */

const Report = lazy(async () => ({ default: (await import('./report.tsx')).Report }));

export function Page() {
  const { path } = useAddress();
  return (
    <ErrorBoundary name={path}>
      <Suspense fallback={<PageSkeleton />}>{path === '/energy/report' ? <Report /> : <Overview />}</Suspense>
    </ErrorBoundary>
  );
}
