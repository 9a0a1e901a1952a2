import { useQueryClient } from '@tanstack/react-query';
import { Button, Input } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import type { AssetView } from '../../../place-schemas.ts';
import { api, problemText } from '../../api.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { words } from './words.ts';

/** What was done to a device, newest first, and a line for what was done today. */
export function MaintenanceLog({ asset, mayWrite }: { readonly asset: AssetView; readonly mayWrite: boolean }) {
  const say = useWords(words);
  return (
    <section className="assets-part">
      <h3>{say.maintenance}</h3>
      {asset.maintenance.length === 0 && <p className="kit-soft">{say.maintenanceNone}</p>}
      <ul className="assets-log">
        {asset.maintenance.map(({ date, by, note }) => (
          <li key={`${date} ${by} ${note}`}>
            <span className="kit-soft">
              {date} · {by}
            </span>
            <span>{note}</span>
          </li>
        ))}
      </ul>
      {mayWrite && <AddLine device={asset.device} />}
    </section>
  );
}

function AddLine({ device }: { readonly device: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const id = useId();
  const [date, setDate] = useState(() => new Date(now()).toISOString().slice(0, 10));
  const [note, setNote] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (date === '' || note.trim() === '') return setProblem(say.maintenanceNeeded);
    setBusy(true);
    setProblem('');
    try {
      await api.post(`assets/${device}/maintenance`, { date, note: note.trim() });
      setNote('');
      await queries.invalidateQueries({ queryKey: ['assets'] });
    } catch (error) {
      setProblem(problemText(error, language));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="assets-add" onSubmit={(event) => void submit(event)} noValidate>
      <div className="kit-field">
        <label htmlFor={`${id}-date`}>{say.maintenanceDate}</label>
        <Input id={`${id}-date`} type="date" value={date} onChange={(event) => setDate(event.target.value)} />
      </div>
      <div className="kit-field">
        <label htmlFor={`${id}-note`}>{say.maintenanceNote}</label>
        <Input id={`${id}-note`} value={note} maxLength={500} onChange={(event) => setNote(event.target.value)} />
      </div>
      <Button htmlType="submit" loading={isBusy}>
        {say.maintenanceAdd}
      </Button>
      <p className="kit-form-error" role="alert">
        {problem}
      </p>
    </form>
  );
}
