import type { CameraView } from '../../use-cameras.ts';
import { covers } from './coverage.ts';
import type { TimelineData } from './data.ts';
import { type WhyNothing, whyNothing } from './why.ts';

/** What there is of a moment of a camera: footage, or why there is none. */
export function whatIs(
  camera: CameraView | undefined,
  data: Pick<TimelineData, 'lanes'>,
  time: number,
  now: number,
): WhyNothing | 'there' {
  const lane = data.lanes.find((one) => one.camera === camera?.id);
  if (lane !== undefined && covers(lane.ranges, time)) return 'there';
  return whyNothing({ time, now, recording: camera?.recording ?? null, deaf: lane?.deaf ?? [] });
}
