import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Input } from 'antd';
import { useId, useState } from 'react';
import { goTo, hashOf } from '../../address.ts';
import { ApiError, api, errorDetail, errorText, query } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { PageHeader } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useRight, useSession } from '../../session.tsx';
import { useCampus, usePoints } from '../../use-live.tsx';
import { Conflict, type Theirs } from './conflict.tsx';
import { EditFields } from './edit-fields.tsx';
import { editWords } from './edit-words.ts';
import { emptyPower, missing, newId, ready } from './form.ts';
import { isSame } from './merge.ts';
import { Preview } from './preview.tsx';
import { type Entries, type Entry, type PowerBody, powerOf } from './shapes.ts';
import { useEntries } from './use-power.ts';
import './edit.css';

/** Writing one entry of the draft; `new` makes one. */
export function Edit({ id }: { readonly id: string }) {
  const edit = useWords(editWords);
  const language = useLanguage();
  const mayEdit = useRight('school');
  const { zones } = useSession();
  const campus = useCampus();
  const points = usePoints();
  const entries = useEntries();
  if (!mayEdit || zones !== 'all') return <EmptyState title={edit.noRight} />;
  if (entries.isError)
    return (
      <ErrorState
        message={errorText(entries.error, language)}
        detail={errorDetail(entries.error)}
        onRetry={() => void entries.refetch()}
      />
    );
  if (entries.isPending || campus === undefined || points === undefined) return <PageSkeleton />;
  const entry = entries.data.entries.find((one) => one.id === id);
  const body = entry === undefined ? null : powerOf(entry.body);
  if (id !== 'new' && (entry === undefined || body === null))
    return (
      <>
        <Back />
        <EmptyState title={edit.missing}>{edit.missingHelp}</EmptyState>
      </>
    );
  return <Form entries={entries.data} entry={entry} first={body ?? emptyPower} />;
}

function Back() {
  const edit = useWords(editWords);
  return (
    <p className="power-back">
      <a href={hashOf('/power/draft')}>← {edit.back}</a>
    </p>
  );
}

interface Base {
  readonly rev: number;
  readonly body: PowerBody;
}

function Form({
  entries,
  entry,
  first,
}: {
  readonly entries: Entries;
  readonly entry: Entry | undefined;
  readonly first: PowerBody;
}) {
  const edit = useWords(editWords);
  const language = useLanguage();
  const name = useName();
  const ids = useId();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [id] = useState(entry?.id ?? null);
  // What one began with: what others did meanwhile is told apart from it.
  const [base, setBase] = useState<Base>({ rev: entry?.rev ?? 0, body: first });
  const [body, setBody] = useState(first);
  const [why, setWhy] = useState('');
  const [problems, setProblems] = useState<readonly string[]>([]);
  const [theirs, setTheirs] = useState<Theirs | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [isRemoving, setRemoving] = useState(false);
  const title = id === null ? edit.titleNew : edit.titleEdit(name(base.body.name));
  const refresh = () => queries.invalidateQueries({ queryKey: ['school'] });

  const save = async () => {
    const wrong = missing(body, edit);
    setProblems(wrong);
    if (wrong.length > 0) return;
    const made = ready(body);
    const own = id ?? newId(made.name.en, new Set(entries.entries.map((one) => one.id)));
    setBusy(true);
    try {
      await api.put(`school/entries/${own}`, { rev: base.rev, body: made, why });
      await refresh();
      void message.success(edit.saved);
      goTo(hashOf('/power/draft'));
    } catch (error) {
      if (error instanceof ApiError && error.code === 'document-changed') setTheirs(await theirsOf(own));
      else
        setProblems([
          errorText(error, language),
          ...(error instanceof ApiError && error.status === 400 ? [error.message] : []),
        ]);
    } finally {
      setBusy(false);
    }
  };

  return (
    <div className="power-edit" data-edit={id ?? 'new'}>
      <Back />
      <PageHeader title={title} about={edit.draftAbout} />
      {theirs !== null && (
        <Conflict
          base={base.body}
          mine={body}
          theirs={theirs}
          onMerged={(next) => {
            if (theirs.body !== null) setBase({ rev: theirs.rev, body: theirs.body });
            setBody(next);
            setTheirs(null);
            void message.info(edit.mergeDone);
          }}
          onTake={() => {
            setTheirs(null);
            if (theirs.body === null) return goTo(hashOf('/power/draft'));
            setBase({ rev: theirs.rev, body: theirs.body });
            setBody(theirs.body);
          }}
          onAnew={() => {
            setBase({ rev: 0, body });
            setTheirs(null);
          }}
        />
      )}
      <div className="power-edit-split">
        <form
          className="power-form"
          onSubmit={(event) => {
            event.preventDefault();
            void save();
          }}
        >
          <EditFields body={body} entries={entries} entry={id} onChange={(part) => setBody({ ...body, ...part })} />
          <div className="kit-panel power-form-foot">
            <div className="kit-field">
              <label htmlFor={`${ids}-why`}>{edit.why}</label>
              <Input
                id={`${ids}-why`}
                value={why}
                maxLength={300}
                aria-describedby={`${ids}-help`}
                onChange={(event) => setWhy(event.target.value)}
              />
              <p id={`${ids}-help`} className="kit-soft">
                {edit.whyHelp}
              </p>
            </div>
            <div className="kit-form-error" role="alert">
              {problems.length > 0 && <strong>{edit.problem}</strong>}
              <ul>
                {problems.map((problem) => (
                  <li key={problem}>{problem}</li>
                ))}
              </ul>
            </div>
            <div className="kit-actions">
              <Button type="primary" htmlType="submit" loading={isBusy} disabled={theirs !== null} data-act="save">
                {edit.save}
              </Button>
              <Button onClick={() => goTo(hashOf('/power/draft'))}>{edit.cancel}</Button>
              {id !== null && (
                <Button danger onClick={() => setRemoving(true)} data-act="remove">
                  {edit.deleteEntry}
                </Button>
              )}
            </div>
          </div>
        </form>
        <Preview body={body} isComplete={missing(body, edit).length === 0} isChanged={!isSame(body, base.body)} />
      </div>
      <ReasonDialog
        open={isRemoving}
        title={edit.deleteTitle(name(base.body.name))}
        action={edit.deleteEntry}
        isDangerous
        reasonRequired={false}
        sayError={(error) => errorText(error, language)}
        onConfirm={async ({ reason }) => {
          await api.delete(`school/entries/${id ?? ''}${query({ rev: base.rev, why: reason })}`);
          await refresh();
          void message.success(edit.deleted);
          goTo(hashOf('/power/draft'));
        }}
        onClose={() => setRemoving(false)}
      >
        <p>{edit.deleteHelp}</p>
      </ReasonDialog>
    </div>
  );
}

/** What is there now; a body of null: it was removed. */
async function theirsOf(id: string): Promise<Theirs> {
  try {
    const { rev, time, who, body } = await api.get<Entry>(`school/entries/${id}`);
    return { rev, time, who, body: powerOf(body) };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { rev: 0, time: null, who: null, body: null };
    throw error;
  }
}
