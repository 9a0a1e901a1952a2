import type { DeviceId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { AirConditioner } from './air-conditioner.ts';
import type { SensorClient, SensorClientOptions } from './sensor-client.ts';
import { createSensorClient } from './sensor-client.ts';
import { announceNode, nodeWill, publishNode } from './sensor-esphome.ts';
import type { Room } from './sensor-scene.ts';
import { advanceRoom, createRoom, dispenserEnergy, dispenserPower, illuminance, soundLevel } from './sensor-scene.ts';
import type { Plug } from './sensor-tasmota.ts';
import { announcePlug, obey, plugCommands, plugWill, publishTelemetry } from './sensor-tasmota.ts';
import type { ZigbeeDevice } from './sensor-zigbee.ts';
import { announceBridge, createZigbeeDevices, publishState, zigbeeWill } from './sensor-zigbee.ts';

/** The MQTT clients of the virtual campus's sensors, as the site file must know them. */
export const sensorClients = [
  'zigbee2mqtt',
  'tasmota-plug-1',
  'esp-air-301',
  'air-201',
  'fire-panel',
  'alarm-loop',
] as const;
export type SensorClientId = (typeof sensorClients)[number];

export interface SensorsOptions {
  /** The campus's broker. */
  readonly host: string;
  readonly port: number;
  readonly passwords: ReadonlyMap<string, string>;
  /** Where a device of our plain JSON puts its samples: set in a real one by hand, as its maker cannot know. */
  readonly samplesTopic: (device: DeviceId) => string;
  readonly clock?: Clock;
  /** Tasmota prints the wall clock of this zone. */
  readonly timeZone?: string;
  /** Simulated seconds per second for air and heat (default 1): reports stay as often as they are. */
  readonly pace?: number;
  /** Its classrooms hold lessons by the time of day (default); else nobody is there until `occupied` says so. */
  readonly lessons?: boolean;
  /** Of room 203. */
  readonly air?: AirConditioner;
  /** What the loudspeaker of room 201 plays now, dBFS; absent: nobody measures how loud it is there. */
  readonly loudspeaker?: () => number;
  readonly print?: (line: string) => void;
}

export interface Sensors extends AsyncDisposable {
  /** `smoke-101`, `smoke-102` or `smoke-201`. */
  smoke(name: string, on: boolean): void;
  /** `pir-101` or `pir-203`; the people in its room breathe. null = by the timetable again. */
  occupied(name: string, on: boolean | null): void;
  fireContact(on: boolean): void;
  /** The supervised line of the alarm button: pressed, or its wire cut, which hides what the button does. */
  loop(what: 'pressed' | 'cut', on: boolean): void;
  /** The wireless button in the gatehouse. */
  press(action?: string): void;
  /** `door-gate`: true = closed. */
  contact(name: string, closed: boolean): void;
  /** `leak-kitchen`. */
  leak(name: string, on: boolean): void;
  /** Cuts a client off without a word, so that its last will speaks; `replug` lets it come back. */
  unplug(client: SensorClientId): void;
  replug(client: SensorClientId): void;
  /** Clients with a connection now. */
  connected(): readonly string[];
}

const airMonitor = 'air-201' as DeviceId;
/** On the same board. */
const noiseMonitor = 'noise-201' as DeviceId;
const firePanel = 'fire-panel' as DeviceId;
const alarmLoop = 'loop-gatehouse' as DeviceId;

/** How often the scene moves on and due reports go out, ms. */
const step = 1_000;
const plugPeriod = 30_000;
const nodePeriod = 10_000;
const airPeriod = 10_000;
/** A fire panel's gateway repeats itself well within its staleness. */
const panelPeriod = 5_000;
const loopPeriod = 5_000;
type Due = 'plug' | 'node' | 'air' | 'panel' | 'loop';

/** Starts them all; they connect, and connect again, by themselves. */
export async function startSensors(options: SensorsOptions): Promise<Sensors> {
  for (const id of sensorClients) {
    if (!options.passwords.has(id))
      throw new CodedError('SIMULATOR_NO_PASSWORD', `no password for the MQTT client "${id}"`);
  }
  return new VirtualSensors(options);
}

class VirtualSensors implements Sensors {
  readonly #clock: Clock;
  readonly #offset: (now: number) => number;
  readonly #pace: number;
  readonly #samplesTopic: (device: DeviceId) => string;
  readonly #rooms: Readonly<Record<'101' | '201' | '203' | '301', Room>>;
  readonly #air: AirConditioner | null;
  readonly #loudspeaker: (() => number) | null;
  readonly #zigbee = createZigbeeDevices();
  readonly #plug: Plug;
  readonly #clients: Readonly<Record<SensorClientId, SensorClient>>;
  readonly #ticker: Ticker;
  #fire = false;
  readonly #loop = { pressed: false, cut: false };
  #last: number;
  #due: Record<Due, number>;

  constructor(options: SensorsOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#offset = localClock(options.timeZone ?? 'Asia/Shanghai');
    this.#pace = options.pace ?? 1;
    this.#samplesTopic = options.samplesTopic;
    const room = (name: string) => createRoom(name, options.lessons);
    this.#rooms = { '101': room('101'), '201': room('201'), '203': room('203'), '301': room('301') };
    this.#air = options.air ?? null;
    this.#loudspeaker = options.loudspeaker ?? null;
    const now = this.#clock.now();
    const local = this.#local();
    const total = dispenserEnergy(local);
    this.#plug = { topic: 'tasmota-plug-1', on: true, power: 4, total, today: 1.204, bootedAt: local };
    this.#last = now;
    this.#due = { plug: now + plugPeriod, node: now + nodePeriod, air: now, panel: now, loop: now };
    this.#moveScene(0);
    this.#clients = this.#connect(options);
    this.#ticker = new Ticker(step, () => this.#tick());
  }

  smoke(name: string, on: boolean): void {
    this.#set(name, { smoke: on });
  }

  occupied(name: string, on: boolean | null): void {
    const room = this.#rooms[name === 'pir-203' ? '203' : '101'];
    room.forced = on;
    this.#moveScene(0);
    this.#set(name, { occupancy: room.people > 0 });
  }

  fireContact(on: boolean): void {
    this.#fire = on;
    this.#publishPanel();
  }

  loop(what: 'pressed' | 'cut', on: boolean): void {
    this.#loop[what] = on;
    this.#publishLoop();
  }

  press(action = 'single'): void {
    publishState(this.#clients.zigbee2mqtt, this.#zigbeeDevice('button-gatehouse'), { action });
  }

  contact(name: string, closed: boolean): void {
    this.#set(name, { contact: closed });
  }

  leak(name: string, on: boolean): void {
    this.#set(name, { water_leak: on });
  }

  unplug(client: SensorClientId): void {
    this.#clients[client].unplug();
  }

  replug(client: SensorClientId): void {
    this.#clients[client].replug();
  }

  connected(): readonly string[] {
    return sensorClients.filter((id) => this.#clients[id].connected);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ticker[Symbol.dispose]();
    await Promise.all(sensorClients.map((id) => this.#clients[id][Symbol.asyncDispose]()));
  }

  #connect({ host, port, passwords, print }: SensorsOptions): Readonly<Record<SensorClientId, SensorClient>> {
    const open = (
      id: SensorClientId,
      rest: Omit<SensorClientOptions, 'host' | 'port' | 'id' | 'password' | 'onState'>,
    ): SensorClient =>
      createSensorClient({
        host,
        port,
        id,
        password: passwords.get(id) ?? '',
        onState: (message) => print?.(`${id}: ${message}`),
        ...rest,
      });
    return {
      zigbee2mqtt: open('zigbee2mqtt', {
        keepalive: 60,
        will: zigbeeWill,
        onConnect: (client) => announceBridge(client, this.#zigbee),
      }),
      'tasmota-plug-1': open('tasmota-plug-1', {
        keepalive: 30,
        will: plugWill(this.#plug.topic),
        subscribe: [plugCommands(this.#plug.topic)],
        onConnect: (client) => announcePlug(client, this.#plug, this.#local()),
        onMessage: (topic, payload) => obey(this.#clients['tasmota-plug-1'], this.#plug, topic, payload),
      }),
      'esp-air-301': open('esp-air-301', {
        keepalive: 15,
        will: nodeWill('esp-air-301'),
        onConnect: (client) => announceNode(client, 'esp-air-301', this.#rooms['301']),
      }),
      'air-201': open('air-201', { keepalive: 30, onConnect: (client) => this.#publishAir(client) }),
      'fire-panel': open('fire-panel', { keepalive: 10, onConnect: (client) => this.#publishPanel(client) }),
      'alarm-loop': open('alarm-loop', { keepalive: 10, onConnect: (client) => this.#publishLoop(client) }),
    };
  }

  #local(): number {
    const now = this.#clock.now();
    return now + this.#offset(now);
  }

  #tick(): void {
    const now = this.#clock.now();
    this.#moveScene(now - this.#last);
    this.#last = now;
    for (const device of this.#zigbee.values()) {
      if (now < device.nextAt) continue;
      if (device.nextAt > 0) publishState(this.#clients.zigbee2mqtt, device);
      device.nextAt = now + device.every;
    }
    if (this.#isDue('plug', now, plugPeriod))
      publishTelemetry(this.#clients['tasmota-plug-1'], this.#plug, this.#local());
    if (this.#isDue('node', now, nodePeriod))
      publishNode(this.#clients['esp-air-301'], 'esp-air-301', this.#rooms['301']);
    if (this.#isDue('air', now, airPeriod)) this.#publishAir(this.#clients['air-201']);
    this.#publishNoise();
    if (this.#isDue('panel', now, panelPeriod)) this.#publishPanel();
    if (this.#isDue('loop', now, loopPeriod)) this.#publishLoop();
  }

  #isDue(what: Due, now: number, period: number): boolean {
    if (now < this.#due[what]) return false;
    this.#due[what] = now + period;
    return true;
  }

  #moveScene(elapsed: number): void {
    const local = this.#local();
    for (const room of Object.values(this.#rooms)) {
      const air = room.name === '203' ? this.#air : null;
      advanceRoom(room, local, elapsed * this.#pace, air?.pullsTo() ?? null);
      if (air !== null) air.roomTemperature = room.temperature;
    }
    const plug = this.#plug;
    plug.power = dispenserPower(local);
    if (plug.on) {
      const used = (plug.power * Math.max(0, elapsed)) / 3_600_000_000;
      plug.total += used;
      plug.today += used;
    }
    const climate = (name: string, room: Room) =>
      Object.assign(this.#zigbeeDevice(name).state, {
        temperature: Math.round(room.temperature * 10) / 10,
        humidity: Math.round(room.humidity * 10) / 10,
      });
    climate('climate-101', this.#rooms['101']);
    climate('climate-201', this.#rooms['201']);
    climate('climate-203', this.#rooms['203']);
    const presence = (name: string, room: Room) =>
      Object.assign(this.#zigbeeDevice(name).state, {
        occupancy: room.people > 0,
        illuminance: illuminance(room, local),
      });
    presence('pir-101', this.#rooms['101']);
    presence('pir-203', this.#rooms['203']);
  }

  #publishAir(client: SensorClient): void {
    const { co2, temperature, humidity, pm2_5 } = this.#rooms['201'];
    const air = {
      t: this.#clock.now(),
      co2: Math.round(co2),
      temperature: Math.round(temperature * 10) / 10,
      humidity: Math.round(humidity * 10) / 10,
      pm2_5: Math.round(pm2_5),
    };
    client.publish(this.#samplesTopic(airMonitor), air, { qos: 1 });
  }

  /** A sound level is old within seconds: each step has its own. */
  #publishNoise(): void {
    if (this.#loudspeaker === null) return;
    const level = soundLevel(this.#rooms['201'], this.#local(), this.#loudspeaker());
    const sample = { t: this.#clock.now(), sound_level: Math.round(level * 10) / 10 };
    this.#clients['air-201'].publish(this.#samplesTopic(noiseMonitor), sample, { qos: 0 });
  }

  #publishPanel(client: SensorClient = this.#clients['fire-panel']): void {
    const s = [
      ['alarm', this.#fire],
      ['fault', false],
    ];
    client.publish(this.#samplesTopic(firePanel), { t: this.#clock.now(), s }, { qos: 1 });
  }

  #publishLoop(client: SensorClient = this.#clients['alarm-loop']): void {
    const line = this.#loop.cut ? 'open' : this.#loop.pressed ? 'alarm' : 'normal';
    client.publish(this.#samplesTopic(alarmLoop), { t: this.#clock.now(), s: [['line', line]] }, { qos: 1 });
  }

  #set(name: string, values: Record<string, boolean>): void {
    const device = this.#zigbeeDevice(name);
    Object.assign(device.state, values);
    publishState(this.#clients.zigbee2mqtt, device);
  }

  #zigbeeDevice(name: string): ZigbeeDevice {
    const device = this.#zigbee.get(name);
    if (device === undefined) throw new CodedError('SIMULATOR_NO_DEVICE', `there is no simulated sensor "${name}"`);
    return device;
  }
}

/** ms to add to UTC to get the wall clock of a zone. */
function localClock(timeZone: string): (now: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  return (now) => {
    const name = format.formatToParts(now).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
    const [, sign = '+', hours = '0', minutes = '0'] = /GMT([+-])(\d\d):(\d\d)/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  };
}
