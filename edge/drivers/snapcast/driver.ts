import type { Driver } from '#edge/drivers/driver.ts';
import { format } from '#edge/drivers/line/card.ts';
import { LineSession } from '#edge/drivers/line/session.ts';
import type { Studio } from '#edge/drivers/sound/studio.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import { parseSnapcastConfig, type SnapcastConfig } from './config.ts';
import { SnapStream } from './stream.ts';

export interface SnapcastDriverOptions {
  readonly studio: Studio;
  readonly clock: Clock;
  /** ms between two looks at a server that says nothing by itself. */
  readonly probeEvery?: number;
}

/** One clip on a disk that hangs must not keep the others from sounding, ms. */
const preparePatience = 3_000;
const openPatience = 1_000;

/**
 * Loudspeakers behind a Snapcast server. Points: `clip` (text, output: an order; '' = silence), `playing`, `proof` (none, sent, acknowledged: the
 * server plays it to a client that is there and not muted), `evidence`.
 */
export function snapcastDriver({ studio, clock, probeEvery = 1_000 }: SnapcastDriverOptions): Driver<SnapcastConfig> {
  const streams = new Set<SnapStream>();
  return {
    protocol: 'snapcast',
    config: { parse: parseSnapcastConfig },
    async open(device, config, sink, signal) {
      const enough = new AbortController();
      const prepared = studio.library.prepare(format.rate);
      await Promise.race([prepared, delay(preparePatience, enough.signal)]);
      enough.abort();
      const stream = new SnapStream({ config, studio, clock, probeEvery });
      streams.add(stream);
      const onGone = () => {
        streams.delete(stream);
        void stream[Symbol.asyncDispose]();
      };
      const session = new LineSession({ device, card: stream, studio, clock, sink, onGone });
      signal.addEventListener('abort', () => void session[Symbol.asyncDispose](), { once: true });
      void prepared.then(() => session.onPrepared());
      // A server that is there says so in a moment; nobody waits for one that is not.
      await stream.settled(openPatience);
      return session;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...streams].map((stream) => stream[Symbol.asyncDispose]()));
      streams.clear();
    },
  };
}
