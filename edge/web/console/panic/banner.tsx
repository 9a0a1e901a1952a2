import { useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Radio } from 'antd';
import { useState } from 'react';
import { hashOf } from '../address.ts';
import { type AlarmView, api, errorText } from '../api.ts';
import { ReasonDialog } from '../kit/confirm.tsx';
import { ageText } from '../kit/formats.ts';
import { SignIcon } from '../kit/icons.tsx';
import { useFormats, useLanguage, useName, useWords } from '../kit/language.tsx';
import { useTicking } from '../kit/ticker.ts';
import type { NamePair } from '../kit/words.ts';
import { useDeviceName, useZoneName } from '../names.ts';
import { useRight, useSession } from '../session.tsx';
import { words } from './words.ts';
import './panic.css';

/* Over every page while a one-key alarm stands: where, since when, what was done, and the only way to end it. */

interface PanicButton {
  readonly id: string;
  readonly name: NamePair;
  readonly zone: string;
  readonly state: 'ready' | 'pressed' | 'faulty';
  readonly incident: string | null;
  readonly cameras: readonly { readonly device: string }[];
  readonly sound: object | null;
}

const prefix = 'interlock:panic.';
const again = 5_000;
const outcomes = ['handled', 'false-alarm', 'test', 'police'] as const;
type Outcome = (typeof outcomes)[number];

export function PanicBanner({ alarms }: { readonly alarms: readonly AlarmView[] }) {
  const maySee = useRight('incidents');
  const key = alarms.map(({ id, active }) => `${id} ${active}`).join();
  const { data } = useQuery({
    queryKey: ['panic', key],
    queryFn: ({ signal }) => api.get<readonly PanicButton[]>('panic', signal),
    refetchInterval: again,
    enabled: maySee,
    placeholderData: (before) => before,
  });
  return alarms.map((alarm) => {
    const id = alarm.source.slice(prefix.length);
    return <One key={alarm.id} alarm={alarm} id={id} button={data?.find((button) => button.id === id)} />;
  });
}

function One({
  alarm,
  id,
  button,
}: {
  readonly alarm: AlarmView;
  readonly id: string;
  readonly button: PanicButton | undefined;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const name = useName();
  const zoneName = useZoneName();
  const deviceName = useDeviceName();
  const mayEnd = useRight('emergency');
  const [isEnding, setEnding] = useState(false);
  const since = alarm.came ?? alarm.raised;
  const age = useTicking((time) => ageText(Math.max(0, time - since), language));
  const called = button === undefined ? '' : name(button.name);
  const done = [
    ...(button === undefined || button.sound === null ? [] : [say.doneSound]),
    ...(button === undefined || button.cameras.length === 0
      ? []
      : [say.doneCameras(button.cameras.map(({ device }) => deviceName(device)).join(' · '))]),
    say.doneIncident,
  ];
  return (
    <section className="panic" role="alert" data-panic={id}>
      <SignIcon sign="octagon" size={28} />
      <div>
        <p className="panic-title">
          {say.title} · {say.where(zoneName(button?.zone ?? alarm.zone), called)}
        </p>
        <p>
          {say.since(formats.clock(since), age)} · {done.join(' · ')}
        </p>
        {!mayEnd && <p>{say.onlyOthers}</p>}
      </div>
      <div className="kit-actions">
        {button?.incident != null && (
          <a className="kit-button" href={hashOf(`/incidents/${button.incident}`)}>
            {say.open}
          </a>
        )}
        {mayEnd && (
          <Button danger data-act="end" onClick={() => setEnding(true)}>
            {say.end}
          </Button>
        )}
      </div>
      {isEnding && <EndDialog id={id} called={called === '' ? id : called} onClose={() => setEnding(false)} />}
    </section>
  );
}

/** Its button is still pressed: said in the dialog, which stays. */
class StillPressed extends Error {}

function EndDialog({
  id,
  called,
  onClose,
}: {
  readonly id: string;
  readonly called: string;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const { name } = useSession();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [outcome, setOutcome] = useState<Outcome>('handled');
  return (
    <ReasonDialog
      open
      isDangerous
      title={say.endTitle(called)}
      action={say.end}
      sayError={(error) => (error instanceof StillPressed ? say.stillPressed : errorText(error, language))}
      onConfirm={async ({ reason }) => {
        const answer = await api.post<{ readonly reset: boolean }>(`panic/${id}/reset`, { outcome, reason });
        if (!answer.reset) throw new StillPressed();
        void message.success(say.ended);
        void Promise.all(['panic', 'incidents'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
      }}
      onClose={onClose}
    >
      <p>{say.endHelp(name)}</p>
      <fieldset className="panic-outcomes">
        <legend>{say.outcome}</legend>
        <Radio.Group value={outcome} onChange={(event) => setOutcome(event.target.value)}>
          {outcomes.map((one) => (
            <Radio key={one} value={one}>
              {say[`outcome:${one}`]}
            </Radio>
          ))}
        </Radio.Group>
      </fieldset>
    </ReasonDialog>
  );
}
