import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CityInit } from '#bridge/city/main.ts';
import { setClientPassword } from '#edge/bus/access.ts';
import type { WantedPort } from '#edge/runtime/ports.ts';
import type { Site } from '#edge/runtime/site.ts';
import { rulesFolder } from '#edge/runtime/site-rules.ts';
import type { ChildSpec } from '#edge/runtime/supervisor.ts';
import { brokerAddress, paths } from './context.ts';
import type { DemoPlan } from './demo-plan.ts';
import type { DemoSchool } from './demo-school.ts';

/* The demo: what a real campus has around the edge. It prepares the passwords a technician would, and starts the rest. */

export interface Demo {
  readonly siteFile: string;
  readonly ports: readonly WantedPort[];
  /** The site with its rules in the data folder: what people try out must not change the program's own files. */
  place(site: Site): Site;
  processes(site: Site): Promise<ChildSpec[]>;
}

export interface SimulatorsInit {
  /** Where the simulated devices listen (the page of switches is on 127.0.0.1 always). */
  readonly host: string;
  readonly broker: { readonly host: string; readonly port: number };
  readonly passwords: Readonly<Record<string, string>>;
  readonly ports: SimulatorPorts;
  /** Where the meters keep what they counted; absent: they begin anew at each start. */
  readonly meterState?: string;
  /** Where what the cameras film is kept; needed where they have video. */
  readonly clips?: string;
  /** Puts the demo's plan there; absent: nobody does. */
  readonly plan?: DemoPlan;
  /** Signs a school day for the coming two weeks; absent: nobody does. */
  readonly school?: DemoSchool;
  /** Lessons are held and things happen by themselves; default: only what somebody makes happen, at any time of day. */
  readonly lively?: boolean;
}

/** Ports of the simulated devices. */
export interface SimulatorPorts {
  readonly modbus: number;
  readonly modbusRtu: number;
  /** A serial server with DL/T 645 and CJ/T 188 meters behind it. */
  readonly meterLine: number;
  readonly cameraGate: number;
  readonly cameraPlayground: number;
  /** RTSP servers of the cameras; absent: they say that they have video, and nothing listens there. */
  readonly video?: { readonly gate: number; readonly playground: number };
  readonly speakers: Readonly<Record<string, number>>;
  /** SNMP, UDP. */
  readonly switchGate: number;
  /** The projector of room 203 and the board at the gate (TCP), and where the panel of room 201 hears magic packets (UDP); absent: none. */
  readonly screens?: { readonly projector: number; readonly board: number; readonly panel: number };
  /** The page of switches. */
  readonly control: number;
}

/** The same numbers as in demo-site.yaml. */
export const demoPorts = {
  modbus: 15_020,
  modbusRtu: 15_021,
  meterLine: 15_022,
  cameraGate: 18_081,
  cameraPlayground: 18_082,
  video: { gate: 18_554, playground: 18_555 },
  speakers: {
    'speaker-teaching': 15_004,
    'speaker-playground': 15_006,
    'speaker-gate': 15_008,
    'speaker-kindergarten': 15_010,
  },
  switchGate: 15_161,
  screens: { projector: 14_352, board: 14_353, panel: 15_009 },
  control: 8_070,
} as const satisfies SimulatorPorts;
const cityHttp = 8_090;

const host = '127.0.0.1';
const busy = 'stop that program first: the demo campus needs this port';

export function prepareDemo(data: string): Demo {
  const fixed = [
    demoPorts.modbus,
    demoPorts.modbusRtu,
    demoPorts.meterLine,
    demoPorts.cameraGate,
    demoPorts.cameraPlayground,
    demoPorts.video.gate,
    demoPorts.video.playground,
    demoPorts.screens.projector,
    demoPorts.screens.board,
    demoPorts.control,
    cityHttp,
  ];
  return {
    siteFile: join(import.meta.dirname, '../simulators/demo-site.yaml'),
    ports: fixed.map((port) => ({ host, port, setting: `nothing, but ${busy}` })),
    place: (site) => ({ ...site, rules: { folder: ownRules(site, data) } }),
    processes: async (site) => [await simulators(site, data), city(site, data)],
  };
}

/** The demo's rules as they were at the first start, and as they were changed since. */
function ownRules(site: Site, data: string): string {
  const folder = join(data, 'rules');
  if (!existsSync(folder)) cpSync(rulesFolder(site), folder, { recursive: true });
  return folder;
}

async function simulators(site: Site, data: string): Promise<ChildSpec> {
  const passwords: Record<string, string> = {};
  for (const { id } of site.clients) {
    const password = newPassword();
    await setClientPassword(data, id, password);
    passwords[id] = password;
  }
  const url = `http://${site.http.host.includes(':') ? `[${site.http.host}]` : site.http.host}:${site.http.port}`;
  const tokenFile = join(data, 'admin-token');
  const init: SimulatorsInit = {
    host,
    broker: brokerAddress(site),
    passwords,
    ports: demoPorts,
    meterState: join(data, 'meters.json'),
    clips: join(data, 'camera-clips'),
    plan: { url, tokenFile, doneFile: join(data, 'demo-plan-placed') },
    school: { url, tokenFile, doneFile: join(data, 'demo-school-placed'), timeZone: site.campus.timeZone },
    lively: true,
  };
  return { name: 'simulators', module: join(import.meta.dirname, 'simulators.ts'), heapMb: 192, init: () => init };
}

/** The city gives the campus a password; a technician puts it into the campus's data folder. */
function city(site: Site, data: string): ChildSpec {
  const folder = join(data, 'city');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const password = newPassword();
  writeFileSync(paths.cityPassword(data), `${password}\n`, { mode: 0o600 });
  const init: CityInit = {
    folder,
    mqtt: { hosts: [site.city?.host ?? host], port: site.city?.port ?? 0 },
    http: { host, port: cityHttp },
    campuses: [{ ...site.campus, password }],
  };
  const module = join(import.meta.dirname, '../../cloud-bridge/city/main.ts');
  return { name: 'city', module, heapMb: 256, init: () => init };
}

function newPassword(): string {
  return randomBytes(15).toString('base64url');
}
