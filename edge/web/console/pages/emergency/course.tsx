import { useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useState } from 'react';
import { hashOf } from '../../address.ts';
import { api, errorText } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { now, useTicking } from '../../kit/ticker.ts';
import { useSentence, useZoneName } from '../../names.ts';
import { useRight } from '../../session.tsx';
import { AllClear } from './all-clear.tsx';
import { askAnew, type EmergencyView } from './data.ts';
import { EmergencyIcon } from './kind-icon.tsx';
import { Roll } from './roll.tsx';
import { Steps } from './steps.tsx';
import { Timeline } from './timeline.tsx';
import { words } from './words.ts';

/** An emergency that goes on: what it is, what may be done, who is accounted for, what happened. */
export function Course({ one, isAlone = false }: { readonly one: EmergencyView; readonly isAlone?: boolean }) {
  const say = useWords(words);
  const isOpen = one.cleared === null;
  return (
    <article
      className="emergency-course"
      data-emergency={one.id}
      data-kind={one.kind}
      data-drill={one.drill}
      data-open={isOpen}
      aria-label={say[`kind:${one.kind}`]}
    >
      <Head one={one} isAlone={isAlone} />
      <div className="emergency-columns">
        <Roll one={one} />
        <div>
          <Steps one={one} />
          <Timeline one={one} />
        </div>
      </div>
    </article>
  );
}

function Head({ one, isAlone }: { readonly one: EmergencyView; readonly isAlone: boolean }) {
  const say = useWords(words);
  const formats = useFormats();
  const name = useName();
  const zoneName = useZoneName();
  const mayAct = useRight('emergency');
  const sentence = useSentence();
  const [asks, setAsks] = useState<'clear' | 'off' | 'on' | null>(null);
  const end = one.cleared;
  const age = useTicking((time) =>
    formats.duration(Math.max(0, Math.floor(((end ?? time) - one.since) / 1_000) * 1_000)),
  );
  const kind = say[`kind:${one.kind}`];
  const called = name(one.name);
  const isOpen = end === null;
  const facts = [
    [...new Set(one.causes.map(({ origin }) => say[`origin:${origin.kind}`]))].join(' + '),
    one.zones.map(zoneName).join('、'),
    ...(one.why === '' ? [] : [sentence(one.why)]),
    ...(one.until === null || !isOpen ? [] : [say.endsAt(formats.moment(one.until, now()))]),
  ];
  return (
    <header className="emergency-head" role={isOpen ? 'alert' : undefined}>
      <EmergencyIcon kind={one.kind} />
      <div>
        <h2>
          {one.drill && <span className="emergency-drill">{say.drillMark}</span>}
          {kind}
          {called !== '' && called !== kind && <span className="emergency-called">{called}</span>}
        </h2>
        <p>{isOpen ? say.since(formats.clock(one.since), age) : `${say.over} · ${say.lasted(age)}`}</p>
        <p>{facts.join(' · ')}</p>
        {one.causes.map(
          ({ origin }) => origin.kind === 'terminal' && <Countdown key={origin.event} {...origin} isOpen={isOpen} />,
        )}
        {isOpen && <p>{soundsOf(one, say)}</p>}
        {isOpen && one.standing !== '' && <p>{say.standing(sentence(one.standing))}</p>}
      </div>
      <div className="emergency-acts">
        {isOpen && mayAct && one.standing === '' && one.items.length > 0 && (
          <Button data-act="sounds" onClick={() => setAsks('off')}>
            {say.soundsOff}
          </Button>
        )}
        {isOpen && mayAct && one.standing === '' && (one.items.length === 0 || one.silent.length > 0) && (
          <Button data-act={one.items.length === 0 ? 'sounds' : 'sounds-more'} onClick={() => setAsks('on')}>
            {say.soundsOn}
          </Button>
        )}
        {isOpen && mayAct && (
          <Button data-act="all-clear" onClick={() => setAsks('clear')}>
            {say.allClear}
          </Button>
        )}
        {!isAlone && (
          <a className="kit-button" href={hashOf(`/emergency/${one.id}`)}>
            {say.pastOpen}
          </a>
        )}
      </div>
      {asks === 'clear' && <AllClear one={one} onClose={() => setAsks(null)} />}
      {(asks === 'off' || asks === 'on') && <Sounds id={one.id} isOn={asks === 'on'} onClose={() => setAsks(null)} />}
    </header>
  );
}

function soundsOf({ items, causes }: EmergencyView, say: (typeof words)['zh']): string {
  if (items.length > 0) return say.sounding(items.length);
  return causes.some(({ origin }) => origin.kind === 'rule') ? say.ownSound : say.silent;
}

function Countdown({
  arrival,
  intensity,
  magnitude,
  place,
  isOpen,
}: Extract<EmergencyView['origin'], { kind: 'terminal' }> & { readonly isOpen: boolean }) {
  const say = useWords(words);
  const formats = useFormats();
  const left = useTicking((time) => Math.ceil((arrival - time) / 1_000));
  const facts = [
    say.intensity(formats.number(intensity, 1)),
    ...(magnitude === null ? [] : [say.magnitude(formats.number(magnitude, 1))]),
    ...(place === '' ? [] : [place]),
  ];
  return (
    <p className="emergency-countdown">
      {isOpen && <strong>{left > 0 ? say.arrivesIn(String(left)) : say.arrived}</strong>}
      {facts.join(' · ')}
    </p>
  );
}

function Sounds({ id, isOn, onClose }: { readonly id: string; readonly isOn: boolean; readonly onClose: () => void }) {
  const say = useWords(words);
  const language = useLanguage();
  const queries = useQueryClient();
  const { message } = App.useApp();
  return (
    <ReasonDialog
      open
      title={isOn ? say.soundsOnTitle : say.soundsOffTitle}
      action={isOn ? say.soundsOn : say.soundsOff}
      sayError={(error) => errorText(error, language)}
      onConfirm={async ({ reason }) => {
        await api.post(`emergencies/${id}/sounds`, { on: isOn, why: reason });
        void message.success(say.soundsDone);
        await askAnew(queries);
      }}
      onClose={onClose}
    >
      {!isOn && <p>{say.soundsOffHelp}</p>}
    </ReasonDialog>
  );
}
