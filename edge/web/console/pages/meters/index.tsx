import { hashOf, useAddress } from '../../address.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useWords } from '../../kit/language.tsx';
import { ErrorBoundary } from '../../kit/states.tsx';
import { counterWords } from './counter-words.ts';
import { CountersPage } from './counters-page.tsx';
import { useOpenSteps } from './data.ts';
import { lineWords } from './line-words.ts';
import { LinesPage } from './lines-page.tsx';
import { MeterList } from './meter-list.tsx';
import { MeterPage } from './meter-page.tsx';
import { words } from './words.ts';
import '../energy/energy.css';
import './meters.css';

/* `#/energy/meters`, `#/energy/meters/<id>`, `#/energy/counters`, `#/energy/lines`. */

export function Page() {
  const say = useWords(words);
  const counters = useWords(counterWords);
  const lines = useWords(lineWords);
  const { path } = useAddress();
  const [, , section = 'meters', id = ''] = path.split('/').map(decodeURIComponent);
  const isMeter = section === 'meters' && id !== '';
  const about = { counters: counters.about, lines: lines.about }[section] ?? say.about;
  return (
    <div className="meters-page">
      {!isMeter && <PageHeader title={say.title} about={about} />}
      <Parts section={section} />
      <ErrorBoundary name={path}>
        {section === 'counters' ? (
          <CountersPage />
        ) : section === 'lines' ? (
          <LinesPage />
        ) : isMeter ? (
          <MeterPage key={id} id={id} />
        ) : (
          <MeterList />
        )}
      </ErrorBoundary>
    </div>
  );
}

/** The ways between the parts; what waits for a decision is counted. */
function Parts({ section }: { readonly section: string }) {
  const say = useWords(words);
  const waiting = useOpenSteps().data?.length ?? 0;
  const parts = [
    { id: 'meters', text: say.meters },
    { id: 'counters', text: say.counters },
    { id: 'lines', text: say.lines },
  ];
  return (
    <nav className="meters-parts" aria-label={say.parts}>
      {parts.map(({ id, text }) => (
        <a key={id} href={hashOf(`/energy/${id}`)} aria-current={section === id ? 'page' : undefined}>
          {text}
          {id === 'counters' && waiting > 0 && (
            <span className="kit-count" title={say.openSteps(waiting)}>
              {waiting}
            </span>
          )}
        </a>
      ))}
      <a href={hashOf('/energy')}>{say.energy} ›</a>
    </nav>
  );
}
