import { connectBus } from '#edge/bus/client.ts';
import { startFlows } from '#edge/flows-host/embed.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { createLog } from '#edge/runtime/log.ts';

/** Node-RED in a process of its own, as edge/processes/flows.ts starts it; options as JSON in the first argument. */
const options = JSON.parse(process.argv[2] ?? '{}');
const log = createLog('flows', options.log ?? 'silent');
process.on('disconnect', () => process.exit(0));
// The parent may go between two beats; then 'disconnect' ends this process, not a failed write.
const beat = setInterval(() => process.send?.({ kind: 'beat' }, () => {}), 50);
try {
  const bus = await connectBus({
    host: '127.0.0.1',
    port: options.brokerPort,
    client: 'flows',
    password: options.password,
    clock: systemClock,
    log,
    signal: AbortSignal.timeout(600_000),
  });
  const host = await startFlows({
    port: 0,
    flowsFolder: options.flowsFolder,
    stateFolder: options.stateFolder,
    bus,
    proxySecret: options.secret,
    log,
    clock: systemClock,
    safeMode: options.safeMode ?? false,
    ...(options.budget === undefined ? {} : { budget: options.budget }),
    ...(options.web === undefined ? {} : { web: options.web }),
    onDeploy: (deployment) => process.send?.({ kind: 'deploy', deployment }),
  });
  process.on('SIGTERM', async () => {
    await host[Symbol.asyncDispose]();
    await bus[Symbol.asyncDispose]();
    clearInterval(beat);
    process.disconnect();
  });
  // Last: whoever hears it may send a signal at once.
  process.send?.({ kind: 'ready', port: host.port, problem: host.problem });
} catch (error) {
  process.send?.({ kind: 'failed', code: codeOf(error), message: messageOf(error) }, () => process.exit(1));
}
