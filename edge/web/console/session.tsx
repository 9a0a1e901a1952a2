import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect } from 'react';
import type { Right } from '#edge/domain/access.ts';
import type { Me } from '../people-schemas.ts';
import { api, onSignedOut, setCsrf } from './api.ts';

/* Who is in front of the screen. The server decides what he may do; this only spares him doors that are locked. */

export type SignedIn = Extract<Me, { state: 'signed-in' }>;

const SessionContext = createContext<SignedIn | null>(null);

export function SessionProvider({ me, children }: { readonly me: SignedIn; readonly children: ReactNode }) {
  return <SessionContext value={me}>{children}</SessionContext>;
}

/** The person who is signed in. */
export function useSession(): SignedIn {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('nobody is signed in');
  return session;
}

export function useRight(right: Right): boolean {
  return useSession().rights.includes(right);
}

/** Asks who we are; again whenever an answer says that the session is over. */
export function useMe() {
  const queries = useQueryClient();
  useEffect(() => onSignedOut(() => void queries.invalidateQueries({ queryKey: ['me'] })), [queries]);
  return useQuery({
    queryKey: ['me'],
    queryFn: async ({ signal }) => {
      const me = await api.get<Me>('me', signal);
      setCsrf(me.state === 'signed-in' ? me.csrf : '');
      return me;
    },
    staleTime: Number.POSITIVE_INFINITY,
    retry: 2,
  });
}

/** Takes an answer that says who we are (sign-in, setup) as the truth, and forgets what another person saw. */
export function useBecome(): (me: Me) => void {
  const queries = useQueryClient();
  return (me) => {
    setCsrf(me.state === 'signed-in' ? me.csrf : '');
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' });
    queries.setQueryData(['me'], me);
  };
}

export function useSignOut(): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    await api.post('logout').catch(() => {});
    setCsrf('');
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' });
    await queries.invalidateQueries({ queryKey: ['me'] });
  };
}
