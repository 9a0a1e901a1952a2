import { useQuery } from '@tanstack/react-query';
import { api } from '../../api.ts';
import type { NetworkLine, Repair } from './repair-said.ts';

/* Core is asked, not the stream: few look, and only while something is being mended does it change often. */

export function useRepairs() {
  return useQuery({
    queryKey: ['repairs'],
    queryFn: ({ signal }) => api.get<readonly Repair[]>('repairs', signal),
    refetchInterval: ({ state }) => (state.data?.some((one) => one.state === 'working') === true ? 2_000 : 10_000),
    retry: 1,
  });
}

export function useNetwork() {
  return useQuery({
    queryKey: ['network'],
    queryFn: ({ signal }) => api.get<readonly NetworkLine[]>('network', signal),
    refetchInterval: 15_000,
    retry: 1,
  });
}
