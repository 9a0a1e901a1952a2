import { onvifDriver } from '#edge/drivers/onvif/driver.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { type EdgeInit, paths } from './context.ts';
import { startDriverProcess } from './link.ts';

/** Cameras: their events and a picture with each. */
export function startCameraProcess(init: EdgeInit, context: ChildContext): Promise<Running> {
  const { clock, log } = context;
  return startDriverProcess('camera', init, context, [
    onvifDriver({ snapshotFolder: paths.snapshots(init.data), clock, log }),
  ]);
}

if (import.meta.main) runChild('camera', startCameraProcess);
