import type { Device } from '#edge/domain/device.ts';
import type { Driver } from '#edge/drivers/driver.ts';
import { formats } from '#edge/drivers/sound/codecs.ts';
import { openStudio, type Studio } from '#edge/drivers/sound/studio.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import { loginOf, parseSipConfig, readAuthority, type SipConfig } from './config.ts';
import { SipSession } from './session.ts';
import type { Talk } from './talk.ts';
import type { Timings } from './timings.ts';

export interface SipDriverOptions {
  /** Where the sound of all loudspeakers of the process is made; whoever opened it closes it. Absent: one of its own, without clips. */
  readonly studio?: Studio;
  readonly clock: Clock;
  /** Pause between two probes of a device that answers, ms. */
  readonly probeEvery?: number;
  readonly timings?: Timings;
  /**
   * The voice of a far end, once for each call in which it says anything, where its address has `talkback`. `session`: whose live page it
   * plays at that time; null: none.
   */
  readonly onTalk?: (device: Device, talk: Talk, session: () => string | null) => void;
}

/** Clips at the rates that are offered are decoded ahead, but a disk that hangs keeps nobody waiting, ms. */
const preparePatience = 3_000;
/** A socket opens within this, or says later that it did; ms. */
const openPatience = 1_000;

/**
 * Loudspeakers, classroom terminals and page groups by SIP. Points: `clip` (text, output: an order of domain/broadcast.ts; '' hangs up),
 * `playing`, `call` (idle, calling, ringing, connected, failed: why), `proof`, `packets_sent`, `packets_received`,
 * `seconds_counted` (sound that the far end says it got, by RTCP), `talk_level` (dBFS).
 */
export function sipDriver(options: SipDriverOptions): Driver<SipConfig> {
  const { clock, probeEvery = 15_000, timings, onTalk = () => {} } = options;
  const studio = options.studio ?? openStudio({ clips: {}, folder: '.', clock });
  return {
    protocol: 'sip',
    config: { parse: parseSipConfig },
    async open(device, config, sink, signal) {
      const patience = new AbortController();
      const rates = new Set([8_000 as const, ...config.codecs.map((codec) => formats[codec].rate)]);
      const prepared = Promise.all([...rates].map((rate) => studio.library.prepare(rate)));
      await Promise.race([prepared, delay(preparePatience, patience.signal)]);
      patience.abort();
      const { login, ca } = await secretsOf(config);
      const session = new SipSession({
        ...{ device, config, login, ca, studio, clock, probeEvery, sink, onTalk },
        ...(timings === undefined ? {} : { timings }),
      });
      signal.addEventListener('abort', () => void session[Symbol.asyncDispose](), { once: true });
      const enough = new AbortController();
      await Promise.race([session.open(), delay(openPatience, enough.signal)]);
      enough.abort();
      return session;
    },
    async [Symbol.asyncDispose]() {
      if (options.studio === undefined) await studio[Symbol.asyncDispose]();
    },
  };
}

/** A file that is not there yet is looked for again: no reason to give the device up for good. */
async function secretsOf(config: SipConfig) {
  try {
    const { caFile } = config.tls ?? {};
    return { login: await loginOf(config), ca: caFile === undefined ? undefined : await readAuthority(caFile) };
  } catch (error) {
    throw new CodedError('SIP_CONFIG', messageOf(error), { cause: error });
  }
}
