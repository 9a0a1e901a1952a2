import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessStatus } from '#edge/domain/health.ts';
import { type EdgeInit, newSecrets } from '#edge/processes/context.ts';
import { edgeProcesses } from '#edge/processes/specs.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { createLog } from '#edge/runtime/log.ts';
import { writeRuleFile } from '#edge/runtime/rule-folder.ts';
import { checkSite } from '#edge/runtime/site.ts';
import { rulesFolder } from '#edge/runtime/site-rules.ts';
import { type SupervisorTimes, startSupervisor } from '#edge/runtime/supervisor.ts';
import type { SimUnit } from '#edge/simulators/modbus-server.ts';
import { startModbusServer } from '#edge/simulators/modbus-server.ts';
import { relayUnit } from '#edge/simulators/modbus-units.ts';
import { type Speaker, startSpeaker } from '#edge/simulators/speaker.ts';
import { MqttSocket } from './mqtt-socket.ts';
import { freePorts, temporaryFolder, until } from './rig.ts';

/*
 * A small campus for what must be quick: the real processes under the real supervisor; smoke detectors, contacts, relays
 * and loudspeakers in this process, each behind its real protocol.
 */

export interface SmokeCampusOptions {
  /** Relays, each on a Modbus TCP address of its own and driven by a contact of its own. */
  readonly relays: number;
  /** How many detectors must trip before the siren sounds. */
  readonly smokeNeeded: 1 | 2;
  /** The siren goes on when the smoke is gone. */
  readonly latch: boolean;
  readonly times?: Partial<SupervisorTimes>;
  /** false: no camera, web or flows process, only what the measured way needs. */
  readonly flows: boolean;
  readonly logLevel?: 'error' | 'silent';
}

export interface SmokeCampus extends AsyncDisposable {
  readonly speakers: readonly Speaker[];
  readonly processes: () => readonly ProcessStatus[];
  readonly flowsPort: number;
  readonly mqttPort: number;
  /** The data folder. */
  readonly data: string;
  /** Resolves when the broker has acknowledged. */
  smoke(detector: 1 | 2, on: boolean): Promise<void>;
  /** Contact `n` (from 0) and with it relay `n`, channel 1. */
  contact(n: number, on: boolean): Promise<void>;
  /** Puts the flows into a mood: each function looks once at the reading, and goes on until its process ends. */
  mood(mood: Mood, on: boolean): Promise<void>;
  onRelay(listener: (n: number, on: boolean, at: number) => void): void;
  /** Does Node-RED's HTTP server answer within `ms`? A blocked main loop does not. */
  flowsAnswer(ms: number): Promise<boolean>;
}

export const sensorPassword = 'only-for-this-run-of-the-bench';
const host = '127.0.0.1';
const clip = join(import.meta.dirname, '../../edge/simulators/clips/evacuation.wav');
const both = (text: string) => ({ zh: text, en: text });

/** What a flow may do to those beside it: each tab waits for a contact of its own. */
const moods = {
  // No timeout of Node-RED sees this loop: it gives way to promises only, so the main loop never turns again.
  spin: '(async () => { while (true) await null; })();',
  // 30 MB a second: the end of its heap comes every few seconds, after much collecting.
  leak: 'const kept = []; setInterval(() => kept.push(new Array(40_000).fill(kept.length)), 10);',
  // 10,000 requests a second.
  flood: 'let n = 0; setInterval(() => { for (let i = 0; i < 100; i++) node.send({ payload: n++ % 2 === 0 }); }, 10);',
  // Each ends a Node process that does not expect it.
  reject: "setInterval(() => { for (let i = 0; i < 50; i++) Promise.reject(new Error('not caught')); }, 10);",
} as const;
export type Mood = keyof typeof moods;
export const moodNames: readonly Mood[] = ['spin', 'leak', 'flood', 'reject'];

/** What the flood asks for: a channel that nothing else uses. */
const floodedOutput = 'relay-0/relay_8';

