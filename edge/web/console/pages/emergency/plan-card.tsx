import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Input, Modal, Radio, Select } from 'antd';
import { useId, useState } from 'react';
import { api, errorText } from '../../api.ts';
import { SignIcon } from '../../kit/icons.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useZoneName } from '../../names.ts';
import { useSession } from '../../session.tsx';
import { useCampus } from '../../use-live.tsx';
import { askAnew, type PlanView } from './data.ts';
import { HoldButton } from './hold-button.tsx';
import { EmergencyIcon } from './kind-icon.tsx';
import { words } from './words.ts';

/** One kind of emergency: what will happen, and the guarded way to begin it. */
export function PlanCard({ plan, mayAct }: { readonly plan: PlanView; readonly mayAct: boolean }) {
  const say = useWords(words);
  const name = useName();
  const zoneName = useZoneName();
  const [isOpen, setOpen] = useState(false);
  const said = name(plan.words);
  const where = plan.zones === 'all' ? say.wholeCampus : plan.zones.map(zoneName).join('、');
  return (
    <section className="emergency-plan" data-kind={plan.kind} aria-label={say[`kind:${plan.kind}`]}>
      <header>
        <EmergencyIcon kind={plan.kind} />
        <h3>{say[`kind:${plan.kind}`]}</h3>
      </header>
      <dl>
        <dt>{say.willSay}</dt>
        <dd>{said === '' ? say.nothingSaid : said}</dd>
        <dt>{say.where}</dt>
        <dd>{where}</dd>
      </dl>
      {plan.problem !== null && (
        <p className="emergency-problem">
          <SignIcon sign="triangle" /> {say.cannotSound(plan.problem)}
        </p>
      )}
      {plan.mistakes.map(({ code, length }) => (
        <p key={code} className="kit-soft">
          <SignIcon sign="triangle" /> {mistakeText(code, length ?? 0, say)}
        </p>
      ))}
      {mayAct && (
        <Button danger size="large" data-act="begin" onClick={() => setOpen(true)}>
          {say.begin}
        </Button>
      )}
      {isOpen && <BeginDialog plan={plan} onClose={() => setOpen(false)} />}
    </section>
  );
}

/** Of his own zones those of the plan; all of his where it has none of them. */
function meant(zones: PlanView['zones'], mine: readonly string[]): readonly string[] {
  const both = mine.filter((zone) => zones === 'all' || zones.includes(zone));
  return both.length > 0 ? both : mine;
}

function mistakeText(code: string, length: number, say: (typeof words)['zh']): string {
  const seconds = String(Math.round(length / 1_000));
  if (code.startsWith('siren')) return say.sirenMistake(seconds);
  return code === 'voices' ? say.voicesMistake : say.voiceMistake(seconds);
}

function BeginDialog({ plan, onClose }: { readonly plan: PlanView; readonly onClose: () => void }) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const ids = useId();
  const campus = useCampus();
  const { zones: mine } = useSession();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [isDrill, setDrill] = useState<boolean | null>(null);
  const [zones, setZones] = useState<readonly string[]>(mine === 'all' ? [] : meant(plan.zones, mine));
  const [why, setWhy] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const kind = say[`kind:${plan.kind}`];
  const begin = async () => {
    if (isDrill === null) return setProblem(say.chooseFirst);
    setBusy(true);
    setProblem('');
    try {
      // Without a word of where it is where the plan says.
      const where = zones.length === 0 ? {} : { zones };
      const body = { kind: plan.kind, drill: isDrill, ...where, why, confirm: 'begin' };
      const answer = await api.post<{ readonly joined: boolean }>('emergencies', body);
      void message.success(answer.joined ? say.joined : isDrill ? say.beganDrill(kind) : say.beganReal(kind));
      await askAnew(queries);
      onClose();
    } catch (error) {
      setProblem(errorText(error, language));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal open title={say.beginTitle(kind)} onCancel={onClose} footer={null} width={640} destroyOnHidden>
      <div className="emergency-begin" data-drill={isDrill}>
        <Radio.Group
          className="emergency-choice"
          value={isDrill}
          onChange={(event) => setDrill(event.target.value)}
          aria-label={say.chooseFirst}
        >
          <Radio value={false} className="emergency-choice-real">
            <strong>{say.real}</strong>
            <span>{say.realHelp}</span>
          </Radio>
          <Radio value className="emergency-choice-drill" disabled={!plan.mayDrill}>
            <strong>{say.drill}</strong>
            <span>{plan.mayDrill ? say.drillHelp : say.noDrill}</span>
          </Radio>
        </Radio.Group>
        <div className="kit-field">
          <label htmlFor={`${ids}-zones`}>{say.zones}</label>
          <Select
            id={`${ids}-zones`}
            mode="multiple"
            value={[...zones]}
            onChange={setZones}
            placeholder={plan.zones === 'all' ? say.wholeCampus : say.chooseZones}
            options={(campus?.zones ?? [])
              .filter(({ id }) => mine === 'all' || mine.includes(id))
              .map((zone) => ({ value: zone.id, label: name(zone.name) }))}
            optionFilterProp="label"
          />
        </div>
        <div className="kit-field">
          <label htmlFor={`${ids}-why`}>{say.why}</label>
          <Input
            id={`${ids}-why`}
            value={why}
            maxLength={300}
            placeholder={say.whyExample}
            onChange={(event) => setWhy(event.target.value)}
          />
        </div>
        {plan.steps.length > 0 && (
          <details>
            <summary>{say.steps}</summary>
            <ol>
              {plan.steps.map((step) => (
                <li key={step.zh}>{name(step)}</li>
              ))}
            </ol>
          </details>
        )}
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
        <HoldButton
          act="hold-begin"
          tone={isDrill === true ? 'drill' : 'danger'}
          help={isDrill === null ? say.chooseFirst : say.holdToBegin}
          isDisabled={isBusy || isDrill === null}
          onHeld={() => void begin()}
        >
          {isDrill === true ? say.beginDrill(kind) : say.beginReal(kind)}
        </HoldButton>
      </div>
    </Modal>
  );
}
