import { useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useState } from 'react';
import { api, errorDetail, errorText, query } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { CardTable } from '../../kit/card-table.tsx';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { useDeviceName } from '../../names.ts';
import { askAnew, type QuietView, useQuiets } from './data.ts';
import { quietWord, usePhrases } from './sentences.ts';
import { words } from './words.ts';

/** Rooms that are quiet or will be: examinations, and lessons that are recorded. */
export function Quiets() {
  const say = useWords(words);
  const language = useLanguage();
  const device = useDeviceName();
  const phrases = usePhrases();
  const quiets = useQuiets();
  const [ending, setEnding] = useState<QuietView | null>(null);
  if (quiets.isPending) return <PageSkeleton />;
  if (quiets.isError)
    return (
      <ErrorState
        message={errorText(quiets.error, language)}
        detail={errorDetail(quiets.error)}
        onRetry={() => void quiets.refetch()}
      />
    );
  const rows = [...quiets.data].sort((a, b) => a.from - b.from);
  if (rows.length === 0) return <EmptyState title={say.quietNone}>{say.quietNoneHelp}</EmptyState>;
  return (
    <Panel title={say.quiets}>
      <CardTable
        label={say.quiets}
        rows={rows}
        keyOf={({ id }) => id}
        columns={[
          {
            key: 'kind',
            title: say.quietKind,
            render: ({ kind, from }) => (
              <span className="broadcast-facts">
                <ToneBadge tone={kind === 'exam' ? 'wait' : 'plain'}>{quietWord(kind, say)}</ToneBadge>
                {from > now() && <span className="kit-soft">{say.quietFuture}</span>}
              </span>
            ),
          },
          {
            key: 'rooms',
            title: say.col_rooms,
            render: ({ devices }) =>
              devices.length <= 3
                ? devices.map(device).join(' · ')
                : say.andMore(devices.slice(0, 2).map(device).join(' · '), devices.length),
          },
          {
            key: 'time',
            title: say.col_time,
            render: ({ from, until }) =>
              say.quietFrom(phrases.moment(from), until === null ? '' : phrases.moment(until)),
          },
          { key: 'why', title: say.why, render: ({ reason }) => reason },
          { key: 'who', title: say.col_who, render: ({ by }) => phrases.by(by) },
        ]}
        actions={{
          title: say.quietEnd,
          render: (row) =>
            row.mayEnd ? (
              <Button size="small" data-act="end-quiet" onClick={() => setEnding(row)}>
                {say.quietEnd}
              </Button>
            ) : null,
        }}
      />
      {ending !== null && <EndDialog quiet={ending} onClose={() => setEnding(null)} />}
    </Panel>
  );
}

function EndDialog({ quiet, onClose }: { readonly quiet: QuietView; readonly onClose: () => void }) {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const { message } = App.useApp();
  return (
    <ReasonDialog
      open
      title={say.quietEndTitle}
      action={say.quietEnd}
      reasonRequired={false}
      sayError={(error) => errorText(error, language)}
      onConfirm={async ({ reason }) => {
        await api.delete(`broadcast/quiet/${quiet.id}${query({ why: reason })}`);
        await askAnew(queries);
        void message.success(say.quietEnded);
      }}
      onClose={onClose}
    >
      <p>{say.quietEndHelp(quiet.devices.length)}</p>
    </ReasonDialog>
  );
}
