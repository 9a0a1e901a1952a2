import type { Clock } from '#edge/runtime/clock.ts';
import type { Driver } from '../driver.ts';
import { tcpPort } from '../ports/tcp.ts';
import { type PhrasesConfig, parsePhrasesConfig } from './config.ts';
import { createLines } from './lines.ts';
import { PhrasesSession } from './session.ts';

export interface PhrasesDriverOptions {
  readonly clock: Clock;
  /** Says something on a topic of a gateway. Rejects when nobody can be told now. */
  readonly tell: (topic: string, payload: Buffer) => Promise<void>;
}

/** Devices that are told something and say little or nothing back, by the phrase book of their profile. */
export function createPhrasesDriver({ clock, tell }: PhrasesDriverOptions): Driver<PhrasesConfig> {
  const lines = createLines();
  return {
    protocol: 'phrases',
    config: { parse: parsePhrasesConfig },
    async open(device, config, sink, signal) {
      const line = lines.join(lineOf(config));
      try {
        return new PhrasesSession({ device, config, line, sink, clock, tell, signal });
      } catch (error) {
        line[Symbol.dispose]();
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

function lineOf(config: PhrasesConfig): string {
  if ('tcp' in config) return tcpPort(config.tcp).key;
  return 'mqtt' in config ? `mqtt:${config.mqtt}` : `http:${new URL(config.http).host}`;
}
