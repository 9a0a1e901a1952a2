import { useQueryClient } from '@tanstack/react-query';
import { App, Checkbox } from 'antd';
import { api, errorText } from '../../api.ts';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useRight } from '../../session.tsx';
import { askAnew, type EmergencyView } from './data.ts';
import { useWho } from './who.ts';
import { words } from './words.ts';

/** What to do, in order; who did it and when. */
export function Steps({ one }: { readonly one: EmergencyView }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const name = useName();
  const owner = useWho();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const mayAct = useRight('emergency') && one.cleared === null;
  const done = one.steps.filter((step) => step.done !== null).length;
  const tick = async (index: number, isDone: boolean) => {
    try {
      await api.post(`emergencies/${one.id}/steps/${index}`, { done: isDone });
      await askAnew(queries);
    } catch (error) {
      void message.error(errorText(error, language));
    }
  };
  return (
    <Panel
      title={say.steps}
      extra={one.steps.length === 0 ? null : <span className="kit-soft">{say.stepsDone(done, one.steps.length)}</span>}
    >
      {one.steps.length === 0 && <p className="kit-soft">{say.noSteps}</p>}
      <ol className="emergency-steps">
        {one.steps.map(({ text, done: by }, index) => (
          <li key={`${index} ${text.zh}`} data-done={by !== null}>
            <Checkbox
              checked={by !== null}
              disabled={!mayAct}
              onChange={(event) => void tick(index, event.target.checked)}
            >
              {name(text)}
              {by !== null && <small className="kit-soft">{say.rollBy(owner(by.by), formats.clock(by.time))}</small>}
            </Checkbox>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
