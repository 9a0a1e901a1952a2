import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Modal, Select } from 'antd';
import { useId, useState } from 'react';
import { api, errorText, query } from '../../api.ts';
import { useName, useWords } from '../../kit/language.tsx';
import type { Language } from '../../kit/words.ts';
import type { Notice } from './notice-list.tsx';
import { type Channel, detailText } from './notice-words.ts';
import { words } from './words.ts';

/** Sends a test over one channel, and shows what became of it. */
export function TestDialog({
  channel,
  language,
  onClose,
}: {
  readonly channel: Channel;
  readonly language: Language;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const name = useName();
  const field = useId();
  const queries = useQueryClient();
  const needsPerson = channel.kind === 'email' || channel.kind === 'sms';
  const [recipient, setRecipient] = useState<string | null>(needsPerson ? (channel.recipients[0]?.id ?? null) : null);
  const [sent, setSent] = useState<string | null>(null);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const close = () => {
    void queries.invalidateQueries({ queryKey: ['notices'] });
    onClose();
  };
  const send = async () => {
    setBusy(true);
    setProblem('');
    try {
      const { id } = await api.post<{ readonly id: string }>(`notify/${channel.id}/test`, { recipient });
      setSent(id);
      void queries.invalidateQueries({ queryKey: ['notices'] });
    } catch (error) {
      setProblem(errorText(error, language));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal open title={say.testTitle(name(channel.name))} footer={null} onCancel={close} destroyOnHidden>
      <div className="kit-form">
        <p>{say.testHelp}</p>
        {needsPerson && (
          <div className="kit-field">
            <label htmlFor={field}>{say.testTo}</label>
            <Select<string | null>
              id={field}
              value={recipient}
              onChange={setRecipient}
              disabled={sent !== null}
              options={channel.recipients.map((one) => ({ value: one.id, label: name(one.name) }))}
            />
          </div>
        )}
        <p className="kit-form-error" role="alert">
          {problem}
        </p>
        {sent !== null && <Outcome id={sent} language={language} />}
        <div className="kit-row-actions">
          <Button onClick={close}>{sent === null ? say.cancel : say.close}</Button>
          {sent === null && (
            <Button
              type="primary"
              loading={isBusy}
              disabled={needsPerson && recipient === null}
              onClick={() => void send()}
            >
              {say.testSend}
            </Button>
          )}
        </div>
      </div>
    </Modal>
  );
}

/** Up to the word of the far end. */
function Outcome({ id, language }: { readonly id: string; readonly language: Language }) {
  const say = useWords(words);
  const found = useQuery({
    queryKey: ['notices', 'test', id],
    queryFn: async ({ signal }) => {
      const notices = await api.get<readonly Notice[]>(`notices${query({ about: 'test', limit: 20 })}`, signal);
      return notices.find((one) => one.id === id) ?? null;
    },
    refetchInterval: ({ state }) => (state.data === undefined || state.data?.state === 'queued' ? 1_000 : 5_000),
  }).data;
  const state = found?.state ?? 'queued';
  const text =
    state === 'delivered'
      ? say.testDelivered
      : state === 'queued'
        ? found !== undefined && found !== null && found.attempts > 0
          ? say.testQueued
          : say.testSending
        : say.testFailed;
  return (
    <p className="notices-outcome" role="status" data-outcome={state}>
      <strong>{text}</strong>
      {found !== undefined && found !== null && found.detail !== '' && (
        <span className="kit-soft">{detailText(found.detail, language)}</span>
      )}
    </p>
  );
}
