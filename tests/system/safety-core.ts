import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { vi } from 'vitest';
import { setClientPassword } from '#edge/bus/access.ts';
import { commandTopic, healthTopic, samplesTopic } from '#edge/bus/topics.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { ProcessStatus } from '#edge/domain/health.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Command, OutputState } from '#edge/domain/output.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { newSecrets } from '#edge/processes/context.ts';
import { startCore } from '#edge/processes/core.ts';
import { type Clock, systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { loadSite, type Site } from '#edge/runtime/site.ts';
import type { StoreTuning } from '#edge/store/store.ts';
import { type PlacedRules, placeRules } from './place-rules.ts';

/*
 * Core by itself in this process, on the demo's site, with its real broker and its real store: what drivers, sensors and
 * guests say is said by MQTT clients of the test.
 */

export const soon = { timeout: 15_000, interval: 50 };
const sensors = ['fire-panel', 'air-201', 'zigbee2mqtt'];

export function temporaryData(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'safety-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export interface SafetyCore extends AsyncDisposable {
  /** What everybody is told, by topic below v1/out. */
  readonly alarms: ReadonlyMap<string, Alarm>;
  readonly outputs: ReadonlyMap<string, OutputState>;
  readonly readings: ReadonlyMap<string, Reading>;
  join(client: string, options?: Partial<IClientOptions>): Promise<MqttClient>;
  /** A driver process as far as core can tell: on the broker, ready, taking commands. */
  drive(process: 'broadcast' | 'fieldbus' | 'camera' | 'media', options?: Partial<IClientOptions>): Promise<FakeDriver>;
  /** What the supervisor says. */
  tellProcesses(processes: readonly ProcessStatus[]): void;
}

export interface FakeDriver {
  readonly mqtt: MqttClient;
  readonly commands: Command[];
  /** Times the connection was lost. */
  readonly lost: { count: number };
  say(device: string, ...samples: readonly (readonly [string, unknown])[]): void;
  /** `clip=evacuation` of every command so far, without repetition. */
  told(device: string): readonly unknown[];
}

export interface SafetyOptions extends PlacedRules {
  readonly clock?: Clock;
  readonly data: string;
  readonly tuning?: StoreTuning;
  readonly change?: (site: Site) => Site;
}

export async function startSafetyCore({
  data,
  tuning,
  change,
  clock = systemClock,
  ...rules
}: SafetyOptions): Promise<SafetyCore> {
  const demo = await loadSite(join(import.meta.dirname, '../../edge/simulators/demo-site.yaml'));
  const placed: Site = {
    ...demo,
    mqtt: { hosts: ['127.0.0.1'], port: 0, websocketPort: null, tls: null },
    rules: { folder: placeRules(demo, data, rules) },
  };
  const site = change?.(placed) ?? placed;
  const secrets = newSecrets();
  for (const id of sensors) await setClientPassword(data, id, `password-of-${id}`);
  const listeners: ((processes: readonly ProcessStatus[]) => void)[] = [];
  const running = await startCore(
    { site, data, ...secrets, tuning: { acknowledgeBeforeCommit: false, ...tuning } },
    { clock, log: silentLog, onProcesses: (listener) => void listeners.push(listener) },
  );
  const port = Number(running.info.mqtt);
  const clients: MqttClient[] = [];
  const join_ = async (client: string, options: Partial<IClientOptions> = {}): Promise<MqttClient> => {
    const password = secrets.tokens[client] ?? `password-of-${client}`;
    const mqtt = connect({
      host: '127.0.0.1',
      port,
      clientId: client,
      username: client,
      password,
      reconnectPeriod: 100,
      ...options,
    });
    clients.push(mqtt);
    mqtt.on('error', () => {});
    await new Promise<void>((resolve) => mqtt.once('connect', () => resolve()));
    return mqtt;
  };
  const alarms = new Map<string, Alarm>();
  const outputs = new Map<string, OutputState>();
  const readings = new Map<string, Reading>();
  const web = await join_('web');
  web.on('message', (topic, payload) => {
    const body: unknown = payload.length === 0 ? null : JSON.parse(payload.toString());
    const [, , kind, ...rest] = topic.split('/');
    if (kind === 'alarm' && body !== null) alarms.set((body as Alarm).source, body as Alarm);
    if (kind === 'output') outputs.set(rest.join('/'), body as OutputState);
    if (kind === 'reading') readings.set(rest.join('/'), body as Reading);
  });
  await web.subscribeAsync('v1/out/#', { qos: 1 });
  // Retained messages come one by one; what is said meanwhile may come before them.
  let known = -1;
  await vi.waitFor(
    () => {
      const before = known;
      known = readings.size + outputs.size;
      if (known === 0 || known !== before) throw new Error('retained messages are still coming');
    },
    { ...soon, interval: 100 },
  );
  return {
    alarms,
    outputs,
    readings,
    join: join_,
    drive: (process, options) => drive(process, join_, options),
    tellProcesses: (processes) => {
      for (const listener of listeners) listener(processes);
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.end(true);
      await running[Symbol.asyncDispose]();
    },
  };
}

async function drive(
  process: string,
  join_: SafetyCore['join'],
  options: Partial<IClientOptions> = {},
): Promise<FakeDriver> {
  const health = (state: 'ready' | 'stopped') =>
    JSON.stringify({ process, state, time: systemClock.now(), instance: 'one', devices: [] });
  const will = { topic: healthTopic(process), payload: Buffer.from(health('stopped')), qos: 0 as const, retain: true };
  const mqtt = await join_(process, { will, ...options });
  const commands: Command[] = [];
  const lost = { count: 0 };
  mqtt.on('message', (_topic, payload) => void commands.push(JSON.parse(payload.toString()) as Command));
  mqtt.on('close', () => lost.count++);
  await mqtt.subscribeAsync(commandTopic(process), { qos: 1 });
  mqtt.publish(healthTopic(process), health('ready'), { retain: true });
  return {
    mqtt,
    commands,
    lost,
    say: (device, ...s) => void mqtt.publish(samplesTopic(device as DeviceId), JSON.stringify({ s })),
    told: (device) => commands.filter((command) => command.device === device).map(({ value }) => value),
  };
}

/** The state of the fire panel's contact; resolves when it is acknowledged. */
export async function firePanel(mqtt: MqttClient, alarm: boolean): Promise<void> {
  await mqtt.publishAsync(samplesTopic('fire-panel' as DeviceId), JSON.stringify({ alarm, fault: false }), { qos: 1 });
}

export function until(check: () => void): Promise<void> {
  return vi.waitFor(check, soon);
}
