import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Modal, Radio } from 'antd';
import { useState } from 'react';
import { ApiError, api, errorDetail, errorText } from '../../api.ts';
import { type Tone, ToneBadge } from '../../kit/badges.tsx';
import { Panel } from '../../kit/frame.tsx';
import { type Sign, SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useDeviceName, useSentence } from '../../names.ts';
import { useRight } from '../../session.tsx';
import { useDeviceHealth, useLink } from '../../use-live.tsx';
import { NetworkFacts } from './network-facts.tsx';
import { type Repair, type Step, saidText, steps } from './repair-said.ts';
import { repairWords } from './repair-words.ts';
import { useNetwork, useRepairs } from './use-repair.ts';
import './repair.css';

const tones: Readonly<Record<Repair['state'], Tone>> = {
  working: 'wait',
  healed: 'good',
  person: 'bad',
  idle: 'plain',
};
const signs: Readonly<Record<Repair['steps'][number]['state'], Sign>> = {
  done: 'dot',
  running: 'half',
  next: 'clock',
  skipped: 'square',
};

/** How a device is on the network, how it is being mended, and beginning a step of that by hand. */
export function RepairPanel({ device }: { readonly device: string }) {
  const say = useWords(repairWords);
  const health = useDeviceHealth(device);
  const repair = useRepairs().data?.find((one) => one.device === device);
  const line = useNetwork().data?.find((one) => one.device === device);
  const mayOperate = useRight('operate');
  if (repair === undefined && line === undefined && (health === undefined || !mayOperate)) return null;
  return (
    <Panel
      title={say.title}
      extra={repair === undefined ? null : <RepairBadge repair={repair} />}
      className="devices-repair"
    >
      {line !== undefined && <NetworkFacts line={line} />}
      {repair !== undefined && <Ladder repair={repair} />}
      {mayOperate && <Mend device={device} />}
    </Panel>
  );
}

export function RepairBadge({ repair }: { readonly repair: Repair }) {
  const say = useWords(repairWords);
  return <ToneBadge tone={tones[repair.state]}>{say[`state:${repair.state}`]}</ToneBadge>;
}

/** 检测 → 重连 → 重启 → 切换 → 断电 → 人工, each with when and what came of it. */
export function Ladder({ repair }: { readonly repair: Repair }) {
  const say = useWords(repairWords);
  const language = useLanguage();
  const formats = useFormats();
  const sentence = useSentence();
  return (
    <div className="devices-ladder" data-repair={repair.device} data-state={repair.state}>
      <p className="kit-soft">
        {say.began(formats.moment(repair.began, now()))}
        {repair.ended !== null && ` · ${say.ended(formats.moment(repair.ended, now()))}`}
      </p>
      <ol>
        {repair.steps.map(({ step, state, at, outcome }) => (
          <li key={step} data-step={step} data-state={state}>
            <SignIcon sign={signs[state]} size={13} />
            <span>
              <strong>{say[`step:${step}`]}</strong>{' '}
              <span className="kit-soft">
                {say[`mark:${state}`]}
                {at !== null && ` · ${formats.clock(at)}`}
              </span>
              {outcome !== '' && <span className="devices-ladder-said">{saidText(outcome, language, sentence)}</span>}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function Mend({ device }: { readonly device: string }) {
  const say = useWords(repairWords);
  const { state } = useLink();
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="kit-actions">
      <Button disabled={state !== 'live'} data-act="mend" onClick={() => setOpen(true)}>
        {say.start}
      </Button>
      {state !== 'live' && state !== 'connecting' && <span className="kit-soft">{say.away}</span>}
      {isOpen && <MendDialog device={device} onClose={() => setOpen(false)} />}
    </div>
  );
}

function MendDialog({ device, onClose }: { readonly device: string; readonly onClose: () => void }) {
  const say = useWords(repairWords);
  const language = useLanguage();
  const deviceName = useDeviceName();
  const sentence = useSentence();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [step, setStep] = useState<Step>('probe');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const begin = async () => {
    setBusy(true);
    setProblem('');
    try {
      await api.post(`repairs/${device}`, { step });
      void message.success(say.begun);
      onClose();
    } catch (error) {
      const isRefused = error instanceof ApiError && error.status === 409;
      setProblem(
        isRefused ? say.refused(saidText(errorDetail(error), language, sentence)) : errorText(error, language),
      );
    } finally {
      setBusy(false);
      void queries.invalidateQueries({ queryKey: ['repairs'] });
    }
  };
  return (
    <Modal
      open
      title={say.startTitle(deviceName(device))}
      okText={say.do}
      okButtonProps={{ loading: isBusy, danger: step === 'power' || step === 'switch' }}
      cancelText={say.cancel}
      onOk={() => void begin()}
      onCancel={onClose}
    >
      <fieldset className="devices-fieldset">
        <legend>{say.step}</legend>
        <Radio.Group
          className="devices-steps"
          value={step}
          onChange={(event) => setStep(steps.find((one) => one === event.target.value) ?? 'probe')}
        >
          {steps.map((one) => (
            <Radio key={one} value={one}>
              {say[`do:${one}`]}
            </Radio>
          ))}
        </Radio.Group>
      </fieldset>
      <p className="devices-operate-what">{say[`what:${step}`]}</p>
      <p className="kit-form-error" role="alert">
        {problem}
      </p>
    </Modal>
  );
}
