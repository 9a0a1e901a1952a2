import { useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import { useState } from 'react';
import type { IncidentOutcome } from '#edge/domain/incident.ts';
import { ApiError, api, errorText } from '../../api.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { useSession } from '../../session.tsx';
import { useLink } from '../../use-live.tsx';
import type { IncidentView } from './data.ts';
import { refusalText } from './refusals.ts';
import { words } from './words.ts';

export interface IncidentActs {
  readonly isAway: boolean;
  readonly isBusy: boolean;
  isMine(incident: IncidentView): boolean;
  /** Says with words on the screen what came of it; true when it worked. */
  see(incidents: readonly IncidentView[]): Promise<boolean>;
  claim(incident: IncidentView, take?: boolean): Promise<boolean>;
  note(id: string, note: string): Promise<boolean>;
  /** These reject with what went wrong, for the dialog that asked. */
  release(id: string, note: string): Promise<void>;
  escalate(id: string, reason: string): Promise<void>;
  resolve(id: string, outcome: IncidentOutcome, note: string): Promise<void>;
  reopen(id: string, reason: string): Promise<void>;
  merge(id: string, part: string): Promise<void>;
  exportCase(id: string, why: string, unmasked: boolean): Promise<void>;
  letGo(id: string, reason: string): Promise<void>;
  sayError(error: unknown): string;
}

/** What a person does about incidents. */
export function useIncidentActs(): IncidentActs {
  const say = useWords(words);
  const language = useLanguage();
  const { message } = App.useApp();
  const { state } = useLink();
  const { id: me } = useSession();
  const queries = useQueryClient();
  const [busy, setBusy] = useState(0);
  const sayError = (error: unknown) =>
    error instanceof ApiError && error.code === 'incident-refused'
      ? refusalText(error.message, say)
      : errorText(error, language);
  const run = async (act: () => Promise<unknown>, done: string) => {
    setBusy((count) => count + 1);
    try {
      await act();
      void message.success(done);
    } finally {
      setBusy((count) => count - 1);
      void queries.invalidateQueries({ queryKey: ['incidents'], refetchType: 'active', predicate: isNoPage });
    }
  };
  const told = async (act: () => Promise<unknown>, done: string) => {
    try {
      await run(act, done);
      return true;
    } catch (error) {
      void message.error(sayError(error), 6);
      return false;
    }
  };
  return {
    isAway: state === 'lost' || state === 'core-away',
    isBusy: busy > 0,
    isMine: ({ claimedBy }) => claimedBy?.who === `person:${me}`,
    sayError,
    see: async (incidents) => {
      const ids = incidents.filter(({ seenBy }) => seenBy === null).map(({ id }) => id);
      if (ids.length === 0) return true;
      return told(() => api.post('incidents/seen', { ids }), say.seenDone(ids.length));
    },
    claim: ({ id }, take = false) => told(() => api.post(`incidents/${id}/claim`, { take }), say.claimDone),
    note: (id, note) => told(() => api.post(`incidents/${id}/note`, { note }), say.noteDone),
    release: (id, note) => run(() => api.post(`incidents/${id}/release`, { note }), say.releaseDone),
    escalate: (id, reason) => run(() => api.post(`incidents/${id}/escalate`, { reason }), say.escalateDone),
    resolve: (id, outcome, note) => run(() => api.post(`incidents/${id}/resolve`, { outcome, note }), say.resolveDone),
    reopen: (id, reason) => run(() => api.post(`incidents/${id}/reopen`, { reason }), say.reopenDone),
    exportCase: (id, why, unmasked) => run(() => api.post(`incidents/${id}/case`, { why, unmasked }), say.exportDone),
    letGo: (id, reason) => run(() => api.post(`cases/${id}/release`, { reason }), say.letGoDone),
    merge: (id, part) => run(() => api.post(`incidents/${id}/merge`, { part }), say.mergeDone),
  };
}

/** Pages of the past stay as they are: what changed is laid over them. */
function isNoPage({ queryKey }: { readonly queryKey: readonly unknown[] }): boolean {
  return queryKey[1] !== 'pages';
}
