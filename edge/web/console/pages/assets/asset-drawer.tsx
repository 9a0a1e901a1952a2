import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Drawer, Input, InputNumber, Select } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import { type Role, roleNames, roles } from '#edge/domain/access.ts';
import type { AssetView } from '../../../place-schemas.ts';
import { deviceHash } from '../../address.ts';
import { ApiError, api, problemText, query } from '../../api.ts';
import { fromHere } from '../../kit/download.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { MaintenanceLog } from './maintenance-log.tsx';
import { words } from './words.ts';

type Draft = Pick<
  AssetView,
  'number' | 'make' | 'model' | 'serial' | 'place' | 'bought' | 'warranty' | 'every' | 'responsible' | 'notes'
>;

function draftOf({
  number,
  make,
  model,
  serial,
  place,
  bought,
  warranty,
  every,
  responsible,
  notes,
}: AssetView): Draft {
  return { number, make, model, serial, place, bought, warranty, every, responsible, notes };
}

const texts = ['number', 'make', 'model', 'serial', 'place'] as const;
const dates = ['bought', 'warranty'] as const;

/** Everything the register says of one device. */
export function AssetDrawer({
  asset,
  mayWrite,
  onClose,
}: {
  readonly asset: AssetView;
  readonly mayWrite: boolean;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const name = useName();
  const isPhone = useMedia(phoneQuery);
  const title = name(asset.deviceName);
  const sheet = fromHere(`api/v1/assets/labels.html${query({ devices: asset.device })}`);
  return (
    <Drawer
      open
      title={say.editOf(title)}
      onClose={onClose}
      size={isPhone ? '100%' : 520}
      closable={{ 'aria-label': say.close }}
      extra={
        <a className="kit-button" href={deviceHash(asset.device)}>
          {say.toDevice}
        </a>
      }
    >
      <AssetForm key={asset.rev} asset={asset} mayWrite={mayWrite} />
      <MaintenanceLog asset={asset} mayWrite={mayWrite} />
      <section className="assets-part">
        <h3>{say.label}</h3>
        {/* Another number is another label, though its address is the same. */}
        <img
          className="assets-label"
          alt={say.labelAlt(title)}
          src={fromHere(`api/v1/assets/${asset.device}/label.svg${query({ rev: asset.rev })}`)}
        />
        <a className="kit-button" href={sheet} target="_blank" rel="noopener">
          {say.labelsOf(1)}
        </a>
      </section>
    </Drawer>
  );
}

function AssetForm({ asset, mayWrite }: { readonly asset: AssetView; readonly mayWrite: boolean }) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const id = useId();
  const [draft, setDraft] = useState(() => draftOf(asset));
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const hints = { make: asset.profileMake, model: asset.profileModel } as Readonly<Record<string, string>>;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    try {
      await api.put(`assets/${asset.device}`, { ...draft, rev: asset.rev });
      void message.success(say.saved);
      await queries.invalidateQueries({ queryKey: ['assets'] });
    } catch (error) {
      setProblem(problemText(error, language));
      if (!(error instanceof ApiError) || error.code !== 'document-changed') return;
      // The form begins anew with what the other wrote, so what went wrong is said beside it.
      void message.warning(problemText(error, language));
      await queries.invalidateQueries({ queryKey: ['assets'] });
    } finally {
      setBusy(false);
    }
  };

  return (
    <form className="kit-form" onSubmit={(event) => void submit(event)} noValidate>
      <div className="assets-fields">
        {texts.map((field) => (
          <div key={field} className="kit-field">
            <label htmlFor={`${id}-${field}`}>{say[field]}</label>
            <Input
              id={`${id}-${field}`}
              value={draft[field]}
              disabled={!mayWrite}
              maxLength={field === 'place' ? 120 : field === 'number' ? 64 : 80}
              placeholder={hints[field] === undefined || hints[field] === '' ? '' : say.profileSays(hints[field])}
              onChange={(event) => change({ [field]: event.target.value })}
            />
          </div>
        ))}
        {dates.map((field) => (
          <div key={field} className="kit-field">
            <label htmlFor={`${id}-${field}`}>{say[field]}</label>
            <Input
              id={`${id}-${field}`}
              type="date"
              value={draft[field] ?? ''}
              disabled={!mayWrite}
              onChange={(event) => change({ [field]: event.target.value === '' ? null : event.target.value })}
            />
          </div>
        ))}
        <div className="kit-field">
          <label htmlFor={`${id}-every`}>{say.every}</label>
          <InputNumber
            id={`${id}-every`}
            min={1}
            max={3_650}
            value={draft.every}
            disabled={!mayWrite}
            onChange={(every) => change({ every })}
          />
        </div>
        <div className="kit-field">
          <label htmlFor={`${id}-responsible`}>{say.responsible}</label>
          <Select<Role | ''>
            id={`${id}-responsible`}
            value={draft.responsible ?? ''}
            disabled={!mayWrite}
            onChange={(role) => change({ responsible: role === '' ? null : role })}
            options={[
              { value: '', label: say.nobody },
              ...roles.map((role) => ({ value: role, label: name(roleNames[role]) })),
            ]}
          />
        </div>
      </div>
      <div className="kit-field">
        <label htmlFor={`${id}-notes`}>{say.notes}</label>
        <Input.TextArea
          id={`${id}-notes`}
          value={draft.notes}
          disabled={!mayWrite}
          maxLength={2_000}
          rows={4}
          onChange={(event) => change({ notes: event.target.value })}
        />
      </div>
      <p className="kit-form-error" role="alert">
        {problem}
      </p>
      {mayWrite && (
        <div>
          <Button type="primary" htmlType="submit" loading={isBusy}>
            {say.save}
          </Button>
        </div>
      )}
    </form>
  );
}
