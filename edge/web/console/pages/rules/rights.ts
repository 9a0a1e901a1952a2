import { useSession } from '../../session.tsx';
import { useCampus } from '../../use-live.tsx';

/** Whether the person may write rules: a rule knows no zones, so only who sees the whole campus. */
export function useMayWrite(): boolean {
  const { rights } = useSession();
  const campus = useCampus();
  return rights.includes('rules') && campus?.allZones === true;
}

export function useMayApprove(): boolean {
  const { rights } = useSession();
  const campus = useCampus();
  return rights.includes('safety') && campus?.allZones === true;
}
