import { useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useState } from 'react';
import { hashOf } from '../../address.ts';
import { api, errorDetail, errorText } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now, useTicking } from '../../kit/ticker.ts';
import { useSession } from '../../session.tsx';
import { askAnew, type ReleaseView, useReleases } from './data.ts';
import { dateOf, shortDateText } from './dates.ts';
import { holdsWithout } from './holds.ts';
import { useNaming } from './naming.ts';
import { unconfirmedText } from './why.tsx';
import { words } from './words.ts';

/** Everything that was signed, the newest first; of several that hold for a day the newest runs. */
export function Releases() {
  const say = useWords(words);
  const language = useLanguage();
  const releases = useReleases();
  if (releases.isPending) return <PageSkeleton />;
  if (releases.isError)
    return (
      <ErrorState
        message={errorText(releases.error, language)}
        detail={errorDetail(releases.error)}
        onRetry={() => void releases.refetch()}
      />
    );
  if (releases.data.length === 0)
    return (
      <div className="kit-panel">
        <EmptyState title={say.neverSigned}>{say.neverSignedHelp}</EmptyState>
      </div>
    );
  return (
    <ol className="schoolday-releases">
      {releases.data.map((one, n) => (
        <Release key={one.id} one={one} before={releases.data[n + 1]} all={releases.data} />
      ))}
    </ol>
  );
}

interface ReleaseProps {
  readonly one: ReleaseView;
  /** Signed before it. */
  readonly before: ReleaseView | undefined;
  readonly all: readonly ReleaseView[];
}

function Release({ one, before, all }: ReleaseProps) {
  const say = useWords(words);
  const language = useLanguage();
  const naming = useNaming();
  const formats = useFormats();
  const { rights, zones } = useSession();
  const [isUndoing, setUndoing] = useState(false);
  const today = useTicking((time) => dateOf(time, formats.timeZone));
  const state = one.undone !== null ? 'undone' : one.to < today ? 'over' : 'holds';
  const first = one.from > today ? one.from : today <= one.to ? today : one.from;
  const look = (of: string, other: string) => hashOf('/school-day', { tab: 'simulator', date: first, of, with: other });
  return (
    <li className="kit-panel schoolday-release" data-release={one.id} data-state={state}>
      <div className="schoolday-releasehead">
        <h3>
          {shortDateText(one.from, language)} – {shortDateText(one.to, language)}
        </h3>
        <ToneBadge tone={state === 'holds' ? 'good' : state === 'undone' ? 'bad' : 'plain'}>
          {state === 'holds' ? say.releaseHolds : state === 'undone' ? say.releaseUndone : say.releaseOver}
        </ToneBadge>
      </div>
      <p>{say.releaseWhy(one.why, naming.who(one.by), formats.dateTime(one.time))}</p>
      {one.undone !== null && (
        <p>{say.undoneWhy(one.undone.why, naming.who(one.undone.by), formats.dateTime(one.undone.time))}</p>
      )}
      {one.accepted.length > 0 && (
        <details className="schoolday-fold">
          <summary className="schoolday-summary">{say.acceptedCount(String(one.accepted.length))}</summary>
          <ul>
            {one.accepted.map((reason) => (
              <li key={JSON.stringify(reason)}>{unconfirmedText(reason, naming)}</li>
            ))}
          </ul>
        </details>
      )}
      <div className="kit-actions">
        <a className="kit-button" href={look(one.id, 'draft')}>
          {say.compareDraft}
        </a>
        {before !== undefined && (
          <a className="kit-button" href={look(one.id, before.id)}>
            {say.compareBefore}
          </a>
        )}
        {state === 'holds' && rights.includes('sign') && zones === 'all' && (
          <Button danger data-act="undo" onClick={() => setUndoing(true)}>
            {say.undo}
          </Button>
        )}
      </div>
      <UndoDialog one={one} all={all} today={today} isOpen={isUndoing} onClose={() => setUndoing(false)} />
    </li>
  );
}

function UndoDialog({
  one,
  all,
  today,
  isOpen,
  onClose,
}: {
  readonly one: ReleaseView;
  readonly all: readonly ReleaseView[];
  readonly today: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const naming = useNaming();
  const formats = useFormats();
  const queries = useQueryClient();
  const { message } = App.useApp();
  return (
    <ReasonDialog
      open={isOpen}
      title={say.undoTitle(shortDateText(one.from, language), shortDateText(one.to, language))}
      action={say.undo}
      isDangerous
      sayError={(error) => errorText(error, language)}
      onConfirm={async ({ reason }) => {
        await api.post(`school/releases/${one.id}/undo`, { why: reason });
        await askAnew(queries);
        void message.success(say.undoDone);
      }}
      onClose={onClose}
    >
      <p>{say.undoHelp}</p>
      <ul className="schoolday-holds">
        {holdsWithout(one, all, today).map(({ from, to, release }) => {
          const span =
            from === to
              ? shortDateText(from, language)
              : say.span(shortDateText(from, language), shortDateText(to, language));
          return (
            <li key={from} data-holds={release?.id ?? 'nothing'}>
              {release === null
                ? say.holdsNothing(span)
                : say.holdsAgain(span, naming.who(release.by), formats.moment(release.time, now()))}
            </li>
          );
        })}
      </ul>
    </ReasonDialog>
  );
}
