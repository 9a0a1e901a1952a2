import { PageHeader } from '../../kit/frame.tsx';
import { useWords } from '../../kit/language.tsx';
import { ErrorBoundary } from '../../kit/states.tsx';
import { AlarmsPanel } from './alarms-panel.tsx';
import { BoxPanel } from './box-panel.tsx';
import { EnergyPanel } from './energy-panel.tsx';
import { NowNextPanel } from './now-next.tsx';
import { PlacePanel } from './place-panel.tsx';
import { words } from './words.ts';
import './overview.css';

/** One screen, no scrolling on the wall: where, what needs me, what happens, what it takes, whether the box is well. */
export function Page() {
  const say = useWords(words);
  return (
    <div className="overview">
      <PageHeader title={say.title} isUnseen />
      <ErrorBoundary name="place">
        <PlacePanel />
      </ErrorBoundary>
      <ErrorBoundary name="now">
        <NowNextPanel />
      </ErrorBoundary>
      <ErrorBoundary name="alarms">
        <AlarmsPanel />
      </ErrorBoundary>
      <ErrorBoundary name="energy">
        <EnergyPanel />
      </ErrorBoundary>
      <ErrorBoundary name="box">
        <BoxPanel />
      </ErrorBoundary>
    </div>
  );
}
