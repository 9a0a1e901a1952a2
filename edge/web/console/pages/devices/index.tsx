import { lazy, Suspense } from 'react';
import { useAddress } from '../../address.ts';
import { useWords } from '../../kit/language.tsx';
import { ErrorBoundary, PageSkeleton } from '../../kit/states.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { useCampus } from '../../use-live.tsx';
import { Attention } from './attention.tsx';
import { DeviceList } from './device-list.tsx';
import { DevicePane } from './device-pane.tsx';
import { words } from './words.ts';
import './devices.css';

/* `/devices`, `/devices/<id>`: every device beside the details of one. `/points/<device>/<point>`: what a value was. */

const PointPage = lazy(async () => ({ default: (await import('./point-page.tsx')).PointPage }));

export function Page() {
  const { path } = useAddress();
  const campus = useCampus();
  const isPhone = useMedia(phoneQuery);
  const say = useWords(words);
  const [, section, id, point] = path.split('/').map(decodeURIComponent);
  if (campus === undefined) return <PageSkeleton />;
  if (section === 'points' && id !== undefined && point !== undefined) {
    return (
      <Suspense fallback={<PageSkeleton />}>
        <PointPage key={`${id}/${point}`} point={`${id}/${point}`} campus={campus} />
      </Suspense>
    );
  }
  const selected = id === undefined || id === '' ? null : id;
  const detail =
    selected === null ? <Attention campus={campus} /> : <DevicePane key={selected} id={selected} campus={campus} />;
  if (isPhone) return selected === null ? <DeviceList campus={campus} selected={null} /> : detail;
  return (
    <div className="devices-split">
      <aside className="devices-side" aria-label={say.tree}>
        <DeviceList campus={campus} selected={selected} />
      </aside>
      <div className="devices-detail">
        <ErrorBoundary name={selected ?? ''}>{detail}</ErrorBoundary>
      </div>
    </div>
  );
}
