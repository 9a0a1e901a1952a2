import { pino } from 'pino';

/** A constant phrase plus fields; once per transition. What a person must see is an event or an alarm. */
export interface Log {
  debug(fields: object, phrase: string): void;
  info(fields: object, phrase: string): void;
  warn(fields: object, phrase: string): void;
  error(fields: object, phrase: string): void;
  child(fields: object): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Lines of JSON on standard error, so that standard output stays for people. */
export function createLog(name: string, level: LogLevel): Log {
  return pino(
    {
      level,
      base: { process: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { error: pino.stdSerializers.err },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}

export const silentLog: Log = createLog('silent', 'silent');
