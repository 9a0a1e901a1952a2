import { lazy, Suspense } from 'react';
import { useAddress } from '../../address.ts';
import { ErrorBoundary, PageSkeleton } from '../../kit/states.tsx';
import { RuleList } from './rule-list.tsx';
import { RulePage } from './rule-page.tsx';
import './rules.css';

/* `#/rules`, `#/rules/<id>`, `#/rules/<id>/edit`, `#/rules/new`, `#/rules/safety`. */

const NewRule = lazy(async () => ({ default: (await import('./new-rule.tsx')).NewRule }));
const EditRule = lazy(async () => ({ default: (await import('./edit-rule.tsx')).EditRule }));
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

function Part({ id, part }: { readonly id: string; readonly part: string }) {
  if (id === '') return <RuleList />;
  if (id === 'safety') return <SafetyPage />;
  if (id === 'new') return <NewRule />;
  if (part === 'edit') return <EditRule key={id} id={id} />;
  return <RulePage key={id} id={id} />;
}
