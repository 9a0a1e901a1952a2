import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Drawer } from 'antd';
import { type ChangeEvent, useId, useState } from 'react';
import type { ImportView } from '../../../place-schemas.ts';
import { call, problemText } from '../../api.ts';
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
      setProblem(problemText(error, language));
    } finally {
      setBusy(false);
    }
  };
  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    const given = event.target.files?.[0] ?? null;
    setFile(given);
    setFound(null);
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
        <p>{say.importAbout}</p>
        <div className="kit-field">
          <label htmlFor={id}>{say.choose}</label>
          <input id={id} type="file" accept=".csv,text/csv" onChange={choose} />
        </div>
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
  if (mistakes.length === 0) return <p>{changed === 0 ? say.nothingToWrite : say.wouldChange(changed, same)}</p>;
  return (
    <div>
      <p>{say.mistakes(mistakes.length)}</p>
      <ul>
        {mistakes.map(({ line, message }) => (
          <li key={`${line} ${message}`}>
            {say.line(line)}: {message}
          </li>
        ))}
      </ul>
    </div>
  );
}
