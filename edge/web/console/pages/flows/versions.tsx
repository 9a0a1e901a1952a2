import { Button } from 'antd';
import { useState } from 'react';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useRight } from '../../session.tsx';
import { RollbackDialog } from './dialogs.tsx';
import { DiffTable } from './diff-table.tsx';
import { authorText, changesText } from './flow-words.ts';
import type { FlowTab } from './index.tsx';
import { words } from './words.ts';

/** What a flow was, newest first: who, when, why, what differs, and going back to it. */
export function Versions({ tab }: { readonly tab: FlowTab }) {
  const say = useWords(words);
  const mayEdit = useRight('flows-edit');
  const [open, setOpen] = useState<number | null>(null);
  const [back, setBack] = useState<number | null>(null);
  const newest = tab.versions.at(-1)?.version ?? null;
  return (
    <section className="flows-part">
      <h3>{say.versions}</h3>
      {tab.versions.length === 0 ? (
        <p className="kit-soft">{say.noVersions}</p>
      ) : (
        <>
          <p className="kit-soft">{tab.locked && mayEdit ? say.lockedHelp : say.versionsHelp}</p>
          <ol className="flows-versions">
            {tab.versions.toReversed().map((one, index, all) => (
              <Version
                key={one.version}
                tab={tab.id}
                version={one}
                before={all[index + 1]?.version ?? null}
                isNewest={one.version === newest}
                isOpen={open === one.version}
                onOpen={() => setOpen((now) => (now === one.version ? null : one.version))}
                onBack={mayEdit && !tab.locked && one.version !== newest ? () => setBack(one.version) : null}
              />
            ))}
          </ol>
          <RollbackDialog
            tab={tab.id}
            label={tab.label || tab.id}
            version={back}
            from={newest}
            onClose={() => setBack(null)}
          />
        </>
      )}
    </section>
  );
}

function Version({
  tab,
  version: { version, time, by, why, changes },
  before,
  isNewest,
  isOpen,
  onOpen,
  onBack,
}: {
  readonly tab: string;
  readonly version: FlowTab['versions'][number];
  /** The one before it, while it is kept. */
  readonly before: number | null;
  readonly isNewest: boolean;
  readonly isOpen: boolean;
  readonly onOpen: () => void;
  readonly onBack: (() => void) | null;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  return (
    <li data-version={version}>
      <div className="flows-version">
        <span className="flows-version-words">
          <strong>
            {say.versionNumber(version)} {isNewest && <span className="flows-now">{say.current}</span>}
          </strong>
          <span className="kit-soft">{say.byAt(authorText(by, language), formats.moment(time, now()))}</span>
          <span>{changesText(changes, language)}</span>
          {why !== '' && <span className="flows-why">{why}</span>}
        </span>
        <span className="kit-row-actions">
          {before !== null && (
            <Button size="small" aria-expanded={isOpen} onClick={onOpen}>
              {say.showDiff}
            </Button>
          )}
          {onBack !== null && (
            <Button size="small" data-act="rollback" onClick={onBack}>
              {say.rollback}
            </Button>
          )}
        </span>
      </div>
      {isOpen && before !== null && <DiffTable tab={tab} from={before} to={version} />}
    </li>
  );
}
