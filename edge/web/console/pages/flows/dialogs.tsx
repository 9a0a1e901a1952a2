import { useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import type { z } from 'zod';
import type { flowRestartAnswer, flowRollbackAnswer } from '../../../flows-schemas.ts';
import { api, errorDetail, errorText } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { DiffTable } from './diff-table.tsx';
import { problemWords } from './flow-words.ts';
import { words } from './words.ts';

/** A deploy stops and starts nodes: each may take its time, ms. */
const patience = 45_000;

export function RestartDialog({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const { message } = App.useApp();
  return (
    <ReasonDialog
      open={isOpen}
      title={say.restartTitle}
      action={say.restart}
      sayError={(error) => `${errorText(error, language)} · ${errorDetail(error)}`}
      onConfirm={async ({ reason }) => {
        const { problem } = await api.post<z.infer<typeof flowRestartAnswer>>(
          'flows/restart',
          { why: reason },
          { patience },
        );
        await queries.invalidateQueries({ queryKey: ['flows'] });
        if (problem === null) void message.success(say.restarted);
        else void message.warning(say.restartedBut(problemWords(problem, language)));
      }}
      onClose={onClose}
    >
      <p>{say.restartHelp}</p>
    </ReasonDialog>
  );
}

/** Going back to a version, or bringing back a tab that was removed (`from` null). */
export function RollbackDialog({
  tab,
  label,
  version,
  from,
  onClose,
}: {
  readonly tab: string;
  readonly label: string;
  /** null: closed. */
  readonly version: number | null;
  /** What runs now. */
  readonly from: number | null;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const wanted = version ?? 0;
  return (
    <ReasonDialog
      open={version !== null}
      title={from === null ? say.bringBackTitle(label) : say.rollbackTitle(label, wanted)}
      action={from === null ? say.bringBack : say.rollback}
      sayError={(error) => `${errorText(error, language)} · ${errorDetail(error)}`}
      onConfirm={async ({ reason }) => {
        const path = `flows/${encodeURIComponent(tab)}/rollback`;
        const body = { version: wanted, why: reason };
        const answer = await api.post<z.infer<typeof flowRollbackAnswer>>(path, body, { patience });
        await queries.invalidateQueries({ queryKey: ['flows'] });
        void message.success(say.rolledBack(answer.version));
      }}
      onClose={onClose}
    >
      <p>{say.rollbackHelp}</p>
      {from !== null && version !== null && <DiffTable tab={tab} from={from} to={version} />}
    </ReasonDialog>
  );
}
