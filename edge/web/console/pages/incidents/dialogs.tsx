import { useQuery } from '@tanstack/react-query';
import { Input, Modal, Radio, Select } from 'antd';
import { useId, useState } from 'react';
import type { z } from 'zod';
import { type IncidentOutcome, incidentOutcomes } from '#edge/domain/incident.ts';
import type { incidentListSchema } from '../../../incident-schemas.ts';
import { api } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import type { IncidentActs } from './acts.ts';
import { ExportDialog } from './cases.tsx';
import type { IncidentView } from './data.ts';
import { listQuery, noFilter } from './filter.ts';
import { useIncidentTexts } from './texts.ts';
import { words } from './words.ts';

export interface Asking {
  readonly what: 'resolve' | 'release' | 'escalate' | 'reopen' | 'merge' | 'export';
  readonly incident: IncidentView;
}

interface AskedProps {
  readonly incident: IncidentView;
  readonly acts: IncidentActs;
  readonly onClose: () => void;
}

/** What is asked before something is done to an incident. */
export function ActDialog({
  asking,
  acts,
  onClose,
}: {
  readonly asking: Asking | null;
  readonly acts: IncidentActs;
  readonly onClose: () => void;
}) {
  if (asking === null) return null;
  const props = { incident: asking.incident, acts, onClose };
  switch (asking.what) {
    case 'resolve':
      return <Resolve {...props} />;
    case 'merge':
      return <Merge {...props} />;
    case 'export':
      return <ExportDialog {...props} />;
    default:
      return <Reason {...props} what={asking.what} />;
  }
}

function Reason({
  incident: { id },
  acts,
  onClose,
  what,
}: AskedProps & { readonly what: 'release' | 'escalate' | 'reopen' }) {
  const say = useWords(words);
  return (
    <ReasonDialog
      open
      title={say[`${what}Title`]}
      action={say[what]}
      isDangerous={what === 'escalate'}
      sayError={acts.sayError}
      onConfirm={({ reason }) => acts[what](id, reason)}
      onClose={onClose}
    >
      <p>{say[`${what}Help`]}</p>
    </ReasonDialog>
  );
}

/** Runs what a dialog confirms: it stays open and says what went wrong. */
function useConfirm(acts: IncidentActs, onClose: () => void) {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const confirm = async (act: () => Promise<void>) => {
    setBusy(true);
    try {
      await act();
      onClose();
    } catch (error) {
      setProblem(acts.sayError(error));
    } finally {
      setBusy(false);
    }
  };
  return { problem, isBusy, confirm };
}

function Resolve({ incident, acts, onClose }: AskedProps) {
  const say = useWords(words);
  const { titleOf } = useIncidentTexts();
  const ids = useId();
  const [outcome, setOutcome] = useState<IncidentOutcome>('handled');
  const [note, setNote] = useState('');
  const { problem, isBusy, confirm } = useConfirm(acts, onClose);
  const resolve = () => void confirm(() => acts.resolve(incident.id, outcome, note.trim()));
  return (
    <Modal
      open
      title={say.resolveTitle}
      okText={say.resolve}
      okButtonProps={{ loading: isBusy }}
      cancelText={say.cancel}
      onOk={resolve}
      onCancel={onClose}
    >
      <div className="kit-form">
        <p>{titleOf(incident)}</p>
        <fieldset className="incidents-outcomes">
          <legend>{say.outcome}</legend>
          <Radio.Group value={outcome} onChange={(event) => setOutcome(event.target.value)}>
            {incidentOutcomes.map((one, index) => (
              <Radio key={one} value={one} autoFocus={index === 0}>
                {say[`outcome:${one}`]}
              </Radio>
            ))}
          </Radio.Group>
        </fieldset>
        <div className="kit-field">
          <label htmlFor={`${ids}-note`}>{say.resolveNote}</label>
          <Input.TextArea
            id={`${ids}-note`}
            placeholder={say.resolveHint}
            rows={3}
            maxLength={2_000}
            value={note}
            onChange={(event) => setNote(event.target.value)}
          />
        </div>
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
      </div>
    </Modal>
  );
}

function Merge({ incident, acts, onClose }: AskedProps) {
  const say = useWords(words);
  const formats = useFormats();
  const { titleOf } = useIncidentTexts();
  const ids = useId();
  const [whole, setWhole] = useState<string | null>(null);
  const { problem, isBusy, confirm } = useConfirm(acts, onClose);
  const { data } = useQuery({
    queryKey: ['incidents', 'open', 'choice'],
    queryFn: ({ signal }) =>
      api.get<z.infer<typeof incidentListSchema>>(`incidents${listQuery(noFilter, 100)}`, signal),
    gcTime: 0,
  });
  const others = (data?.incidents ?? []).filter(({ id, mergedInto }) => id !== incident.id && mergedInto === undefined);
  return (
    <Modal
      open
      title={say.mergeTitle}
      okText={say.mergeInto}
      okButtonProps={{ loading: isBusy, disabled: whole === null }}
      cancelText={say.cancel}
      onOk={() => whole !== null && void confirm(() => acts.merge(whole, incident.id))}
      onCancel={onClose}
    >
      <div className="kit-form">
        <p>{say.mergeHelp}</p>
        <div className="kit-field">
          <label htmlFor={`${ids}-whole`}>{say.mergePick}</label>
          <Select
            id={`${ids}-whole`}
            showSearch={{ optionFilterProp: 'label' }}
            placeholder={data !== undefined && others.length === 0 ? say.mergeNone : say.mergePick}
            value={whole}
            onChange={setWhole}
            options={others.map((one) => ({
              value: one.id,
              label: `${titleOf(one)} · ${formats.moment(one.from, now())}`,
            }))}
          />
        </div>
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
      </div>
    </Modal>
  );
}
