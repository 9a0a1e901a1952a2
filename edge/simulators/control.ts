import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { Camera } from './camera.ts';
import type { School } from './meter-campus.ts';
import type { MeterLine } from './meter-line.ts';
import { serialMeters } from './meter-serial.ts';
import type { ModbusCampus } from './modbus.ts';
import type { Projector } from './projector.ts';
import type { Sensors } from './sensors.ts';
import type { Speaker } from './speaker.ts';
import type { TextBoard } from './text-board.ts';
import type { WakePanel } from './wake-panel.ts';

export interface ControlOptions {
  readonly host: string;
  readonly port: number;
  readonly modbus: ModbusCampus;
  readonly school: School;
  /** With the meters of the Chinese protocols. */
  readonly line: MeterLine;
  readonly cameras: { readonly gate: Camera; readonly playground: Camera };
  readonly speakers: readonly Speaker[];
  readonly sensors: Sensors;
  /** Of room 203 and 201, and at the gate; absent: there are none. */
  readonly screens?: { readonly projector: Projector; readonly panel: WakePanel; readonly board: TextBoard };
}

const page = join(import.meta.dirname, 'control-page');
const files: Readonly<Record<string, string>> = {
  '/': 'text/html; charset=utf-8',
  '/control.css': 'text/css',
  '/control.js': 'text/javascript',
};

/** The hand of fate, as a page on loopback: what happens on the virtual campus, and what its loudspeakers hear. */
export async function startControl(options: ControlOptions): Promise<AsyncDisposable> {
  const switches = createSwitches(options);
  const server = createServer((request, response) => {
    respond(request, response, switches, options).catch((error: unknown) => {
      response.writeHead(500).end(messageOf(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new CodedError('CONTROL_PORT', `the switches' page cannot listen: ${error.message}`)),
    );
    server.listen(options.port, options.host, resolve);
  });
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

type Switches = Readonly<Record<string, { isOn(): boolean; set(on: boolean): void }>>;

function createSwitches({ modbus, cameras, sensors, school, line, screens }: ControlOptions): Switches {
  const lasting = (set: (on: boolean) => void) => {
    let state = false;
    return {
      isOn: () => state,
      set: (on: boolean) => {
        state = on;
        set(on);
      },
    };
  };
  const once = (act: () => void) => ({ isOn: () => false, set: act });
  return {
    'smoke-101': lasting((on) => sensors.smoke('smoke-101', on)),
    'smoke-201': lasting((on) => sensors.smoke('smoke-201', on)),
    'fire-panel': lasting((on) => sensors.fireContact(on)),
    'leak-kitchen': lasting((on) => sensors.leak('leak-kitchen', on)),
    'pir-101': lasting((on) => sensors.occupied('pir-101', on)),
    'pir-203': lasting((on) => sensors.occupied('pir-203', on)),
    ...(screens === undefined
      ? {}
      : {
          'screen-203-deaf': lasting((on) => screens.projector.deaf(on)),
          'panel-201-off': once(() => screens.panel.sleep()),
        }),
    overload: lasting((on) => modbus.control.setOverload(on)),
    'water-leak': { isOn: () => school.isLeaking, set: (on: boolean) => school.setLeak(on) },
    'meter-ac-silent': lasting((on) => line.fault(on ? { kind: 'silent' } : null, serialMeters.airConditioning)),
    'meter-lights-swap': once(() => school.replace('street-lights')),
    'person-gate': once(() => cameras.gate.person()),
    'person-playground': once(() => cameras.playground.person()),
    'camera-gate-dead': lasting((on) => void cameras.gate.fault(on ? 'hang' : 'none')),
    'alarm-button': lasting((on) => sensors.loop('pressed', on)),
    'alarm-wire': lasting((on) => sensors.loop('cut', on)),
    'camera-gate-covered': lasting((on) => cameras.gate.tamper(on)),
    'line-gate': once(() => cameras.gate.lineCrossed()),
    button: once(() => sensors.press()),
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  switches: Switches,
  options: ControlOptions,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://control');
  const type = files[pathname];
  response.setHeader('content-security-policy', "default-src 'self'; frame-ancestors 'none'");
  response.setHeader('cache-control', 'no-store');
  if (request.method === 'GET' && type !== undefined) {
    response.setHeader('content-type', type);
    response.end(await readFile(join(page, pathname === '/' ? 'index.html' : pathname)));
  } else if (request.method === 'GET' && pathname === '/state') {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(stateOf(switches, options)));
  } else if (request.method === 'POST' && isOwnPage(request)) {
    const [, name = '', position] = /^\/switch\/([\w-]+)\/(on|off)$/.exec(pathname) ?? [];
    switches[name]?.set(position === 'on');
    response.writeHead(switches[name] === undefined ? 404 : 204).end();
  } else {
    response.writeHead(404).end();
  }
}

/** No foreign page in somebody's browser pulls the fire alarm, not even a simulated one. */
function isOwnPage(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  return origin === undefined || origin === `http://${host}`;
}

function stateOf(switches: Switches, { modbus, cameras, speakers, sensors, screens }: ControlOptions) {
  return {
    switches: Object.fromEntries(Object.entries(switches).map(([name, { isOn }]) => [name, isOn()])),
    speakers: speakers.map((speaker) => ({ name: speaker.name, ...speaker.heard() })),
    relays: modbus.control.relays(),
    lights: modbus.control.lights(),
    screens:
      screens === undefined
        ? null
        : {
            projector: { power: screens.projector.power(), input: screens.projector.input },
            board: { text: screens.board.text },
            panel: { isAwake: screens.panel.isAwake, heard: screens.panel.heard },
          },
    cameras: Object.fromEntries(
      Object.entries(cameras).map(([name, { position, isMoving, movements }]) => {
        return [name, { position, isMoving, movements: movements.slice(-20) }];
      }),
    ),
    connected: sensors.connected(),
  };
}
