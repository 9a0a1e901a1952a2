import { Input, Modal, Select } from 'antd';
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { frameWords } from './frame-words.ts';
import { useFormats, useWords } from './language.tsx';

export interface Confirmed {
  readonly reason: string;
  /** Chosen duration, seconds; 0 when none was asked. */
  readonly seconds: number;
}

/**
 * Asks before something is done: what it does, why (written into the audit), and for how long. Stays open and shows the
 * sentence when `onConfirm` rejects. Escape closes it, Enter in the reason confirms.
 */
export function ReasonDialog({
  open,
  title,
  children,
  action,
  isDangerous = false,
  reasonRequired = true,
  durations,
  sayError,
  onConfirm,
  onClose,
}: {
  readonly open: boolean;
  readonly title: string;
  readonly children?: ReactNode;
  /** What the button says: the verb, not "OK". */
  readonly action: string;
  readonly isDangerous?: boolean;
  readonly reasonRequired?: boolean;
  /** Choices in seconds; absent: no duration is asked. The first is the default. */
  readonly durations?: readonly number[];
  readonly sayError: (error: unknown) => string;
  readonly onConfirm: (confirmed: Confirmed) => Promise<unknown>;
  readonly onClose: () => void;
}) {
  const words = useWords(frameWords);
  const formats = useFormats();
  const ids = useId();
  const reasonInput = useRef<HTMLInputElement>(null);
  const [reason, setReason] = useState('');
  const [seconds, setSeconds] = useState(durations?.[0] ?? 0);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const firstDuration = durations?.[0] ?? 0;
  useEffect(() => {
    if (!open) return;
    setReason('');
    setProblem('');
    setSeconds(firstDuration);
  }, [open, firstDuration]);

  const confirm = async () => {
    const given = reason.trim();
    if (reasonRequired && given === '') {
      setProblem(words.reasonNeeded);
      reasonInput.current?.focus();
      return;
    }
    setBusy(true);
    try {
      await onConfirm({ reason: given, seconds });
      onClose();
    } catch (error) {
      setProblem(sayError(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Modal
      open={open}
      title={title}
      okText={action}
      okButtonProps={{ danger: isDangerous, loading: isBusy }}
      cancelText={words.cancel}
      onOk={() => void confirm()}
      onCancel={onClose}
      afterOpenChange={(isOpen) => isOpen && reasonInput.current?.focus()}
      destroyOnHidden
    >
      <div className="kit-form">
        {children}
        {durations !== undefined && (
          <div className="kit-field">
            <label htmlFor={`${ids}-duration`}>{words.duration}</label>
            <Select
              id={`${ids}-duration`}
              value={seconds}
              onChange={setSeconds}
              options={durations.map((choice) => ({ value: choice, label: formats.duration(choice * 1000) }))}
            />
          </div>
        )}
        <div className="kit-field">
          <label htmlFor={`${ids}-reason`}>{words.reason}</label>
          <Input
            id={`${ids}-reason`}
            ref={(input) => {
              reasonInput.current = input?.input ?? null;
            }}
            value={reason}
            maxLength={200}
            aria-required={reasonRequired}
            aria-describedby={`${ids}-help`}
            onChange={(event) => setReason(event.target.value)}
            onPressEnter={() => void confirm()}
          />
          <p id={`${ids}-help`} className="kit-soft">
            {words.reasonHelp}
          </p>
        </div>
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
      </div>
    </Modal>
  );
}
