import { broadcastDriver } from '#edge/drivers/broadcast/driver.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import type { EdgeInit } from './context.ts';
import { startDriverProcess } from './link.ts';

/** Loudspeakers. */
export function startBroadcast(init: EdgeInit, context: ChildContext): Promise<Running> {
  const { clips, folder } = init.site;
  return startDriverProcess('broadcast', init, context, [broadcastDriver({ clips, folder, ...context })]);
}

if (import.meta.main) runChild('broadcast', startBroadcast);
