import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Input } from 'antd';
import { useId, useState } from 'react';
import { api, errorText } from '../../api.ts';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { useSentence } from '../../names.ts';
import { useRight } from '../../session.tsx';
import { askAnew, type EmergencyView } from './data.ts';
import { useWho } from './who.ts';
import { words } from './words.ts';

/** What happened, newest first; nobody can change it afterwards. */
export function Timeline({ one }: { readonly one: EmergencyView }) {
  const say = useWords(words);
  const formats = useFormats();
  const owner = useWho();
  const sentence = useSentence();
  const mayAct = useRight('emergency') && one.cleared === null;
  return (
    <Panel title={say.timeline}>
      {mayAct && <NoteForm id={one.id} />}
      <ol className="emergency-timeline" aria-label={say.timeline}>
        {one.timeline.toReversed().map((line, index) => (
          <li key={`${one.timeline.length - index}`} data-act={line.act}>
            <time className="kit-number">{formats.clock(line.time)}</time>
            <span className="emergency-act">{say[`act:${line.act}`]}</span>
            <span>
              {sentence(line.text)} <small className="kit-soft">{owner(line.who)}</small>
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function NoteForm({ id }: { readonly id: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const field = useId();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [text, setText] = useState('');
  const send = async () => {
    if (text.trim() === '') return;
    try {
      await api.post(`emergencies/${id}/notes`, { text });
      setText('');
      await askAnew(queries);
    } catch (error) {
      void message.error(errorText(error, language));
    }
  };
  return (
    <div className="emergency-note">
      <label className="kit-unseen" htmlFor={field}>
        {say.addNote}
      </label>
      <Input
        id={field}
        value={text}
        maxLength={500}
        placeholder={say.addNote}
        onChange={(event) => setText(event.target.value)}
        onPressEnter={() => void send()}
      />
      <Button onClick={() => void send()}>{say.add}</Button>
    </div>
  );
}
