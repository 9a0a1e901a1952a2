import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { healthTopic } from '#edge/bus/topics.ts';
import { startFlows } from '#edge/flows-host/embed.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { type EdgeInit, paths } from './context.ts';
import { joinBus } from './link.ts';

/** Node-RED in its box. */
export async function startFlowsProcess(init: EdgeInit, context: ChildContext): Promise<Running> {
  const { clock, log } = context;
  const ending = new AbortController();
  const instance = randomUUID();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => ending.abort());
  const rpc = stack.use(connectRpc(paths.socket(init.data)));
  const bus = stack.use(await joinBus('flows', init, context, instance, ending.signal));
  const host = stack.use(
    await startFlows({
      port: init.site.flows.port,
      flowsFolder: resolve(init.site.folder, init.site.flows.folder),
      stateFolder: paths.flowsState(init.data),
      bus,
      proxySecret: init.flowsSecret,
      log,
      clock,
      safeMode: init.safeMode === true,
      onDeploy: (deployment) => {
        const what = `flows.deploy ${JSON.stringify(deployment).slice(0, 250)}`;
        rpc
          .call('audit', { who: `person:${deployment.user}`, from: 'flows', what, why: '', result: 'saved' })
          .catch((error: unknown) => {
            log.error({ error }, 'a deployment could not be written to the audit');
          });
      },
    }),
  );
  if (host.problem !== null) log.error({ problem: host.problem }, 'the flows do not run');
  bus.onConnect(() => {
    const health = { process: 'flows', state: 'ready', time: clock.now(), instance, devices: [] };
    bus.publish(healthTopic('flows'), health, { retain: true }).catch(() => {});
  });
  const owned = stack.move();
  return { info: { port: host.port }, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

if (import.meta.main) runChild('flows', startFlowsProcess);
