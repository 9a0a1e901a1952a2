import { useQuery } from '@tanstack/react-query';
import { Button, Checkbox } from 'antd';
import { useState } from 'react';
import { api } from '../../api.ts';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { DownloadLink } from '../../kit/download.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useRight } from '../../session.tsx';
import type { IncidentActs } from './acts.ts';
import type { Case, IncidentView } from './data.ts';
import { words } from './words.ts';

/* What was taken out about an incident: signed files, who made them, when and why. */

/** While one is being made, ms. */
const again = 1_500;

export function Cases({
  incident,
  acts,
  onExport,
}: {
  readonly incident: IncidentView;
  readonly acts: IncidentActs;
  readonly onExport: () => void;
}) {
  const say = useWords(words);
  const [leaving, setLeaving] = useState<Case | null>(null);
  const { data } = useQuery({
    queryKey: ['incidents', 'cases', incident.id],
    queryFn: ({ signal }) => api.get<{ readonly cases: readonly Case[] }>(`cases?incident=${incident.id}`, signal),
    refetchInterval: (query) => (query.state.data?.cases.some(({ state }) => state === 'building') ? again : false),
  });
  const cases = data?.cases ?? [];
  return (
    <>
      {cases.length === 0 ? (
        <p className="kit-soft">{say.noCases}</p>
      ) : (
        <ul className="incidents-cases">
          {cases.map((one) => (
            <CaseLine key={one.id} one={one} onLetGo={() => setLeaving(one)} />
          ))}
        </ul>
      )}
      {cases.some(({ state }) => state === 'ready') && <Key />}
      <Button disabled={acts.isAway} data-act="export" onClick={onExport}>
        {say.exportCase} <kbd className="incidents-key">E</kbd>
      </Button>
      {leaving !== null && (
        <ReasonDialog
          open
          isDangerous
          title={say.letGoTitle}
          action={say.letGo}
          sayError={acts.sayError}
          onConfirm={({ reason }) => acts.letGo(leaving.id, reason)}
          onClose={() => setLeaving(null)}
        >
          <p>{say.letGoHelp}</p>
        </ReasonDialog>
      )}
    </>
  );
}

function CaseLine({ one, onLetGo }: { readonly one: Case; readonly onLetGo: () => void }) {
  const say = useWords(words);
  const formats = useFormats();
  const maySeeAll = useRight('unmasked');
  const { id, state, time, name, why, bytes, masked, message, sha256 } = one;
  const facts = [
    formats.moment(time, now()),
    say[`case:${state}`],
    state === 'ready' ? formats.bytes(bytes) : '',
    masked ? say.masked : say.unmasked,
  ];
  return (
    <li data-case={id} data-state={state}>
      <p>{say.caseBy(name, why)}</p>
      <p className="kit-soft">{facts.filter((text) => text !== '').join(' · ')}</p>
      {message !== '' && <p className="kit-soft">{message}</p>}
      {state === 'ready' && (
        <>
          <p className="incidents-digest">
            {say.digest} {sha256}
          </p>
          <div className="kit-actions">
            {(masked || maySeeAll) && <DownloadLink href={`api/v1/cases/${id}/file`}>{say.download}</DownloadLink>}
            <Button size="small" onClick={onLetGo}>
              {say.letGo}
            </Button>
          </div>
        </>
      )}
    </li>
  );
}

/** What is told to those who will verify. */
function Key() {
  const say = useWords(words);
  const { data } = useQuery({
    queryKey: ['incidents', 'case-key'],
    queryFn: ({ signal }) => api.get<{ readonly fingerprint: string }>('cases/key', signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (data === undefined) return null;
  return (
    <p className="incidents-digest">
      {say.verify} {say.fingerprint} {data.fingerprint}
    </p>
  );
}

/** Asks why before an incident is taken out. */
export function ExportDialog({
  incident: { id },
  acts,
  onClose,
}: {
  readonly incident: IncidentView;
  readonly acts: IncidentActs;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const maySeeAll = useRight('unmasked');
  const [isUnmasked, setUnmasked] = useState(false);
  return (
    <ReasonDialog
      open
      title={say.exportCase}
      action={say.exportCase}
      sayError={acts.sayError}
      onConfirm={({ reason }) => acts.exportCase(id, reason, isUnmasked)}
      onClose={onClose}
    >
      <p>{say.exportHelp}</p>
      <p className="kit-soft">{say.exportSpan}</p>
      {maySeeAll && (
        <Checkbox checked={isUnmasked} onChange={(event) => setUnmasked(event.target.checked)}>
          {say.unmasked}
        </Checkbox>
      )}
    </ReasonDialog>
  );
}
