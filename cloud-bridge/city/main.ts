import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { createLog } from '#edge/runtime/log.ts';
import { type CityOptions, startCity } from './city.ts';

/*
 * The city as a process: under the supervisor (`CityInit` over IPC), or by itself:
 *   node edge/run.mjs cloud-bridge/city/main.ts --data <folder> [--host ::1]... [--mqtt-port 1884] [--http-port 8090]
 * Who reports is in `<folder>/campuses.json`: [{id, name: {zh, en}, password?}].
 */
export type CityInit = Pick<CityOptions, 'folder' | 'mqtt' | 'http' | 'campuses' | 'test'>;

const campusesSchema = z.array(
  z.strictObject({
    id: z.string().regex(/^\d{10}$/, 'must be the 10-digit school code'),
    name: z.strictObject({ zh: z.string().min(1), en: z.string().min(1) }),
    password: z.string().min(8).optional(),
  }),
);

async function run(init: CityInit, { clock, log }: Pick<ChildContext, 'clock' | 'log'>): Promise<Running> {
  const city = await startCity({ ...init, clock, log });
  const host = init.http.host.includes(':') ? `[${init.http.host}]` : init.http.host;
  const url = `http://${host}:${city.ports.http}/`;
  return {
    info: {
      mqttPort: city.ports.mqtt,
      httpPort: city.ports.http,
      url,
      say: `  城市 city        ${url}#token=${city.token}`,
    },
    [Symbol.asyncDispose]: () => city[Symbol.asyncDispose](),
  };
}

async function readCampuses(folder: string): Promise<CityInit['campuses']> {
  const file = join(folder, 'campuses.json');
  try {
    return campusesSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new CodedError('CITY_CAMPUSES', `${file}: ${why}`, { cause: error });
  }
}

function readPort(name: string, text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new CodedError('CITY_ARGUMENTS', `--${name}: "${text}" is not a port (0 to 65535)`);
}

async function readArguments(): Promise<CityInit> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      host: { type: 'string', multiple: true, default: ['127.0.0.1'] },
      'mqtt-port': { type: 'string', default: '1884' },
      'http-port': { type: 'string', default: '8090' },
    },
  });
  if (values.data === undefined) throw new CodedError('CITY_ARGUMENTS', '--data <folder> is missing');
  return {
    folder: values.data,
    mqtt: { hosts: values.host, port: readPort('mqtt-port', values['mqtt-port']) },
    http: { host: values.host[0] ?? '127.0.0.1', port: readPort('http-port', values['http-port']) },
    campuses: await readCampuses(values.data),
  };
}

async function standAlone(): Promise<void> {
  const log = createLog('city', 'info');
  try {
    const running = await run(await readArguments(), { clock: systemClock, log });
    process.stdout.write(`${JSON.stringify(running.info)}\n`);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => void running[Symbol.asyncDispose]().then(() => process.exit(0)));
    }
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(1);
  }
}

if (process.send === undefined) await standAlone();
else runChild<CityInit>('city', run);
