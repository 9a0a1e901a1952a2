import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';
import type { z } from 'zod';
import type { flowsSchema, flowTabSchema } from '../../../flows-schemas.ts';
import { hashOf, useAddress } from '../../address.ts';
import { ApiError, api, errorDetail, errorText } from '../../api.ts';
import { type Tone, ToneBadge } from '../../kit/badges.tsx';
import { fromHere } from '../../kit/download.tsx';
import { PageHeader } from '../../kit/frame.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorBoundary, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useMedia } from '../../kit/theme.tsx';
import { now } from '../../kit/ticker.ts';
import { useRight } from '../../session.tsx';
import { RestartDialog } from './dialogs.tsx';
import { authorText, problemWords } from './flow-words.ts';
import { Removed } from './removed.tsx';
import { TabPane } from './tab-pane.tsx';
import { words } from './words.ts';
import './flows.css';

/* `#/flows`, `#/flows/<tab>`: how each flow fares, what it was, and the way out when they do not run. The editor opens in a window of its own. */

export type FlowsView = z.infer<typeof flowsSchema>;
export type FlowTab = z.infer<typeof flowTabSchema>;

/** Details beside the list would leave neither enough: they take its place. */
const narrowQuery = '(max-width: 1180px)';

export const stateTones: Readonly<Record<FlowTab['state'], Tone>> = {
  running: 'good',
  disabled: 'plain',
  quarantined: 'bad',
  stopped: 'bad',
  'over-budget': 'wait',
  halted: 'bad',
};

export function Page() {
  const say = useWords(words);
  const language = useLanguage();
  const flows = useQuery({
    queryKey: ['flows'],
    queryFn: ({ signal }) => api.get<FlowsView>('flows', signal),
    refetchInterval: 5_000,
  });
  if (flows.isPending) return <PageSkeleton />;
  if (flows.data !== undefined) return <Flows flows={flows.data} />;
  const isOff = flows.error instanceof ApiError && flows.error.status === 404;
  return (
    <>
      <PageHeader title={say.title} about={say.about} />
      {isOff ? (
        <EmptyState title={say.off}>{say.offHelp}</EmptyState>
      ) : (
        <ErrorState
          message={errorText(flows.error, language)}
          detail={errorDetail(flows.error)}
          onRetry={() => void flows.refetch()}
        />
      )}
    </>
  );
}

function Flows({ flows }: { readonly flows: FlowsView }) {
  const say = useWords(words);
  const isNarrow = useMedia(narrowQuery);
  const given = decodeURIComponent(useAddress().path.split('/')[2] ?? '');
  const tab = flows.tabs.find(({ id }) => id === given);
  const pane =
    tab === undefined ? (
      <div className="kit-panel flows-pick">
        <EmptyState title={given === '' ? say.pick : say.missing}>
          {given === '' ? say.pickHelp : say.missingHelp}
        </EmptyState>
      </div>
    ) : (
      <ErrorBoundary name={tab.id}>
        <TabPane key={tab.id} tab={tab} />
      </ErrorBoundary>
    );
  if (isNarrow && given !== '') {
    return (
      <>
        <PageHeader title={say.title} isUnseen />
        <p className="flows-back">
          <a href="#/flows">← {say.back}</a>
        </p>
        {pane}
      </>
    );
  }
  return (
    <>
      <Head flows={flows} />
      {flows.problem !== null && <Trouble problem={flows.problem} isSafeMode={flows.isSafeMode} />}
      {flows.tabs.length === 0 ? (
        <div className="kit-panel">
          <EmptyState title={say.none}>{say.noneHelp}</EmptyState>
        </div>
      ) : (
        <div className="flows-split">
          <ul className="kit-panel flows-list" aria-label={say.list}>
            {flows.tabs.map((one) => (
              <li key={one.id}>
                <TabLine tab={one} isSelected={one.id === given} />
              </li>
            ))}
          </ul>
          {!isNarrow && pane}
        </div>
      )}
      <Removed removed={flows.removed} />
    </>
  );
}

function Head({ flows }: { readonly flows: FlowsView }) {
  const say = useWords(words);
  const mayEdit = useRight('flows-edit');
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <PageHeader
        title={say.title}
        about={say.about}
        actions={
          <>
            {mayEdit && (
              <Button danger={flows.problem !== null} onClick={() => setAsking(true)}>
                {say.restart}
              </Button>
            )}
            <a
              className="kit-button flows-editor"
              href={fromHere('flows-editor/')}
              target="_blank"
              rel="noopener"
              title={say.editorHelp}
            >
              {mayEdit ? say.openEditor : say.lookEditor} <span aria-hidden="true">↗</span>
            </a>
          </>
        }
      />
      <p className="flows-narrow kit-soft">{say.editorNarrow}</p>
      <RestartDialog isOpen={isAsking} onClose={() => setAsking(false)} />
    </>
  );
}

/** Why nothing runs, and the way out. */
function Trouble({ problem, isSafeMode }: { readonly problem: string; readonly isSafeMode: boolean }) {
  const say = useWords(words);
  const language = useLanguage();
  return (
    <div className="kit-banner flows-trouble" role="alert">
      <SignIcon sign="triangle" size={16} />
      <strong>{isSafeMode ? say.safeMode : say.problem}</strong>
      <p>{isSafeMode ? say.safeModeHelp : say.problemHelp(problemWords(problem, language))}</p>
    </div>
  );
}

function TabLine({ tab, isSelected }: { readonly tab: FlowTab; readonly isSelected: boolean }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const newest = tab.versions.at(-1);
  return (
    <a
      className="flows-line"
      href={hashOf(`/flows/${encodeURIComponent(tab.id)}`)}
      aria-current={isSelected ? 'true' : undefined}
      data-tab={tab.id}
      data-state={tab.state}
    >
      <span className="flows-line-words">
        <strong>{tab.label || tab.id}</strong>
        <span className="kit-soft">
          {tab.kind === 'tab' ? say.tab : say.subflow} · {say.nodes(tab.nodes)}
          {tab.locked && ` · ${say.locked}`}
        </span>
        {newest !== undefined && (
          <span className="kit-soft">
            {say.byAt(authorText(newest.by, language), formats.moment(newest.time, now()))}
          </span>
        )}
      </span>
      <ToneBadge tone={stateTones[tab.state]}>{say[`state:${tab.state}`]}</ToneBadge>
    </a>
  );
}
