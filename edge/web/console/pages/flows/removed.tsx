import { Button } from 'antd';
import { useState } from 'react';
import { CardTable } from '../../kit/card-table.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useRight } from '../../session.tsx';
import { RollbackDialog } from './dialogs.tsx';
import { authorText } from './flow-words.ts';
import type { FlowsView } from './index.tsx';
import { words } from './words.ts';

type Gone = FlowsView['removed'][number];

/** Tabs that were removed, and can come back. */
export function Removed({ removed }: { readonly removed: readonly Gone[] }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const mayEdit = useRight('flows-edit');
  const [back, setBack] = useState<Gone | null>(null);
  const rows = removed.filter(({ versions }) => versions.length > 0);
  if (rows.length === 0) return null;
  return (
    <Panel title={say.removed} extra={<span className="kit-soft">{say.removedHelp}</span>} className="flows-removed">
      <CardTable<Gone>
        label={say.removed}
        rows={rows}
        keyOf={({ tab }) => tab}
        minWidth={560}
        columns={[
          { key: 'label', title: say.tab, render: ({ label, tab }) => label || tab },
          {
            key: 'last',
            title: say.lastDeploy,
            render: ({ versions }) => {
              const last = versions.at(-1);
              return last === undefined
                ? null
                : say.byAt(authorText(last.by, language), formats.moment(last.time, now()));
            },
          },
        ]}
        {...(mayEdit
          ? {
              actions: {
                title: say.actions,
                render: (gone: Gone) => (
                  <Button size="small" onClick={() => setBack(gone)}>
                    {say.bringBack}
                  </Button>
                ),
              },
            }
          : {})}
      />
      <RollbackDialog
        tab={back?.tab ?? ''}
        label={back?.label ?? ''}
        version={back?.versions.at(-1)?.version ?? null}
        from={null}
        onClose={() => setBack(null)}
      />
    </Panel>
  );
}
