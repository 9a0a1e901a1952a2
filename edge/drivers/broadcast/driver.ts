import { randomBytes } from 'node:crypto';
import type { Driver } from '#edge/drivers/driver.ts';
import type { ClipFile } from '#edge/drivers/sound/clips.ts';
import { formats } from '#edge/drivers/sound/codecs.ts';
import { openStudio, type Studio } from '#edge/drivers/sound/studio.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { Channel, Channels } from './channel.ts';
import { parseSpeakerConfig, type SpeakerConfig } from './config.ts';
import { SpeakerSession } from './session.ts';

export interface BroadcastOptions {
  /** By name, as the site file has them. */
  readonly clips: Readonly<Record<string, ClipFile>>;
  /** Where the relative paths of the clips start. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Pause between two probes of a speaker that plays nothing, ms. */
  readonly probeEvery?: number;
  /** The one that all drivers of the process share; absent: one of its own, made of `clips`. */
  readonly studio?: Studio;
}

/** One clip on a disk that hangs must not keep the others from sounding, ms. */
const preparePatience = 3_000;
/** A socket to an address opens within this; ms. */
const openPatience = 1000;

/**
 * Loudspeakers by RTP, unicast or multicast. Points: `clip` (text, output: the order that plays now; '' = silence), `playing` (boolean),
 * `packets_sent` (counter), `proof` and `evidence` (text). The first `open` waits until every clip is decoded, or has
 * failed, so that an evacuation never waits for a disk, or 3 s; a broken clip is logged once and tried again when it is asked for.
 */
export function broadcastDriver(options: BroadcastOptions): Driver<SpeakerConfig> {
  const { clips, folder, clock, log, probeEvery = 15_000 } = options;
  const own = options.studio === undefined;
  const onProblem = (clip: string, problem: string) => log.error({ clip, problem }, 'a clip cannot be played');
  const studio = options.studio ?? openStudio({ clips, folder, clock, onProblem });
  // RFC 7022: a name for as long as the process lives, which says nothing of the machine.
  const cname = randomBytes(12).toString('base64url');
  const channels = new Channels((target, config) => new Channel({ target, config, studio, probeEvery, clock, cname }));

  return {
    protocol: 'broadcast',
    config: { parse: parseSpeakerConfig },
    async open(device, config, sink, signal) {
      const enough = new AbortController();
      const prepared = studio.library.prepare(formats[config.codec].rate);
      await Promise.race([prepared, delay(preparePatience, enough.signal)]);
      enough.abort();
      const session = new SpeakerSession({ device, config, studio, channels, clock, sink });
      signal.addEventListener('abort', () => void session[Symbol.asyncDispose](), { once: true });
      void prepared.then(() => session.onPrepared());
      // A name that does not resolve takes seconds to say so: the session says it, nobody waits for it.
      const patience = new AbortController();
      await Promise.race([session.open(), delay(openPatience, patience.signal)]);
      patience.abort();
      return session;
    },
    async [Symbol.asyncDispose]() {
      await channels[Symbol.asyncDispose]();
      if (own) await studio[Symbol.asyncDispose]();
    },
  };
}
