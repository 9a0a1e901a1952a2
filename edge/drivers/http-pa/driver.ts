import type { Driver } from '#edge/drivers/driver.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { type PaConfig, parsePaConfig } from './config.ts';
import { PaServer } from './server.ts';
import { PaSession } from './session.ts';

export interface HttpPaOptions {
  readonly clock: Clock;
  /** Pause between two looks at what plays, ms. */
  readonly probeEvery?: number;
}

/**
 * Loudspeakers behind a server that is told by HTTP what to play from its own store. Points: `clip` (text, output: an order of
 * domain/broadcast.ts of one clip; '' stops), `playing`, `proof` (none, sent, acknowledged), `evidence` (text: what went wrong, or '').
 */
export function httpPaDriver({ clock, probeEvery = 2_000 }: HttpPaOptions): Driver<PaConfig> {
  /** As many as the site has servers. */
  const servers = new Map<string, PaServer>();
  return {
    protocol: 'http-pa',
    config: { parse: parsePaConfig },
    async open(device, config, sink, signal) {
      const key = JSON.stringify(config.server);
      const server = servers.get(key) ?? new PaServer(config.server);
      servers.set(key, server);
      const session = new PaSession({ device, config, server, clock, probeEvery, sink });
      signal.addEventListener('abort', () => void session[Symbol.asyncDispose](), { once: true });
      if (signal.aborted) await session[Symbol.asyncDispose]();
      return session;
    },
    async [Symbol.asyncDispose]() {
      servers.clear();
    },
  };
}
