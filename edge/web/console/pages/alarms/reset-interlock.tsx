import { App, Button } from 'antd';
import { useState } from 'react';
import type { z } from 'zod';
import type { resetSchema } from '../../../schemas.ts';
import { type AlarmView, api, errorText } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useSentence } from '../../names.ts';
import { useRight } from '../../session.tsx';
import { useCampus } from '../../use-live.tsx';
import { words } from './words.ts';

/** Why core did not reset it, in its own words. */
class NotReset extends Error {}

/** Resets the interlock that raised an alarm, if it is one that stays until somebody does. */
export function ResetInterlock({ alarm, isAway }: { readonly alarm: AlarmView; readonly isAway: boolean }) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const sentence = useSentence();
  const { message } = App.useApp();
  const mayOperate = useRight('operate');
  const id = alarm.source.startsWith('interlock:') ? alarm.source.slice('interlock:'.length) : null;
  const interlock = useCampus()?.interlocks.find((one) => one.id === id);
  const [isOpen, setOpen] = useState(false);
  if (interlock?.latch !== true || !alarm.active) return null;
  if (!mayOperate) return <p className="kit-soft">{say.latched}</p>;
  return (
    <>
      <Button danger disabled={isAway} onClick={() => setOpen(true)}>
        {say.reset}
      </Button>
      <ReasonDialog
        open={isOpen}
        title={say.resetTitle(name(interlock.name))}
        action={say.reset}
        isDangerous
        sayError={(error) => (error instanceof NotReset ? sentence(error.message) : errorText(error, language))}
        onConfirm={async ({ reason }) => {
          const done = await api.post<z.infer<typeof resetSchema>>(`interlocks/${interlock.id}/reset`, { reason });
          if (!done.reset) throw new NotReset(done.message);
          void message.success(say.resetDone);
        }}
        onClose={() => setOpen(false)}
      >
        <p className="alarms-dialog-text">{say.resetHelp}</p>
      </ReasonDialog>
    </>
  );
}
