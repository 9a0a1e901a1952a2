import { onvifDriver } from '#edge/drivers/onvif/driver.ts';
import { Finder, type FoundCamera } from '#edge/drivers/onvif/finder.ts';
import { openMemory } from '#edge/drivers/onvif/memory.ts';
import { pruneSnapshots } from '#edge/media/retention.ts';
import { type Age, createAge } from '#edge/media/retention-age.ts';
import { addressesOf } from '#edge/runtime/address-range.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { CameraList } from './camera-facts.ts';
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
  const { byCamera, setClocks } = init.site.cameras;
  const ids = devices.map(({ id }) => id);
  const list = stack.use(new CameraList({ file: paths.cameraFacts(init.data), devices: ids, log }));
  await list.load();
  const ranges = new Set(init.site.cameras.scan.flatMap((range) => addressesOf(range) ?? []));
  const rpc = stack.use(connectRpc(paths.socket(init.data), 'device.found'));
  const finder = stack.use(
    new Finder({
      clock,
      log,
      hear: (sighting) => driver.hear(sighting),
      misses: () => driver.misses,
      offer: async (found) => void (await rpc.call('device.found', lineOf(found))),
      probes: init.site.cameras.discovery,
      scan: init.site.cameras.scan,
    }),
  );
  const driver = onvifDriver({
    snapshotFolder,
    clock,
    log,
    memory,
    timeZone,
    askWho: finder.askWho,
    isListed: (host) => ranges.has(host),
    onFacts: (facts) => list.put(facts),
    homeOf: (device) => byCamera[device]?.home ?? null,
    setClocks,
  });
  const running = stack.use(
    await startDriverProcess('camera', init, context, [driver], { devices, start: (bus) => list.join(bus) }),
  );
  finder.start();
  const age = createAge({ file: paths.age(init.data, 'camera'), clock: context.clock, log: context.log });
  stack.use(new Ticker(pruneEvery, () => prune(snapshotFolder, init, context, age)));
  const owned = stack.move();
  return { info: running.info, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function lineOf({ key, host, port, path, maker, model, fingerprint, endpoint }: FoundCamera) {
  return { key, host, port, path, maker, model, fingerprint, endpoint };
}

async function prune(folder: string, { site }: EdgeInit, { log }: ChildContext, now: Age): Promise<void> {
  const { snapshots: age, snapshotBytes: bytes, freeSpaceFloor } = site.retention;
  try {
    const report = await pruneSnapshots(folder, { age, bytes, freeSpaceFloor }, await now());
    const { removed } = report;
    if (removed.age + removed.bytes + removed.freeSpace > 0) log.info(report, 'old pictures are removed');
  } catch (error) {
    log.error({ error }, 'old pictures could not be removed; tried again later');
  }
}

if (import.meta.main) runChild('camera', startCameraProcess);
