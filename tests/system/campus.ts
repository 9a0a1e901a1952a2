import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CityInit } from '#bridge/city/main.ts';
import { setClientPassword } from '#edge/bus/access.ts';
import type { ProcessStatus } from '#edge/domain/health.ts';
import { type EdgeInit, newSecrets, paths } from '#edge/processes/context.ts';
import type { SimulatorPorts, SimulatorsInit } from '#edge/processes/demo.ts';
import { edgeProcesses } from '#edge/processes/specs.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { createLog } from '#edge/runtime/log.ts';
import { loadSite, type Site } from '#edge/runtime/site.ts';
import { type ChildSpec, type SupervisorTimes, startSupervisor } from '#edge/runtime/supervisor.ts';
import { freePorts, freeUdpPorts } from './free-ports.ts';
import { type PlacedRules, placeRules } from './place-rules.ts';

/*
 * The demo campus on free ports, as real processes under the real supervisor: for tests that ask what people and
 * machines outside would see.
 */

const root = join(import.meta.dirname, '../..');

export interface CampusOptions extends PlacedRules {
  readonly times?: Partial<SupervisorTimes>;
  /** Which processes besides core; default all of the site's. */
  readonly only?: readonly string[];
  readonly simulators?: boolean;
  /** The simulated cameras film too: what it takes is made once on this machine. */
  readonly video?: boolean;
  /** With the demo's one-key alarm, key places, incident rules, masks and views; default: a campus that says nothing of these. */
  readonly gatehouse?: boolean;
  readonly city?: boolean;
  readonly tuning?: EdgeInit['tuning'];
  readonly cityTest?: NonNullable<CityInit['test']>;
  /** What each process says when it is ready: of web the address, and the code of the first administrator. */
  readonly onSaid?: (process: string, said: string) => void;
  /** Every address of ours is this one. */
  readonly host?: '127.0.0.1' | '::1';
  readonly change?: (site: Site) => Site;
  /** Kept as it is; default a new folder that is removed at the end. */
  readonly data?: string;
}

export interface SeenCamera {
  readonly position: { readonly pan: number; readonly tilt: number; readonly zoom: number };
  readonly isMoving: boolean;
  readonly movements: readonly { readonly operation: string; readonly detail: string }[];
}

export interface RunningCampus extends AsyncDisposable {
  readonly site: Site;
  readonly data: string;
  readonly url: string;
  readonly controlUrl: string;
  readonly cityUrl: string;
  readonly passwords: Readonly<Record<string, string>>;
  status(name: string): ProcessStatus;
  pid(name: string): number;
  /** GET below /api/v1 of the edge, with its token. */
  get<T = unknown>(path: string): Promise<T>;
  post<T = unknown>(path: string, body: object): Promise<T>;
  getCity<T = unknown>(path: string): Promise<T>;
  /** Moves a switch of the virtual campus. */
  turn(name: string, position: 'on' | 'off'): Promise<void>;
  heard(): Promise<readonly { name: string; packets: number; silentSince: number | null; tone: number | null }[]>;
  /** Where a simulated camera looks, and what it was last told. */
  camera(name: 'gate' | 'playground'): Promise<SeenCamera>;
}

