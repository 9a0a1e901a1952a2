import { App, Button, Tabs } from 'antd';
import { useEffect, useMemo, useState } from 'react';
import { goTo, hashOf } from '../../address.ts';
import { api } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { CheckPanel, useCheck } from './check-panel.tsx';
import { DraftEditor } from './draft-editor.tsx';
import { editorWords } from './editor-words.ts';
import { FileText } from './file-text.tsx';
import { ruleProblem } from './problem-text.ts';
import { type Body, readBody } from './read-body.ts';
import { Rehearse } from './rehearse.tsx';
import { type FilledTemplate, longPatience, useRefreshRules } from './rules-api.ts';
import { endingTexts, onBadTexts, ruleSentence } from './sentence.ts';
import { useVocabulary } from './vocabulary.ts';
import { writeBody } from './write-body.ts';

export interface FromTemplate {
  readonly template: string;
  readonly values: Readonly<Record<string, unknown>>;
}

interface EditorPageProps {
  readonly start: Body;
  /** Newest version that the writer saw; 0 for a new rule. */
  readonly base: number;
  readonly active: number | null;
  /** What it was made of, as long as nothing else was changed. */
  readonly template: FromTemplate | null;
}

/** Writing a rule: its sentence on top, the chips beneath, what is wrong beside them; and rehearsing the draft as it is. */
export function EditorPage({ start, base: newest, active, template }: EditorPageProps) {
  const say = useWords(editorWords);
  const name = useName();
  const vocabulary = useVocabulary();
  const [draft, setDraft] = useState(() => readBody(start));
  const [first] = useState(draft);
  // Whatever somebody else saves meanwhile: this was written from here, and saving says so.
  const [base] = useState(newest);
  const [isSaving, setSaving] = useState(false);
  const body = useMemo(() => writeBody(draft), [draft]);
  const checked = useCheck(body);
  useLeaveWarning(draft !== first);
  const back = base === 0 ? '#/rules' : hashOf(`/rules/${draft.id}`);
  const isWrong = checked.view === undefined || checked.view.mistakes.length > 0 || checked.isChecking;
  return (
    <div className="rules-page">
      <PageHeader
        title={base === 0 ? say.newTitle : say.editTitle(name(draft.name))}
        about={say.editAbout}
        actions={
          <>
            <Button href={back}>{say.cancel}</Button>
            <Button type="primary" data-act="save" disabled={isWrong} onClick={() => setSaving(true)}>
              {say.save}
            </Button>
          </>
        }
      />
      <Panel title={say.reads} className="rules-sentence">
        <p className="rules-sentence-text">{ruleSentence(draft, vocabulary)}</p>
        <ul className="rules-notes kit-soft">
          {[...endingTexts(draft, vocabulary), ...onBadTexts(draft, vocabulary)].map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
        <CheckPanel {...checked} />
      </Panel>
      <Tabs
        items={[
          {
            key: 'edit',
            label: say.tabEdit,
            children: (
              <DraftEditor
                draft={draft}
                vocabulary={vocabulary}
                // Nothing is wrong yet with what nobody has begun to write.
                mistakes={base === 0 && draft === first ? [] : (checked.view?.mistakes ?? [])}
                isSaved={base > 0}
                onChange={setDraft}
              />
            ),
          },
          {
            key: 'rehearse',
            label: say.tabRehearse,
            children: <Rehearse rule={draft.id} versions={[]} active={active} body={body} />,
          },
          { key: 'file', label: say.tabFile, children: <FileText body={body} /> },
        ]}
      />
      {isSaving && (
        <SaveDialog
          body={body}
          id={draft.id}
          base={base}
          template={draft === first ? template : null}
          onClose={() => setSaving(false)}
        />
      )}
    </div>
  );
}

function SaveDialog({
  body,
  id,
  base,
  template,
  onClose,
}: {
  readonly body: Body;
  readonly id: string;
  readonly base: number;
  readonly template: FromTemplate | null;
  readonly onClose: () => void;
}) {
  const say = useWords(editorWords);
  const language = useLanguage();
  const refresh = useRefreshRules();
  const { message } = App.useApp();
  const save = async (why: string) => {
    const patience = { patience: longPatience };
    const made =
      template === null
        ? await api.post<{ version: number }>(`rules/${id}/versions`, { body, why, base }, patience)
        : await api.post<FilledTemplate>('rules/from-template', { ...template, id, save: { base, why } }, patience);
    void message.success(say.saved(String(made.version ?? '')));
    await refresh();
    goTo(hashOf(`/rules/${id}`), 'replace');
  };
  return (
    <ReasonDialog
      open
      title={say.saveTitle}
      action={say.save}
      sayError={(error) => ruleProblem(error, language)}
      onConfirm={({ reason }) => save(reason)}
      onClose={onClose}
    >
      <p>{say.saveHelp}</p>
    </ReasonDialog>
  );
}

/** The browser asks before a window with unsaved words is closed. */
function useLeaveWarning(isChanged: boolean): void {
  useEffect(() => {
    if (!isChanged) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [isChanged]);
}
