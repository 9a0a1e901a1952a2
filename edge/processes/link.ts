import { randomUUID } from 'node:crypto';
import { type BusClient, connectBus } from '#edge/bus/client.ts';
import { decodeCommand, encodeEvent, encodeSamples } from '#edge/bus/codec.ts';
import { commandTopic, eventTopic, healthTopic, resultTopic, samplesTopic } from '#edge/bus/topics.ts';
import type { Device } from '#edge/domain/device.ts';
import type { BusHealth, ProcessHealth, ProcessName } from '#edge/domain/health.ts';
import type { Driver } from '#edge/drivers/driver.ts';
import { type HostLink, startHost } from '#edge/drivers/host.ts';
import type { ChildContext, Running } from '#edge/runtime/child.ts';
import type { Log } from '#edge/runtime/log.ts';
import { describeCampus } from './campus.ts';
import { type BusInit, brokerAddress, type EdgeInit } from './context.ts';

/** Connects one of our own processes to core's broker, with a last will that tells when it goes without a word. */
export async function joinBus(
  name: ProcessName,
  init: BusInit,
  context: ChildContext,
  instance: string,
  signal: AbortSignal,
): Promise<BusClient> {
  const { clock, log } = context;
  const gone: ProcessHealth = { process: name, state: 'stopped', time: clock.now(), instance, devices: [] };
  return connectBus({
    ...brokerAddress(init.site),
    client: name,
    password: init.tokens[name] ?? '',
    will: { topic: healthTopic(name), payload: gone },
    clock,
    log,
    signal,
  });
}

/** What a driver host needs, over the bus. */
async function hostLink(process: ProcessName, bus: BusClient, log: Log): Promise<HostLink> {
  const handlers: Parameters<HostLink['onCommand']>[0][] = [];
  await bus.subscribe(commandTopic(process), (topic, payload) => {
    const decoded = decodeCommand(payload);
    if (!decoded.ok) log.error({ topic, problem: decoded.message }, 'a command of core cannot be read');
    else for (const handler of handlers) handler(decoded.value);
  });
  return {
    publishSamples: (device, samples, time) => bus.publish(samplesTopic(device), encodeSamples(samples, time)),
    publishEvent: (device, event) => bus.publish(eventTopic(device), encodeEvent(event), { qos: 1 }),
    publishHealth: (health) => bus.publish(healthTopic(process), health, { retain: true }),
    publishResult: (result) => bus.publish(resultTopic(process), result, { qos: 1 }),
    onCommand: (handler) => void handlers.push(handler),
    onConnect: (handler) => void bus.onConnect(handler),
    connected: () => bus.connected,
  };
}

export interface Beside {
  /** What else the process does on the bus. */
  readonly start?: (bus: BusClient) => Disposable | null;
  /** What it tells of its lines. */
  readonly buses?: () => readonly BusHealth[];
  /** Its devices, where it has looked them up already. */
  readonly devices?: readonly Device[];
}

/** A process that runs the devices of some drivers, and what it has beside them. */
export async function startDriverProcess(
  name: 'fieldbus' | 'camera' | 'broadcast',
  init: EdgeInit,
  context: ChildContext,
  drivers: readonly Driver<unknown>[],
  { start, buses, devices: given }: Beside = {},
): Promise<Running> {
  const { clock, log } = context;
  const ending = new AbortController();
  const instance = randomUUID();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => ending.abort());
  const devices = given ?? (await describeCampus(init.site)).devicesOfProcess(name);
  const bus = stack.use(await joinBus(name, init, context, instance, ending.signal));
  const link = await hostLink(name, bus, log);
  stack.use(
    await startHost({
      process: name,
      link,
      drivers,
      devices,
      poll: init.site.poll,
      ...(buses === undefined ? {} : { buses }),
      clock,
      log,
      instance,
    }),
  );
  stack.use(start?.(bus) ?? null);
  const owned = stack.move();
  return { info: { devices: devices.length }, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
