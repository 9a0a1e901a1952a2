import type { Driver } from '#edge/drivers/driver.ts';
import { openStudio, type Studio } from '#edge/drivers/sound/studio.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import { Card, format } from './card.ts';
import { type LineConfig, parseLineConfig, placeOf } from './config.ts';
import { LineSession } from './session.ts';

export interface LineDriverOptions {
  /** The one that all drivers of the process share; absent: one of its own, without clips. */
  readonly studio?: Studio;
  readonly clock: Clock;
  /** ms between two looks at a card that plays nothing; null: it is looked at by playing only. */
  readonly probeEvery?: number | null;
  /** Where programmes are looked for; absent: PATH. */
  readonly path?: string;
}

/** One clip on a disk that hangs must not keep the others from sounding, ms. */
const preparePatience = 3_000;
/** A card opens within this, ms. */
const openPatience = 1_000;

/**
 * Loudspeakers on a sound card of this machine, through ALSA. Points: `clip` (text, output: the order that plays now; '' = silence), `playing`,
 * `proof` and `evidence`. Loudspeakers of one `device` share the card, as zones behind one amplifier do: the strongest sound plays.
 */
export function lineDriver(options: LineDriverOptions): Driver<LineConfig> {
  const { clock, probeEvery = 15_000, path } = options;
  const studio = options.studio ?? openStudio({ clips: {}, folder: '.', clock });
  const cards = new Map<string, { readonly card: Card; users: number }>();

  async function leave(place: string): Promise<void> {
    const known = cards.get(place);
    if (known === undefined || --known.users > 0) return;
    cards.delete(place);
    await known.card[Symbol.asyncDispose]();
  }

  return {
    protocol: 'line',
    config: { parse: parseLineConfig },
    async open(device, config, sink, signal) {
      const enough = new AbortController();
      const prepared = studio.library.prepare(format.rate);
      await Promise.race([prepared, delay(preparePatience, enough.signal)]);
      enough.abort();
      const place = placeOf(config);
      const known = cards.get(place);
      const { card } = known ?? { card: new Card({ config, studio, clock, probeEvery, path }) };
      cards.set(place, { card, users: (known?.users ?? 0) + 1 });
      const onGone = () => void leave(place);
      const session = new LineSession({ device, card, studio, clock, sink, onGone });
      signal.addEventListener('abort', () => void session[Symbol.asyncDispose](), { once: true });
      void prepared.then(() => session.onPrepared());
      const patience = new AbortController();
      // A card that hangs says so itself; nobody waits for it.
      if (known === undefined) await Promise.race([card.open(), delay(openPatience, patience.signal)]);
      patience.abort();
      return session;
    },
    async [Symbol.asyncDispose]() {
      const all = [...cards.values()];
      cards.clear();
      await Promise.all(all.map(({ card }) => card[Symbol.asyncDispose]()));
      if (options.studio === undefined) await studio[Symbol.asyncDispose]();
    },
  };
}