function moodFlow(mood: Mood): object[] {
  const point = `${mood}-contact/alarm`;
  return [
    { id: mood, type: 'tab', label: `other/${mood}` },
    { id: `${mood}-in`, type: 'campus reading', z: mood, point, qualityChanges: false, wires: [[`${mood}-f`]] },
    {
      id: `${mood}-f`,
      type: 'function',
      z: mood,
      func: `if (msg.payload === true) { ${moods[mood]} }`,
      outputs: 1,
      wires: [mood === 'flood' ? [`${mood}-out`] : []],
    },
    ...(mood === 'flood'
      ? [{ id: `${mood}-out`, type: 'campus hold', z: mood, point: floodedOutput, name: 'flood', wires: [[]] }]
      : []),
  ];
}

function device(id: string, profile: string, address: object) {
  return { id, name: both(id), profile, zone: 'school', address };
}

/** The demo's relay profile: 200 ms between commands, so that each relay has a line of its own and is rarely polled. */
function siteOf(options: SmokeCampusOptions, ports: Ports, folder: string): ReturnType<typeof checkSite> {
  const { relays, flows } = options;
  const contacts = Array.from({ length: relays }, (_, n) => `contact-${n}`);
  const moodContacts = moodNames.map((mood) => `${mood}-contact`);
  const file = {
    site: 1,
    campus: { id: '2151009902', name: both('Bench school'), timeZone: 'Asia/Shanghai' },
    zones: [{ id: 'school', name: both('School') }],
    mqtt: { hosts: [host], port: ports.mqtt, websocketPort: null, tls: null },
    http: { host, port: ports.http },
    https: null,
    flows: { enabled: flows, port: ports.flows, folder: 'flows' },
    flowRequests: [floodedOutput],
    poll: { fast: '10min', normal: '10min', slow: '10min' },
    clients: [
      { id: 'zigbee', publish: ['zigbee2mqtt/#'] },
      { id: 'contacts', devices: [...contacts, ...moodContacts] },
    ],
    devices: [
      ...['smoke-1', 'smoke-2'].map((id) => device(id, 'sensor/zigbee-smoke', { zigbee2mqtt: id })),
      ...[...contacts, ...moodContacts].map((id) => device(id, 'sensor/json-fire-panel', { json: true })),
      ...ports.relays.map((port, n) =>
        device(`relay-${n}`, 'relay/waveshare-relay-8', { tcp: { host, port }, unit: 1 }),
      ),
      ...ports.speakers.map((port, n) =>
        device(`speaker-${n}`, 'speaker/rtp-speaker', { rtp: { host, port }, codec: 'PCMA' }),
      ),
    ],
    clips: { evacuation: { file: clip, loop: true } },
  };
  return checkSite(file, folder);
}

/** In the folder `rules` beside where the site file would be. */
async function writeRules({ relays, smokeNeeded, latch }: SmokeCampusOptions, folder: string): Promise<void> {
  const fire = {
    ...safety('fire', 1),
    latch,
    when: { kind: 'point', points: 'smoke-*/smoke', needs: smokeNeeded, test: { is: true }, onBad: 'hold' },
    then: [
      { kind: 'broadcast', clip: 'evacuation', zones: 'all' },
      { kind: 'alarm', class: 'critical', message: both('Fire'), next: both('Leave') },
    ],
  };
  await writeRuleFile(folder, 'fire', fire);
  for (let n = 0; n < relays; n++) {
    for (const on of [true, false]) {
      const id = `relay-${n}-${on ? 'on' : 'off'}`;
      const when = { kind: 'point', points: `contact-${n}/alarm`, test: { is: on }, onBad: 'hold' };
      const hold = { kind: 'hold', outputs: `relay-${n}/relay_1`, value: on };
      await writeRuleFile(folder, id, { ...safety(id, 5), when, then: [hold] });
    }
  }
}

function safety(id: string, priority: 1 | 5) {
  return { rule: 1, id, name: both(id), kind: 'safety', priority };
}

interface Ports {
  readonly mqtt: number;
  readonly http: number;
  readonly flows: number;
  readonly relays: readonly number[];
  readonly speakers: readonly number[];
}

