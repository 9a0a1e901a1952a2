import { useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import { api, errorText } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import type { PlaceDay } from './data.ts';
import { words } from './words.ts';

interface DialogProps {
  readonly place: PlaceDay;
  readonly onClose: () => void;
}

function useDone() {
  const queries = useQueryClient();
  const { message } = App.useApp();
  return (text: string) => {
    void message.success(text);
    void queries.invalidateQueries({ queryKey: ['patrols'] });
  };
}

/** Somebody was there, noted at the desk. */
export function CheckInDialog({ place, onClose }: DialogProps) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const done = useDone();
  return (
    <ReasonDialog
      open
      title={say.checkInTitle(name(place.name))}
      action={say.checkIn}
      reasonRequired={false}
      sayError={(error) => errorText(error, language)}
      onConfirm={async ({ reason }) => {
        await api.post('patrols', { place: place.id, note: reason });
        done(say.checkInDone);
      }}
      onClose={onClose}
    >
      <p>{say.checkInHelp}</p>
    </ReasonDialog>
  );
}

export function RenewDialog({ place, onClose }: DialogProps) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const done = useDone();
  return (
    <ReasonDialog
      open
      isDangerous
      title={say.renewTitle(name(place.name))}
      action={say.renew}
      sayError={(error) => errorText(error, language)}
      onConfirm={async ({ reason }) => {
        await api.post(`key-places/${place.id}/renew`, { reason });
        done(say.renewDone);
      }}
      onClose={onClose}
    >
      <p>{say.renewHelp}</p>
    </ReasonDialog>
  );
}
