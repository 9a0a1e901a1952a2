import { useAddress } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { useLanguage } from '../../kit/language.tsx';
import { ErrorBoundary, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useCameras } from '../../use-cameras.ts';
import { CameraList } from './camera-list.tsx';
import { CameraPage } from './camera-page.tsx';
import './cameras.css';

/* `#/cameras`, `#/cameras/<id>`. */

export function Page() {
  const language = useLanguage();
  const { path } = useAddress();
  const [, , id = ''] = path.split('/').map(decodeURIComponent);
  const cameras = useCameras();
  if (cameras.isPending) return <PageSkeleton />;
  if (cameras.isError && cameras.data === undefined) {
    return (
      <ErrorState
        message={errorText(cameras.error, language)}
        detail={errorDetail(cameras.error)}
        onRetry={() => void cameras.refetch()}
      />
    );
  }
  const list = cameras.data;
  if (list === undefined) return <PageSkeleton />;
  return (
    <div className="cameras-page">
      <ErrorBoundary name={path}>
        {id === '' ? <CameraList list={list} /> : <CameraPage key={id} id={id} list={list} />}
      </ErrorBoundary>
    </div>
  );
}
