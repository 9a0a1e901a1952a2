import { useQueryClient } from '@tanstack/react-query';
import { App, Input, Modal } from 'antd';
import { useId, useState } from 'react';
import { api, errorText } from '../../api.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { useSentence } from '../../names.ts';
import { askAnew, countRoll, type EmergencyView } from './data.ts';
import { HoldButton } from './hold-button.tsx';
import { words } from './words.ts';

/** Ends it: with a reason, held like the beginning, and saying first who is not accounted for. */
export function AllClear({ one, onClose }: { readonly one: EmergencyView; readonly onClose: () => void }) {
  const say = useWords(words);
  const language = useLanguage();
  const sentence = useSentence();
  const id = useId();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [why, setWhy] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const counts = countRoll(one.roll);
  const open = one.roll.length - counts.all;
  const clear = async () => {
    const reason = why.trim();
    if (reason === '') return setProblem(say.whyNeeded);
    setBusy(true);
    setProblem('');
    try {
      const answer = await api.post<{ readonly cleared: boolean; readonly message: string }>(
        `emergencies/${one.id}/all-clear`,
        { why: reason, confirm: 'all-clear' },
      );
      await askAnew(queries);
      if (!answer.cleared) return setProblem(say.standing(sentence(answer.message)));
      void message.success(say.cleared);
      onClose();
    } catch (error) {
      setProblem(errorText(error, language));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      open
      title={say.allClearTitle(say[`kind:${one.kind}`])}
      onCancel={onClose}
      footer={null}
      destroyOnHidden
      width={560}
    >
      <div className="emergency-begin">
        <p>{say.allClearHelp}</p>
        {open > 0 && <p className="emergency-problem">{say.stillOpen(open)}</p>}
        <div className="kit-field">
          <label htmlFor={id}>{say.allClearWhy}</label>
          <Input id={id} value={why} maxLength={300} onChange={(event) => setWhy(event.target.value)} aria-required />
        </div>
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
        <HoldButton
          act="hold-clear"
          tone="good"
          help={say.holdToBegin}
          isDisabled={isBusy || why.trim() === ''}
          onHeld={() => void clear()}
        >
          {say.allClearHold}
        </HoldButton>
      </div>
    </Modal>
  );
}
