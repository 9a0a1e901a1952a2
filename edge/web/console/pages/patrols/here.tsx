import { useQueryClient } from '@tanstack/react-query';
import { Button, Input } from 'antd';
import { useId, useState } from 'react';
import { ApiError, api, errorText } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, PageSkeleton } from '../../kit/states.tsx';
import { type CheckIn, usePatrolDay } from './data.ts';
import { words } from './words.ts';

/** What a code on a wall opens: one button, to be pressed by somebody who stands there. */
export function Here({ place, token }: { readonly place: string; readonly token: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const name = useName();
  const queries = useQueryClient();
  const ids = useId();
  const [note, setNote] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [done, setDone] = useState<CheckIn | null>(null);
  const { data, isPending } = usePatrolDay('');
  if (isPending) return <PageSkeleton />;
  const found = data?.places.find(({ id }) => id === place);
  const toList = <a href="#/patrols">{say.toList}</a>;
  if (found === undefined) {
    return (
      <EmptyState title={say.unknownPlace} action={toList}>
        {say.unknownPlaceHelp}
      </EmptyState>
    );
  }
  const checkIn = async () => {
    setBusy(true);
    setProblem('');
    try {
      setDone(await api.post<CheckIn>('patrols', { place, token, note: note.trim() }));
      void queries.invalidateQueries({ queryKey: ['patrols'] });
    } catch (error) {
      const isWrong = error instanceof ApiError && error.code === 'patrol-code-wrong';
      setProblem(isWrong ? say.wrongCode : errorText(error, language));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="kit-panel patrols-here" data-here={place}>
      <PageHeader title={say.here} isUnseen />
      <p className="kit-soft">{say.here}</p>
      <h2>{name(found.name)}</h2>
      <p className="kit-number">{say.count(found.done, found.required)}</p>
      {done === null ? (
        <>
          <div className="kit-field">
            <label htmlFor={`${ids}-note`}>{say.note}</label>
            <Input
              id={`${ids}-note`}
              placeholder={say.noteHint}
              maxLength={500}
              value={note}
              onChange={(event) => setNote(event.target.value)}
            />
          </div>
          <p className="kit-form-error" role="alert">
            {problem}
          </p>
          <Button type="primary" size="large" block loading={isBusy} onClick={() => void checkIn()}>
            {say.confirmHere}
          </Button>
        </>
      ) : (
        <>
          <p className="patrols-done" role="status">
            <SignIcon sign="dot" /> {say.hereDone(formats.clock(done.time))}
          </p>
          <p className="kit-soft">{say.hereDoneHelp}</p>
          {toList}
        </>
      )}
    </div>
  );
}
