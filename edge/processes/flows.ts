import { randomUUID } from 'node:crypto';
import { healthTopic } from '#edge/bus/topics.ts';
import type { DeviceHealth, ProcessHealth } from '#edge/domain/health.ts';
import { shutDoors, shutListening } from '#edge/flows-host/doors.ts';
import { type FlowsHost, startFlows } from '#edge/flows-host/embed.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { flowsHosts } from '#edge/runtime/site-ports.ts';
import { type FlowsInit, paths } from './context.ts';
import { flowsToken, pagesUrl } from './flows-token.ts';
import { joinBus } from './link.ts';

/** Node-RED in its box. */
export async function startFlowsProcess(init: FlowsInit, context: ChildContext): Promise<Running> {
  const { clock, log } = context;
  const ending = new AbortController();
  const instance = randomUUID();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => ending.abort());
  const rpc = stack.use(connectRpc(paths.socket(init.data), 'flows.saved'));
  const bus = stack.use(await joinBus('flows', init, context, instance, ending.signal));
  let host: FlowsHost | null = null;
  const tell = () => {
    if (host === null || !bus.connected) return;
    const health: ProcessHealth = {
      process: 'flows',
      state: 'ready',
      time: clock.now(),
      instance,
      devices: [healthOf(host, clock.now())],
    };
    bus.publish(healthTopic('flows'), health, { retain: true }).catch(() => {});
  };
  host = stack.use(
    await startFlows({
      hosts: flowsHosts(init.site),
      port: init.site.flows.port,
      flowsFolder: paths.flows(init.site),
      stateFolder: paths.flowsState(init.data),
      bus,
      proxySecret: init.flowsSecret,
      log,
      clock,
      safeMode: init.safeMode === true,
      web: { url: pagesUrl(init.site), token: flowsToken(init.flowsSecret) },
      onState: tell,
      onDeploy: (deployment) => {
        const { user, written, removed } = deployment;
        const said = { user, deployment: JSON.stringify({ user, written, removed }).slice(0, 250) };
        rpc.call('flows.saved', said).catch((error: unknown) => {
          log.error({ error }, 'a deployment could not be written to the audit');
        });
      },
    }),
  );
  bus.onConnect(tell);
  const owned = stack.move();
  return { info: { port: host.port }, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Flows that do not run, and those that take too much, are told like a device that fails: people look there. */
function healthOf({ problem, complaints }: FlowsHost, since: number): DeviceHealth {
  const state = problem !== null ? 'misconfigured' : complaints.length > 0 ? 'degraded' : 'online';
  const said = problem !== null ? `the flows do not run: ${problem}` : ['the flows run', ...complaints].join('; ');
  return { device: 'flows', state, message: said.slice(0, 500), since, counters: { complaints: complaints.length } };
}

if (import.meta.main) {
  shutDoors();
  runChild<FlowsInit>('flows', async (init, context) => {
    const running = await startFlowsProcess(init, context);
    shutListening();
    return running;
  });
}
