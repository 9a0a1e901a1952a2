import { join } from 'node:path';
import type { ChildSpec } from '#edge/runtime/supervisor.ts';
import type { EdgeInit, WebInit } from './context.ts';

const module = (name: string): string => join(import.meta.dirname, `${name}.ts`);

/** The processes of one campus, as the supervisor starts them; see docs/architecture.md. */
export function edgeProcesses(init: EdgeInit): ChildSpec[] {
  const plain = (): EdgeInit => init;
  const specs: ChildSpec[] = [
    { name: 'core', module: module('core'), heapMb: 512, watchesProcesses: true, init: plain },
    { name: 'fieldbus', module: module('fieldbus'), heapMb: 192, init: plain },
    { name: 'camera', module: module('camera'), heapMb: 192, init: plain },
    { name: 'broadcast', module: module('broadcast'), heapMb: 192, init: plain },
    {
      name: 'web',
      module: module('web'),
      heapMb: 256,
      watchesProcesses: true,
      init: (): WebInit => ({ ...init, siteError: null }),
    },
  ];
  if (init.site.city !== undefined) specs.push({ name: 'uplink', module: module('uplink'), heapMb: 192, init: plain });
  if (init.site.flows.enabled) {
    const flows = (recentCrashes: number): EdgeInit => ({ ...init, safeMode: recentCrashes >= 3 });
    specs.push({ name: 'flows', module: module('flows'), heapMb: 256, nice: 19, init: flows });
  }
  return specs;
}

/** A bad site file still starts the web process, which shows what is wrong. */
export function brokenSiteProcesses(data: string, siteError: string, port: number): ChildSpec[] {
  const init: WebInit = { siteError, data, host: '127.0.0.1', port };
  return [{ name: 'web', module: module('web'), heapMb: 256, watchesProcesses: true, init: () => init }];
}
