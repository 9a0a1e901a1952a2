import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { Router } from 'wouter';
import { useHashLocation } from 'wouter/use-hash-location';
import { ApiError, api, type CampusView, errorDetail, errorText, type HealthView } from './api.ts';
import { KitProvider } from './kit/kit.tsx';
import { useLanguage, useWords } from './kit/language.tsx';
import { giveNonceToStyles, nonceOfPage } from './kit/nonce.ts';
import { EmptyState, ErrorBoundary, ErrorState, PageSkeleton } from './kit/states.tsx';
import { SignInPage } from './pages/sign-in/index.tsx';
import { SessionProvider, useMe } from './session.tsx';
import { frameWords } from './words.ts';

/* Who is there decides what is shown: the first start, the sign-in, a new password, or the campus. */

const nonce = nonceOfPage();
if (nonce !== undefined) giveNonceToStyles(nonce);
const SetupPage = lazy(async () => ({ default: (await import('./pages/setup/index.tsx')).SetupPage }));
const PasswordPage = lazy(async () => ({ default: (await import('./pages/password/index.tsx')).PasswordPage }));
const Shell = lazy(async () => ({ default: (await import('./shell.tsx')).Shell }));

export function App() {
  const [timeZone, setTimeZone] = useState<string>();
  return (
    <KitProvider nonce={nonce} timeZone={timeZone}>
      <ErrorBoundary name="app">
        <Router hook={useHashLocation}>
          <Gate onCampus={(campus) => setTimeZone(campus.timeZone)} />
        </Router>
      </ErrorBoundary>
    </KitProvider>
  );
}

function Gate({ onCampus }: { readonly onCampus: (campus: CampusView) => void }) {
  const me = useMe();
  const language = useLanguage();
  if (me.data === undefined) {
    if (me.error === null) return null;
    if (me.error instanceof ApiError && me.error.status === 404) return <BrokenSite />;
    return (
      <ErrorState
        message={errorText(me.error, language)}
        detail={errorDetail(me.error)}
        onRetry={() => void me.refetch()}
      />
    );
  }
  switch (me.data.state) {
    case 'setup':
      return (
        <Suspense fallback={<PageSkeleton />}>
          <SetupPage />
        </Suspense>
      );
    case 'signed-out':
      return <SignInPage campus={me.data.campus} oidc={me.data.oidc} />;
    case 'signed-in':
      return (
        <SessionProvider me={me.data}>
          <Suspense fallback={<PageSkeleton />}>
            {me.data.mustChangePassword ? <PasswordPage /> : <Shell onCampus={onCampus} />}
          </Suspense>
        </SessionProvider>
      );
  }
}

/** A site file that cannot be used starts the web process alone: it says what is wrong with it. */
function BrokenSite() {
  const words = useWords(frameWords);
  const health = useQuery({ queryKey: ['healthz'], queryFn: readHealth, refetchInterval: 3_000 });
  if (health.data?.siteError) {
    return (
      <EmptyState title={words.siteError}>
        <p>{words.siteErrorHelp}</p>
        <pre className="site-error">{health.data.siteError}</pre>
      </EmptyState>
    );
  }
  return <EmptyState title={words.starting}>{words.startingHelp}</EmptyState>;
}

async function readHealth(): Promise<HealthView> {
  const response = await fetch(new URL('healthz', document.baseURI), { signal: AbortSignal.timeout(5_000) });
  if (response.status === 404) return api.get<HealthView>('healthz');
  return (await response.json()) as HealthView;
}