export async function startCampus(options: CampusOptions = {}): Promise<RunningCampus> {
  const host = options.host ?? '127.0.0.1';
  const data = options.data ?? mkdtempSync(join(tmpdir(), 'campus-'));
  mkdirSync(data, { recursive: true });
  const { site, simulatorPorts, cityHttp } = await placeSite(host, data, options);
  const passwords: Record<string, string> = {};
  for (const { id } of site.clients) {
    passwords[id] = `password-of-${id}`;
    await setClientPassword(data, id, passwords[id]);
  }
  writeFileSync(paths.cityPassword(data), 'password-of-the-campus');
  const init: EdgeInit = {
    site,
    data,
    ...newSecrets(),
    ...(options.tuning === undefined ? {} : { tuning: options.tuning }),
  };
  const wanted = edgeProcesses(init).filter(({ name }) => name === 'core' || (options.only?.includes(name) ?? true));
  const specs: ChildSpec[] = [...wanted];
  if (options.simulators !== false) specs.push(simulatorsSpec(site, host, passwords, simulatorPorts));
  if (options.city !== false) specs.push(citySpec(site, host, join(data, 'city'), cityHttp, options.cityTest));
  const supervisor = startSupervisor({
    specs,
    runFolder: join(data, 'run'),
    clock: systemClock,
    log: createLog('supervisor', 'silent'),
    logLevel: 'silent',
    times: { beat: 500, backoffFirst: 50, backoffCap: 200, ...options.times },
    onReady: (name, info) => options.onSaid?.(name, String(info.say ?? '')),
  });
  const named = host === '::1' ? '[::1]' : host;
  const url = `http://${named}:${site.http.port}`;
  const cityUrl = `http://${named}:${cityHttp}`;
  const controlUrl = `http://127.0.0.1:${simulatorPorts.control}`;
  const token = () => readFileSync(join(data, 'admin-token'), 'utf8').trim();
  const status = (name: string): ProcessStatus => {
    const found = supervisor.status().find((child) => child.name === name);
    if (found === undefined) throw new Error(`there is no process ${name}`);
    return found;
  };
  return {
    site,
    data,
    url,
    controlUrl,
    cityUrl,
    passwords,
    status,
    pid: (name) => status(name).pid ?? 0,
    get: (path) => ask(`${url}/api/v1/${path}`, token()),
    post: (path, body) => ask(`${url}/api/v1/${path}`, token(), body),
    getCity: (path) => ask(`${cityUrl}/api/v1/${path}`, readFileSync(join(data, 'city', 'admin-token'), 'utf8').trim()),
    turn: async (name, position) => {
      const response = await fetch(`${controlUrl}/switch/${name}/${position}`, { method: 'POST' });
      if (!response.ok) throw new Error(`there is no switch ${name}`);
    },
    heard: async () => {
      const state = (await (await fetch(`${controlUrl}/state`)).json()) as { speakers: [] };
      return state.speakers;
    },
    camera: async (name) => {
      const state = (await (await fetch(`${controlUrl}/state`)).json()) as { cameras: Record<string, SeenCamera> };
      const seen = state.cameras[name];
      if (seen === undefined) throw new Error(`there is no simulated camera ${name}`);
      return seen;
    },
    async [Symbol.asyncDispose]() {
      await supervisor[Symbol.asyncDispose]();
      if (options.data === undefined) rmSync(data, { recursive: true, force: true });
    },
  };
}

