import { startFieldbus } from '#edge/processes/fieldbus.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { checkSite } from '#edge/runtime/site.ts';
import { serveOrders } from './rig.ts';

/* The fieldbus process of a campus, as the supervisor would start it. */
serveOrders(async ({ site, data }) => {
  const init = { site: checkSite(site, String(data)), data: String(data), tokens: {}, flowsSecret: '' };
  const running = await startFieldbus(init, { clock: systemClock, log: silentLog, onProcesses: () => {} });
  return running.info;
});
