import { onvifDriver } from '#edge/drivers/onvif/driver.ts';
import { openMemory } from '#edge/drivers/onvif/memory.ts';
import { pruneSnapshots } from '#edge/media/retention.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import { describeCampus } from './campus.ts';
import { type EdgeInit, paths } from './context.ts';
import { startDriverProcess } from './link.ts';

const pruneEvery = 600_000;

/** Cameras: their events, a picture with each, and no more pictures than the site file allows. */
export async function startCameraProcess(init: EdgeInit, context: ChildContext): Promise<Running> {
  const { clock, log } = context;
  const snapshotFolder = paths.snapshots(init.data);
  await using stack = new AsyncDisposableStack();
  const memory = stack.use(await openMemory(paths.cameraMemory(init.data), clock, log));
  const { devicesOfProcess } = await describeCampus(init.site);
  const devices = devicesOfProcess('camera');
  memory.retain(devices.map(({ id }) => id));
  const { timeZone } = init.site.campus;
  const driver = onvifDriver({ snapshotFolder, clock, log, memory, timeZone });
  const running = stack.use(await startDriverProcess('camera', init, context, [driver], { devices }));
  stack.use(new Ticker(pruneEvery, () => prune(snapshotFolder, init, context)));
  const owned = stack.move();
  return { info: running.info, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function prune(folder: string, { site }: EdgeInit, { clock, log }: ChildContext): Promise<void> {
  const { snapshots: age, snapshotBytes: bytes, freeSpaceFloor } = site.retention;
  try {
    const report = await pruneSnapshots(folder, { age, bytes, freeSpaceFloor }, clock.now());
    const { removed } = report;
    if (removed.age + removed.bytes + removed.freeSpace > 0) log.info(report, 'old pictures are removed');
  } catch (error) {
    log.error({ error }, 'old pictures could not be removed; tried again later');
  }
}

if (import.meta.main) runChild('camera', startCameraProcess);
