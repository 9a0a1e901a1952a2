import { lazy, Suspense } from 'react';
import { useAddress } from '../../address.ts';
import { ErrorBoundary, PageSkeleton } from '../../kit/states.tsx';
import { RuleList } from './rule-list.tsx';
import { RulePage } from './rule-page.tsx';
import './rules.css';

/* `#/rules`, `#/rules/<id>`, `#/rules/<id>/edit`, `#/rules/new`, `#/rules/safety`. */

const SafetyPage = lazy(async () => ({ default: (await import('./safety-page.tsx')).SafetyPage }));

export function Page() {
  const { path } = useAddress();
  const [, , id = '', part = ''] = path.split('/').map(decodeURIComponent);
  return (
    <ErrorBoundary name={path}>
      <Suspense fallback={<PageSkeleton />}>
        <Part id={id} part={part} />
      </Suspense>
    </ErrorBoundary>
  );
}

function Part({ id }: { readonly id: string; readonly part: string }) {
  if (id === '') return <RuleList />;
  if (id === 'safety') return <SafetyPage />;
  return <RulePage key={id} id={id} />;
}
