import { randomUUID } from 'node:crypto';
import { healthTopic } from '#edge/bus/topics.ts';
import type { DeviceHealth, ProcessHealth } from '#edge/domain/health.ts';
import { shutDoors } from '#edge/flows-host/doors.ts';
import { startFlows } from '#edge/flows-host/embed.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { flowsHosts } from '#edge/runtime/site-ports.ts';
import { type FlowsInit, paths } from './context.ts';
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
  const host = stack.use(
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
      onDeploy: (deployment) => {
        const { user } = deployment;
        const said = { user, deployment: JSON.stringify(deployment).slice(0, 250) };
        rpc.call('flows.saved', said).catch((error: unknown) => {
          log.error({ error }, 'a deployment could not be written to the audit');
        });
      },
    }),
  );
  const told = healthOf(host.problem, clock.now());
  bus.onConnect(() => {
    const health: ProcessHealth = { process: 'flows', state: 'ready', time: clock.now(), instance, devices: [told] };
    bus.publish(healthTopic('flows'), health, { retain: true }).catch(() => {});
  });
  const owned = stack.move();
  return { info: { port: host.port }, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Flows that do not run are told like a device that does not: people look there. */
function healthOf(problem: string | null, since: number): DeviceHealth {
  const told = problem === null ? 'the flows run' : `the flows do not run: ${problem.slice(0, 200)}`;
  return { device: 'flows', state: problem === null ? 'online' : 'misconfigured', message: told, since, counters: {} };
}

if (import.meta.main) {
  shutDoors();
  runChild('flows', startFlowsProcess);
}
