import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CodedError, messageOf } from './errors.ts';
import type { LogLevel } from './log.ts';

export interface Arguments {
  /** null runs the demo campus with its simulators and a city. */
  readonly site: string | null;
  readonly data: string;
  readonly httpPort: number | null;
  readonly mqttPort: number | null;
  readonly logLevel: LogLevel;
  readonly help: boolean;
}

export const usage = `Campus Edge

  npm start                                     a demo campus: simulated devices, the edge, and a city
  npm start -- --site my-site.yaml --data /var/lib/campus-edge
                                                a real campus

  --site FILE        the site file of a real campus (no simulators, no city)
  --data FOLDER      where the database, pictures and secrets live (demo: ./data)
  --http-port N      instead of http.port of the site file (HTTPS moves to N + 1)
  --mqtt-port N      instead of mqtt.port of the site file (WebSocket moves to N + 1, TLS to N + 2)
  --log-level LEVEL  debug, info, warn, error or silent (default: info, demo: error)
`;

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** Reads the command line. Throws USAGE with a sentence for people. */
export function parseArguments(argv: readonly string[]): Arguments {
  const values = readOptions(argv);
  const isDemo = values.site === undefined;
  if (!isDemo && values.data === undefined) {
    throw new CodedError('USAGE', 'a real campus needs --data FOLDER, e.g. --data /var/lib/campus-edge');
  }
  const level = values['log-level'] ?? (isDemo ? 'error' : 'info');
  const logLevel = levels.find((known) => known === level);
  if (logLevel === undefined) throw new CodedError('USAGE', `--log-level must be one of ${levels.join(', ')}`);
  return {
    site: values.site === undefined ? null : resolve(values.site),
    data: resolve(values.data ?? 'data'),
    httpPort: parsePort('--http-port', values['http-port']),
    mqttPort: parsePort('--mqtt-port', values['mqtt-port']),
    logLevel,
    help: values.help === true,
  };
}

function readOptions(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        site: { type: 'string' },
        data: { type: 'string' },
        'http-port': { type: 'string' },
        'mqtt-port': { type: 'string' },
        'log-level': { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    return values;
  } catch (error) {
    throw new CodedError('USAGE', messageOf(error), { cause: error });
  }
}

function parsePort(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_533)
    throw new CodedError('USAGE', `${option} must be 1 to 65533`);
  return port;
}

/** What people are told in: `both` where nothing says which. */
export type Language = 'zh' | 'en' | 'both';

/** As asked for, or as the terminal is set (POSIX: LC_ALL before LC_MESSAGES before LANG). Throws USAGE. */
export function chooseLanguage(asked: string | undefined): Language {
  if (asked === 'zh' || asked === 'en' || asked === 'both') return asked;
  if (asked !== undefined) throw new CodedError('USAGE', '--lang must be zh, en or both');
  const { LC_ALL, LC_MESSAGES, LANG } = process.env;
  const locale = [LC_ALL, LC_MESSAGES, LANG].find((value) => value !== undefined && value !== '') ?? '';
  if (/^zh/i.test(locale)) return 'zh';
  return locale === '' || /^(C|POSIX)(\.|$)/i.test(locale) ? 'both' : 'en';
}
