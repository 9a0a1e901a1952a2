import { join } from 'node:path';
import type { UplinkLimits } from '#bridge/uplink/uplink.ts';
import { startUplink } from '#bridge/uplink/uplink.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { createLog } from '#edge/runtime/log.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import type { Site } from '#edge/runtime/site.ts';
import { startSupervisor } from '#edge/runtime/supervisor.ts';
import { openReader } from '#edge/store/reader.ts';

/*
 * The uplink as a process of its own, with the pauses between its connections cut short: at its usual back-off (up to a
 * minute) a city that is killed again and again would hardly ever be spoken to.
 */

export interface QuickUplinkInit {
  readonly city: NonNullable<Site['city']>;
  readonly campus: string;
  readonly password: string;
  readonly data: string;
  readonly limits: Partial<UplinkLimits>;
}

const limits: Partial<UplinkLimits> = { poll: 50, reconnectFirst: 50, reconnectCap: 300, connectTimeout: 3_000 };

export function superviseQuickUplink(site: Site, data: string, password: string): AsyncDisposable {
  if (site.city === undefined) throw new Error('this campus reports to no city');
  const init: QuickUplinkInit = { city: site.city, campus: site.campus.id, password, data, limits };
  return startSupervisor({
    specs: [{ name: 'uplink', module: import.meta.filename, heapMb: 192, init: () => init }],
    runFolder: join(data, 'run-uplink'),
    clock: systemClock,
    log: createLog('supervisor', 'silent'),
    logLevel: 'silent',
    times: { beat: 500, backoffFirst: 50, backoffCap: 200 },
  });
}

async function start(init: QuickUplinkInit, context: ChildContext): Promise<Running> {
  const ending = new AbortController();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => ending.abort());
  const rpc = stack.use(connectRpc(join(init.data, 'core.sock')));
  const source = stack.use(openReader(init.data, context.clock));
  stack.use(
    await startUplink({
      source,
      acknowledged: async (epoch, lane, watermark) =>
        void (await rpc.call('outbox.acknowledged', { epoch, lane, watermark })),
      ...init,
      ...context,
      signal: ending.signal,
    }),
  );
  const owned = stack.move();
  return { info: {}, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

if (import.meta.main) runChild('uplink', start);
