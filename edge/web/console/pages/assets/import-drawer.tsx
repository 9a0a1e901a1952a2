import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Drawer } from 'antd';
import { type ChangeEvent, useId, useState } from 'react';
import type { ImportView } from '../../../place-schemas.ts';
import { ApiError, call, errorDetail, problemText, query } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { DownloadLink } from '../../kit/download.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { words } from './words.ts';

/** A file is looked through first; only one without mistakes can be written. */
export function ImportDrawer({ onClose }: { readonly onClose: () => void }) {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const isPhone = useMedia(phoneQuery);
  const id = useId();
  const [file, setFile] = useState<File | null>(null);
  const [found, setFound] = useState<ImportView | null>(null);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);

  const send = async (given: File, write: boolean) => {
    setBusy(true);
    setProblem('');
    try {
      const answer = await call(`assets.csv?write=${write}`, { method: 'POST', body: given, type: 'text/csv' });
      const view = (await answer.json()) as ImportView;
      setFound(view);
      if (!view.written) return;
      void message.success(say.written(view.changed));
      await queries.invalidateQueries({ queryKey: ['assets'] });
      onClose();
    } catch (error) {
      setFound(null);
      // The server says where the table cannot be read.
      const detail = error instanceof ApiError && error.code === 'bad-csv' ? ` (${errorDetail(error)})` : '';
      setProblem(`${problemText(error, language)}${detail}`);
    } finally {
      setBusy(false);
    }
  };
  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    const given = event.target.files?.[0] ?? null;
    setFile(given);
    setFound(null);
    // The same file again, mended meanwhile, is a change too.
    event.target.value = '';
    if (given !== null) void send(given, false);
  };

  return (
    <Drawer
      open
      title={say.import}
      onClose={onClose}
      size={isPhone ? '100%' : 520}
      closable={{ 'aria-label': say.close }}
    >
      <div className="kit-form">
        <p className="assets-about">{say.importAbout}</p>
        <div className="assets-import">
          <DownloadLink href={`api/v1/assets.csv${query({ lang: language })}`}>{say.template}</DownloadLink>
          <span className="assets-file">
            <input id={id} className="kit-unseen" type="file" accept=".csv,text/csv" onChange={choose} />
            <label htmlFor={id} className="kit-button">
              {say.choose}
            </label>
          </span>
        </div>
        {file !== null && <p className="assets-about kit-soft">{file.name}</p>}
        {isBusy && <p role="status">{say.checking}</p>}
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
        {found !== null && <Found found={found} />}
        {file !== null && found !== null && found.mistakes.length === 0 && found.changed > 0 && (
          <div>
            <Button type="primary" loading={isBusy} onClick={() => void send(file, true)}>
              {say.write}
            </Button>
          </div>
        )}
      </div>
    </Drawer>
  );
}

function Found({ found }: { readonly found: ImportView }) {
  const say = useWords(words);
  const { mistakes, changed, same } = found;
  if (mistakes.length === 0) {
    return (
      <p className="assets-about" data-found="good">
        <ToneBadge tone="good">{say.ready}</ToneBadge>{' '}
        {changed === 0 ? say.nothingToWrite : say.wouldChange(changed, same)}
      </p>
    );
  }
  return (
    <div data-found="bad">
      <p className="kit-form-error">{say.mistakes(mistakes.length)}</p>
      <ul className="assets-mistakes">
        {mistakes.map(({ line, message }) => (
          <li key={`${line} ${message}`}>
            {say.line(line)}: {message}
          </li>
        ))}
      </ul>
    </div>
  );
}
