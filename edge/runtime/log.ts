import { pino } from 'pino';
import { systemClock } from './clock.ts';
import { LogFile } from './log-files.ts';

/** A constant phrase plus fields; once per transition. What a person must see is an event or an alarm. */
export interface Log {
  debug(fields: object, phrase: string): void;
  info(fields: object, phrase: string): void;
  warn(fields: object, phrase: string): void;
  error(fields: object, phrase: string): void;
  child(fields: object): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Never written, wherever they stand in the fields (three levels deep). */
const secretNames = ['password', 'token', 'tokens', 'secret', 'authorization', 'cookie', 'totp', 'flowsSecret'];
const secretPaths = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`]);

/**
 * Lines of JSON on standard error, so that standard output stays for people; with a folder also in `<folder>/<name>.log`
 * (log-files.ts). JSON keeps what strangers sent on its own line, whatever newlines and escapes are in it.
 */
export function createLog(name: string, level: LogLevel, folder: string | null = null): Log {
  const screen = pino.destination({ fd: 2, sync: true });
  const isKept = folder !== null && level !== 'silent' && /^[a-z][a-z0-9-]{0,40}$/.test(name);
  const file = isKept ? new LogFile({ folder, name, clock: systemClock }) : null;
  const both = {
    write(line: string): void {
      screen.write(line);
      file?.write(line);
    },
  };
  return pino(
    {
      level,
      base: { process: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { error: pino.stdSerializers.err },
      redact: { paths: secretPaths, censor: '[secret]' },
    },
    file === null ? screen : both,
  );
}

export const silentLog: Log = createLog('silent', 'silent');
