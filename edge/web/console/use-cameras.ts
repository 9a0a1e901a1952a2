import { useQuery } from '@tanstack/react-query';
import type { CameraListView, CameraView } from '../camera-list-schemas.ts';
import { api } from './api.ts';

export type { CameraListView, CameraView };

/** How recording goes changes slowly; what a camera is, a few times a year. */
const again = 15_000;

/** The cameras of one's zones, with what one may do with each. */
export function useCameras() {
  return useQuery({
    queryKey: ['cameras'],
    queryFn: ({ signal }) => api.get<CameraListView>('cameras', signal),
    refetchInterval: again,
  });
}