async function ask<T>(url: string, token: string, body?: object): Promise<T> {
  const response = await fetch(url, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw Object.assign(new Error(JSON.stringify(answer)), { status: response.status });
  return answer as T;
}

/** The demo's site file with other ports. */
async function placeSite(host: string, data: string, options: CampusOptions) {
  const demo = await loadSite(join(root, 'edge/simulators/demo-site.yaml'));
  const [
    mqtt = 0,
    http = 0,
    flows = 0,
    cityMqtt = 0,
    cityHttp = 0,
    modbus = 0,
    rtu = 0,
    gate = 0,
    playground = 0,
    control = 0,
    mqtts = 0,
    https = 0,
    meterLine = 0,
    videoGate = 0,
    videoPlayground = 0,
    projector = 0,
    board = 0,
  ] = await freePorts(17, host);
  const [teaching = 0, field = 0, door = 0, switchGate = 0, kindergarten = 0, panel = 0] = await freeUdpPorts(6, host);
  const simulatorPorts: SimulatorPorts = {
    modbus,
    modbusRtu: rtu,
    meterLine,
    cameraGate: gate,
    cameraPlayground: playground,
    speakers: {
      'speaker-teaching': teaching,
      'speaker-playground': field,
      'speaker-gate': door,
      'speaker-kindergarten': kindergarten,
    },
    switchGate,
    screens: { projector, board, panel },
    control,
    ...(options.video === true ? { video: { gate: videoGate, playground: videoPlayground } } : {}),
  };
  const addresses: Record<string, Record<string, unknown>> = {
    'meter-main': { tcp: { host, port: modbus } },
    'meter-canteen': { tcp: { host, port: modbus } },
    'relay-1': { tcp: { host, port: modbus } },
    'lights-2f': { tcp: { host, port: modbus } },
    'ac-203': { rtuOverTcp: { host, port: rtu } },
    'screen-203': { host, port: projector },
    'sign-gate': { tcp: { host, port: board } },
    'panel-201': { broadcast: host, port: panel },
    'meter-dorm': { rtuOverTcp: { host, port: rtu } },
    'meter-teaching': { rtuOverTcp: { host, port: rtu } },
    'meter-data': { rtuOverTcp: { host, port: rtu } },
    'meter-ac': { tcp: { host, port: meterLine, baud: 9_600 } },
    'meter-motive': { tcp: { host, port: meterLine, baud: 9_600 } },
    'meter-lights': { tcp: { host, port: meterLine, baud: 9_600 } },
    'water-main': { tcp: { host, port: meterLine, baud: 9_600 } },
    'water-dorm': { tcp: { host, port: meterLine, baud: 9_600 } },
    'switch-gate': { host, port: switchGate },
    'camera-gate': { host, port: gate },
    'camera-playground': { host, port: playground },
    'speaker-teaching': { rtp: { host, port: teaching } },
    'speaker-playground': { rtp: { host, port: field } },
    'speaker-gate': { rtp: { host, port: door } },
    'speaker-kindergarten': { rtp: { host, port: kindergarten } },
  };
  const { city } = demo;
  const placed: Site = {
    ...demo,
    ...(options.gatehouse === true ? {} : withoutGatehouse(demo)),
    mqtt: { hosts: [host], port: mqtt, websocketPort: null, tls: { port: mqtts, clientCertificates: 'accept' } },
    http: { host, port: http },
    https: { hosts: [host], port: https, names: [] },
    flows: { ...demo.flows, port: flows, folder: join(root, 'flows') },
    rules: { folder: placeRules(demo, data, options) },
    devices: demo.devices.map((device) => ({ ...device, address: { ...device.address, ...addresses[device.id] } })),
    ...(city === undefined ? {} : { city: { ...city, host, port: cityMqtt } }),
  };
  return { site: options.change?.(placed) ?? placed, simulatorPorts, cityHttp };
}

/** A button without its line would be an alarm of its own, masks would have footage recoded, and so on. */
function withoutGatehouse({
  cameras: { quota: _quota, ...cameras },
  incidents: { rules: _rules, ...incidents },
}: Site) {
  return { cameras: { ...cameras, byCamera: {} }, incidents, panic: [], keyPlaces: [] };
}

function simulatorsSpec(
  site: Site,
  host: string,
  passwords: Readonly<Record<string, string>>,
  ports: SimulatorPorts,
): ChildSpec {
  const broker = { host, port: site.mqtt.port };
  const init: SimulatorsInit = { host, broker, passwords, ports, clips: join(tmpdir(), 'campus-test-clips') };
  return { name: 'simulators', module: join(root, 'edge/processes/simulators.ts'), heapMb: 192, init: () => init };
}

function citySpec(
  site: Site,
  host: string,
  folder: string,
  httpPort: number,
  test?: NonNullable<CityInit['test']>,
): ChildSpec {
  mkdirSync(folder, { recursive: true });
  const init: CityInit = {
    folder,
    mqtt: { hosts: [host], port: site.city?.port ?? 0 },
    http: { host, port: httpPort },
    campuses: [{ ...site.campus, password: 'password-of-the-campus' }],
    ...(test === undefined ? {} : { test }),
  };
  return { name: 'city', module: join(root, 'cloud-bridge/city/main.ts'), heapMb: 256, init: () => init };
}
