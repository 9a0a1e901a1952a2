import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useEffect } from 'react';
import { api, type CampusView } from '../../api.ts';
import { domainText } from '../../domain-words.ts';
import { SignIcon } from '../../kit/icons.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useTicking } from '../../kit/ticker.ts';
import type { NamePair } from '../../kit/words.ts';
import { useLink } from '../../use-live.tsx';
import { words } from './words.ts';

const pace = 1_500;
/** Restarting takes seconds; after this long a person should look, ms. */
const unusual = 40_000;

/** The device is written; core, its driver and this page's server start again: shown until all are back. */
export function Adopted({
  answer,
  name,
  onClose,
  onAgain,
}: {
  readonly answer: { readonly id: string; readonly restarts: readonly string[] };
  readonly name: NamePair;
  readonly onClose: () => void;
  /** null: there is nothing more to add here. */
  readonly onAgain: (() => void) | null;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const called = useName();
  const queries = useQueryClient();
  const link = useLink();
  const begun = useTicking((now) => Math.floor(now / pace));
  const campus = useQuery({
    queryKey: ['campus', 'waiting for', answer.id],
    queryFn: ({ signal }) => api.get<CampusView>('campus', signal),
    refetchInterval: ({ state }) => (isThere(state.data, answer.id) ? false : pace),
    retry: false,
  });
  const isBack = isThere(campus.data, answer.id) && link.state === 'live';
  const isSlow = !isBack && campus.dataUpdatedAt + campus.errorUpdatedAt > 0 && begun * pace - link.lastWell > unusual;
  useEffect(() => {
    if (!isBack) return;
    void queries.invalidateQueries({ queryKey: ['campus'], exact: true });
    void queries.invalidateQueries({ queryKey: ['points'] });
    void queries.invalidateQueries({ queryKey: ['inbox'] });
  }, [isBack, queries]);
  const restarts = answer.restarts.map((one) => domainText('process', one, language)).join(' · ');
  return (
    <div className="inbox-adopted" data-back={isBack} role="status">
      <SignIcon sign={isBack ? 'dot' : 'half'} size={36} />
      <h3>{say.doneTitle(called(name))}</h3>
      {isBack ? (
        <p>{say.doneHelp}</p>
      ) : (
        <>
          <p>{say.restarting(restarts)}</p>
          <p className="kit-soft">{isSlow ? say.slow : say.waitingCore}</p>
        </>
      )}
      <div className="kit-actions">
        {isBack && (
          <a className="kit-button" href={`#/devices/${answer.id}`}>
            {say.openDevice}
          </a>
        )}
        {isBack && onAgain !== null && <Button onClick={onAgain}>{say.addAnother}</Button>}
        <Button onClick={onClose}>{say.close}</Button>
      </div>
    </div>
  );
}

function isThere(campus: CampusView | undefined, id: string): boolean {
  return campus?.devices.some((device) => device.id === id) === true;
}
