import { useMemo } from 'react';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorBoundary, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useCameras } from '../../use-cameras.ts';
import { viewIn } from './address.ts';
import { Choose } from './choose.tsx';
import { Room } from './room.tsx';
import { words } from './words.ts';
import './footage.css';

/* `#/footage?cameras=<id>[,<id>…]&at=<ms>&span=<ms>&still=1`: all that is seen can be handed on. */

function show(parts: Readonly<Record<string, string>>, how: 'push' | 'replace'): void {
  goTo(hashOf('/footage', parts), how);
}

export function Page() {
  const say = useWords(words);
  const language = useLanguage();
  const { query } = useAddress();
  const address = query.toString();
  const view = useMemo(() => viewIn(new URLSearchParams(address)), [address]);
  const cameras = useCameras();
  if (cameras.data === undefined) {
    if (cameras.error === null) return <PageSkeleton />;
    return (
      <ErrorState
        message={errorText(cameras.error, language)}
        detail={errorDetail(cameras.error)}
        onRetry={() => void cameras.refetch()}
      />
    );
  }
  const all = cameras.data.cameras.filter(({ may }) => may.playback);
  if (view.cameras.length === 0) return <Choose cameras={all} />;
  const chosen = view.cameras.flatMap((id) => all.find((camera) => camera.id === id) ?? []);
  const missing = view.cameras.filter((id) => !all.some((camera) => camera.id === id));
  if (chosen.length === 0) {
    return (
      <EmptyState title={say.missing(missing.join('、'))} action={<a href={hashOf('/footage')}>{say.choose}</a>} />
    );
  }
  return (
    <ErrorBoundary name={view.cameras.join(' ')}>
      <Room all={all} cameras={chosen} missing={missing} view={view} onAddress={show} />
    </ErrorBoundary>
  );
}
