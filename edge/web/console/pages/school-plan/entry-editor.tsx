import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Input, Radio } from 'antd';
import { type ReactNode, useId, useState } from 'react';
import type { SchoolEntry } from '#edge/domain/school.ts';
import { ApiError, api, errorText, query } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { askAnew, type EntryView, isChangedMeanwhile } from '../school-day/data.ts';
import { Field } from './fields.tsx';
import { merged, mergeOf } from './merge.ts';
import { type PlanSay, words } from './words.ts';

/** Of one part: `rev` 0 is a new one. */
export interface Known<E extends SchoolEntry> {
  readonly id: string;
  readonly rev: number;
  readonly body: E;
}

interface EditorProps<E extends SchoolEntry> {
  readonly entry: Known<E>;
  /** Sentences about what is missing; nothing is sent while there are any. */
  readonly missing?: (body: E) => readonly string[];
  readonly children: (body: E, change: (part: Partial<E>) => void) => ReactNode;
  readonly onDone: () => void;
}

/** Writes one entry of the draft. When somebody else wrote it meanwhile both are shown, and nothing typed is lost. */
export function EntryEditor<E extends SchoolEntry>({ entry, missing, children, onDone }: EditorProps<E>) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [base, setBase] = useState(entry);
  const [body, setBody] = useState(entry.body);
  const [problems, setProblems] = useState<readonly string[]>([]);
  const [theirs, setTheirs] = useState<{ readonly rev: number; readonly body: E | null } | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [isRemoving, setRemoving] = useState(false);
  const change = (part: Partial<E>) => setBody((before) => ({ ...before, ...part }));
  const done = async (text: string) => {
    await askAnew(queries);
    void message.success(text);
    onDone();
  };
  const save = async () => {
    const wrong = [...(body.name.zh.trim() === '' ? [say.needName] : []), ...(missing?.(body) ?? [])];
    setProblems(wrong);
    if (wrong.length > 0) return;
    setBusy(true);
    try {
      await api.put(`school/entries/${base.id}`, { rev: base.rev, body: ready(body), why: '' });
      await done(say.saved);
    } catch (error) {
      if (isChangedMeanwhile(error)) setTheirs(await theirsOf<E>(base.id));
      else setProblems([errorText(error, language), ...detailOf(error)]);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="schoolplan-form"
      data-entry={base.id}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {theirs !== null && (
        <Conflict
          {...{ base: base.body, mine: body, theirs: theirs.body }}
          onMerged={(next) => {
            setBase({ id: base.id, rev: theirs.rev, body: theirs.body ?? base.body });
            setBody(next);
            setTheirs(null);
          }}
          onGiveUp={onDone}
        />
      )}
      <div className="schoolplan-fields">
        <Field label={say.nameZh}>
          {(id) => (
            <Input
              id={id}
              maxLength={80}
              value={body.name.zh}
              onChange={(event) => setBody({ ...body, name: { ...body.name, zh: event.target.value } })}
            />
          )}
        </Field>
        <Field label={say.nameEn} help={say.nameEnHelp}>
          {(id) => (
            <Input
              id={id}
              maxLength={80}
              value={body.name.en}
              onChange={(event) => setBody({ ...body, name: { ...body.name, en: event.target.value } })}
            />
          )}
        </Field>
      </div>
      {children(body, change)}
      <div className="kit-form-error" role="alert">
        {problems.length > 0 && <strong>{say.problem}</strong>}
        <ul>
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      </div>
      <div className="kit-actions">
        <Button type="primary" htmlType="submit" loading={isBusy} disabled={theirs !== null} data-act="save">
          {say.save}
        </Button>
        <Button onClick={onDone}>{say.cancel}</Button>
        {base.rev > 0 && (
          <Button danger onClick={() => setRemoving(true)} data-act="remove">
            {say.remove}
          </Button>
        )}
      </div>
      <ReasonDialog
        open={isRemoving}
        title={say.removeTitle(name(base.body.name))}
        action={say.remove}
        isDangerous
        reasonRequired={false}
        sayError={(error) => errorText(error, language)}
        onConfirm={async ({ reason }) => {
          await api.delete(`school/entries/${base.id}${query({ rev: base.rev, why: reason })}`);
          await done(say.removed);
        }}
        onClose={() => setRemoving(false)}
      >
        <p>{say.removeHelp}</p>
      </ReasonDialog>
    </form>
  );
}

