import { hashOf, useAddress } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useCameras } from '../../use-cameras.ts';
import { OneCamera } from './one-camera.tsx';
import { Wall } from './wall.tsx';
import { words } from './words.ts';
import './live.css';

/* `#/live?n=4&page=2`, `#/live/<camera>`. */

export function Page() {
  const say = useWords(words);
  const language = useLanguage();
  const { path } = useAddress();
  const [, , id = ''] = path.split('/').map(decodeURIComponent);
  const { data, error, refetch } = useCameras();
  if (data === undefined) {
    if (error === null) return <PageSkeleton />;
    return (
      <ErrorState message={errorText(error, language)} detail={errorDetail(error)} onRetry={() => void refetch()} />
    );
  }
  const cameras = data.cameras.filter(({ may }) => may.live);
  const camera = cameras.find((one) => one.id === id);
  if (id !== '' && camera === undefined) {
    return (
      <EmptyState title={say.missing} action={<a href={hashOf('/live')}>{say.back}</a>}>
        {say.missingHelp}
      </EmptyState>
    );
  }
  if (camera !== undefined) return <OneCamera key={id} camera={camera} cameras={cameras} />;
  if (cameras.length > 0) return <Wall cameras={cameras} />;
  return (
    <>
      <PageHeader title={say.title} about={say.about} />
      <div className="kit-panel">
        <EmptyState title={say.none}>{say.noneHelp}</EmptyState>
      </div>
    </>
  );
}
