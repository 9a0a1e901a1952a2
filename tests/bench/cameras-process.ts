import { startCameraProcess } from '#edge/processes/camera.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { checkSite } from '#edge/runtime/site.ts';
import { serveOrders } from './rig.ts';

/* The camera process of a campus, as the supervisor would start it. */
serveOrders(async ({ site, data }) => {
  const init = { site: checkSite(site, String(data)), data: String(data), tokens: {}, flowsSecret: '' };
  const running = await startCameraProcess(init, { clock: systemClock, log: silentLog, onProcesses: () => {} });
  return running.info;
});