/** A name in one language is that in the other too. */
function ready<E extends SchoolEntry>(body: E): E {
  const zh = body.name.zh.trim();
  const en = body.name.en.trim();
  return { ...body, name: { zh: zh === '' ? en : zh, en: en === '' ? zh : en } };
}

export function detailOf(error: unknown): readonly string[] {
  return error instanceof ApiError && error.status === 400 ? [error.message] : [];
}

/** What is there now; a body of null: it was removed. */
async function theirsOf<E extends SchoolEntry>(id: string): Promise<{ readonly rev: number; readonly body: E | null }> {
  try {
    const { rev, body } = await api.get<Omit<EntryView, 'body'> & { readonly body: E }>(`school/entries/${id}`);
    return { rev, body };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { rev: 0, body: null };
    throw error;
  }
}

function Conflict<E extends SchoolEntry>({
  base,
  mine,
  theirs,
  onMerged,
  onGiveUp,
}: {
  readonly base: E;
  readonly mine: E;
  readonly theirs: E | null;
  readonly onMerged: (body: E) => void;
  readonly onGiveUp: () => void;
}) {
  const say = useWords(words);
  const ids = useId();
  const [toThem, setToThem] = useState<ReadonlySet<string>>(new Set());
  if (theirs === null)
    return (
      <section className="kit-panel schoolplan-conflict" role="alert" aria-label={say.conflict}>
        <h2>
          <SignIcon sign="triangle" size={16} /> {say.conflict}
        </h2>
        <p>{say.conflictGone}</p>
        <div className="kit-actions">
          <Button type="primary" onClick={() => onMerged(mine)}>
            {say.addAnew}
          </Button>
          <Button onClick={onGiveUp}>{say.takeTheirs}</Button>
        </div>
      </section>
    );
  const { conflicts, theirs: onlyTheirs, mine: onlyMine } = mergeOf(base, mine, theirs);
  const give = (field: string, isTheirs: boolean) => {
    const next = new Set(toThem);
    if (isTheirs) next.add(field);
    else next.delete(field);
    setToThem(next);
  };
  const row = (field: string, note: string, isBoth: boolean) => (
    <tr key={field} data-field={field}>
      <th scope="row">
        {fieldName(field, say)} <span className="kit-soft">{note}</span>
      </th>
      {([mine, theirs] as const).map((body, side) => (
        <td key={side === 0 ? 'mine' : 'theirs'}>
          {isBoth ? (
            <Radio
              name={`${ids}-${field}`}
              checked={toThem.has(field) === (side === 1)}
              onChange={() => give(field, side === 1)}
            >
              {brief(body, field)}
            </Radio>
          ) : (
            brief(body, field)
          )}
        </td>
      ))}
    </tr>
  );
  return (
    <section className="kit-panel schoolplan-conflict" role="alert" aria-label={say.conflict}>
      <h2>
        <SignIcon sign="triangle" size={16} /> {say.conflict}
      </h2>
      <p>{say.conflictHelp}</p>
      <table className="schoolplan-table">
        <thead>
          <tr>
            <th scope="col">{say.field}</th>
            <th scope="col">{say.mine}</th>
            <th scope="col">{say.theirs}</th>
          </tr>
        </thead>
        <tbody>
          {conflicts.map((field) => row(field, say.both, true))}
          {onlyTheirs.map((field) => row(field, say.onlyTheirs, false))}
          {onlyMine.map((field) => row(field, say.onlyMine, false))}
        </tbody>
      </table>
      <div className="kit-actions">
        <Button type="primary" onClick={() => onMerged(merged(base, mine, theirs, toThem))} data-act="merge">
          {say.merge}
        </Button>
        <Button onClick={onGiveUp}>{say.takeTheirs}</Button>
      </div>
    </section>
  );
}

function fieldName(field: string, say: PlanSay): string {
  const word = Object.entries(say).find(([key]) => key === `field:${field}`)?.[1];
  return typeof word === 'string' ? word : field;
}

/** Enough of a field to tell two of them apart. */
function brief(body: SchoolEntry, field: string): string {
  const value: unknown = Object.entries(body).find(([key]) => key === field)?.[1];
  if (value === undefined || value === null) return '—';
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value)
    .replaceAll(/[{}[\]"]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 160);
}
