import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { type EdgeInit, profileFolder } from './context.ts';
import { startDriverProcess } from './link.ts';

/** Everything on serial lines and their gateways. */
export async function startFieldbus(init: EdgeInit, context: ChildContext): Promise<Running> {
  const { profiles } = await loadProfiles(profileFolder);
  return startDriverProcess('fieldbus', init, context, [createModbusDriver({ clock: context.clock, profiles })]);
}

if (import.meta.main) runChild('fieldbus', startFieldbus);
