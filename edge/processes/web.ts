import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { healthTopic } from '#edge/bus/topics.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { openReader } from '#edge/store/reader.ts';
import { followCampus } from '#edge/web/follow.ts';
import { LiveState } from '#edge/web/live.ts';
import { startWeb } from '#edge/web/server.ts';
import { loadAdminToken } from '#edge/web/token.ts';
import { describeCampus } from './campus.ts';
import { type EdgeInit, paths, profileFolder, type WebInit } from './context.ts';
import { joinBus } from './link.ts';
import { knownProfiles } from './web/known-profiles.ts';
import { createTryProfile } from './web/try-profile.ts';

/** People on the campus. Also starts on a broken site file, to show what is wrong with it. */
export async function startWebProcess(init: WebInit, context: ChildContext): Promise<Running> {
  const { clock, log } = context;
  mkdirSync(init.data, { recursive: true, mode: 0o700 });
  const token = loadAdminToken(init.data);
  const live = new LiveState(clock);
  context.onProcesses((processes) => live.accept({ kind: 'processes', body: processes }));
  await using stack = new AsyncDisposableStack();
  if (init.siteError !== null) {
    const { host, port, siteError } = init;
    const web = stack.use(await startWeb({ host, port, token, clock, log, live, campus: null, siteError }));
    return runningAt(web.url, token, stack.move());
  }
  const ending = new AbortController();
  stack.defer(() => ending.abort());
  const campus = await campusView(init, stack, clock);
  const { host, port } = init.site.http;
  const web = stack.use(await startWeb({ host, port, token, clock, log, live, campus, siteError: null }));
  const followed = follow(init, context, live, ending.signal);
  stack.defer(() => followed.then((bus) => bus?.[Symbol.asyncDispose]()));
  return runningAt(web.url, token, stack.move());
}

function runningAt(url: string, token: string, owned: AsyncDisposableStack): Running {
  return {
    info: { url, say: `  校园 campus      ${url}/#token=${token}` },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function campusView(init: EdgeInit, stack: AsyncDisposableStack, clock: ChildContext['clock']) {
  const { site, data } = init;
  const { devices, broken } = await describeCampus(site);
  return {
    site,
    devices,
    broken,
    reader: stack.use(openReader(data, clock)),
    rpc: stack.use(connectRpc(paths.socket(data))),
    snapshotFolder: paths.snapshots(data),
    data,
    profiles: knownProfiles(await loadProfiles(profileFolder)),
    tryProfile: createTryProfile(),
    certificate: () => null,
    flows: site.flows.enabled ? { port: site.flows.port, header: 'x-campus-token', secret: init.flowsSecret } : null,
  };
}

/** The page is there before core is, and stays when core goes. */
async function follow(init: EdgeInit, context: ChildContext, live: LiveState, signal: AbortSignal) {
  const instance = randomUUID();
  try {
    const bus = await joinBus('web', init, context, instance, signal);
    await followCampus(bus, live, context.log);
    const health = () => ({ process: 'web', state: 'ready', time: context.clock.now(), instance, devices: [] });
    bus.onConnect(() => void bus.publish(healthTopic('web'), health(), { retain: true }).catch(() => {}));
    void watchConnection(bus, live, signal);
    return bus;
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

async function watchConnection(
  bus: { readonly connected: boolean },
  live: LiveState,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    live.setConnected(bus.connected);
    await delay(250, signal);
  }
}

if (import.meta.main) runChild('web', startWebProcess);
