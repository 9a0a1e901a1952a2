import { join } from 'node:path';
import type { MqttClient } from 'mqtt';
import { setClientPassword } from '#edge/bus/access.ts';
import { eventTopic, samplesTopic } from '#edge/bus/topics.ts';
import type { DeviceId, HappeningId, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { IncidentBrief } from '#edge/domain/incident.ts';
import { type Clock, systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { connectRpc, type RpcClient } from '#edge/runtime/rpc.ts';
import type { Site, SiteDevice } from '#edge/runtime/site.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import type { StoreTuning } from '#edge/store/store.ts';
import type { PlacedRules } from './place-rules.ts';
import { type FakeDriver, type SafetyCore, startSafetyCore } from './safety-core.ts';

/* Core on the demo's site with a gatehouse: a supervised panic button, key places, rules for incidents. Cameras are MQTT clients of the test. */

export const loop = 'loop-gate' as DeviceId;
export const panicInput = `${loop}/line` as PointRef;
export const gate = 'camera-gate' as DeviceId;
export const playground = 'camera-playground' as DeviceId;
export const lin = { who: 'person:lin', name: 'Lin', from: '192.0.2.7' };
export const wang = { who: 'person:wang', name: 'Wang', from: '192.0.2.8' };

const zone = (id: string) => id as ZoneId;
const loopDevice: SiteDevice = {
  id: loop,
  name: { zh: '值班室报警按钮', en: 'Alarm button of the gatehouse' },
  profile: 'sensor/json-alarm-loop',
  zone: zone('gate'),
  address: { json: true },
};

export function withGatehouse(site: Site): Site {
  return {
    ...site,
    clients: [...site.clients, { id: loop, devices: [loop], publish: [], subscribe: [], requests: [] }],
    devices: [...site.devices, loopDevice],
    // Without masks, which media would have to draw.
    cameras: { ...site.cameras, byCamera: {}, record: { mode: 'event', preRoll: 10_000, postRoll: 20_000 } },
    incidents: {
      ...site.incidents,
      rules: [
        {
          types: ['intrusion'],
          zones: 'all',
          devices: 'all',
          during: null,
          class: 'high',
          within: 60_000,
          longest: 600_000,
          escalateAfter: 400,
        },
        {
          types: ['person', 'motion'],
          zones: 'all',
          devices: 'all',
          during: null,
          class: 'medium',
          within: 60_000,
          longest: 600_000,
          escalateAfter: null,
        },
      ],
    },
    panic: [
      {
        id: 'gatehouse',
        name: { zh: '值班室', en: 'Gatehouse' },
        zone: zone('gate'),
        input: panicInput,
        sound: { clip: 'evacuation', zones: [zone('gate')] },
        cameras: [
          { device: gate, preset: 'preset-1' },
          { device: playground, preset: null },
        ],
      },
    ],
    keyPlaces: [
      {
        id: 'main-gate',
        name: { zh: '校门', en: 'Main gate' },
        zone: zone('gate'),
        cameras: [gate],
        panic: ['gatehouse'],
        patrols: 5,
        reader: `${loop}/line` as PointRef,
      },
    ],
  };
}

export interface GatehouseCore extends AsyncDisposable {
  readonly core: SafetyCore;
  readonly rpc: RpcClient;
  readonly reader: Reader;
  readonly camera: FakeDriver;
  /** As everybody is told, by id; what is resolved goes. */
  readonly incidents: ReadonlyMap<string, IncidentBrief>;
  /** Everything told, in order. */
  readonly told: readonly IncidentBrief[];
  /** Resolves when it is acknowledged. */
  happens(
    device: DeviceId,
    type: string,
    more?: { readonly active?: boolean; readonly snapshot?: string },
  ): Promise<HappeningId>;
  line(value: string): Promise<void>;
  readonly loop: MqttClient;
}

export async function startGatehouse(options: {
  readonly data: string;
  readonly clock?: Clock;
  readonly tuning?: StoreTuning;
  readonly change?: (site: Site) => Site;
  readonly rules?: PlacedRules['rules'];
}): Promise<GatehouseCore> {
  const { data, clock = systemClock, tuning, rules, change = (site) => site } = options;
  await setClientPassword(data, loop, `password-of-${loop}`);
  await using stack = new AsyncDisposableStack();
  const core = stack.use(
    await startSafetyCore({
      ...{ data, clock },
      ...(tuning === undefined ? {} : { tuning }),
      ...(rules === undefined ? {} : { rules }),
      change: (site) => change(withGatehouse(site)),
    }),
  );
  const camera = await core.drive('camera');
  const mqtt = await core.join(loop);
  const listener = await core.join('notify');
  const incidents = new Map<string, IncidentBrief>();
  const told: IncidentBrief[] = [];
  listener.on('message', (topic, payload) => {
    const id = topic.split('/').at(-1) ?? '';
    if (payload.length === 0) return void incidents.delete(id);
    const incident = JSON.parse(payload.toString()) as IncidentBrief;
    told.push(incident);
    if (incident.state === 'resolved') incidents.delete(id);
    else incidents.set(id, incident);
  });
  await listener.subscribeAsync('v1/out/incident/#', { qos: 1 });
  const rpc = stack.use(connectRpc(join(data, 'core.sock')));
  const reader = stack.use(openReader(data));
  const owned = stack.move();
  return {
    ...{ core, rpc, reader, camera, incidents, told, loop: mqtt },
    happens: async (device, type, more = {}) => {
      const id = newHappeningId(clock);
      await camera.mqtt.publishAsync(eventTopic(device), JSON.stringify({ id, type, ...more }), { qos: 1 });
      return id;
    },
    line: async (value) => {
      await mqtt.publishAsync(samplesTopic(loop), JSON.stringify({ line: value }), { qos: 1 });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
