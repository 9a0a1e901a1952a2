import type { Driver } from '#edge/drivers/driver.ts';
import { type ClipFile, openClipLibrary } from '#edge/drivers/sound/clips.ts';
import { startPacer } from '#edge/drivers/sound/pacer.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
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
}

/** One clip on a disk that hangs must not keep the others from sounding, ms. */
const preparePatience = 3_000;
/** A socket to an address opens within this; ms. */
const openPatience = 1000;

/**
 * Loudspeakers by RTP: G.711, 20 ms, unicast or multicast. Points: `clip` (text, output: what plays now; '' = silence),
 * `playing` (boolean), `packets_sent` (counter). The first `open` waits until every clip is decoded, or has failed, so
 * that an evacuation never waits for a disk, or 3 s; a broken clip is logged once and tried again when it is asked for.
 */
export function broadcastDriver(options: BroadcastOptions): Driver<SpeakerConfig> {
  const { clips, folder, clock, log, probeEvery = 15_000 } = options;
  const library = openClipLibrary(clips, folder);
  const pacer = startPacer(clock);
  const ending = new AbortController();
  let prepared: Promise<void> | undefined;

  async function prepare(): Promise<void> {
    // One after the other: a decoder holds a whole file.
    for (const name of library.names) {
      try {
        await library.load(name, ending.signal);
      } catch (error) {
        if (ending.signal.aborted) return;
        log.error({ clip: name, problem: messageOf(error) }, 'a clip cannot be played');
      }
    }
  }

  return {
    protocol: 'broadcast',
    config: { parse: parseSpeakerConfig },
    async open(device, config, sink, signal) {
      prepared ??= prepare();
      const enough = new AbortController();
      await Promise.race([prepared, delay(preparePatience, enough.signal)]);
      enough.abort();
      const session = new SpeakerSession({ device, config, clips: library, pacer, probeEvery, clock, sink });
      signal.addEventListener('abort', () => void session[Symbol.asyncDispose](), { once: true });
      // A name that does not resolve takes seconds to say so: the session says it, nobody waits for it.
      const patience = new AbortController();
      await Promise.race([session.open(), delay(openPatience, patience.signal)]);
      patience.abort();
      return session;
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      pacer[Symbol.dispose]();
      await prepared;
    },
  };
}