/** Starts everything and resolves when each process is ready and each device answers its driver. */
export async function startSmokeCampus(options: SmokeCampusOptions): Promise<SmokeCampus> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder('smoke'));
  const listeners: ((n: number, on: boolean, at: number) => void)[] = [];
  const relayServers = await Promise.all(
    Array.from({ length: options.relays }, async (_, n) => {
      const heard = (on: boolean, at: number) => {
        for (const listener of listeners) listener(n, on, at);
      };
      const units = new Map([[1, listeningRelay(heard)]]);
      return stack.use(await startModbusServer({ host, port: 0, framing: 'mbap', units }));
    }),
  );
  const speakers = await Promise.all(
    [0, 1].map(async (n) => stack.use(await startSpeaker({ host, port: 0, name: `speaker-${n}`, clock: systemClock }))),
  );
  const [mqtt = 0, http = 0, flowsPort = 0] = await freePorts(3);
  const ports = {
    mqtt,
    http,
    flows: flowsPort,
    relays: relayServers.map(({ port }) => port),
    speakers: speakers.map(({ port }) => port),
  };
  await mkdir(join(folder.path, 'flows/other'), { recursive: true });
  for (const mood of moodNames) {
    await writeFile(join(folder.path, `flows/other/${mood}.json`), JSON.stringify(moodFlow(mood)));
  }
  const site = siteOf(options, ports, folder.path);
  await writeRules(options, rulesFolder(site));
  const supervisor = stack.use(startProcesses(site, join(folder.path, 'data'), options));
  const processes = () => supervisor.status();
  await until('every process is ready', 120_000, () => processes().every(({ state }) => state === 'ready'), 50);
  const zigbee = stack.use(await MqttSocket.open({ port: mqtt, client: 'zigbee', password: sensorPassword }));
  const contacts = stack.use(await MqttSocket.open({ port: mqtt, client: 'contacts', password: sensorPassword }));
  await until('the relays are asked', 30_000, () => relayServers.every(({ stats }) => stats.requests > 0));
  const say = (id: string, on: boolean) =>
    contacts.publish(`v1/in/${id}/samples`, { t: systemClock.now(), s: [['alarm', on]] });
  const owned = stack.move();
  return {
    speakers,
    processes,
    flowsPort,
    mqttPort: mqtt,
    data: join(folder.path, 'data'),
    smoke: (detector, on) => zigbee.publish(`zigbee2mqtt/smoke-${detector}`, { smoke: on, battery: 97 }),
    contact: (n, on) => say(`contact-${n}`, on),
    mood: (mood, on) => say(`${mood}-contact`, on),
    onRelay: (listener) => void listeners.push(listener),
    flowsAnswer: (ms) => answersHttp(flowsPort, ms),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function startProcesses(site: EdgeInit['site'], data: string, options: SmokeCampusOptions) {
  const secrets = newSecrets();
  // The sensors log in like processes of ours, so that no scrypt runs while something is measured.
  const tokens = { ...secrets.tokens, zigbee: sensorPassword, contacts: sensorPassword };
  const init: EdgeInit = { site, data, ...secrets, tokens };
  const logLevel = options.logLevel ?? 'silent';
  return startSupervisor({
    specs: edgeProcesses(init),
    runFolder: join(data, 'run'),
    clock: systemClock,
    log: createLog('supervisor', logLevel),
    logLevel,
    ...(options.times === undefined ? {} : { times: options.times }),
  });
}

/** A relay board that says when a coil write arrived, before it answers. */
function listeningRelay(heard: (on: boolean, at: number) => void): SimUnit {
  const unit = relayUnit(Array.from({ length: 8 }, () => false));
  return {
    read: unit.read,
    write(at, values) {
      if (at === 0) heard(values[0] === true, performance.now());
      return unit.write(at, values);
    },
  };
}

async function answersHttp(port: number, ms: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://${host}:${port}/`, { signal: AbortSignal.timeout(ms) });
    await answer.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
